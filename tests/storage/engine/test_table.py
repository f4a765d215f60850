"""One table, one client."""

from unittest.mock import patch

import botocore.session

from chalicelib.composition.keyturn import Keyturn
from chalicelib.storage.engine.table import Item, connection, create_table
from tests import tables
from tests.conftest import set_scene


def test_all_kinds_of_items_share_one_client(product: Keyturn) -> None:
    create = botocore.session.Session.create_client
    with patch.object(botocore.session.Session, "create_client", autospec=True, side_effect=create) as created:
        set_scene(product)
    assert created.call_count == 0  # the fixture's table has opened it


def test_what_expires_is_removed_by_the_database(product: Keyturn) -> None:
    tables.remove(product.settings.table.name)
    create_table(stream=False)
    described = connection().client.describe_time_to_live(TableName=Item.Meta.table_name)
    assert described["TimeToLiveDescription"]["AttributeName"] == "expires"


def test_creating_the_table_again_changes_nothing(product: Keyturn) -> None:
    scene = set_scene(product)
    create_table(stream=False)
    assert scene.is_good(scene.token.secret)
