"""Signing keys overlap: nothing that is still good is ever signed by a key that is not published."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.core.oauth.access_tokens import LIFETIME_MS
from chalicelib.core.oauth.signing_keys import (
    PUBLISHED_AHEAD_MS,
    Algorithm,
    SigningKey,
    current,
    first_moment,
    published,
)
from chalicelib.outbound.parameters import Parameter
from chalicelib.signing.__main__ import main
from chalicelib.signing.documents import KeyFile
from chalicelib.signing.keys import REMEMBERED_MS, StoredSigningKeys, add_key, load


@given(rotations=st.lists(st.integers(1, 3 * PUBLISHED_AHEAD_MS), max_size=6), wait=st.integers(0, LIFETIME_MS))
def test_whatever_was_signed_can_be_verified_until_its_end(rotations: list[int], wait: int) -> None:
    keys, now = [SigningKey("0", Algorithm.ES256, 0, {})], 0
    for number, pause in enumerate(rotations, start=1):
        now += pause
        signer = current(keys, now)
        keys = [SigningKey(str(number), Algorithm.ES256, first_moment(keys, now), {}), *published(keys, now)]
        assert signer in published(keys, now + wait)
        assert current(keys, now) == signer  # a new key does not sign before everybody knows it
    assert current(keys, now + PUBLISHED_AHEAD_MS + 1) == keys[0]


def test_the_first_key_signs_at_once() -> None:
    """Also what is issued in the same second, whose time is that second's beginning."""
    assert first_moment([], 7_999) == 7_000


def test_keys_are_in_a_file_of_their_owners(tmp_path: Path) -> None:
    file = KeyFile(str(tmp_path / "keys.json"))
    key = add_key(file, Algorithm.ES256, 0)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    newer = add_key(file, Algorithm.EDDSA, 1_000)
    assert [each.id for each in load(file)] == [newer.id, key.id]
    assert key.jwk["d"] not in repr(key)
    add_key(file, Algorithm.ES256, 10 * PUBLISHED_AHEAD_MS)
    assert key.id not in [each.id for each in load(file)]  # nothing needs the first one any more


def test_a_process_learns_of_a_new_key_before_it_signs(tmp_path: Path) -> None:
    file = KeyFile(str(tmp_path / "keys.json"))
    add_key(file, Algorithm.ES256, 0)
    known = StoredSigningKeys(file)
    assert len(known.all(0)) == 1
    add_key(file, Algorithm.ES256, 0)
    assert len(known.all(REMEMBERED_MS - 1)) == 1
    assert len(known.all(REMEMBERED_MS)) == 2
    assert REMEMBERED_MS < PUBLISHED_AHEAD_MS


def test_keys_in_an_encrypted_parameter() -> None:

    with mock_aws():
        parameter = Parameter("/keyturn/signing-keys", "us-east-1")
        assert parameter.read() is None
        key = add_key(parameter, Algorithm.ES256, 0)
        assert [each.id for each in load(parameter)] == [key.id]
        stored = boto3.client("ssm", region_name="us-east-1").get_parameter(Name="/keyturn/signing-keys")
        assert stored["Parameter"]["Type"] == "SecureString"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_TAG_KEYS", "k:" + "A" * 44)
    monkeypatch.delenv("KEYTURN_SIGNING_KEYS_FILE", raising=False)
    assert main(["ensure"]) == 1
    monkeypatch.setenv("KEYTURN_SIGNING_KEYS_FILE", str(tmp_path / "keys.json"))
    assert main(["ensure"]) == 0
    assert main(["ensure"]) == 0
    assert len(load(KeyFile(str(tmp_path / "keys.json")))) == 1
    assert main(["rotate", "--algorithm", "EdDSA"]) == 0
    assert len(load(KeyFile(str(tmp_path / "keys.json")))) == 2
