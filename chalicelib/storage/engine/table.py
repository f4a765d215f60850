"""The one table: its keys, its index, and how a process reaches it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ConnectionClosedError
from pynamodb.attributes import DiscriminatorAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from chalicelib.storage.engine.batch_get import BatchGetClient, is_whole

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.endpoint import Endpoint
    from pynamodb.connection import Connection
    from pynamodb.connection.table import TableConnection

CONNECT_TIMEOUT_SECONDS = 2.0
READ_TIMEOUT_SECONDS = 3.0
RETRIES = 3


@dataclass(frozen=True, slots=True)
class TableAddress:
    """Where the table is. `endpoint` only for an engine that is not AWS's own."""

    name: str
    region: str
    endpoint: str | None = None


class ByCollection(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """All members of a collection in order: little but keys, so that skipping members stays cheap."""

    class Meta:
        index_name = "by_collection"
        projection = IncludeProjection(["kind"])  # PynamoDB filters every query by it

    collection = UnicodeAttribute(hash_key=True)
    position = UnicodeAttribute(range_key=True)


class ByTarget(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """What concerns an account or another thing, by time."""

    class Meta:
        index_name = "by_target"
        projection = IncludeProjection(["kind"])

    target = UnicodeAttribute(hash_key=True)
    position = UnicodeAttribute(range_key=True)


class Item(Model):
    """Anything in the table. `kind` tells which subclass; the keys' forms are in `keys`."""

    class Meta:
        table_name = "keyturn"
        region = "us-east-1"
        host: str | None = None
        billing_mode = "PAY_PER_REQUEST"
        connect_timeout_seconds = CONNECT_TIMEOUT_SECONDS
        read_timeout_seconds = READ_TIMEOUT_SECONDS
        max_retry_attempts = RETRIES

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    collection = UnicodeAttribute(null=True)
    position = UnicodeAttribute(null=True)
    by_collection = ByCollection()
    target = UnicodeAttribute(null=True)
    by_target = ByTarget()
    expires = TTLAttribute(null=True)  # DynamoDB removes the item some time after

    @classmethod
    def from_raw_data(cls, data: dict[str, dict[str, Any]]) -> Self:
        """As PynamoDB does it, but each attribute that is there is looked at once: it goes through all that could be
        there, twice."""
        stored = cls._get_discriminator_class(data) or cls
        if not issubclass(stored, cls):
            raise ValueError(f"Found a {stored.__name__} where a {cls.__name__} was expected.")
        item, attributes = stored(_user_instantiated=False), stored.get_attributes()
        names: dict[str, str] = stored._dynamo_to_python_attrs  # type: ignore[attr-defined]
        for stored_name, value in data.items():
            name = names.get(stored_name, stored_name)
            attribute = attributes.get(name)
            if attribute is not None and "NULL" not in value:
                item.attribute_values[name] = attribute.deserialize(attribute.get_value(value))
        return item

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """One client for all kinds. PynamoDB makes one for each model class, and a client costs 50 ms."""
        if cls is not Item:
            return Item._get_connection()
        made = cls._connection is None
        table = super()._get_connection()
        if made:
            table.connection.client.meta.events.register("needs-retry.dynamodb", again_if_cut_off)  # type: ignore[arg-type]
        return table


def again_if_cut_off(
    response: tuple[AWSResponse, dict[str, Any]] | None, attempts: int, endpoint: Endpoint, **_: object
) -> float | None:
    """Repeat a call whose answer was cut off: the pause in seconds, or None if there is nothing amiss.

    botocore reads an answer that ends in its headers as an empty one, and after the last attempt also one whose
    checksum is wrong; either would pass for "there is no such item". DynamoDB never answers with less than `{}`.
    """
    if response is None or response[0].status_code != HTTPStatus.OK:
        return None
    if is_whole(response[0].headers, response[0].content):
        return None
    if attempts > RETRIES:
        raise ConnectionClosedError(endpoint_url=endpoint.host)
    return 0.05 * attempts


def connect(address: TableAddress) -> None:
    """Point this process at a table. One process serves one table at a time."""
    Item.Meta.table_name = address.name
    Item.Meta.region = address.region
    Item.Meta.host = address.endpoint
    Item._connection = None
    batch_get_client.cache_clear()


def connection() -> Connection:
    """The connection that every model and transaction of this process shares."""
    return Item._get_connection().connection


@functools.cache
def batch_get_client() -> BatchGetClient:
    """Reads several items of this process's table in less time than its connection takes."""
    return BatchGetClient(connection(), CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)


def open_client() -> None:
    """Build the client now, which takes longer than its first request. No network is used."""
    _ = connection().client


def create_table(stream: bool = True) -> None:
    """Create the table and wait until it can be used. A table that exists is left as it is.

    `stream`: it has one, by which events are sent; also a table that exists gets it.
    """
    if not Item.exists():
        Item.create_table(wait=True)
    client: Any = connection().client
    table = client.describe_table(TableName=Item.Meta.table_name)["Table"]
    if stream and not table.get("StreamSpecification", {}).get("StreamEnabled"):
        specification = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        client.update_table(TableName=Item.Meta.table_name, StreamSpecification=specification)
