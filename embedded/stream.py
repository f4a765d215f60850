"""Reads the stream of a table as Lambda does: each shard in order, parents before children, and a batch again until
it was handled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

BATCH = 100


class StreamReader:
    """`checkpoint` keeps what was handled, by shard; without it, everything that the stream holds comes again."""

    def __init__(self, table: str, endpoint: str, region: str, checkpoint: Path) -> None:
        self._table = table
        self._tables: Any = boto3.client("dynamodb", region_name=region, endpoint_url=endpoint)
        self._streams: Any = boto3.client("dynamodbstreams", region_name=region, endpoint_url=endpoint)
        self._checkpoint = checkpoint
        self._handled: dict[str, str] = json.loads(checkpoint.read_text()) if checkpoint.exists() else {}
        self._iterators: dict[str, str | None] = {}

    def batches(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """What is new at the moment, by shard."""
        found = []
        stream = self._tables.describe_table(TableName=self._table)["Table"].get("LatestStreamArn")
        for shard in self._shards(stream) if stream else ():
            records = self._next(stream, shard["ShardId"])
            if records:
                found.append((shard["ShardId"], records))
        return found

    def handled(self, shard: str, records: list[dict[str, Any]]) -> None:
        """This batch need not come again."""
        self._handled[shard] = records[-1]["dynamodb"]["SequenceNumber"]
        draft = self._checkpoint.with_suffix(".draft")
        draft.write_text(json.dumps(self._handled))
        draft.replace(self._checkpoint)

    def again(self, shard: str) -> None:
        """This batch was not handled: it comes again."""
        self._iterators.pop(shard, None)

    def _shards(self, stream: str) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            described = self._streams.describe_stream(StreamArn=stream, **more)["StreamDescription"]
            shards += described["Shards"]
            if "LastEvaluatedShardId" not in described:
                return sorted(shards, key=lambda shard: shard["ShardId"])
            more = {"ExclusiveStartShardId": described["LastEvaluatedShardId"]}

    def _next(self, stream: str, shard: str) -> list[dict[str, Any]]:
        if shard not in self._iterators:
            handled = self._handled.get(shard)
            place: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
            if handled:
                place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": handled}
            answer = self._streams.get_shard_iterator(StreamArn=stream, ShardId=shard, **place)
            self._iterators[shard] = answer["ShardIterator"]
        iterator = self._iterators[shard]
        if iterator is None:  # the shard is closed, and all of it was read
            return []
        answer = self._streams.get_records(ShardIterator=iterator, Limit=BATCH)
        self._iterators[shard] = answer.get("NextShardIterator")
        records: list[dict[str, Any]] = answer["Records"]
        return records
