"""The tab *Groups and roles*: what an account may do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.pages.directory.account import account_page, read
from chalicelib.pages.directory.service_names import Names
from chalicelib.pages.frame.views import for_users

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.pages.frame.render import Dialog
    from chalicelib.web.request import FormRequest


@for_users
def show(request: FormRequest, caller: Caller, user: str) -> Response:
    """The tab."""
    return access_page(request, caller, read(request, caller, user))


def access_page(
    request: FormRequest, caller: Caller, user: User, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """The tab, or a dialog on it."""
    explained = request.keyturn.permissions.explain(caller, user.id)
    grants = request.keyturn.roles.grants(caller, user.id)
    access = request.keyturn.permissions.access(caller, user.id)
    scope_ids = (grant.scope_id for grant, _ in grants)
    values = {
        "explained": explained,
        "grants": grants,
        "groups": [access.groups[id] for id in access.direct],
        "names": Names(request, caller, user.id, (scoped_permission for scoped_permission, _ in explained), scope_ids),
        "may_read_groups": caller.is_allowed_after_relogin(Operation.READ_GROUP),
    }
    return account_page(request, caller, user, "access", values, dialog, problem)
