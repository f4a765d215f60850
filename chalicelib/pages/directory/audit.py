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
    from chalicelib.web.request import Message

TOP = 50


@for_users
def show_audit(message: Message, caller: Caller) -> Response:
    """Everything that was changed, as far as the filters want it."""
    caller.check(Operation.READ_AUDIT)
    filters = {name: message.value(name) or "" for name in ("actor", "target", "kind", "from", "to")}
    for name in ("from", "to"):
        if not re.fullmatch(FORM, filters[name]):
            filters[name] = ""  # which no browser would show in such a field
    misunderstood: Refusal | None = None
    found = None
    try:
        found = message.keyturn.audit_trail.page(caller, _query(message, caller), TOP)
    except (Invalid, NotFound) as refusal:
        misunderstood = refusal
    values = {"filters": filters, "misunderstood": misunderstood, **_records(message, caller, found)}
    return page(message, "audit", values, caller=caller)


@for_users
def show_history(message: Message, caller: Caller, user: str) -> Response:
    """What was done to the account and its credentials."""
    account = read(message, caller, user)
    query = AuditQuery(target_id=account.id, after=_after(message))
    found = message.keyturn.audit_trail.page(caller, query, TOP)
    return account_page(message, caller, account, "history", _records(message, caller, found))


def _records(message: Message, caller: Caller, found: AuditPage | None) -> dict[str, object]:
    records = found.records if found else ()
    ids = {id for record in records for id in (record.actor_id, record.owner_id, record.target_id) if id}
    known: Mapping[str, User] = message.keyturn.accounts.known(caller, ids)
    return {"records": records, "known": known, "after": found.after if found else None}


def _query(message: Message, caller: Caller) -> AuditQuery:
    """What the filters want. Raises Invalid or NotFound."""
    return AuditQuery(
        actor_id=_account_id(message, caller, "actor"),
        target_id=_account_id(message, caller, "target"),
        kind=checked(message.value("kind"), "kind", KIND_FORM),
        since=beginning(message.value("from"), "from") or 0,
        until=min(LAST_MOMENT, end(message.value("to"), "to") or message.origin.now),
        after=_after(message),
    )


def _after(message: Message) -> str | None:
    return checked(message.value("after"), "after", POSITION_FORM)


def _account_id(message: Message, caller: Caller, name: str) -> str | None:
    """People know logins; whatever is no login is taken for the id of something else."""
    text = message.value(name)
    if text is None:
        return None
    try:
        return message.keyturn.accounts.find(caller, text, Operation.READ_USER).id
    except (NotFound, Forbidden):
        return checked(text, name, REFERENCE_FORM)
