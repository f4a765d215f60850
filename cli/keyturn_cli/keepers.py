"""What the server keeps a secret of: a token that renews itself, and what somebody else renews for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from keyturn_cli import token_format
from keyturn_cli.api import Api, about, is_comparison, part
from keyturn_cli.errors import AnswerLost, Refused, UsedUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyturn_cli.patience import Patience

FIELDS = (
    "id,type,name,scope(id,key,name),user(id,login),author(id,name),creationTime,lastAccessTime,expiresOn,endsOn,"
    "secrets(creationTime,endsOn)"
)
SERVICE_FIELDS = "id,key,name,secrets(creationTime,endsOn)"
WEBHOOK_FIELDS = "id,name,url,secrets(creationTime,endsOn)"
CURRENT = "/users/me/permanenttokens/current"
UNAUTHENTICATED = 401


@dataclass
class OwnToken:
    """A token that presents itself. After an answer that was lost, the new secret is presented first: one that the
    server does not know counts for nothing, while one that has ended counts as used again."""

    api: Api
    presented: str
    _earlier: bool = field(default=False, init=False)

    @property
    def named(self) -> str:
        return f"the token {self._ids[1]}"

    @property
    def identity(self) -> str:
        return _token_path(*self._ids)

    @property
    def _ids(self) -> tuple[str, ...]:
        parsed = token_format.parse(self.presented)
        assert parsed
        return parsed.ids

    def new_secret(self) -> str:
        return token_format.permanent_token(token_format.new_middle(), *self._ids)

    def owns(self, secret: str) -> bool:
        parsed = token_format.parse(secret)
        return parsed is not None and parsed.prefix == "ktp_" and parsed.ids == self._ids

    def held(self, secret: str) -> OwnToken:
        return replace(self, presented=secret)

    def can_take_back(self) -> bool:
        return not self._earlier

    def take(self, new: str, grace: int, doubtful: bool, patience: Patience) -> dict[str, Any]:
        if doubtful and (taken := self._taken_already(new, grace, patience)):
            return taken
        try:
            told, self._earlier = self._ask(self.presented, new, grace, patience)
        except Refused as refusal:
            if _is_used_up(refusal):
                raise UsedUp(False) from None
            # A request that was thought lost may have arrived after all, between the two.
            if doubtful and refusal.status == UNAUTHENTICATED and (taken := self._taken_already(new, grace, patience)):
                return taken
            raise
        return told

    def roll_back(self, new: str, held: str, doubtful: bool, patience: Patience) -> None:
        try:
            self.api.using(new, patience).once(f"{CURRENT}/takeback", {"keep": held}, about(self._ids[1]))
        except Refused as refusal:
            if not (doubtful and refusal.status == UNAUTHENTICATED):
                raise
            self.api.using(held, patience).get(CURRENT, about(self._ids[1]), fields="id")  # done, if this one is good

    def _taken_already(self, new: str, grace: int, patience: Patience) -> dict[str, Any] | None:
        """The answer, if the server knows the new secret as the current one."""
        try:
            return self._ask(new, new, grace, patience)[0]
        except Refused as refusal:
            if refusal.status == UNAUTHENTICATED:
                return None
            if _is_used_up(refusal):
                raise UsedUp(True) from None
            raise

    def _ask(self, presented: str, new: str, grace: int, patience: Patience) -> tuple[dict[str, Any], bool]:
        parsed = token_format.parse(new)
        assert parsed
        body = {"grace": grace, "secret": parsed.middle}
        asked = self.api.using(presented, patience)
        told, earlier = asked.once(f"{CURRENT}/rotate", body, about(self._ids[1]), fields=FIELDS)
        return told, earlier


@dataclass
class Administered:
    """Something whose secret the caller renews without presenting it. `renewing`: where that is asked for, below which
    taking back and comparing are; `shape`: how the server makes the whole secret of what is brought."""

    api: Api
    id: str
    named: str
    renewing: str
    below: str
    shape: Shape
    until_now: str | None = None
    fields: str | None = None
    _was_current: bool | None = field(default=None, init=False)

    @property
    def identity(self) -> str:
        return self.below

    def new_secret(self) -> str:
        return self.shape.whole(self.shape.new())

    def owns(self, secret: str) -> bool:
        brought = self.shape.brought(secret)
        return brought is not None and self.shape.whole(brought) == secret

    def held(self, secret: str) -> Administered:
        return replace(self, until_now=secret)

    def can_take_back(self) -> bool:
        return bool(self._was_current)

    def take(self, new: str, grace: int, doubtful: bool, patience: Patience) -> dict[str, Any]:
        api = self.api.patient(patience)
        if self._was_current is None:  # what is not current would be the end of others, if it were taken back to
            self._was_current = self.until_now is not None and self._is_current(api, self.until_now)
        body = {"grace": grace, "secret": self.shape.brought(new)}
        try:
            told: dict[str, Any] = api.once(self.renewing, body, about(self.id), fields=self.fields)[0]
        except Refused as refusal:
            if _is_used_up(refusal):
                raise UsedUp(False) from None
            raise
        return told

    def roll_back(self, new: str, held: str, doubtful: bool, patience: Patience) -> None:
        api = self.api.patient(patience)
        try:
            api.once(f"{self.below}/takeback", {"keep": held}, about(self.id))
        except Refused:
            if not (doubtful and self._is_current(api, held)):
                raise

    def _is_current(self, api: Api, secret: str) -> bool:
        try:
            body = {"secret": self.shape.brought(secret)}
            told = api.post(f"{self.below}/comparison", body, expected=is_comparison)
        except AnswerLost as lost:  # it changes nothing
            raise AnswerLost(lost.message, True, lost.wait) from None
        return bool(told.get("current"))


@dataclass(frozen=True)
class Shape:
    """`new` makes what is brought, `whole` is what the server makes of it, `brought` the other way round."""

    new: Callable[[], str]
    whole: Callable[[str], str]
    brought: Callable[[str], str | None]


def token_of(api: Api, user_id: str, token_id: str, name: str, held: str | None) -> Administered:
    """A permanent token that somebody else presents nothing of."""

    def whole(middle: str) -> str:
        return token_format.permanent_token(middle, user_id, token_id)

    path = _token_path(user_id, token_id)
    shape = Shape(token_format.new_middle, whole, _middle)
    kept = Administered(api, token_id, f"the token {name}", f"{path}/rotate", path, shape, fields=FIELDS)
    return kept.held(held) if held and kept.owns(held) else kept


def service_of(api: Api, service_id: str, key: str, held: str | None) -> Administered:
    """A service."""

    def whole(middle: str) -> str:
        return token_format.service_secret(middle, service_id)

    path = f"/services/{part(service_id)}/secret"
    shape = Shape(token_format.new_middle, whole, _middle)
    kept = Administered(api, service_id, f"the service {key}", path, path, shape, fields=SERVICE_FIELDS)
    return kept.held(held) if held and kept.owns(held) else kept


def webhook_of(api: Api, webhook_id: str, name: str, held: str | None) -> Administered:
    """A webhook, whose secret is brought as a whole."""

    def brought(secret: str) -> str | None:
        return secret if token_format.is_webhook_secret(secret) else None

    path = f"/webhooks/{part(webhook_id)}/secret"
    shape = Shape(token_format.new_webhook_secret, lambda secret: secret, brought)
    kept = Administered(api, webhook_id, f"the webhook {name}", path, path, shape, fields=WEBHOOK_FIELDS)
    return kept.held(held) if held and kept.owns(held) else kept


def _token_path(user_id: str, token_id: str) -> str:
    return f"/users/{part(user_id)}/permanenttokens/{part(token_id)}"


def _middle(secret: str) -> str | None:
    parsed = token_format.parse(secret)
    return parsed.middle if parsed else None


def _is_used_up(refusal: Refused) -> bool:
    return refusal.status == 400 and refusal.field == "secret"
