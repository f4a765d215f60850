"""A second region by a global table, simulated: what holds there, what holds only later, and why one region alone
may write. docs/explanation/multi-region.md says it in words."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest

from chalicelib.core.common.errors import Unavailable
from chalicelib.storage.engine.keys import token
from chalicelib.storage.engine.table import TableAddress, connect, create_table
from chalicelib.storage.items import TokenItem
from embedded.dynamodb import DynamoDBLocal
from tests.conftest import Scene
from tests.cutting import Listener, message
from tests.system.replication import GlobalTable, Side


class ReadingOnly(Listener):
    """DynamoDB for functions whose policies allow them to read."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.denied = 0

    def serve(self, client: socket.socket) -> None:
        parts = urlsplit(self.target)
        with client, socket.create_connection((parts.hostname or "", parts.port or 80)) as server:
            while request := message(client):
                operation = request.lower().partition(b"x-amz-target: dynamodb_20120810.")[2].partition(b"\r\n")[0]
                if operation.startswith((b"batchget", b"get", b"query", b"describe")):
                    server.sendall(request)
                    client.sendall(message(server))
                else:
                    self.denied += 1
                    client.sendall(REFUSAL)


BODY = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "not authorized"}).encode()
REFUSAL = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


@dataclass(frozen=True)
class Regions:
    """This process is in the first one, or, in one of the blocks, in the second."""

    first: TableAddress
    second: TableAddress
    line: ReadingOnly
    copies: GlobalTable

    @contextmanager
    def reading(self) -> Iterator[ReadingOnly]:
        """In the second region, as it is meant to be."""
        with self._other(self.line.url):
            yield self.line

    @contextmanager
    def writing(self) -> Iterator[None]:
        """In the second region, with policies that allow what they must not."""
        with self._other(self.second.endpoint):
            yield

    @contextmanager
    def _other(self, endpoint: str | None) -> Iterator[None]:
        connect(replace(self.second, endpoint=endpoint))
        try:
            yield
        finally:
            connect(self.first)


@pytest.fixture(scope="module")
def second_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoDBLocal]:
    with DynamoDBLocal(tmp_path_factory.mktemp("second-region")) as running:
        yield running


@pytest.fixture
def regions(scene: Scene, second_engine: DynamoDBLocal) -> Iterator[Regions]:
    """The scene is in both; what changes in one arrives in the other when a test lets it."""
    create_table(stream=True)
    first = scene.product.settings.table
    assert first.endpoint
    second = replace(first, endpoint=second_engine.url)
    connect(second)
    create_table(stream=True)
    connect(first)
    sides = Side(first.endpoint, first.name), Side(second_engine.url, first.name)
    with ReadingOnly(second_engine.url) as line, GlobalTable(*sides) as copies:
        yield Regions(first, second, line, copies)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_was_revoked_is_accepted_in_the_other_region_until_the_change_arrives(
    scene: Scene, regions: Regions
) -> None:
    secret = scene.token.secret
    scene.product.permanent_tokens.delete(scene.caller(), "build-bot", scene.token.token.id)
    assert not scene.is_good(secret)  # where it was revoked: at once
    with regions.reading():
        assert scene.is_good(secret)
        regions.copies.arrive()
        until(lambda: not scene.is_good(secret))
        for _ in range(20):
            assert not scene.is_good(secret)  # and never again


def test_a_secret_that_was_rotated_away_goes_on_as_long(scene: Scene, regions: Regions) -> None:
    old = scene.token.secret
    new = scene.product.rotation.rotate(scene.caller(), "build-bot", scene.token.token.id, 0).secret
    with regions.reading():
        assert scene.is_good(old)
        assert not scene.is_good(new)  # a client that asks here has to have patience
        regions.copies.arrive()
        until(lambda: scene.is_good(new))
        assert not scene.is_good(old)


def test_a_write_in_the_other_region_brings_a_revoked_token_back(scene: Scene, regions: Regions) -> None:
    """The reason for one region that writes: nobody refuses the later change there, and the later change wins."""
    secret = scene.token.secret
    place = token(scene.token.token.user_id, scene.token.token.id)
    scene.product.permanent_tokens.delete(scene.caller(), "build-bot", scene.token.token.id)
    until(lambda: regions.copies.is_deletion_under_way(place))
    with regions.writing():
        TokenItem(*place).update([TokenItem.last_used.set(1)], condition=TokenItem.pk.exists())
    assert not scene.is_good(secret)
    regions.copies.arrive()
    until(lambda: scene.is_good(secret))


def test_functions_that_may_only_read_verify_and_refuse_changes(scene: Scene, regions: Regions) -> None:
    with regions.reading() as line:
        assert scene.is_good(scene.token.secret)
        assert line.denied == 1  # the use that it would have noted
        assert scene.is_good(scene.token.secret)
        assert line.denied == 1  # which it does not try each time
        with pytest.raises(Unavailable, match="This region is read-only"):
            scene.product.permanent_tokens.create(scene.caller(), "build-bot", "another", ["ci"])
