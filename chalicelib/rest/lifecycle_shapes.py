"""How policies, their previews and webhooks look from outside."""

from __future__ import annotations

from chalicelib.rest.fields import Field, Kind, Shape
from chalicelib.rest.shapes import SECRET_WAS_SHOWN

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
        "endsOn": Field(lambda affected: affected.now.outlook.refused, Kind.MAYBE_TIME),
        "wouldEndOn": Field(lambda affected: affected.then.outlook.refused, Kind.MAYBE_TIME),
        "wouldBeDueOn": Field(lambda affected: affected.then.outlook.rotation_due, Kind.MAYBE_TIME),
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

WEBHOOK = Shape(
    "webhook",
    {
        "id": Field(lambda made: made.webhook.id),
        "type": Field(lambda made: "webhook"),
        "name": Field(lambda made: made.webhook.name),
        "url": Field(lambda made: made.webhook.url),
        "kinds": Field(lambda made: [kind.value for kind in made.webhook.kinds], Kind.LINES),
        "creationTime": Field(lambda made: made.webhook.created, Kind.TIME),
        "failing": Field(lambda made: made.webhook.failing, Kind.MAYBE_TIME),
        "problem": Field(lambda made: made.webhook.problem, Kind.MAYBE_TEXT),
        "gone": Field(lambda made: made.webhook.gone, Kind.FLAG),
    },
)
CREATED_WEBHOOK = Shape(
    "createdwebhook",
    {
        **WEBHOOK.fields,
        "secret": Field(lambda made: made.secret, Kind.MAYBE_TEXT),
        "notice": Field(
            lambda made: (
                None
                if made.secret
                else SECRET_WAS_SHOWN.format(remedy="delete the webhook and create another with a new key")
            ),
            Kind.MAYBE_TEXT,
        ),
    },
)
