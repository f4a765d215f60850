"""The command that begins an installation."""

import pytest

from chalicelib import bootstrap
from chalicelib.composition.keyturn import Keyturn, keyturn
from tests.conftest import origin


def test_the_token_stands_alone_on_standard_output(product: Keyturn, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["--create-table", "--login", "root"]) == 0
    printed = capsys.readouterr()
    caller = product.authentication.caller(printed.out.strip(), origin())
    assert caller.user.login == "root"
    assert printed.out.strip() not in printed.err


@pytest.mark.usefixtures("product")
def test_a_bad_login_is_told_and_nothing_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["--login", "a b"]) == 1
    assert "login" in capsys.readouterr().err


def test_without_settings_it_says_which_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KEYTURN_TAG_KEYS", raising=False)
    keyturn.cache_clear()
    assert bootstrap.main([]) == 1
    assert "KEYTURN_TAG_KEYS" in capsys.readouterr().err
