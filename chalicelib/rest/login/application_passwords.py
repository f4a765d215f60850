"""`/users/{user}/applicationpasswords`: passwords for clients that know no second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.contract.contracts import Searchable
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.login.login_bodies import NewApplicationPassword
from chalicelib.rest.login.security_shapes import APPLICATION_PASSWORD, CREATED_APPLICATION_PASSWORD
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response


@operation(
    APPLICATION_PASSWORD, collection="applicationpasswords", search=Searchable(("name",), (), ("name", "creationTime"))
)
def list_passwords(call: Call, user: str) -> Response:
    window, search = call.window(), call.search()
    page = call.keyturn.application_passwords.page(call.caller(), user, window, search)
    return call.many(page.items, window, page.total)


@operation(CREATED_APPLICATION_PASSWORD, body=NewApplicationPassword, creates=True)
def create_password(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewApplicationPassword)
    passwords = call.keyturn.application_passwords
    return call.create(
        caller, lambda by: passwords.create(by, user, body.name), lambda id: passwords.get(caller, user, id)
    )


@operation(APPLICATION_PASSWORD)
def get_password(call: Call, user: str, password: str) -> Response:
    return call.one(call.keyturn.application_passwords.get(call.caller(), user, password))


@operation()
def delete_password(call: Call, user: str, password: str) -> Response:
    call.keyturn.application_passwords.delete(call.caller(), user, password)
    return answer({})
