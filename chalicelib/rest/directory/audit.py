"""`/audit`: who did what, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.audit.records import LAST_MOMENT, AuditQuery
from chalicelib.core.common.errors import Invalid
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.directory.audit_shapes import AUDIT_RECORD
from chalicelib.web.checked_parameters import KIND_FORM, POSITION_FORM, REFERENCE_FORM

if TYPE_CHECKING:
    from chalice.app import Response


@operation(AUDIT_RECORD, query=("$top", "actor", "target", "kind", "from", "to", "after"), cursor_list="audit")
def list_records(call: Call) -> Response:
    window = call.window()
    if window.skip:
        raise Invalid("$skip", "is not supported here. For more, send after=<the answer's after>.")
    query = AuditQuery(
        actor_id=call.text("actor", REFERENCE_FORM),
        target_id=call.text("target", REFERENCE_FORM),
        kind=call.text("kind", KIND_FORM),
        since=call.number("from", 0, LAST_MOMENT),
        until=call.number("to", call.origin.now, LAST_MOMENT),
        after=call.text("after", POSITION_FORM),
    )
    page = call.keyturn.audit_trail.page(call.caller(), query, window.top)
    return call.cursor_list(page.records, window.top, page.after)
