"""How policies and their previews look from outside."""

from __future__ import annotations

from chalicelib.rest.contract.fields import Field, Kind, Shape

POLICY = Shape(
    "policy",
    {
        "id": Field(lambda body: body.id),  # of the service or group that it hangs on
        "type": Field(lambda body: "policy"),
        "longestLifeDays": Field(lambda body: body.policy.longest_life_days, Kind.MAYBE_NUMBER),
        "rotationDueDays": Field(lambda body: body.policy.rotation_due_days, Kind.MAYBE_NUMBER),
        "unusedDays": Field(lambda body: body.policy.unused_days, Kind.MAYBE_NUMBER),
        "unused": Field(lambda body: body.policy.unused.value),
        "reused": Field(lambda body: body.policy.reused.value),
        "leaked": Field(lambda body: body.policy.leaked.value),
    },
)

AFFECTED = Shape(
    "affectedtoken",
    {
        "id": Field(lambda affected: affected.owned.token.id),
        "name": Field(lambda affected: affected.owned.token.name),
        "type": Field(lambda affected: "affectedToken"),
        "owner": Field(lambda affected: affected.owned.owner.login),
        "endsOn": Field(lambda affected: affected.now.projection.refused, Kind.MAYBE_TIME),
        "wouldEndOn": Field(lambda affected: affected.then.projection.refused, Kind.MAYBE_TIME),
        "wouldBeDueOn": Field(lambda affected: affected.then.projection.rotation_due, Kind.MAYBE_TIME),
        "flags": Field(lambda affected: [flag.value for flag in affected.now.flags], Kind.LINES),
        "wouldHaveFlags": Field(lambda affected: [flag.value for flag in affected.then.flags], Kind.LINES),
    },
)
PREVIEW = Shape(
    "policypreview",
    {
        "id": Field(lambda preview: preview.body_id),
        "type": Field(lambda preview: "policyPreview"),
        "affected": Field(lambda preview: len(preview.affected), Kind.NUMBER),
        "examined": Field(lambda preview: preview.examined, Kind.NUMBER),
        "after": Field(lambda preview: preview.after, Kind.MAYBE_TEXT),
        "tokens": Field(lambda preview: list(preview.affected), Kind.MANY, AFFECTED),
    },
)
