"""Permanent tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.core.tokens.token import DETAILS, NO_DETAILS, LastUse, PermanentToken, TokenDetails
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.credentials import CredentialItem, common_attributes
from chalicelib.storage.items.secrets import (
    previous_in,
    previous_text,
    retired_hashes_text,
    retired_in,
    retired_times_text,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.expressions.update import Action

    from chalicelib.core.common.origin import UsageContext


TOKENS = "TOKENS"  # all permanent tokens, by when each has to be looked at


class TokenItem(CredentialItem, discriminator="token"):
    name = UnicodeAttribute()
    scope: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    author_id = UnicodeAttribute()
    author_name = UnicodeAttribute()
    used_at = UnicodeSetAttribute(null=True)
    rotated = NumberAttribute(null=True)
    settled = NumberAttribute(null=True)
    ends = NumberAttribute(null=True)
    # JSON: written and read whole.
    previous_secrets = UnicodeAttribute(null=True, attr_name="earlier")
    retired_secrets = UnicodeAttribute(null=True, attr_name="dead")
    retired = UnicodeAttribute(null=True)  # of each of them: when it was made, and whether it was rolled back
    last_use = UnicodeAttribute(null=True)
    about = UnicodeAttribute(null=True)
    notified = UnicodeAttribute(null=True, attr_name="told")
    reused = NumberAttribute(null=True)
    leaked = NumberAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, token: PermanentToken) -> TokenItem:
        """In the collection of all tokens, where it is looked at soon: it is new, or has changed."""
        return cls(
            *keys.token(token.user_id, token.id),
            **common_attributes(token),
            name=token.name,
            scope=list(token.scope),
            author_id=token.author_id,
            author_name=token.author_name,
            used_at=set(token.used_at) or None,
            rotated=token.rotated,
            settled=token.settled,
            ends=token.expires,
            previous_secrets=previous_text(token.previous_secrets),
            retired_secrets=retired_hashes_text(token.retired_secrets),
            retired=retired_times_text(token.retired_secrets),
            last_use=last_use_text(token.last_use) if token.last_use else None,
            about=text_of(token.details.stated()),
            notified=text_of(list(token.notified)),
            reused=token.reused,
            leaked=token.leaked,
            revision=token.revision,
            collection=TOKENS,
            position=keys.due(0, token.id),
        )

    @classmethod
    def noted(cls, use: UsageContext, services: Sequence[str]) -> list[Action]:
        """Also how it was used, and at which services."""
        how = LastUse(use.address, use.agent, use.service_id)
        where = [cls.used_at.add(set(services))] if services else []
        return [*super().noted(use, services), cls.last_use.set(last_use_text(how)), *where]

    def to_credential(self) -> PermanentToken:
        return PermanentToken(
            **self._common(),
            name=self.name,
            scope=tuple(self.scope),
            author_id=self.author_id,
            author_name=self.author_name,
            used_at=frozenset(self.used_at or ()),
            rotated=None if self.rotated is None else int(self.rotated),
            settled=None if self.settled is None else int(self.settled),
            expires=None if self.ends is None else int(self.ends),
            previous_secrets=previous_in(self.previous_secrets),
            retired_secrets=retired_in(self.retired_secrets, self.retired),
            last_use=LastUse(*json.loads(self.last_use)) if self.last_use else None,
            notified=tuple(json.loads(self.notified or "[]")),
            reused=None if self.reused is None else int(self.reused),
            leaked=None if self.leaked is None else int(self.leaked),
            revision=int(self.revision),
            details=_details_in(self.about),
        )


def labelled(label: str) -> str:
    """The collection of all accounts' tokens with this label; letter case does not matter."""
    return f"LABELLED#{label.casefold()}"


class TokenLabelItem(Item, discriminator="token-label"):
    """A token is found by its label."""

    @classmethod
    def of(cls, token: PermanentToken, label: str) -> TokenLabelItem:
        return cls(
            *keys.token_label(token.user_id, label, token.id),
            collection=labelled(label),
            position=keys.due(token.created, token.id),
        )


def last_use_text(use: LastUse) -> str:
    """A token's last use as one attribute."""
    return json.dumps([use.address, use.agent, use.service_id])


def _details_in(text: str | None) -> TokenDetails:
    if not text:
        return NO_DETAILS
    said = json.loads(text).items()
    # A later version may have stored what this one does not know: tokens are verified by both while it is installed.
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in said if name in DETAILS}
    return TokenDetails.of(known)
