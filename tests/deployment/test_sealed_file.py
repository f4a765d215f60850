"""An export holds what it was given, for who has the key, and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import boto3
import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from deployment.export_signature import Signer, UntrustedExport
from deployment.sealed_file import HEAD_BYTES, AgeKey, Export, Key, KmsKey, SealError, write

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
SIGNER = Signer(b"t" * 32)
SOME = [{"pk": {"S": "USER#1"}, "argon2id": {"S": "$argon2id$secret"}, "tag": {"B": b"\x00\xff"}}]


def opened(path: Path, key: Key = OPENING, trusted: str = SIGNER.public) -> Export:
    return Export(path, key, [trusted])


@given(ITEMS)
def test_what_went_in_comes_out(tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, object]]) -> None:
    path = tmp_path_factory.mktemp("export") / "file"
    write(path, "keyturn-prod", 7, items, CLOSING, SIGNER)
    export = opened(path)
    assert list(export.items()) == list(export.items()) == items
    assert (export.header.table, export.header.begun, export.header.items) == ("keyturn-prod", 7, len(items))


def test_nothing_of_it_is_readable_and_only_its_owner_gets_the_file(tmp_path: Path) -> None:
    write(tmp_path / "file", "keyturn-prod", 7, SOME, CLOSING, SIGNER)
    assert b"argon2id" not in (tmp_path / "file").read_bytes()
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, "keyturn-prod", 7, SOME, CLOSING, SIGNER)
    with pytest.raises(SealError, match="cannot be opened"):
        list(opened(path, AgeKey(str(pyrage.x25519.Identity.generate()))).items())
    path.write_bytes(b"something else\n")
    with pytest.raises(SealError, match="no export"):
        opened(path)


def test_nothing_of_it_can_be_changed_cut_added_or_swapped(tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    write(path, "keyturn-prod", 7, SOME * 5_000, CLOSING, SIGNER)
    write(other, "keyturn-prod", 8, SOME * 5_000, CLOSING, SIGNER)
    whole, swapped = path.read_bytes(), other.read_bytes()
    head, body = whole[:HEAD_BYTES], whole[HEAD_BYTES:]
    changed_heads = (
        head.replace(b'"begun": 7', b'"begun": 9'),
        head.replace(b"keyturn-prod", b"keyturn-dev "),
        head.replace(b'"items": 5000', b'"items": 4999'),
        head[:-10] + b"=" * 9 + b"\n",
    )
    bodies = (body[:-1], body[:-1] + bytes([body[-1] ^ 1]), body[: len(body) // 2], body + b"x", swapped[HEAD_BYTES:])
    for changed in (
        *(each + body for each in changed_heads),
        *(head + each for each in bodies),
        whole[: HEAD_BYTES - 20],
    ):
        assert changed != whole
        path.write_bytes(changed)
        with pytest.raises(UntrustedExport, match="was changed"):
            opened(path)


def test_what_breaks_off_while_it_is_decrypted_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks_off(source: BinaryIO, plain: BinaryIO, identities: object) -> None:
        plain.write(b'{"pk": {"S": "USER#1"}}\n{"pk": {"S"')
        raise OSError("The disk is gone.")

    write(tmp_path / "file", "keyturn-prod", 7, SOME, CLOSING, SIGNER)
    monkeypatch.setattr(pyrage, "decrypt_io", breaks_off)
    with pytest.raises(SealError, match="cannot be opened"):
        list(opened(tmp_path / "file").items())


def test_who_can_only_seal_and_open_makes_none_that_is_trusted(tmp_path: Path) -> None:
    write(tmp_path / "file", "keyturn-prod", 7, SOME, CLOSING, Signer(b"f" * 32))
    with pytest.raises(UntrustedExport, match="another installation"):
        opened(tmp_path / "file")


def test_what_an_older_version_did_not_sign_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b'{"table": "keyturn-prod", "begun": 7, "identity": null, "keyturn": 1}\nage')
    with pytest.raises(UntrustedExport, match="again with this version"):
        opened(tmp_path / "file")


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:AAAA", "something"])
def test_a_trusted_key_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path / "file", "keyturn-prod", 7, SOME, CLOSING, SIGNER)
    with pytest.raises(UntrustedExport, match="--trust must be"):
        opened(tmp_path / "file", trusted=text)


def test_what_is_read_was_verified_also_if_the_file_changes_meanwhile(tmp_path: Path) -> None:
    write(tmp_path / "file", "keyturn-prod", 7, SOME, CLOSING, SIGNER)
    export = opened(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"something else")
    assert list(export.items()) == SOME


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("yesterday's")

    def failing() -> object:
        yield SOME[0]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write(path, "keyturn-prod", 7, failing(), CLOSING, SIGNER)  # type: ignore[arg-type]
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
    write(tmp_path / "file", "keyturn-prod", 7, SOME, key, SIGNER)
    assert list(opened(tmp_path / "file", key).items()) == SOME
    write(tmp_path / "other", "keyturn-prod", 7, SOME, CLOSING, SIGNER)
    with pytest.raises(SealError, match="not by KMS"):
        opened(tmp_path / "other", key)
