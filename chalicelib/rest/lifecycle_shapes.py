"""How policies, their previews and webhooks look from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.rest.fields import Field, Kind, Shape
from chalicelib.rest.shapes import LISTED_TOKEN, SECRET_WAS_SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.operations.policies import Affected, Preview
    from chalicelib.rest.shapes import TokenView


@dataclass(frozen=True, slots=True)
class AffectedView:
    """One token that a policy would change something for."""

    affected: Affected
    token: TokenView


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What a policy would do."""

    preview: Preview
    tokens: Sequence[TokenView]

    def affected(self) -> list[AffectedView]:
        """Each token with what would become of it."""
        return [AffectedView(each, view) for each, view in zip(self.preview.affected, self.tokens, strict=True)]


POLICY = Shape(
    "policy",
    {
        "type": Field(lambda policy: "policy"),
        "longestLifeDays": Field(lambda policy: policy.longest_life_days, Kind.MAYBE_NUMBER),
        "rotationDueDays": Field(lambda policy: policy.rotation_due_days, Kind.MAYBE_NUMBER),
        "unusedDays": Field(lambda policy: policy.unused_days, Kind.MAYBE_NUMBER),
        "unused": Field(lambda policy: policy.unused.value),
        "reused": Field(lambda policy: policy.reused.value),
        "leaked": Field(lambda policy: policy.leaked.value),
    },
)

AFFECTED = Shape(
    "affectedtoken",
    {
        "id": Field(lambda view: view.affected.owned.token.id),
        "name": Field(lambda view: view.affected.owned.token.name),
        "type": Field(lambda view: "affectedToken"),
        "owner": Field(lambda view: view.affected.owned.owner.login),
        "endsOn": Field(lambda view: view.affected.now.outlook.refused, Kind.MAYBE_TIME),
        "wouldEndOn": Field(lambda view: view.affected.then.outlook.refused, Kind.MAYBE_TIME),
        "wouldBeDueOn": Field(lambda view: view.affected.then.outlook.rotation_due, Kind.MAYBE_TIME),
        "flags": Field(lambda view: [flag.value for flag in view.affected.now.flags], Kind.LINES),
        "wouldHaveFlags": Field(lambda view: [flag.value for flag in view.affected.then.flags], Kind.LINES),
        "token": Field(lambda view: view.token, Kind.ONE, LISTED_TOKEN),
    },
)
PREVIEW = Shape(
    "policypreview",
    {
        "type": Field(lambda view: "policyPreview"),
        "affected": Field(lambda view: len(view.preview.affected), Kind.NUMBER),
        "examined": Field(lambda view: view.preview.examined, Kind.NUMBER),
        "after": Field(lambda view: view.preview.after, Kind.MAYBE_TEXT),
        "tokens": Field(lambda view: view.affected(), Kind.MANY, AFFECTED),
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
