"""Who did what: the audit records, newest first. They can be read and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.audit.records import AuditPage, AuditQuery


class AuditTrail:
    """The records of all changes."""

    def __init__(self, records: AuditStore) -> None:
        self._records = records

    def page(self, caller: Caller, query: AuditQuery, top: int) -> AuditPage:
        """Records that match. Raises Forbidden; what was done to oneself needs only Read Self."""
        caller.check(Operation.READ_AUDIT, query.target_id)
        return self._records.page(query, top)
