"""`/services/{service}/policy` and `/usergroups/{group}/policy`: what is demanded of permanent tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.tokens.policy_bodies import PolicyBody
from chalicelib.rest.tokens.policy_shapes import POLICY, PREVIEW
from chalicelib.web.checked_parameters import POSITION_FORM
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response


@operation(POLICY)
def get_service_policy(call: Call, service: str) -> Response:
    return call.one(call.keyturn.lifecycle.policies.of_service(call.caller(), service))


@operation(POLICY, body=PolicyBody)
def set_service_policy(call: Call, service: str) -> Response:
    caller = call.caller()
    return call.one(call.keyturn.lifecycle.policies.set_for_service(caller, service, call.body(PolicyBody).policy()))


@operation()
def remove_service_policy(call: Call, service: str) -> Response:
    call.keyturn.lifecycle.policies.set_for_service(call.caller(), service, None)
    return answer({})


@operation(PREVIEW, body=PolicyBody, query=("after",), dry_run=False)
def preview_service_policy(call: Call, service: str) -> Response:
    """Which tokens the policy would change something for. Nothing is switched on."""
    caller, policy, after = call.caller(), call.body(PolicyBody).policy(), call.text("after", POSITION_FORM)
    return call.one(call.keyturn.lifecycle.policies.preview_for_service(caller, service, policy, after))


@operation(POLICY)
def get_group_policy(call: Call, group: str) -> Response:
    return call.one(call.keyturn.lifecycle.policies.of_group(call.caller(), group))


@operation(POLICY, body=PolicyBody)
def set_group_policy(call: Call, group: str) -> Response:
    caller = call.caller()
    return call.one(call.keyturn.lifecycle.policies.set_for_group(caller, group, call.body(PolicyBody).policy()))


@operation()
def remove_group_policy(call: Call, group: str) -> Response:
    call.keyturn.lifecycle.policies.set_for_group(call.caller(), group, None)
    return answer({})


@operation(PREVIEW, body=PolicyBody, query=("after",), dry_run=False)
def preview_group_policy(call: Call, group: str) -> Response:
    """As for a service."""
    caller, policy, after = call.caller(), call.body(PolicyBody).policy(), call.text("after", POSITION_FORM)
    return call.one(call.keyturn.lifecycle.policies.preview_for_group(caller, group, policy, after))
