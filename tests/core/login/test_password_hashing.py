"""Which passwords are strong enough, and how they are checked."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.login.expected_passwords import MAX_ENTRY, MIN_ENTRY, common, weight
from chalicelib.core.login.password_hashing import MAX_LENGTH, MIN_LENGTH, PasswordHasher, normal, strong
from chalicelib.core.secrets.hashing import Argon2Parameters

HASHER = PasswordHasher(Argon2Parameters())
ORDER_OF_MAGNITUDE = 1.0  # seconds of a processor, where it takes some milliseconds


def problem(password: str, *personal: str) -> str:
    """Why it is refused, without quoting it; nothing if it is taken."""
    try:
        assert strong(password, personal) == normal(password)
    except Invalid as refused:
        assert refused.field == "password"
        assert len(password) < MIN_LENGTH or password not in str(refused)
        return str(refused)
    return ""


@pytest.mark.parametrize("password", ["", "short", "k2!vQ9-zePt", "xyzäöü" * 50, "\ufdfa" * 11, "\ufdfa" * 15])
def test_a_password_has_12_to_256_characters_as_typed_and_in_its_normal_form(password: str) -> None:
    assert problem(password) == "password: must have 12 to 256 characters."


@pytest.mark.parametrize(
    "password",
    [
        "administrator",  # on the list
        "photosynthesis",
        "PassWord1234",  # folded, with digits, years and signs behind it
        "Dragonfire2026!?",
        "iloveyou83619274",
        "P@55w0rd!?*2026",  # in leetspeak
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff4412345",  # in another width
        "p.a.s.s.w.o.r.d-2026",
        "passwordpassword12",  # repeated
        "monkey-monkey-12",
        "dragonmonkey12",  # two of the list
        "123456789012",  # in a row
        "20260101235959",
        "abcdefghijklm",
        "zyxwvutsrqpo",
        "qwertyuiopas",
        "1qaz2wsx3edc",
        "1234qwerasdf",
        "!@#$%^&*()_+",
        "aaaaaaaaaaab",
    ],
)
def test_what_lists_and_patterns_give_away_is_refused(password: str) -> None:
    assert "too easy to guess" in problem(password)


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaa", "k2!vQ9k2!vQ9", "Summer2026Summer2026Sum", "k2!-vQ9_k2!-vQ9", "\ufdfa" * 12]
)
def test_a_short_text_that_is_repeated_is_refused(password: str) -> None:
    assert "repeated" in problem(password)


@pytest.mark.parametrize(
    "password",
    [
        "jo.doe@example.com",
        "k2!vQ9-jo.doe-zePt0w",
        "k2!vQ9-JODOE-zePt0w",
        "k2!vQ9-M4rg4rethe-zePt0w",
        "k2!vQ9-post.b0x-zePt0w",
        "k2!vQ9-Keyturn-zePt0w",
    ],
)
def test_what_is_of_the_account_itself_is_refused(password: str) -> None:
    assert "login, name or e-mail address" in problem(
        password, "jo.doe@example.com", "Margarethe Ny", "postbox@example.com"
    )


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "correcthorsebatterystaple",
        "k2!vQ9-zePt0w",
        "x7k2m9p4q1w8",
        "Ungewöhnlich grüne Gießkanne",
        "редкий и длинный пароль",
        "🎉🎊🎈🎁🎂🎃🦀🐙🐬🐝🐢🦉",
    ],
)
def test_what_is_hard_to_guess_is_taken(password: str) -> None:
    assert not problem(password, "jo", "Jo Doe", "")


class CountingList:
    """A list of which every beginning and end is an entry; it counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __contains__(self, text: object) -> bool:
        self.asked += 1
        return True


@given(st.text(max_size=MAX_LENGTH) | st.text("p@a4s$5w0o([{<1l!|", max_size=MAX_LENGTH))
def test_the_work_grows_with_the_length_alone(text: str) -> None:
    entries = CountingList()
    weight(text.casefold(), entries)
    assert entries.asked <= len(text.casefold()) * (MAX_ENTRY - MIN_ENTRY + 1)


@given(st.text(max_size=2 * MAX_LENGTH))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(problem(text, "jo", text), str)


@pytest.mark.parametrize(
    "text",
    [
        "p@$5w0rd" * 9,
        "4@8({[<369&#!1/|0$5+7%2" * 3,
        "([{<" * 64,
        "(" * 255 + "a",
        "a\u0301\u0323" * 85,
        "\ufdfa" * 256,
        "aeiou01" * 36,
        "\u0301\u0323" * 30_000,
        "\ufdfa" * 20_000,
        "p@$5w0rd" * 8_000,
    ],
)
def test_no_text_costs_much(text: str) -> None:
    """Leetspeak, brackets, combining characters, and what grows in its normal form; at a login as well."""
    common(), HASHER.prepare()
    began = time.process_time()
    problem(text, "jo", "Jo Doe")
    assert not HASHER.matches(text, None)
    assert time.process_time() - began < ORDER_OF_MAGNITUDE


def test_the_list_is_in_a_form_in_which_it_can_be_looked_up() -> None:
    entries = [entry for entry in common() if not entry.startswith("#")]
    assert len(entries) > 40_000
    assert all(entry == entry.casefold() and MIN_ENTRY <= len(entry) <= MAX_ENTRY for entry in entries)


def test_a_password_is_the_same_however_its_characters_were_typed() -> None:
    hashed = HASHER.hash(normal("Gie\u00dfkanne gr\u00fcn Ungew\u00f6hnlich"))
    assert HASHER.matches("Gie\u00dfkanne gru\u0308n Ungewo\u0308hnlich", hashed)
    assert not HASHER.matches("Giesskanne grun Ungewohnlich", hashed)


def test_nothing_matches_where_no_password_was_set() -> None:
    assert not HASHER.matches("anything at all", None)


def test_a_hash_of_lower_cost_is_outdated() -> None:
    hashed = HASHER.hash("whatever")
    assert not HASHER.is_outdated(hashed)
    assert PasswordHasher(Argon2Parameters(passes=3)).is_outdated(hashed)
