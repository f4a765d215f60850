"""`/leaks`: secrets that were found where everybody can read them."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.verification.leaks import MAX_FOUND, Found
from chalicelib.rest.contract.bodies import decode
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.tokens.leak_bodies import GithubFound, LeakReport
from chalicelib.web.errors import answer
from chalicelib.web.headers import raw_body

if TYPE_CHECKING:
    from chalice.app import Response


@operation(body=LeakReport, dry_run=False)
def report(call: Call) -> Response:
    """Anybody may report; the answer is the same, whatever was found."""
    body = call.body(LeakReport)
    call.keyturn.lifecycle.leaks.report([Found(each.text, each.place) for each in body.found], call.origin)
    return answer({"received": len(body.found)})


@operation(dry_run=False)
def report_by_github(call: Call) -> Response:
    """GitHub's secret scanning partner program, which is told what was ours: it signs its reports."""
    raw, headers = raw_body(call.request, "application/json"), call.request.headers
    call.keyturn.lifecycle.github_reports.require_signed(
        raw,
        headers.get("github-public-key-identifier", ""),
        headers.get("github-public-key-signature", ""),
    )
    found = decode(raw, list[GithubFound])
    if not found:
        raise Invalid("body", f"must list 1 to {MAX_FOUND} secrets.")
    ours: list[bool] = []
    for start in range(0, len(found), MAX_FOUND):
        part = [Found(each.token, each.url or None) for each in found[start : start + MAX_FOUND]]
        ours += call.keyturn.lifecycle.leaks.ended(part, call.origin)
    return answer([_feedback(each, is_ours) for each, is_ours in zip(found, ours, strict=True)])


def _feedback(found: GithubFound, is_ours: bool) -> dict[str, str]:
    """The secret is named by its digest: no answer of ours repeats it."""
    digest = base64.b64encode(hashlib.sha256(found.token.encode()).digest()).decode()
    return {
        "token_hash": digest,
        "token_type": found.type,
        "label": "true_positive" if is_ours else "false_positive",
    }
