"""Many at once, on the real engine: a code buys one thing or none, and a refresh token's family stays whole."""

from __future__ import annotations

import pytest

from chalicelib.core.common.errors import InvalidGrant
from chalicelib.core.common.origin import Origin
from chalicelib.core.oauth.delegations import REFRESH_LEEWAY_MS
from chalicelib.core.oauth.issuance import Issued
from tests.conftest import now
from tests.oauth.calling import Pkce
from tests.oauth.conftest import Stage
from tests.rest.calling import Client
from tests.storage.test_concurrency import at_once


def test_one_of_twenty_redeems_a_code_and_then_its_access_ends(stage: Stage) -> None:
    code = stage.code(Pkce())
    codes, client = stage.scene.product.oauth.authorization_codes, stage.web.service
    recognised = codes.recognise(client, code, Origin(now(), ""))
    assert recognised
    won = [each for each in at_once(lambda _: codes.redeem(client, recognised, Origin(now(), ""))) if _is_issued(each)]
    assert len(won) == 1
    assert isinstance(won[0], Issued)
    assert not stage.is_active(won[0].access_token)  # nineteen others had the code too


def test_fifty_that_refresh_at_once_are_one_family_and_nobody_is_locked_out(stage: Stage) -> None:
    token = stage.connect()["refresh_token"]
    delegations, client, at = stage.scene.product.oauth.delegations, stage.web.service, now()

    def refresh(presented: str, later: int = 0) -> Issued:
        return delegations.refresh(client, presented, None, Origin(at + later, ""))

    results = at_once(lambda number: refresh(token, number), writers=50)
    issued = [each for each in results if isinstance(each, Issued)]
    assert len(issued) == 50, results
    (second,) = {each.refresh_token for each in issued}
    assert second != token
    assert all(stage.is_active(each.access_token) for each in issued[:3])
    results = at_once(lambda number: refresh(second or "", number), writers=10)
    (third,) = {each.refresh_token for each in results if isinstance(each, Issued)}
    person = Client(stage.browser().cookie.partition("=")[2])
    assert person.get("/users/me/refreshtokens").json["total"] == 1
    fourth = refresh(third or "", REFRESH_LEEWAY_MS * 2)
    with pytest.raises(InvalidGrant):  # somebody has a copy of what was used long ago
        refresh(token, REFRESH_LEEWAY_MS * 2)
    with pytest.raises(InvalidGrant):
        refresh(fourth.refresh_token or "", REFRESH_LEEWAY_MS * 2)
    assert person.get("/users/me/refreshtokens").json["total"] == 0
    assert not stage.is_active(fourth.access_token)


def test_approving_at_once_loses_no_part(stage: Stage) -> None:
    approved, client = stage.scene.product.oauth.approved_scopes, stage.web.service
    caller = stage.scene.product.authentication.caller(
        stage.browser().cookie.partition("=")[2], Origin(now(), "192.0.2.1")
    )
    at_once(lambda number: approved.approve(caller, client, (f"service-{number}",)), writers=5)
    covering = approved.covering(caller, client, tuple(f"service-{number}" for number in range(5)))
    assert covering


def _is_issued(result: object) -> bool:
    return isinstance(result, Issued)
