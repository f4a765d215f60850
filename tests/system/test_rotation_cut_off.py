"""A rotation whose answer never comes: whatever was cut, the client holds a secret that is good.

Every connection that a rotation makes is cut at every point: those between Keyturn and the database, once and for
good, and the one between the client and Keyturn.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyturn_cli.api import Api
from keyturn_cli.errors import Problem
from keyturn_cli.keepers import CURRENT, OwnToken
from keyturn_cli.patience import Patience
from keyturn_cli.place import Place, beside
from keyturn_cli.renewal import renew

from chalicelib.core.common.errors import Refusal, Unavailable
from embedded.stack import Stack
from tests.conftest import NewStack, Scene, origin
from tests.cutting import Cut, CuttingProxy

GRACE_MS = 3_600_000
CALLS = 9  # of one rotation to the database, with the check of who asks; a test says that there are no more
FOREVER = 100


def turn(scene: Scene, held: str) -> str | None:
    """The new secret; None if no answer came."""
    try:
        holder = scene.product.authentication.caller_any_scope(held, origin())
        return scene.product.rotation.rotate(holder, "me", "current", GRACE_MS).secret
    except Unavailable:
        return None


def test_a_rotation_makes_no_more_calls_than_are_cut_below(scene: Scene, proxy: CuttingProxy) -> None:
    proxy.begin({})
    assert turn(scene, scene.token.secret or "")
    assert 5 <= proxy.number <= CALLS


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("call", range(CALLS))
@pytest.mark.parametrize("times", [1, FOREVER])
def test_a_cut_between_keyturn_and_the_database(
    scene: Scene, proxy: CuttingProxy, cut: Cut, call: int, times: int
) -> None:
    """Cut once, the call is repeated, and nothing is written twice; cut for good, the client is told to try again."""
    held = scene.token.secret or ""
    assert scene.is_good(held)  # so that its use is noted
    proxy.begin({call + number: cut for number in range(times)})
    made = turn(scene, held)
    proxy.begin({})
    assert scene.is_good(held)
    if times == 1:
        assert made
    again = turn(scene, made or held)
    assert again
    assert scene.is_good(held)
    assert scene.is_good(again)


@pytest.fixture(scope="module")
def stack(new_stack: NewStack) -> Iterator[Stack]:
    with new_stack("cut") as stack:
        yield stack


class TestBetweenClientAndKeyturn:
    """The client is the command line's own, against the real server."""

    @pytest.mark.parametrize("cut", Cut)
    @pytest.mark.parametrize("times", [1, 2, FOREVER])
    def test_the_client_ends_with_a_good_secret_in_its_file(
        self, stack: Stack, cut: Cut, times: int, tmp_path: Path
    ) -> None:
        body = {"name": f"{cut.name} {times}", "scope": [{"key": "keyturn"}]}
        made = stack.administrator().call("POST", "/users/me/permanenttokens", body).json()
        file, held = tmp_path / "token", made["token"]
        with CuttingProxy(stack.url) as proxy:
            file.write_text(held)
            proxy.begin(dict.fromkeys(range(times), cut))
            patience = Patience(pause=lambda seconds: None)
            with contextlib.suppress(Problem):
                renew(OwnToken(Api(proxy.url), held), 3600, Place(file, None, held, beside(file)), patience)
            kept = file.read_text().strip()
            assert (kept != held) is (times != FOREVER)
            proxy.begin({})
            assert Api(proxy.url, kept).get(CURRENT, fields="id")["id"] == made["id"]
            assert Api(proxy.url, held).get(CURRENT, fields="id")["id"] == made["id"]
            again = renew(OwnToken(Api(proxy.url), kept), 3600, Place(file, None, kept, beside(file)), patience)
            assert file.read_text().strip() == again.secret
            assert Api(proxy.url, again.secret).get(CURRENT, fields="id")


def test_a_refusal_is_no_cut(scene: Scene) -> None:
    """Or every test above would pass with a client that is always refused."""
    with pytest.raises(Refusal):
        scene.product.authentication.caller_any_scope("ktp_nothing", origin())
