"""What every kind of thing may need: unique names, and counters of collections."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.storage.table import Item


class NameItem(Item, discriminator="name"):
    """A unique name (login, key, token name) is taken by the thing with the id `holder_id`."""

    holder_id = UnicodeAttribute()


class CounterItem(Item, discriminator="counter"):
    """How many there are. Collections count in shards, administrators in one item."""

    members = NumberAttribute(default=0)


class MigrationsItem(Item, discriminator="migrations"):
    """Up to which one the table has been brought."""

    done = NumberAttribute(default=0)
