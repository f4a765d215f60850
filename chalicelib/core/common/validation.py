"""What people may call things: logins, keys and free names."""

import re
import unicodedata

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import EVERYWHERE, ID_LENGTH, KEYTURN, is_id

MAX_LOGIN = 64
MAX_NAME = 200
MAX_EMAIL = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
MAX_DESCRIPTION = 1_000
# In NFC several characters become one, and putting many in order takes time that grows with their square: of what is
# longer than this many times the limit nothing is looked at.
TYPED = 4
RESERVED_LOGINS = frozenset({"me"})  # `/users/me` is the caller
# What stands for something else where a name can stand.
RESERVED = RESERVED_LOGINS | {"current", EVERYWHERE, KEYTURN}

LOGIN_FORM = r"[A-Za-z0-9][A-Za-z0-9._@+-]*"
KEY_FORM = r"[A-Za-z0-9][A-Za-z0-9._-]*"

EMAIL_FORM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"

_EMAIL = re.compile(EMAIL_FORM, re.ASCII)
_LOGIN = re.compile(LOGIN_FORM, re.ASCII)
_KEY = re.compile(KEY_FORM, re.ASCII)
# Control, format (bidirectional overrides, zero width), surrogate, private, unassigned, separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


_REFERENCE = re.compile(rf"[A-Za-z0-9._@+-]{{1,{MAX_LOGIN}}}", re.ASCII)


def could_be_identifier(value: str) -> bool:
    """Whether `value` could be an id, login or key at all; if not, the database need not be asked."""
    return bool(_REFERENCE.fullmatch(value))


def login(value: str, field: str = "login") -> str:
    """A valid login, as given. ASCII only, so that no look-alike of another login can exist.

    Raises Invalid.
    """
    if not 1 <= len(value) <= MAX_LOGIN:
        raise Invalid(field, f"must have 1 to {MAX_LOGIN} characters.")
    if not _LOGIN.fullmatch(value):
        raise Invalid(field, "may contain only A-Z, a-z, 0-9 and . _ @ + -, and must start with a letter or digit.")
    if value.lower() in RESERVED_LOGINS:
        raise Invalid(field, f"{value!r} is reserved.")
    return value


def not_an_id(value: str, field: str) -> str:
    """A new login, key or name of a group, as given, that nobody can take for an id: where one of these can stand an id
    can too, and so what is meant for a group could reach an account that is called like the group's id.

    What has such a name already keeps it. Raises Invalid.
    """
    if value.casefold() in RESERVED:
        raise Invalid(field, f"{value!r} is reserved.")
    if is_id(value):
        raise Invalid(
            field,
            f"must not look like an id: {ID_LENGTH} letters and digits, with at least one capital letter, one "
            "small letter and one digit.",
        )
    return value


def login_key(value: str) -> str:
    """The form under which a login is unique: two logins that differ in case are the same."""
    return value.lower()


def folded(value: str) -> str:
    """The form under which a name of a group or webhook is unique: case does not matter, in any script."""
    return value.casefold()


def key(value: str, field: str = "key") -> str:
    """A valid key of a service, role or permission. Raises Invalid."""
    if not 1 <= len(value) <= MAX_LOGIN or not _KEY.fullmatch(value):
        raise Invalid(
            field,
            f"must have 1 to {MAX_LOGIN} characters of A-Z, a-z, 0-9 and . _ -, and must start with a letter or digit.",
        )
    return value


def email(value: str, field: str = "profile.email.email") -> str:
    """An address that mail could be sent to, or an empty text for none, as given. Raises Invalid."""
    if value and (len(value) > MAX_EMAIL or not _EMAIL.fullmatch(value)):
        raise Invalid(field, f"must look like name@host.example, of at most {MAX_EMAIL} ASCII characters.")
    return value


def description(value: str, field: str = "description") -> str:
    """A text of several lines, trimmed, perhaps empty. Raises Invalid."""
    if len(value) > TYPED * MAX_DESCRIPTION:
        raise Invalid(field, f"may have at most {MAX_DESCRIPTION} characters.")
    for character in value:
        if unicodedata.category(character) in _UNPRINTABLE and character not in "\n\t":
            raise Invalid(field, f"must not contain the unprintable character U+{ord(character):04X}.")
    normal = unicodedata.normalize("NFC", value).strip()
    if len(normal) > MAX_DESCRIPTION:
        raise Invalid(field, f"may have at most {MAX_DESCRIPTION} characters.")
    return normal


def name(value: str, field: str = "name", most: int = MAX_NAME) -> str:
    """A free name, trimmed and in Unicode NFC, so that equal-looking names are equal. Raises Invalid."""
    if len(value) > TYPED * most:
        raise Invalid(field, f"must have 1 to {most} characters.")
    for character in value:
        if unicodedata.category(character) in _UNPRINTABLE:
            raise Invalid(field, f"must not contain the unprintable character U+{ord(character):04X}.")
    normal = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(normal) <= most:
        raise Invalid(field, f"must have 1 to {most} characters.")
    return normal
