"""An export holds what it was given, for who has the key, and for nobody else."""

from __future__ import annotations

from pathlib import Path

import boto3
import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from deployment.sealed_file import AgeKey, KmsKey, SealError, header, read, write

ATTRIBUTES = st.one_of(
    st.builds(lambda text: {"S": text}, st.text()),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda data: {"B": data}, st.binary(max_size=40)),
    st.builds(lambda data: {"BS": data}, st.lists(st.binary(max_size=40), min_size=1, max_size=3)),
    st.just({"NULL": True}),
)
VALUES = st.recursive(
    ATTRIBUTES,
    lambda inner: st.one_of(
        st.builds(lambda many: {"L": many}, st.lists(inner, max_size=3)),
        st.builds(lambda named: {"M": named}, st.dictionaries(st.text(min_size=2), inner, max_size=3)),
    ),
    max_leaves=5,
)
ITEMS = st.lists(st.dictionaries(st.text(min_size=2), VALUES, max_size=4), max_size=20)
IDENTITY = pyrage.x25519.Identity.generate()
CLOSING, OPENING = AgeKey(str(IDENTITY.to_public())), AgeKey(f"# created by age-keygen\n{IDENTITY}\n")
SOME = [{"pk": {"S": "USER#1"}, "argon2id": {"S": "$argon2id$secret"}, "tag": {"B": b"\x00\xff"}}]


@given(ITEMS)
def test_what_went_in_comes_out(tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, object]]) -> None:
    path = tmp_path_factory.mktemp("export") / "file"
    write(path, "keyturn-prod", 7, items, CLOSING)
    assert list(read(path, OPENING)) == items
    assert (header(path).table, header(path).begun) == ("keyturn-prod", 7)


def test_nothing_of_it_is_readable_and_only_its_owner_gets_the_file(tmp_path: Path) -> None:
    write(tmp_path / "file", "keyturn-prod", 7, SOME, CLOSING)
    assert b"argon2id" not in (tmp_path / "file").read_bytes()
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_another_key_and_a_changed_or_cut_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, "keyturn-prod", 7, SOME * 5_000, CLOSING)
    whole = path.read_bytes()
    with pytest.raises(SealError, match="cannot be opened"):
        list(read(path, AgeKey(str(pyrage.x25519.Identity.generate()))))
    for changed in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), whole[: len(whole) // 2]):
        path.write_bytes(changed)
        with pytest.raises(SealError, match="cannot be opened"):
            list(read(path, OPENING))
    path.write_bytes(b"something else\n")
    with pytest.raises(SealError, match="no export"):
        header(path)


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("yesterday's")

    def failing() -> object:
        yield SOME[0]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write(path, "keyturn-prod", 7, failing(), CLOSING)  # type: ignore[arg-type]
    assert [each.read_text() for each in tmp_path.iterdir()] == ["yesterday's"]


@pytest.mark.parametrize(
    "text", ["", "age1nothing", str(IDENTITY), "two\nlines"], ids=["none", "other", "secret", "two"]
)
def test_a_recipient_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SealError, match="--recipient"):
        AgeKey(text).close()


@mock_aws
def test_a_key_of_kms_closes_and_opens(tmp_path: Path) -> None:
    kms = boto3.client("kms", region_name="us-east-1")
    key = KmsKey(kms, kms.create_key()["KeyMetadata"]["KeyId"])
    write(tmp_path / "file", "keyturn-prod", 7, SOME, key)
    assert list(read(tmp_path / "file", key)) == SOME
    write(tmp_path / "other", "keyturn-prod", 7, SOME, CLOSING)
    with pytest.raises(SealError, match="not by KMS"):
        list(read(tmp_path / "other", key))
