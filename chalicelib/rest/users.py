"""`/users`: the accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Operation
from chalicelib.core.operations.accounts import AccountChange
from chalicelib.rest.bodies import NewUser, UserChange
from chalicelib.rest.endpoint import Call, operation
from chalicelib.rest.refusals import answer
from chalicelib.rest.shapes import USER

if TYPE_CHECKING:
    from chalice.app import Response


@operation(USER, collection="users")
def list_users(call: Call) -> Response:
    window = call.window()
    page = call.keyturn.accounts.page(call.caller(), window)
    return call.many(page.items, window, page.total)


@operation(USER, body=NewUser, creates=True)
def create_user(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewUser)
    accounts = call.keyturn.accounts
    return call.create(
        caller,
        lambda by: accounts.create(by, body.login, body.name, body.type),
        lambda id: accounts.find(caller, id, Operation.READ_USER),
    )


@operation(USER)
def get_user(call: Call, user: str) -> Response:
    return call.one(call.keyturn.accounts.find(call.caller(), user, Operation.READ_USER))


@operation(USER, body=UserChange)
def update_user(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(UserChange)
    change = AccountChange(body.login, body.name, body.banned, body.ban_reason)
    return call.one(call.keyturn.accounts.update(caller, user, change))


@operation()
def delete_user(call: Call, user: str) -> Response:
    call.keyturn.accounts.delete(call.caller(), user)
    return answer({})
