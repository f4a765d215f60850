"""`kill -9` of database and server in the middle of a stream of creations loses nothing that was answered."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
import requests

from embedded.api import Api, introspect
from embedded.stack import Stack
from tests.budgets import budget

WRITERS = 4
STREAM = budget(gate=40, long=1000)  # tokens answered before everything is killed
PATIENCE_SECONDS = 600


def stream(stack: Stack, api: Api, writer: int, answered: dict[str, str], stop: threading.Event) -> None:
    """Create tokens as fast as answers come; note each that was answered."""
    number = 0
    while not stop.is_set():
        name = f"writer {writer} token {number}"
        try:
            body = {"name": name, "scope": [{"key": "ci"}]}
            answered[name] = api.post(f"/users/bot-{writer}/permanenttokens", body)["token"]
        except requests.RequestException:
            return
        number += 1


def items(stack: Stack) -> list[dict[str, Any]]:
    """The whole table, read by boto3 rather than by the code under test."""
    environment = stack.database.environment
    client = boto3.resource(
        "dynamodb",
        endpoint_url=stack.database.url,
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    page: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    while True:
        page = client.Table("keyturn").scan(
            ConsistentRead=True, **({"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {})
        )
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found


def test_every_answered_token_works_and_nothing_is_half_written(stack_on_disk: Stack) -> None:
    stack = stack_on_disk
    api = stack.administrator()
    for writer in range(WRITERS):
        api.post("/users", {"login": f"bot-{writer}", "name": "Bot", "type": "bot"})
    answered: dict[str, str] = {}
    stop = threading.Event()
    clients = [Api(stack.url, stack.secrets.read("administrator") or "") for _ in range(WRITERS)]
    threads = [
        threading.Thread(target=stream, args=(stack, clients[writer], writer, answered, stop))
        for writer in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    limit = time.monotonic() + PATIENCE_SECONDS
    while len(answered) < STREAM and time.monotonic() < limit:
        time.sleep(0.01)
    stack.database.kill()
    assert stack.server
    stack.server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answered) >= STREAM

    stack.server = None
    stack.database.start()
    stack.start_server()
    secret = stack.secrets.read("service-ci") or ""
    for name, token in answered.items():
        assert introspect(stack.url, "ci", secret, token)["active"], name
    check_nothing_is_half_written(items(stack), answered)


def check_nothing_is_half_written(table: list[dict[str, Any]], answered: dict[str, str]) -> None:
    """Each token has its name and its audit record, and neither of these is without a token."""
    tokens = {item["id"]: item for item in table if item["kind"] == "token"}
    names = {item["holder_id"] for item in table if item["sk"].startswith("TOKEN_NAME#")}
    audited = {
        item["target_id"]
        for item in table
        if item["kind"] == "audit" and item["audit_kind"] == "permanent-token.created"
    }
    assert set(answered) <= {token["name"] for token in tokens.values()}
    of_bots = {id for id, token in tokens.items() if token["name"].startswith("writer ")}
    assert of_bots <= names <= tokens.keys()
    assert tokens.keys() == audited
    for token in tokens.values():
        assert token["argon2id"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
