"""Permanent tokens: a named credential of one account, good for a list of services."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from chalicelib.core.access.permissions import ROTATE_SELF
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.secrets.previous_secrets import Secrets
from chalicelib.core.secrets.token_format import CredentialKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import PreviousSecret, RetiredSecret

MAX_SCOPE = 100
MAX_LABELS = 20
LABEL_FORM = r"[A-Za-z0-9][A-Za-z0-9._/=-]{0,62}"
LONGEST_LIFE_MS = 10 * 365 * DAY_MS  # of a token that expires; what is to live longer need not expire


def expiry(moment: int | None, now: int) -> int | None:
    """When a token is to expire, in milliseconds since the epoch; None: not at all. Raises Invalid."""
    if moment is not None and not now < moment <= now + LONGEST_LIFE_MS:
        raise Invalid("expiresOn", f"must be in the future, and within {LONGEST_LIFE_MS // (365 * DAY_MS)} years.")
    return moment


def labels(values: Sequence[str], field: str = "labels") -> tuple[str, ...]:
    """Valid labels, such as `nightly` or `team=payments`, each once. Raises Invalid."""
    for index, value in enumerate(values):
        if not re.fullmatch(LABEL_FORM, value, re.ASCII):
            raise Invalid(
                f"{field}[{index}]",
                "must have 1 to 63 characters of A-Z, a-z, 0-9 and . _ / = -, and must start with a letter or digit.",
            )
    found = tuple(dict.fromkeys(values))
    if len(found) > MAX_LABELS:
        raise Invalid(field, f"may have at most {MAX_LABELS} entries.")
    return found


def _line(name: str, most: int = validation.MAX_NAME) -> Callable[[str], str]:
    """The rule of a text in one line, perhaps empty."""
    return lambda value: validation.name(value, name, most) if value else ""


def _networks(values: Sequence[str]) -> tuple[str, ...]:
    from chalicelib.core.common.networks import networks  # only where a token has some

    return networks(values)


@dataclass(frozen=True, slots=True)
class Detail:
    """What holds for one of a token's details. `rule` returns a value as it is stored, or raises Invalid; `is_list`: it
    is a list of texts, and otherwise one text."""

    rule: Callable[[Any], str | tuple[str, ...]]
    is_list: bool


def _text(rule: Callable[[str], str]) -> str | None:
    declared: str | None = field(default=None, metadata={Detail: Detail(rule, is_list=False)})
    return declared


def _list(rule: Callable[[Sequence[str]], tuple[str, ...]]) -> Sequence[str] | None:
    declared: Sequence[str] | None = field(default=None, metadata={Detail: Detail(rule, is_list=True)})
    return declared


@dataclass(frozen=True, slots=True)
class TokenDetails:
    """What describes a token besides its name, and from where it may be used. Every layer iterates these fields, so
    each is declared here once.

    Those of a token have no empty value: None is what it has not. As a change, None leaves a field as it is, and an
    empty value removes it.
    """

    description: str | None = _text(validation.description)
    contact: str | None = _text(_line("contact"))  # whom to ask: a person, a team, a channel
    labels: Sequence[str] | None = _list(labels)
    networks: Sequence[str] | None = _list(_networks)  # from which alone it may be used; none: from everywhere

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TokenDetails:
        """With these values, by name of the field."""
        return cls(**values)

    def stated(self) -> dict[str, str | Sequence[str]]:
        """The values that there are, by name of the field."""
        return {name: value for name in DETAILS if (value := getattr(self, name)) is not None}

    def valid(self) -> TokenDetails:
        """The same as it is stored. Raises Invalid."""
        return self.of({name: DETAILS[name].rule(value) for name, value in self.stated().items()})

    def changed_by(self, change: TokenDetails) -> TokenDetails:
        """A token's details after a change, which is valid."""
        values = {**self.stated(), **change.stated()}
        return self.of({name: value for name, value in values.items() if value})


DETAILS: Mapping[str, Detail] = {each.name: each.metadata[Detail] for each in fields(TokenDetails)}
NO_CHANGE = NO_DETAILS = TokenDetails()


@dataclass(frozen=True, slots=True)
class LastUse:
    """What is kept of a token's last use; `service_id` says where it was."""

    address: str | None = None
    agent: str | None = None
    service_id: str | None = None


@dataclass(frozen=True, slots=True)
class PermanentToken:
    """A token at rest. `scope` holds service ids, and `used_at` those of services where it was used at least once;
    `author_name` is as it was at creation. What is not of its own here is as `verification.ports.Credential` says."""

    kind: ClassVar = CredentialKind.PERMANENT_TOKEN
    second_factor: ClassVar = False
    opens_nothing: ClassVar[str | None] = None

    id: str
    user_id: str
    name: str
    scope: tuple[str, ...]
    author_id: str
    author_name: str
    created: int  # milliseconds since the epoch
    secret: HashedSecret
    last_used: int | None = None  # milliseconds since the epoch, no finer than the window in which it is recorded once
    last_use: LastUse | None = None
    used_at: frozenset[str] = frozenset()
    rotated: int | None = None  # when the current secret was made, if it is not the first
    settled: int | None = None  # when the newest secret that was used was made; None: nothing later than the first
    previous_secrets: tuple[PreviousSecret[HashedSecret], ...] = ()  # oldest first
    retired_secrets: tuple[RetiredSecret[HashedSecret], ...] = ()  # that have ended and are recognised; oldest first
    reused: int | None = None  # when one of those was reused last, no finer than `core.tokens.compromise.WINDOW_MS`
    leaked: int | None = None  # when it was found where everybody can read it, and it stayed
    expires: int | None = None  # milliseconds since the epoch; most do not expire
    details: TokenDetails = NO_DETAILS
    notified: tuple[str, ...] = ()  # the notices of its future that were sent
    revision: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """By which it is found."""
        return tuple(self.details.labels or ())

    @property
    def networks(self) -> tuple[str, ...]:
        """From which alone it may be used; without any, from everywhere."""
        return tuple(self.details.networks or ())

    @property
    def secret_created_at(self) -> int:
        """When the current secret was made."""
        return self.created if self.rotated is None else self.rotated

    def has_ended(self, now: int, owner: User | None = None, authenticators: Authenticators | None = None) -> bool:
        """Whether its end has come, with all its secrets."""
        return self.expires is not None and now >= self.expires

    def is_for(self, service_id: str) -> bool:
        return service_id in self.scope

    def not_used_at(self, service_ids: frozenset[str]) -> frozenset[str]:
        return service_ids - self.used_at

    @property
    def only(self) -> frozenset[str] | None:
        """That it is for Keyturn gives it its owner's permissions; or else it is good for being rotated itself."""
        return None if KEYTURN in self.scope else frozenset({ROTATE_SELF})

    @property
    def rotating(self) -> PermanentToken:
        return self

    @property
    def secrets(self) -> Secrets[HashedSecret]:
        """All its secrets."""
        return Secrets(self.secret, self.secret_created_at, self.previous_secrets, self.retired_secrets)

    def valid_previous(self, now: int) -> tuple[PreviousSecret[HashedSecret], ...]:
        """The previous secrets that are still valid."""
        return self.secrets.valid_previous(now)

    @property
    def newest_used(self) -> int:
        """When the newest secret that was ever used was made. The first one is in use from the beginning."""
        return self.created if self.settled is None else self.settled

    def previous(self, since: int | None, now: int) -> PreviousSecret[HashedSecret] | None:
        """The previous secret that was made at `since`, if it is still valid."""
        return self.secrets.previous(since, now)

    def has_secret(self, since: int, now: int) -> bool:
        """Whether the secret that was made at `since` is still good."""
        return not self.has_ended(now) and self.secrets.has(since, now)

    def is_settled_after(self, previous: PreviousSecret[HashedSecret] | RetiredSecret[HashedSecret]) -> bool:
        """Whether a later secret was used: then no answer was lost, and this one renews nothing any more."""
        return self.newest_used > previous.since

    def rotated_to(self, hashed: HashedSecret, grace_ms: int, now: int) -> PermanentToken:
        """With another current secret (`Secrets.rotated_to`)."""
        return self._with(self.secrets.rotated_to(hashed, grace_ms, now))

    def renewed_by(
        self, presented: PreviousSecret[HashedSecret], hashed: HashedSecret, grace_ms: int, now: int
    ) -> PermanentToken:
        """With another current secret, made by somebody who has only an earlier one (`Secrets.renewed_by`)."""
        return self._with(self.secrets.renewed_by(presented, hashed, grace_ms, now))

    def rolled_back_to(self, kept: PreviousSecret[HashedSecret], now: int) -> PermanentToken:
        """As before the rotations since the earlier secret `kept` (`Secrets.rolled_back_to`)."""
        settled = min(self.newest_used, kept.since)  # nobody may have used the one that is kept
        return replace(self._with(self.secrets.rolled_back_to(kept, now)), settled=settled)

    def _with(self, secrets: Secrets[HashedSecret]) -> PermanentToken:
        return replace(
            self,
            secret=secrets.current,
            rotated=None if secrets.since == self.created else secrets.since,
            previous_secrets=secrets.previous_secrets,
            retired_secrets=secrets.retired_secrets,
            revision=self.revision + 1,
        )
