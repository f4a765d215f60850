"""Fetching DynamoDB Local: what comes is checked, and what goes wrong is told."""

from pathlib import Path

import pytest

from embedded import fetch


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fetch, "DYNAMODB_LOCAL", tmp_path / "dynamodb-local")
    return tmp_path


def test_without_a_network_the_message_says_what_to_do(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(elsewhere / "cache"))
    with pytest.raises(fetch.FetchError, match="Is there a network"):
        fetch.ensure_dynamodb_local()
    assert not fetch.DYNAMODB_LOCAL.exists()


def test_another_file_than_the_expected_one_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = elsewhere / "forged.tgz"
    forged.write_bytes(b"not what was expected")
    monkeypatch.setattr(fetch, "_download", lambda folder: forged)
    with pytest.raises(fetch.FetchError, match="not the file"):
        fetch.ensure_dynamodb_local()
    assert not fetch.DYNAMODB_LOCAL.exists()
