"""What OAuth 2.0 leaves in the table. Lists and secrets are JSON texts: written and read whole, never searched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.core.common.time import DAY_MS
from chalicelib.core.oauth.delegations import (
    ApprovedScope,
    AuthorizationCode,
    Delegation,
    DeviceAuthorization,
    DeviceStatus,
    RefreshSecret,
)
from chalicelib.core.oauth.trust_rules import TrustRule
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.credentials import moment
from chalicelib.storage.items.secrets import hashed_in, hashed_list

if TYPE_CHECKING:
    from chalicelib.core.secrets.hashing import HashedSecret


class AuthorizationCodeItem(Item, discriminator="authorization-code"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    redirect_uri = UnicodeAttribute(null=True)
    scope = UnicodeAttribute()
    challenge = UnicodeAttribute()
    nonce = UnicodeAttribute(null=True)
    offline = BooleanAttribute()
    approval_id = UnicodeAttribute(null=True)
    authenticated = NumberAttribute()
    ends = NumberAttribute()
    digest = UnicodeAttribute()
    used = BooleanAttribute()

    @classmethod
    def of(cls, code: AuthorizationCode) -> AuthorizationCodeItem:
        return cls(
            *keys.authorization_code(code.user_id, code.id),
            id=code.id,
            user_id=code.user_id,
            client_id=code.client_id,
            redirect_uri=code.redirect_uri,
            scope=" ".join(code.scope),
            challenge=code.challenge,
            nonce=code.nonce,
            offline=code.offline,
            approval_id=code.approval_id,
            authenticated=code.authenticated,
            ends=code.expires,
            digest=code.digest,
            used=code.used,
            expires=moment(code.expires + DAY_MS),  # so long it is noticed if the code comes again
        )

    def to_code(self) -> AuthorizationCode:
        return AuthorizationCode(
            id=self.id,
            user_id=self.user_id,
            client_id=self.client_id,
            redirect_uri=self.redirect_uri,
            scope=tuple(self.scope.split()),
            challenge=self.challenge,
            nonce=self.nonce,
            offline=self.offline,
            approval_id=self.approval_id,
            authenticated=int(self.authenticated),
            expires=int(self.ends),
            digest=self.digest or "",
            used=self.used,
        )


class ApprovedScopeItem(Item, discriminator="approved-scope"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    created = NumberAttribute()
    ends = NumberAttribute()
    offline = BooleanAttribute(null=True)
    shown = NumberAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, approval: ApprovedScope) -> ApprovedScopeItem:
        return cls(
            *keys.approved_scope(approval.user_id, approval.client_id),
            id=approval.id,
            user_id=approval.user_id,
            client_id=approval.client_id,
            scope=" ".join(approval.scope),
            created=approval.created,
            ends=approval.expires,
            offline=approval.offline,
            shown=approval.shown,
            revision=approval.revision,
            expires=moment(approval.expires),
        )

    def to_approval(self) -> ApprovedScope:
        return ApprovedScope(
            id=self.id,
            user_id=self.user_id,
            client_id=self.client_id,
            scope=tuple(self.scope.split()),
            created=int(self.created),
            expires=int(self.ends),
            offline=bool(self.offline),
            shown=int(self.shown or 0),
            revision=int(self.revision),
        )


class DelegationItem(Item, discriminator="delegation"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    approval_id = UnicodeAttribute(null=True)
    created = NumberAttribute()
    authenticated = NumberAttribute()
    ends = NumberAttribute()
    secrets = UnicodeAttribute()
    last_used = NumberAttribute(null=True)
    put_aside = NumberAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, delegation: Delegation) -> DelegationItem:
        return cls(
            *keys.delegation(delegation.user_id, delegation.client_id, delegation.id),
            id=delegation.id,
            user_id=delegation.user_id,
            client_id=delegation.client_id,
            scope=" ".join(delegation.scope),
            approval_id=delegation.approval_id,
            created=delegation.created,
            authenticated=delegation.authenticated,
            ends=delegation.expires,
            secrets=json.dumps([[_hashed_text(each.hashed), each.until] for each in delegation.secrets]),
            last_used=delegation.last_used,
            put_aside=delegation.put_aside,
            revision=delegation.revision,
            expires=moment(delegation.expires),
        )

    def to_delegation(self) -> Delegation:
        return Delegation(
            id=self.id,
            user_id=self.user_id,
            client_id=self.client_id,
            scope=tuple(self.scope.split()),
            approval_id=self.approval_id,
            created=int(self.created),
            authenticated=int(self.authenticated),
            expires=int(self.ends),
            secrets=tuple(RefreshSecret(_hashed(hashed), until) for hashed, until in json.loads(self.secrets)),
            last_used=None if self.last_used is None else int(self.last_used),
            put_aside=None if self.put_aside is None else int(self.put_aside),
            revision=int(self.revision),
        )


class DeviceItem(Item, discriminator="device"):
    id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    user_code = UnicodeAttribute()
    ends = NumberAttribute()
    digest = UnicodeAttribute()
    interval = NumberAttribute()
    last_poll = NumberAttribute(null=True)
    status = UnicodeAttribute()
    user_id = UnicodeAttribute(null=True)
    approval_id = UnicodeAttribute(null=True)
    authenticated = NumberAttribute()
    offline = BooleanAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, device: DeviceAuthorization) -> DeviceItem:
        return cls(
            *keys.device(device.id),
            id=device.id,
            client_id=device.client_id,
            scope=" ".join(device.scope),
            user_code=device.user_code,
            ends=device.expires,
            digest=device.digest,
            interval=device.interval,
            last_poll=device.last_poll,
            status=device.status.value,
            user_id=device.user_id,
            approval_id=device.approval_id,
            authenticated=device.authenticated,
            offline=device.offline,
            revision=device.revision,
            expires=moment(device.expires),
        )

    def to_device(self) -> DeviceAuthorization:
        return DeviceAuthorization(
            id=self.id,
            client_id=self.client_id,
            scope=tuple(self.scope.split()),
            user_code=self.user_code,
            expires=int(self.ends),
            digest=self.digest or "",
            interval=int(self.interval),
            last_poll=None if self.last_poll is None else int(self.last_poll),
            status=DeviceStatus(self.status),
            user_id=self.user_id,
            approval_id=self.approval_id,
            authenticated=int(self.authenticated),
            offline=bool(self.offline),
            revision=int(self.revision),
        )


class TrustRuleItem(Item, discriminator="trust-rule"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    name = UnicodeAttribute()
    issuer = UnicodeAttribute()
    audience = UnicodeAttribute()
    conditions = UnicodeAttribute()
    scope = UnicodeAttribute()
    author_id = UnicodeAttribute()
    author_name = UnicodeAttribute()
    created = NumberAttribute()
    last_used = NumberAttribute(null=True)
    revision = NumberAttribute(null=True)  # none: it was never changed
    since = NumberAttribute(null=True)
    public_keys = UnicodeAttribute(null=True)
    lasting = BooleanAttribute(null=True)

    @classmethod
    def of(cls, rule: TrustRule) -> TrustRuleItem:
        return cls(
            *keys.trust_rule(rule.user_id, rule.id),
            id=rule.id,
            user_id=rule.user_id,
            name=rule.name,
            issuer=rule.issuer,
            audience=rule.audience,
            conditions=json.dumps({claim: list(patterns) for claim, patterns in rule.conditions.items()}),
            scope=" ".join(rule.scope),
            author_id=rule.author_id,
            author_name=rule.author_name,
            created=rule.created,
            last_used=rule.last_used,
            revision=rule.revision or None,
            since=rule.since,
            public_keys=json.dumps([dict(key) for key in rule.keys]) if rule.keys else None,
            lasting=rule.lasting or None,
        )

    def to_rule(self) -> TrustRule:
        conditions: dict[str, Any] = json.loads(self.conditions)
        return TrustRule(
            id=self.id,
            user_id=self.user_id,
            name=self.name,
            issuer=self.issuer,
            audience=self.audience,
            conditions={claim: tuple(patterns) for claim, patterns in conditions.items()},
            scope=tuple(self.scope.split()),
            author_id=self.author_id,
            author_name=self.author_name,
            created=int(self.created),
            last_used=None if self.last_used is None else int(self.last_used),
            revision=int(self.revision or 0),
            since=None if self.since is None else int(self.since),
            keys=tuple(json.loads(self.public_keys)) if self.public_keys else (),
            lasting=bool(self.lasting),
        )


def _hashed_text(secret: HashedSecret) -> str:
    return json.dumps(hashed_list(secret))


def _hashed(text: str) -> HashedSecret:
    return hashed_in(json.loads(text))
