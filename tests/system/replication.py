"""What a global table of DynamoDB does, with two engines for two regions: changes arrive at the other later.

As AWS documents it: items are copied whole, of two changes of one item the later one wins on both sides, and conditions
and transactions look at one side alone.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import boto3

POLL_SECONDS = 0.02
Place = tuple[str, str]


@dataclass
class Side:
    """One region's table, in an engine of its own. `changed`: when each item was changed last, wherever that was;
    `deleted`: which are known to be deleted here."""

    endpoint: str
    table: str
    changed: dict[Place, float] = field(default_factory=dict)
    deleted: set[Place] = field(default_factory=set)
    echoes: dict[Place, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.tables = self._client("dynamodb")
        self.streams = self._client("dynamodbstreams")

    def _client(self, name: str) -> Any:
        return boto3.Session().client(name, endpoint_url=self.endpoint, region_name="us-east-1")  # type: ignore[call-overload]


class GlobalTable:
    """Copies between two tables, whose streams began with nothing in them; what `one` has already is copied at once.
    Changes are under way until `arrive` is called."""

    def __init__(self, one: Side, other: Side) -> None:
        self._sides = one, other
        self._arriving = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.failed: list[BaseException] = []

    def __enter__(self) -> GlobalTable:
        one, other = self._sides
        starts = {side.endpoint: _shards(side) for side in self._sides}
        for item in one.tables.scan(TableName=one.table)["Items"]:
            other.echoes[_place(item)] += 1
            other.tables.put_item(TableName=other.table, Item=item)
        self._threads = [
            threading.Thread(target=self._guarded, args=(side, target, starts[side.endpoint]))
            for side, target in ((one, other), (other, one))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.failed, self.failed

    def arrive(self) -> None:
        """From now on changes arrive as soon as they are made, and those that were under way."""
        self._arriving.set()

    def is_deletion_under_way(self, place: Place) -> bool:
        """Whether it is known, and so is earlier than what comes now, that the first side has deleted this item."""
        return place in self._sides[0].deleted

    def _guarded(self, source: Side, target: Side, iterators: list[str]) -> None:
        try:
            self._copy(source, target, iterators)
        except BaseException as error:  # told in the test's own thread
            self.failed.append(error)

    def _copy(self, source: Side, target: Side, iterators: list[str]) -> None:
        waiting: list[tuple[float, Place, dict[str, Any] | None]] = []
        while not self._stop.is_set():
            for number, iterator in enumerate(iterators):
                page = source.streams.get_records(ShardIterator=iterator)
                iterators[number] = page["NextShardIterator"]
                for record in page["Records"]:
                    change = record["dynamodb"]
                    place, now = _place(change["Keys"]), time.monotonic()
                    with self._lock:
                        if source.echoes[place]:  # we wrote it there
                            source.echoes[place] -= 1
                            continue
                        source.changed[place] = now
                        if "NewImage" not in change:
                            source.deleted.add(place)
                    waiting.append((now, place, change.get("NewImage")))
            while waiting and self._arriving.is_set():
                self._arrive(target, *waiting.pop(0))
            time.sleep(POLL_SECONDS)

    def _arrive(self, target: Side, made: float, place: Place, image: dict[str, Any] | None) -> None:
        with self._lock:
            if target.changed.get(place, 0) > made:  # the later change wins
                return
            target.changed[place] = made
            target.echoes[place] += 1
        asked: dict[str, Any] = {"TableName": target.table, "ReturnValues": "ALL_OLD"}
        if image is None:
            key = {"pk": {"S": place[0]}, "sk": {"S": place[1]}}
            before = target.tables.delete_item(Key=key, **asked).get("Attributes")
        else:
            before = target.tables.put_item(Item=image, **asked).get("Attributes")
        if before == image:  # which makes no record
            with self._lock:
                target.echoes[place] -= 1


def _shards(side: Side) -> list[str]:
    """Where to begin to read its stream."""
    arn = side.tables.describe_table(TableName=side.table)["Table"]["LatestStreamArn"]
    shards = side.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    asked = {"StreamArn": arn, "ShardIteratorType": "TRIM_HORIZON"}
    return [side.streams.get_shard_iterator(ShardId=each["ShardId"], **asked)["ShardIterator"] for each in shards]


def _place(item: dict[str, Any]) -> Place:
    return item["pk"]["S"], item["sk"]["S"]
