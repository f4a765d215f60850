"""`/audit`: who did what, newest first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.core.audit import LAST_MOMENT, AuditQuery
from chalicelib.core.errors import Invalid
from chalicelib.rest.endpoint import Call, operation
from chalicelib.rest.shapes import AUDIT_RECORD

if TYPE_CHECKING:
    from chalice.app import Response

REFERENCE_FORM = "[A-Za-z0-9.:/-]{1,64}"  # an id, `operator` or `anybody`, or a network
KIND_FORM = "[a-z.-]{1,64}"
POSITION_FORM = "[0-9]{15}#[A-Za-z0-9]{0,12}"


@operation(AUDIT_RECORD, query=("$top", "actor", "target", "kind", "from", "to", "after"), trail="audit")
def list_records(call: Call) -> Response:
    window = call.window()
    if window.skip:
        raise Invalid("$skip", "is not supported here; go on with after=<the answer's after>.")
    query = AuditQuery(
        actor_id=call.text("actor", REFERENCE_FORM),
        target_id=call.text("target", REFERENCE_FORM),
        kind=call.text("kind", KIND_FORM),
        since=call.number("from", 0, LAST_MOMENT),
        until=call.number("to", call.origin.now, LAST_MOMENT),
        after=call.text("after", POSITION_FORM),
    )
    page = call.keyturn.audit_trail.page(call.caller(), query, window.top)
    return call.trail(page.records, window.top, page.after)


def checked(text: str | None, name: str, form: str) -> str | None:
    """The text, if it has the form. Raises Invalid."""
    if text is not None and not re.fullmatch(form, text, re.ASCII):
        raise Invalid(name, f"must have the form {form}.")
    return text
