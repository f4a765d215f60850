"""What is encrypted comes back only where it belongs; what is signed is known to be ours."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.secrets.keyring import Keyring, UnknownKey

OLD, NEW = {"old": bytes(32)}, {"new": bytes(range(32)), "old": bytes(32)}


@given(st.text(), st.text())
def test_a_text_comes_back_for_its_context(text: str, context: str) -> None:
    keyring = Keyring(OLD, "old")
    encrypted = keyring.encrypt(text, context)
    assert keyring.decrypt(encrypted, context) == text
    with pytest.raises(InvalidTag):
        keyring.decrypt(encrypted, context + "x")


def test_an_older_key_still_reads_and_a_lost_one_does_not() -> None:
    encrypted = Keyring(OLD, "old").encrypt("secret", "here")
    assert Keyring(NEW, "new").decrypt(encrypted, "here") == "secret"
    with pytest.raises(UnknownKey):
        Keyring({"new": bytes(range(32))}, "new").decrypt(encrypted, "here")


@given(st.binary(), st.binary(min_size=1))
def test_a_signature_is_of_this_message_in_this_context(message: bytes, more: bytes) -> None:
    old, new = Keyring(OLD, "old"), Keyring(NEW, "new")
    signature = old.sign(message, "here")
    assert new.has_signed(message, signature, "here")
    assert not new.has_signed(message + more, signature, "here")
    assert not new.has_signed(message, signature, "there")
    assert not Keyring({"new": bytes(range(32))}, "new").has_signed(message, signature, "here")
