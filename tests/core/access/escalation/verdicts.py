"""What an action has opened, and whether that is more than the attacker had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.core.access.account import User
from chalicelib.core.access.group import Group
from chalicelib.core.access.permissions import EVERY_PERMISSION, PermissionSet, ScopedPermission
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.networks import are_inside
from chalicelib.core.directory.service import Service
from chalicelib.core.login.authenticators import Authenticators
from chalicelib.core.oauth.access_tokens import LIFETIME_MS
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.core.tokens.token import PermanentToken
from chalicelib.core.webhooks.webhook import Webhook
from tests.core.access.escalation.world import DAY_MS, FORMER_LOGIN, NETWORKS, Kind, Profile, Things, World

CREDENTIALS = {
    *(kind.value.audit_name for kind in CredentialKind if not kind.value.rotates),
    *("trust rule", "code", "delegation", "approved scope"),
}
OF_THE_ACCOUNT = {"identity", "banned", "unbanned", "deleted", "authenticators", "token", "credential"}
GET_CODES = ("redirect_uris", "grant_types", "public", "trusted")
TOKENS = {
    *(Kind.TOKEN, Kind.BOUNDED_TOKEN, Kind.EXCHANGED_TOKEN, Kind.NARROWED_TOKEN, Kind.RULE_TOKEN, Kind.LASTING_TOKEN)
}
READING = ("read", "list", "see", "explain", "try")


@dataclass(frozen=True)
class Opened:
    """`of`: the account, group, role or service that it is about."""

    what: str
    of: str
    now: Any = None


HARMLESS = {"account made", "description", "group made"}
TAKEN_AWAY = {"banned", "group moved out", "role gone", "group gone", "left"}


@dataclass
class Before:
    """How it was."""

    things: Things
    permissions: dict[str, PermissionSet]  # of accounts
    given: dict[str, PermissionSet]  # by being in a group
    members: dict[str, set[str]]  # of groups, also by nesting

    @classmethod
    def of(cls, world: World, things: Things) -> Before:
        access = world.product.access
        accounts = [key[1] for key in things if len(key) == 2 and key[0] == "account"]
        groups = [key[1] for key in things if len(key) == 2 and key[0] == "group"]
        found = {id: access.of(id) for id in accounts}
        return cls(
            things,
            {id: each.permissions for id, each in found.items()},
            {id: access.of_members(id).permissions for id in groups},
            {group: {id for id, each in found.items() if group in each.groups} for group in groups},
        )

    def demands(self, group_id: str) -> bool:
        """Whether anything is demanded of the group's members, by itself or by what it is inside of."""
        group = self.things[("group", group_id)]
        if group.requires_two_factor or group.policy:
            return True
        return group.parent_id is not None and self.demands(group.parent_id)

    def guarded(self, group_id: str) -> list[PermissionSet]:
        """What a demand of the group stands before."""
        return [self.given[group_id], *(self.permissions[id] for id in self.members[group_id])]


def violations(world: World, kind: Kind, action: str, answer: object, before: Before) -> list[str]:
    """Why what was done should not have been possible."""
    after = Before.of(world, world.things)
    opened = list(_opened(before.things, after.things))
    found = [*_beyond_permissions(world, opened, before, after), *_beyond_groups(world, opened, before, after)]
    own = world.attacker.user.id
    if world.profile is Profile.NOTHING:
        found += [f"{each.what} of another" for each in opened if each.of != own]
        found += _removed_of_others(before.things, after.things, own)
        if action.startswith(READING) and not action.endswith(("myself", "present")) and answer is not None:
            found.append("read what is another's")
    found += _beyond_credential(world, kind, opened)
    if kind is Kind.PREVIOUS_SECRET:
        found += _removed_of_others(before.things, after.things, "")
    return [f"{action} with {kind.value}: {each}" for each in found]


def _beyond_credential(world: World, kind: Kind, opened: list[Opened]) -> Iterator[str]:
    own = world.attacker.user.id
    for each in opened:
        match kind:
            case Kind.STALE_SESSION if each.what not in HARMLESS | TAKEN_AWAY and not _is_approval(each.now):
                yield f"{each.what} by a login that is long ago"
            case Kind.DELEGATED_TOKEN if each.what not in TAKEN_AWAY:
                yield f"{each.what} by a connected service"
            case Kind.PREVIOUS_SECRET if each.what != "token" or each.of != own:
                yield f"{each.what} by a superseded secret"
            case Kind.APPLICATION_PASSWORD if each.what not in HARMLESS | TAKEN_AWAY:
                yield f"{each.what} by an application password"
            case kind if kind in TOKENS and each.what == "authenticators" and each.of == own:
                yield "a token changed what its owner logs in with"
            case Kind.TOKEN | Kind.LASTING_TOKEN if each.what == "credential":
                yield from () if _is_tokens_to_make(each.now) else ["an approval by a token"]
            case Kind.BOUNDED_TOKEN:
                yield from _unbound(each, world.now + DAY_MS, NETWORKS)
            case Kind.EXCHANGED_TOKEN:
                yield from _unbound(each, world.now + LIFETIME_MS, NETWORKS)
            case Kind.NARROWED_TOKEN | Kind.RULE_TOKEN:
                yield from _unbound(each, world.now + LIFETIME_MS)


def _is_approval(made: object) -> bool:
    """What comes of it carries when its user logged in, and so opens nothing that needs a recent login."""
    return type(made).__name__ in ("ApprovedScope", "AuthorizationCode")


def _is_tokens_to_make(made: object) -> bool:
    """What is no approval and no login."""
    kind = getattr(made, "kind", None)
    return type(made).__name__ == "TrustRule" or (isinstance(kind, CredentialKind) and not kind.value.is_login)


def _unbound(each: Opened, end: int, networks: tuple[str, ...] = ()) -> Iterator[str]:
    """What is made by a credential that ends, and may have networks, ends no later, and has none that are wider."""
    if each.what in ("credential", "webhook", "service made", "speaker", "authenticators"):
        yield f"{each.what} without an end"
    if each.what == "token" and isinstance(each.now, PermanentToken):
        if each.now.expires is None or each.now.expires > end:
            yield "a token that ends later"
        if networks and not (each.now.networks and are_inside(each.now.networks, networks)):
            yield "a token of wider networks"


def _beyond_permissions(world: World, opened: list[Opened], before: Before, after: Before) -> Iterator[str]:
    """What a fresh person with the attacker's permissions could not do either."""
    mine = before.permissions[world.attacker.user.id]
    administrator = mine.allows(EVERY_PERMISSION)
    own = world.attacker.user.id
    for each in opened:
        stronger = each.of != own and each.of in before.permissions and not mine.includes(before.permissions[each.of])
        if stronger and each.what in OF_THE_ACCOUNT:
            yield f"{each.what} of somebody who may do more"
        if each.what in ("role", "role gone") and not mine.includes(PermissionSet(map(ScopedPermission, each.now))):
            yield "a role of more"
        if each.what == "policy" and each.of == KEYTURN and not administrator:
            yield "a policy of Keyturn's own"
        if each.what in ("speaker", "codes", "service made") and each.now.trusted and not administrator:
            yield "a trusted service that somebody else speaks for"
        if each.what == "distrusted" and not administrator:
            yield "trust was taken away"
        if each.what == "former login" and not administrator:
            yield "a login that was somebody else's"
        if each.what == "credential" and getattr(each.now, "approval_id", "") is None and KEYTURN in each.now.scope:
            yield "Keyturn unasked"
    for name, was, is_now in (("account", before.permissions, after.permissions), ("group", before.given, after.given)):
        for id, permissions in is_now.items():
            had = was.get(id, PermissionSet()).scoped_permissions
            if not mine.includes(PermissionSet(had - permissions.scoped_permissions)):
                yield f"powers taken from an {name} that the attacker does not have"
            grown = PermissionSet(permissions.scoped_permissions - had)
            if not mine.includes(grown) and (id in was or name == "group"):
                yield f"permissions of an {name} beyond one's own"


def _beyond_groups(world: World, opened: list[Opened], before: Before, after: Before) -> Iterator[str]:
    """The same, of groups: what they give, and what they demand."""
    own = world.attacker.user.id
    mine = before.permissions[own]
    for each in opened:
        put = each.what in ("member", "left") and each.of != own and before.demands(each.now)
        if put and not mine.includes(before.permissions[each.of]):
            yield "a demand lifted from, or put on, somebody who may do more"
        if each.what == "left" and not mine.includes(before.given[each.now]):
            yield "somebody taken out of a group that gives more"
        if each.what in ("group renamed", "group gone") and not mine.includes(before.given[each.of]):
            yield f"{each.what} that gives more"
        moved = each.what in ("group moved", "group moved out") and each.of in before.given
        if each.what == "demand" or (moved and (before.demands(each.of) or after.demands(each.of))):
            yield from _beyond_guarded(mine, before.guarded(each.of))
        if moved and each.now.subgroups and each.now.parent_id and not mine.allows(EVERY_PERMISSION):
            yield "groups inside of a group that are nested deeper"


def _beyond_guarded(mine: PermissionSet, guarded: list[PermissionSet]) -> Iterator[str]:
    if not all(mine.includes(permissions) for permissions in guarded):
        yield "other demands of a group that gives more, or of somebody who may do more"


def _opened(before: Things, after: Things) -> Iterator[Opened]:
    for key, thing in after.items():
        old = before.get(key)
        if old == thing:
            continue
        match key:
            case ("account", id):
                yield from _account(id, old, thing)
            case ("account", id, "authenticators"):
                if _logs_in_with(old) != _logs_in_with(thing):
                    yield Opened("authenticators", id)
            case ("account", id, "permanent-token", _):
                yield from _token(id, old, thing)
            case ("account", id, kind, *_) if kind in CREDENTIALS and (old is None or kind == "trust rule"):
                yield Opened("credential", id, thing)
            case ("account", id, ("member" | "grant") as kind, _) if old is None and ("account", id) in before:
                yield Opened(kind, id, thing)
            case ("group", id):
                yield from _group(id, old, thing)
            case ("role", id):
                yield Opened("role", id, thing.permissions | (old.permissions if old else frozenset()))
            case ("service", id):
                yield from _service(id, old, thing)
            case ("webhook", id) if old is None or _tells_elsewhere(old, thing):
                yield Opened("webhook", id)
    for key, thing in before.items():
        if key not in after:
            yield from _removed(before, key, thing)


def _tells_elsewhere(old: Webhook, new: Webhook) -> bool:
    """Whether events go to somebody else now, or somebody else has a secret that signs them."""
    return (old.url, old.encrypted_secret) != (new.url, new.encrypted_secret)


def _account(id: str, old: User | None, new: User) -> Iterator[Opened]:
    if new.login == FORMER_LOGIN:
        yield Opened("former login", id)
    if old is None:
        yield Opened("account made", id)
        return
    if any(getattr(old, each) != getattr(new, each) for each in ("login", "name", "email", "owner")):
        yield Opened("identity", id)
    if old.banned != new.banned:
        yield Opened("banned" if new.banned else "unbanned", id)
    if old.description != new.description:
        yield Opened("description", id)


def _logs_in_with(each: Authenticators | None) -> Authenticators:
    """Without what counts logins, and ends sessions."""
    return replace(each or Authenticators(""), user_id="", session_epoch=0, revision=0, wrong_codes=0)


def _token(id: str, old: PermanentToken | None, new: PermanentToken) -> Iterator[Opened]:
    if old is None or old.secret != new.secret or not _is_within(new, old):
        yield Opened("token", id, new)
    elif old.revision != new.revision:
        yield Opened("token described", id)


def _is_within(new: PermanentToken, old: PermanentToken) -> bool:
    ends = old.expires is None or (new.expires is not None and new.expires <= old.expires)
    places = not old.networks or (bool(new.networks) and are_inside(new.networks, old.networks))
    return ends and places and set(new.scope) <= set(old.scope)


def _group(id: str, old: Group | None, new: Group) -> Iterator[Opened]:
    if old is None:
        yield Opened("group moved" if new.parent_id else "group made", id)
        return
    if old.parent_id != new.parent_id:
        yield Opened("group moved" if new.parent_id else "group moved out", id, new)
    if (old.policy, old.requires_two_factor) != (new.policy, new.requires_two_factor):
        yield Opened("demand", id)
    if old.name != new.name:
        yield Opened("group renamed", id)
    if new.grants - old.grants:
        yield Opened("grant", id)


def _service(id: str, old: Service | None, new: Service) -> Iterator[Opened]:
    if old is None:
        yield Opened("service made", id, new)
        return
    if old.trusted and not new.trusted:
        yield Opened("distrusted", id)
    if old.policy != new.policy:
        yield Opened("policy", id)
    if old.secret != new.secret or (new.public and not old.public):
        yield Opened("speaker", id, new)
    elif any(getattr(old, each) != getattr(new, each) for each in GET_CODES):
        yield Opened("codes", id, new)
    elif old.revision != new.revision:
        yield Opened("service", id)


def _removed(before: Things, key: tuple[str, ...], thing: Any) -> Iterator[Opened]:
    match key:
        case ("account", id):
            yield Opened("deleted", id)
        case ("group", id):
            yield Opened("group gone", id)
            if thing.requires_two_factor or thing.policy:
                yield Opened("demand", id)
        case ("role", id):
            yield Opened("role gone", id, thing.permissions)
        case ("account", id, "member", group_id) if ("account", id) in before:
            yield Opened("left", id, group_id)
            group = before[("group", group_id)]
            if group.requires_two_factor or group.policy:
                yield Opened("member's demand", id)


def _removed_of_others(before: Things, after: Things, own: str) -> list[str]:
    kinds = {"account", "group", "role", "service", "webhook"}
    gone = [key for key in before if key not in after and key[0] in kinds and key[1] != own]
    changed = [
        key
        for key in before
        if len(key) == 2 and key[0] in kinds and key[1] != own and key in after and before[key] != after[key]
    ]
    ended = [
        key
        for key in before
        if key[2:] == ("authenticators",) and key[1] != own and key in after and before[key] != after[key]
    ]
    return [f"{key[0]} {key[2:3]} of another is gone or changed" for key in (*gone, *changed, *ended)]
