"""What every kind of thing may need: unique names, and counters of collections."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item


class NameItem(Item, discriminator="name"):
    """A unique name (login, key, token name) is taken by the thing with the id `holder_id`."""

    holder_id = UnicodeAttribute()


class FormerLoginItem(Item, discriminator="former-login"):
    """Until it expires, nobody but the account with the id `holder_id` gets this login."""

    holder_id = UnicodeAttribute()


class CounterItem(Item, discriminator="counter"):
    """How many there are. Collections count in shards, administrators in one item."""

    members = NumberAttribute(default=0)


SWEEPS = "SWEEPS"  # by when somebody has to look again


class SweepItem(Item, discriminator="sweep"):
    """What hung on a thing that is gone may still be there: in that thing's partition, and in an index."""

    @classmethod
    def of(cls, partition: str, since: int) -> SweepItem:
        position = f"{since:015d}#{partition}"
        return cls(*keys.sweep(partition), collection=SWEEPS, position=position)


class MigrationsItem(Item, discriminator="migrations"):
    """Up to which one the table has been brought."""

    done = NumberAttribute(default=0)
