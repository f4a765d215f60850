"""How audit records look from outside."""

from __future__ import annotations

from chalicelib.rest.contract.fields import Field, Kind, Shape

AUDIT_RECORD = Shape(
    "auditrecord",
    {
        "id": Field(lambda record: record.id),
        "type": Field(lambda record: "auditRecord"),
        "kind": Field(lambda record: record.kind),
        "time": Field(lambda record: record.at, Kind.TIME),
        "actor": Field(lambda record: record.actor_id),
        "credential": Field(lambda record: record.credential_id),
        "credentialKind": Field(lambda record: record.hand.kind, Kind.MAYBE_TEXT),
        "accessToken": Field(lambda record: record.hand.access_token_id, Kind.MAYBE_TEXT),
        "actingServices": Field(lambda record: list(record.hand.services), Kind.LINES),
        "workload": Field(lambda record: record.hand.workload, Kind.MAYBE_TEXT),
        "earlierSecret": Field(lambda record: record.hand.previous_secret, Kind.FLAG),
        "address": Field(lambda record: record.address),
        "targetKind": Field(lambda record: record.target_kind),
        "target": Field(lambda record: record.target_id),
        "owner": Field(lambda record: record.owner_id, Kind.MAYBE_TEXT),
        "details": Field(lambda record: record.details, Kind.TEXTS),
    },
)
