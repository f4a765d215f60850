"""How often logins were tried, in the table for as long as it counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.items import AttemptsItem, OneTimeMarkerItem, moment

if TYPE_CHECKING:
    from chalicelib.core.common.rate_limits import Budget


@translate_database_errors
class DynamoLoginAttempts:
    """Implements `core.login.ports.LoginAttemptStore`."""

    def is_known(self, login_key: str, network: str, now: int) -> bool:
        mark = read_one(OneTimeMarkerItem, keys.known_network(login_key, network))
        return mark is not None and mark.expires is not None and mark.expires > datetime.fromtimestamp(now / 1000, UTC)

    def remember(self, login_key: str, network: str, expires: int) -> None:
        OneTimeMarkerItem.at(keys.known_network(login_key, network), expires).save()

    def add(self, budget: Budget, change: int, now: int) -> int:
        item = AttemptsItem(*keys.attempts(budget.subject, budget.window(now)))
        item.update(
            actions=[
                AttemptsItem.attempts.add(change),
                AttemptsItem.expires.set(moment(budget.ends(now))),
                AttemptsItem.kind.set(AttemptsItem),
            ]
        )
        return int(item.attempts)
