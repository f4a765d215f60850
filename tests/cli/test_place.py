"""Where a new secret waits, and who waits for whom."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from keyturn_cli import keepers, place
from keyturn_cli.api import Api
from keyturn_cli.errors import Problem
from keyturn_cli.patience import Patience

from tests.cli.test_errors import SECRET, TOKEN, USER

API = Api("https://keyturn.example.com")


def test_tokens_of_one_name_wait_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    kept = [keepers.token_of(API, user, f"tOken{user}", "nightly", None) for user in ("uSer00000001", "uSer00000002")]
    where = place.for_renewal(None, None, 0)
    assert len({where.waiting_for(each.identity).waiting for each in kept}) == 2


def test_a_token_waits_in_one_place_whoever_renews_it() -> None:
    assert keepers.OwnToken(API, SECRET).identity == keepers.token_of(API, USER, TOKEN, "nightly", None).identity


def test_other_secrets_of_the_folder_do_not_wait(tmp_path: Path) -> None:
    (one, other) = (place.for_creation(tmp_path / name) for name in ("one", "other"))
    once, nobody = Patience(0), pytest.raises(Problem, match="Another command")
    with one.alone(once), other.alone(once), nobody, one.alone(once):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_for_a_lock_that_was_removed_has_it_alone(tmp_path: Path) -> None:
    """Several at once, again and again: never two."""
    where, inside, most = place.for_creation(tmp_path / "token"), list[int](), list[int]()

    def change() -> None:
        for _ in range(20):
            with where.alone(Patience(30, pause=lambda seconds: None)):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (80, 1)
