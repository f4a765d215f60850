"""The local engine is for one installation: nobody else on the network or the machine reads or changes its data."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import boto3
import pytest

from embedded.dynamodb import OPEN_TO_ALL, DynamoDBLocal
from embedded.stack import Stack


def client(engine: DynamoDBLocal, access_key_id: str | None = None) -> Any:
    return boto3.Session().client(
        "dynamodb",
        endpoint_url=engine.url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id or engine.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="anything",
    )


def make_table(engine: DynamoDBLocal) -> None:
    client(engine).create_table(
        TableName="keyturn",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def open_to_others(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077 and path.suffix != ".pid"]


def test_it_is_one_installations_alone_and_takes_over_what_was_open_to_all(tmp_path: Path, other_address: str) -> None:
    folder = tmp_path / "database"
    with DynamoDBLocal(folder) as engine:
        make_table(engine)
        (data,) = folder.glob("*.db")

        assert client(engine, "local").list_tables()["TableNames"] == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((other_address, engine.port), timeout=10)
        command = Path(f"/proc/{(folder / 'dynamodb.pid').read_text()}/cmdline").read_bytes()
        assert engine.environment["AWS_ACCESS_KEY_ID"].encode() not in command
        assert open_to_others(folder) == []
        os.kill(int((folder / "dynamodb.pid").read_text()), signal.SIGKILL)  # data may be in files beside

    for path in folder.glob(f"{data.name}*"):  # as an older version has left them
        path.rename(folder / path.name.replace(data.name, OPEN_TO_ALL)).chmod(0o644)
    (folder / "access-key-id").unlink()
    folder.chmod(0o755)
    with DynamoDBLocal(folder) as engine:
        assert client(engine).list_tables()["TableNames"] == ["keyturn"]
        assert open_to_others(folder) == []
    (folder / OPEN_TO_ALL).touch()
    with pytest.raises(RuntimeError, match="Move the file"):
        DynamoDBLocal(folder).start()


def test_a_stack_closes_what_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    for name in ("database/dynamodb.log", "secrets/administrator", "server/tag-keys", "server.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        (folder / name).touch(mode=0o644)
    _ = Stack(folder).environment
    assert open_to_others(folder) == []
