"""Administration › Audit log, and the tab *History* of an account: who did what, newest first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import LAST_MOMENT, AuditQuery
from chalicelib.core.common.errors import Forbidden, Invalid, NotFound, Refusal
from chalicelib.pages.directory.account import account_page, read
from chalicelib.pages.frame.days import FORM, beginning, end
from chalicelib.pages.frame.render import page
from chalicelib.pages.frame.views import for_users
from chalicelib.web.checked_parameters import KIND_FORM, POSITION_FORM, REFERENCE_FORM, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.audit.records import AuditPage
    from chalicelib.web.request import FormRequest

TOP = 50


@for_users
def show_audit(request: FormRequest, caller: Caller) -> Response:
    """Everything that was changed, as far as the filters want it."""
    caller.check(Operation.READ_AUDIT)
    filters = {name: request.value(name) or "" for name in ("actor", "target", "kind", "from", "to")}
    for name in ("from", "to"):
        if not re.fullmatch(FORM, filters[name]):
            filters[name] = ""  # which no browser would show in such a field
    misunderstood: Refusal | None = None
    found = None
    try:
        found = request.keyturn.audit_trail.page(caller, _query(request, caller), TOP)
    except (Invalid, NotFound) as refusal:
        misunderstood = refusal
    values = {"filters": filters, "misunderstood": misunderstood, **_records(request, caller, found)}
    return page(request, "audit", values, caller=caller)


@for_users
def show_history(request: FormRequest, caller: Caller, user: str) -> Response:
    """What was done to the account and its credentials."""
    account = read(request, caller, user)
    query = AuditQuery(target_id=account.id, after=_after(request))
    found = request.keyturn.audit_trail.page(caller, query, TOP)
    return account_page(request, caller, account, "history", _records(request, caller, found))


def _records(request: FormRequest, caller: Caller, found: AuditPage | None) -> dict[str, object]:
    records = found.records if found else ()
    ids = {id for record in records for id in (record.actor_id, record.owner_id, record.target_id) if id}
    known: Mapping[str, User] = request.keyturn.accounts.known(caller, ids)
    return {"records": records, "known": known, "after": found.after if found else None}


def _query(request: FormRequest, caller: Caller) -> AuditQuery:
    """What the filters want. Raises Invalid or NotFound."""
    return AuditQuery(
        actor_id=_account_id(request, caller, "actor"),
        target_id=_account_id(request, caller, "target"),
        kind=checked(request.value("kind"), "kind", KIND_FORM),
        since=beginning(request.value("from"), "from") or 0,
        until=min(LAST_MOMENT, end(request.value("to"), "to") or request.origin.now),
        after=_after(request),
    )


def _after(request: FormRequest) -> str | None:
    return checked(request.value("after"), "after", POSITION_FORM)


def _account_id(request: FormRequest, caller: Caller, name: str) -> str | None:
    """People know logins; whatever is no login is taken for the id of something else."""
    text = request.value(name)
    if text is None:
        return None
    try:
        return request.keyturn.accounts.find(caller, text, Operation.READ_USER).id
    except (NotFound, Forbidden):
        return checked(text, name, REFERENCE_FORM)
