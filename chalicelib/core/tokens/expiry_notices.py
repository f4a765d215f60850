"""Notifies in time of what will happen to tokens, and that it has: each token is looked at when something is due, and
all of them after a policy was changed.

Nothing here ends anything: a token whose end has come is refused by the check itself.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.common.origin import UsageContext
from chalicelib.core.common.time import DAY_MS, rfc3339
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.tokens.expiry_projection import project_expiry
from chalicelib.core.tokens.system_records import by_keyturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.core.access.ports import AccountStore
    from chalicelib.core.directory.ports import ServiceStore
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.tokens.expiry_projection import ExpiryProjection
    from chalicelib.core.tokens.ports import ExpirySweepStore, TokenPage, TokenStore
    from chalicelib.core.tokens.token import PermanentToken

NEVER = 10**14  # milliseconds since the epoch, as when something is due
AT_ONCE = 100
MAX_LOOKED_AT = 5_000  # tokens in one run
SWEEP_EVERY_MS = DAY_MS  # who is in which group changes too


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to notify of, once it is `at`; `key` is by what it is known to have been sent. `final`: it is
    refused from then on."""

    at: int
    kind: EventKind
    key: str
    details: tuple[tuple[str, str], ...] = ()
    final: bool = False


class ExpiryNotices:
    """One run does a bounded amount of work; the next one goes on. Runs may overlap."""

    def __init__(
        self,
        tokens: TokenStore,
        accounts: AccountStore,
        services: ServiceStore,
        policies: EffectivePolicies,
        sweeps: ExpirySweepStore,
        notice_days: Sequence[int],
    ) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self._services = services
        self._policies = policies
        self._sweeps = sweeps
        self._notice_days = notice_days

    def run(self, now: int) -> int:
        """Look at tokens that are due, and go on with a walk through all. How many events were raised."""
        return self._due(now) + self._sweep(now)

    def _due(self, now: int) -> int:
        sent, after, looked = 0, None, 0
        while looked < MAX_LOOKED_AT:
            page = self._tokens.page(None, after, AT_ONCE, due=now)
            sent += self._look_at(page, now)
            looked, after = looked + len(page.tokens), page.after
            if after is None:
                break
        return sent

    def _sweep(self, now: int) -> int:
        sweep = self._sweeps.get()
        if sweep.done >= sweep.wanted and now - sweep.done < SWEEP_EVERY_MS:
            return 0
        sent, looked, position = 0, 0, sweep.after
        wanted = max(sweep.wanted, sweep.done + 1)
        while looked < MAX_LOOKED_AT:
            page = self._tokens.page(None, position, AT_ONCE)
            sent += self._look_at(page, now)
            looked, position = looked + len(page.tokens), page.after
            if position is None:
                break
        with contextlib.suppress(StaleWrite):  # another policy has changed: begin again with the next run
            self._sweeps.record_progress(
                replace(sweep, done=max(wanted, now) if position is None else sweep.done, after=position)
            )
        return sent

    def _look_at(self, page: TokenPage, now: int) -> int:
        owners = self._accounts.get_many({token.user_id for token in page.tokens})
        held = [(token, owners[token.user_id]) for token in page.tokens if token.user_id in owners]
        services = self._services.get_many({id for token, _ in held for id in token.scope})
        sent = 0
        for (token, _), bodies in zip(held, self._policies.by_body(held, services), strict=True):
            projection = project_expiry(token, [policy for policy in bodies.values() if policy])
            with contextlib.suppress(StaleWrite):  # it has changed meanwhile, and so is due again
                sent += self._notify(token, list(notices(projection, self._notice_days)), now, page.due[token.id])
        return sent

    def _notify(self, token: PermanentToken, known: Sequence[Notice], now: int, was_due: int) -> int:
        """Raise what has come and was not sent, and say when the token has to be looked at again."""
        came = [notice for notice in known if notice.at <= now]
        due = min((notice.at for notice in known if notice.at > now), default=NEVER)
        news = list(_news(came, token.notified))
        for notice in news:
            notified = {each.key for each in came} & {*token.notified, notice.key}
            if notice.final or notice.kind is EventKind.EXPIRING:  # it says what earlier warnings would have
                notified |= {each.key for each in came if each.kind is EventKind.EXPIRING and each.at <= notice.at}
            changed = replace(token, notified=tuple(sorted(notified)), revision=token.revision + 1)
            details = {"name": token.name, **dict(notice.details)}
            record = by_keyturn(notice.kind.value, changed, UsageContext(now), details)
            # Until the last is sent it stays due, or a run that is killed here would leave the others unsent.
            self._tokens.update_system_fields(token, changed, record, due if notice is news[-1] else 0)
            token = changed
        if not news and due != was_due:
            self._tokens.put_off(token, due)
        return len(news)


def notices(projection: ExpiryProjection, notice_days: Sequence[int]) -> Iterator[Notice]:
    """All that there is to notify of a token with this projection, in order of time for each kind.

    A secret that was made with less time before it than a warning needs is not warned of so: whoever made it knows.
    Of a token that will be disabled for want of use, only when half of the time is over: it may well be used.
    """
    if projection.ends is not None:
        yield from _warnings(projection.ends, notice_days, projection.secret_created_at)
        yield Notice(projection.ends, EventKind.EXPIRED, f"expired@{projection.ends}", final=True)
    if projection.rotation_due is not None:
        yield Notice(projection.rotation_due, EventKind.ROTATION_DUE, f"rotation-due@{projection.rotation_due}")
    if projection.disabled is not None:
        yield from _warnings(projection.disabled, notice_days, (projection.quiet_since + projection.disabled) // 2)
        details = (("disabled", "true"),)
        yield Notice(projection.disabled, EventKind.UNUSED, f"disabled@{projection.disabled}", details, final=True)
    if projection.unused is not None and projection.unused != projection.disabled:
        yield Notice(projection.unused, EventKind.UNUSED, f"unused@{projection.unused}")


def _warnings(end: int, notice_days: Sequence[int], since: int) -> Iterator[Notice]:
    for days in sorted(notice_days, reverse=True):
        at = end - days * DAY_MS
        if at > since:
            details = (("endsOn", rfc3339(end)), ("days", str(days)))
            yield Notice(at, EventKind.EXPIRING, f"expiring-{days}@{end}", details)


def _news(came: Sequence[Notice], notified: Sequence[str]) -> Iterator[Notice]:
    """What has come and was not sent. Of several warnings only the last, and none when the end itself has come:
    nobody wants to hear now that it is thirty days off."""
    over = any(notice.final for notice in came)
    warnings = [notice for notice in came if notice.kind is EventKind.EXPIRING]
    for notice in came:
        if notice.key not in notified and (
            notice.kind is not EventKind.EXPIRING or (notice is warnings[-1] and not over)
        ):
            yield notice
