"""`/users`: the accounts."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msgspec import UnsetType

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.role import Grant
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import OWNERLESS, AccountChange
from chalicelib.rest.contract.contracts import Searchable
from chalicelib.rest.contract.endpoint import MAX_TOP, Call, operation
from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import HUBS_OF_USERS, REFERENCE, USER, NamedReference, reads_user
from chalicelib.rest.directory.access_shapes import PROJECT_ROLE
from chalicelib.rest.directory.account_bodies import NewUser, ProfileBody, UserChange
from chalicelib.rest.directory.group_shapes import GROUP, GroupView
from chalicelib.rest.directory.roles import grant_views
from chalicelib.rest.login.security_shapes import APPLICATION_PASSWORD, SECOND_FACTORS, SecondFactorView
from chalicelib.rest.oauth.delegations import approved_scope_views, refresh_token_views
from chalicelib.rest.oauth.oauth_shapes import APPROVED_SCOPE, REFRESH_TOKEN
from chalicelib.rest.tokens.permanent_tokens import token_views
from chalicelib.rest.tokens.token_shapes import PERMANENT_TOKEN
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group
    from chalicelib.core.login.application_passwords import OwnedApplicationPassword
    from chalicelib.rest.contract.bodies import Reference
    from chalicelib.rest.directory.access_shapes import GrantView
    from chalicelib.rest.oauth.oauth_shapes import GrantedView
    from chalicelib.rest.tokens.token_shapes import TokenView


class Owners:
    """The owners of some bots, read together, and only if an answer shows them."""

    def __init__(self, call: Call, caller: Caller, users: Sequence[User]) -> None:
        self._call = call
        self._caller = caller
        self._users = users

    @functools.cached_property
    def existing(self) -> Mapping[str, User | Group | None]:
        """Those that exist, by id; None is one that the caller may not see."""
        return self._call.keyturn.accounts.owners_of(self._caller, self._users)


def account_views(call: Call, caller: Caller, users: Sequence[User]) -> list[AccountView]:
    """The accounts with what hangs on them."""
    owners = Owners(call, caller, users)
    return [AccountView(user, call, caller, owners) for user in users]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account, and what hangs on it, which is read only for answers that show it."""

    user: User
    call: Call
    caller: Caller
    owners: Owners

    def owner(self) -> NamedReference | None:
        """Who owns the bot; one that is gone or may not be seen, by its id alone."""
        owner = self.user.owner
        if owner is None:
            return None
        found = self.owners.existing.get(owner.id)
        return NamedReference(owner.id, found.name if found else None, owner.kind.value)

    def is_ownerless(self) -> bool:
        """Whether it is a bot for which nobody is there any more."""
        owner = self.user.owner
        return self.user.type is AccountType.BOT and (owner is None or owner.id not in self.owners.existing)

    def last_access(self) -> int | None:
        """When it last did anything."""
        return self.call.keyturn.accounts.last_used(self.user)

    def groups(self) -> list[GroupView]:
        """Those that the account is directly in."""
        access = self.call.keyturn.permissions.access(self.caller, self.user.id)
        return [GroupView(access.groups[id], lambda: access.groups) for id in access.direct]

    def transitive_groups(self) -> list[GroupView]:
        """These, and all that they are inside of."""
        access = self.call.keyturn.permissions.access(self.caller, self.user.id)
        return [GroupView(group, lambda: access.groups) for group in access.groups.values()]

    def project_roles(self) -> list[GrantView]:
        """The account's own grants."""
        return grant_views(self.call, self.caller, self.call.keyturn.roles.grants(self.caller, self.user.id))

    def transitive_project_roles(self) -> list[GrantView]:
        """These, and those of its groups."""
        access = self.call.keyturn.permissions.access(self.caller, self.user.id)
        grants = {
            Grant(held.through[-1].id if held.through else self.user.id, held.role.id, held.scope_id): held.role
            for held in access.grant_paths
        }
        return grant_views(self.call, self.caller, list(grants.items()), self.user.id)

    def second_factors(self) -> SecondFactorView:
        """What it proves at login besides a password."""
        return SecondFactorView(self.call.keyturn.second_factors.status(self.caller, self.user.id))

    def pending_second_factor(self) -> SecondFactorView | None:
        """The same, if the pairing of an authenticator app waits for its first code."""
        view = self.second_factors()
        return view if view.stored.pending_totp else None

    def application_passwords(self) -> list[OwnedApplicationPassword]:
        """All of them: there are never more than fit into one answer."""
        window = Window(0, MAX_TOP)
        return list(self.call.keyturn.application_passwords.page(self.caller, self.user.id, window).items)

    def refresh_tokens(self) -> list[GrantedView]:
        """The oldest hundred."""
        page = self.call.keyturn.oauth.delegations.page(self.caller, self.user.id, Window(0, MAX_TOP))
        return refresh_token_views(self.call, self.caller, page.items)

    def approved_scopes(self) -> list[GrantedView]:
        """The oldest hundred."""
        page = self.call.keyturn.oauth.approved_scopes.page(self.caller, self.user.id, Window(0, MAX_TOP))
        return approved_scope_views(self.call, self.caller, page.items)

    def permanent_tokens(self) -> list[TokenView]:
        """The oldest hundred."""
        page = self.call.keyturn.permanent_tokens.page(self.caller, self.user.id, Window(0, MAX_TOP))
        return token_views(self.call, self.caller, page.items)


def _of_account(field: Field) -> Field:
    """A field of the account itself, seen through the view that knows what hangs on it."""
    return replace(field, value=lambda view: field.value(view.user))


# An account asked for by itself, or in the list of accounts, also has what hangs on it, if asked for.
ACCOUNT = Shape(
    "account",
    {
        **{name: _of_account(field) for name, field in USER.fields.items()},
        "lastAccessTime": Field(lambda view: view.last_access(), Kind.MAYBE_TIME, in_default=False),
        "owner": Field(lambda view: view.owner(), Kind.MAYBE_ONE, REFERENCE, in_default=False),
        "ownerless": Field(lambda view: view.is_ownerless(), Kind.FLAG, in_default=False),
        "groups": Field(lambda view: view.groups(), Kind.MANY, GROUP, in_default=False),
        "transitiveGroups": Field(lambda view: view.transitive_groups(), Kind.MANY, GROUP, in_default=False),
        "projectRoles": Field(lambda view: view.project_roles(), Kind.MANY, PROJECT_ROLE, in_default=False),
        "transitiveProjectRoles": Field(
            lambda view: view.transitive_project_roles(), Kind.MANY, PROJECT_ROLE, in_default=False
        ),
        "permanentTokens": Field(lambda view: view.permanent_tokens(), Kind.MANY, PERMANENT_TOKEN, in_default=False),
        "applicationPasswords": Field(
            lambda view: view.application_passwords(), Kind.MANY, APPLICATION_PASSWORD, in_default=False
        ),
        "refreshTokens": Field(lambda view: view.refresh_tokens(), Kind.MANY, REFRESH_TOKEN, in_default=False),
        "approvedScopes": Field(lambda view: view.approved_scopes(), Kind.MANY, APPROVED_SCOPE, in_default=False),
        "twoFactorAuthentication": Field(
            lambda view: view.second_factors(), Kind.ONE, SECOND_FACTORS, in_default=False
        ),
        "pendingTwoFactorAuthentication": Field(
            lambda view: view.pending_second_factor(), Kind.MAYBE_ONE, SECOND_FACTORS, in_default=False
        ),
    },
    HUBS_OF_USERS,
    lambda caller, view: reads_user(caller, view.user),
    USER.outline,
)


SEARCHABLE = Searchable(("login", "name", "group", "owner"), ("banned", "bot", "ownerless"), ("login", "name"))


@operation(ACCOUNT, collection="users", search=SEARCHABLE)
def list_users(call: Call) -> Response:
    window, search = call.window(), call.search()
    caller = call.caller()
    page = call.keyturn.accounts.page(caller, window, search)
    return call.many(account_views(call, caller, page.items), window, page.total)


@operation(ACCOUNT, body=NewUser, creates=True)
def create_user(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewUser)
    accounts, owner, email = call.keyturn.accounts, _owner(body.owner), _email(body.profile) or ""
    return call.create(
        caller,
        lambda by: _view(
            call, caller, accounts.create(by, body.login, body.name, body.type, owner, body.description, email)
        ),
        lambda id: _view(call, caller, accounts.find(caller, id, Operation.READ_USER)),
    )


@operation(ACCOUNT)
def get_user(call: Call, user: str) -> Response:
    caller = call.caller()
    return call.one(_view(call, caller, call.keyturn.accounts.find(caller, user, Operation.READ_USER)))


@operation(ACCOUNT, body=UserChange)
def update_user(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(UserChange)
    change = AccountChange(
        body.login, body.name, body.banned, body.ban_reason, _owner(body.owner), body.description, _email(body.profile)
    )
    return call.one(_view(call, caller, call.keyturn.accounts.update(caller, user, change)))


@operation()
def delete_user(call: Call, user: str) -> Response:
    call.keyturn.accounts.delete(call.caller(), user)
    return answer({})


def _view(call: Call, caller: Caller, user: User) -> AccountView:
    return account_views(call, caller, [user])[0]


def _owner(reference: Reference | UnsetType | None) -> str | None:
    """As a change: nothing said, nobody, or somebody."""
    if isinstance(reference, UnsetType):
        return None
    return OWNERLESS if reference is None else reference.text("owner")


def _email(profile: ProfileBody | None) -> str | None:
    """As a change: nothing said, none (an empty text), or an address."""
    if profile is None or isinstance(profile.email, UnsetType):
        return None
    return "" if profile.email is None else profile.email.email or ""
