"""`/users`: the accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.authorization import Operation
from chalicelib.core.operations.accounts import AccountChange
from chalicelib.core.paging import Window
from chalicelib.rest.bodies import NewUser, UserChange
from chalicelib.rest.endpoint import MAX_TOP, Call, operation
from chalicelib.rest.fields import Field, Kind, Shape
from chalicelib.rest.permanent_tokens import token_views
from chalicelib.rest.refusals import answer
from chalicelib.rest.roles import grant_views
from chalicelib.rest.security_shapes import APPLICATION_PASSWORD, SECOND_FACTORS, SecondFactorView
from chalicelib.rest.shapes import GROUP, PERMANENT_TOKEN, PROJECT_ROLE, USER

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.accounts import User
    from chalicelib.core.authorization import Caller
    from chalicelib.core.groups import Group
    from chalicelib.core.operations.application_passwords import OwnedApplicationPassword
    from chalicelib.rest.shapes import GrantView, TokenView


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account, and what hangs on it, which is read only for answers that show it."""

    user: User
    call: Call
    caller: Caller

    def groups(self) -> list[Group]:
        """Those that the account is directly in."""
        access = self.call.keyturn.permissions.access(self.caller, self.user.id)
        return [access.groups[id] for id in access.direct]

    def transitive_groups(self) -> list[Group]:
        """These, and all that they are inside of."""
        return list(self.call.keyturn.permissions.access(self.caller, self.user.id).groups.values())

    def project_roles(self) -> list[GrantView]:
        """The account's own grants."""
        return grant_views(self.call, self.call.keyturn.roles.grants(self.caller, self.user.id))

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

    def permanent_tokens(self) -> list[TokenView]:
        """The oldest hundred."""
        page = self.call.keyturn.permanent_tokens.page(self.caller, self.user.id, Window(0, MAX_TOP))
        return token_views(self.call, page.items)


def _of_account(field: Field) -> Field:
    """A field of the account itself, seen through the view that knows what hangs on it."""
    return replace(field, value=lambda view: field.value(view.user))


# An account asked for by itself, or in the list of accounts, also has what hangs on it, if asked for.
ACCOUNT = Shape(
    "account",
    {
        **{name: _of_account(field) for name, field in USER.fields.items()},
        "groups": Field(lambda view: view.groups(), Kind.MANY, GROUP, unasked=False),
        "transitiveGroups": Field(lambda view: view.transitive_groups(), Kind.MANY, GROUP, unasked=False),
        "projectRoles": Field(lambda view: view.project_roles(), Kind.MANY, PROJECT_ROLE, unasked=False),
        "permanentTokens": Field(lambda view: view.permanent_tokens(), Kind.MANY, PERMANENT_TOKEN, unasked=False),
        "applicationPasswords": Field(
            lambda view: view.application_passwords(), Kind.MANY, APPLICATION_PASSWORD, unasked=False
        ),
        "twoFactorAuthentication": Field(lambda view: view.second_factors(), Kind.ONE, SECOND_FACTORS, unasked=False),
        "pendingTwoFactorAuthentication": Field(
            lambda view: view.pending_second_factor(), Kind.MAYBE_ONE, SECOND_FACTORS, unasked=False
        ),
    },
)


@operation(ACCOUNT, collection="users")
def list_users(call: Call) -> Response:
    window = call.window()
    caller = call.caller()
    page = call.keyturn.accounts.page(caller, window)
    return call.many([AccountView(user, call, caller) for user in page.items], window, page.total)


@operation(ACCOUNT, body=NewUser, creates=True)
def create_user(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewUser)
    accounts = call.keyturn.accounts
    return call.create(
        caller,
        lambda by: AccountView(accounts.create(by, body.login, body.name, body.type), call, caller),
        lambda id: AccountView(accounts.find(caller, id, Operation.READ_USER), call, caller),
    )


@operation(ACCOUNT)
def get_user(call: Call, user: str) -> Response:
    caller = call.caller()
    return call.one(AccountView(call.keyturn.accounts.find(caller, user, Operation.READ_USER), call, caller))


@operation(ACCOUNT, body=UserChange)
def update_user(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(UserChange)
    change = AccountChange(body.login, body.name, body.banned, body.ban_reason)
    return call.one(AccountView(call.keyturn.accounts.update(caller, user, change), call, caller))


@operation()
def delete_user(call: Call, user: str) -> Response:
    call.keyturn.accounts.delete(call.caller(), user)
    return answer({})
