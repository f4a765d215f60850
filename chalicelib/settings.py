"""What an installation configures, read from the environment once per process."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.secrets.hashing import Argon2Parameters
from chalicelib.core.verification.last_use import LAST_USED_WINDOW_MS
from chalicelib.storage.engine.table import TableAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

MINIMUM_TAG_KEY_BYTES = 32
GITHUB_KEYS = "https://api.github.com/meta/public_keys/secret_scanning"
ADDRESS_FORM = r"(https://[^/?#@\s]+|http://localhost(:[0-9]+)?)(/[^?#\s]*)?"


class SettingsError(Exception):
    """The environment does not describe an installation; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`tag_keys` maps ids to keys; new secrets are tagged with `current_tag_key`."""

    table: TableAddress
    argon2: Argon2Parameters
    tag_keys: Mapping[str, bytes]
    current_tag_key: str
    signing_keys_file: str | None = None
    signing_keys_parameter: str | None = None  # of SSM, a SecureString
    parameters_key: str | None = None  # of KMS, that encrypts what is written there
    internal_issuers: frozenset[str] = frozenset()  # that may be at private addresses of the network
    last_used_window_ms: int = LAST_USED_WINDOW_MS  # in which a use of a credential is noted once
    notice_days: tuple[int, ...] = (30, 7, 1)  # before a token ends, when an event says so
    trusted_proxies: tuple[str, ...] = ()  # networks of proxies that say truly whom they were asked by
    internal_receivers: frozenset[str] = frozenset()  # hosts of webhooks that may be at private addresses
    event_topic: str | None = None  # of SNS, by its ARN
    event_bus: str | None = None  # of EventBridge, by name or ARN
    github_keys: str = GITHUB_KEYS  # where GitHub publishes by what it signs found secrets
    address: str | None = None  # where browsers find this installation: https://host[:port][/path]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError. The variables are described in docs/reference/settings.md."""
        table = TableAddress(
            name=environment.get("KEYTURN_TABLE", "keyturn"),
            region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
            endpoint=environment.get("KEYTURN_DYNAMODB_ENDPOINT"),
        )
        defaults = Argon2Parameters()
        try:
            argon2 = Argon2Parameters(
                memory_kib=int(environment.get("KEYTURN_ARGON2_MEMORY_KIB", defaults.memory_kib)),
                passes=int(environment.get("KEYTURN_ARGON2_PASSES", defaults.passes)),
                lanes=int(environment.get("KEYTURN_ARGON2_LANES", defaults.lanes)),
            )
        except ValueError as error:
            raise SettingsError(f"KEYTURN_ARGON2_…: {error}") from None
        keys = parse_tag_keys(_tag_keys_text(environment, table.region))
        return cls(
            table=table,
            argon2=argon2,
            tag_keys=keys,
            current_tag_key=next(iter(keys)),
            signing_keys_file=environment.get("KEYTURN_SIGNING_KEYS_FILE"),
            signing_keys_parameter=environment.get("KEYTURN_SIGNING_KEYS_PARAMETER"),
            parameters_key=environment.get("KEYTURN_PARAMETERS_KEY"),
            internal_issuers=frozenset(environment.get("KEYTURN_INTERNAL_ISSUERS", "").split()),
            last_used_window_ms=1_000
            * _number(environment, "KEYTURN_LAST_USED_WINDOW", LAST_USED_WINDOW_MS // 1_000, highest=86_400),
            notice_days=_notice_days(environment.get("KEYTURN_EXPIRY_NOTICES", "30,7,1")),
            trusted_proxies=_trusted_proxies(environment.get("KEYTURN_TRUSTED_PROXIES", "")),
            internal_receivers=frozenset(environment.get("KEYTURN_INTERNAL_RECEIVERS", "").split()),
            event_topic=environment.get("KEYTURN_EVENT_TOPIC"),
            event_bus=environment.get("KEYTURN_EVENT_BUS"),
            github_keys=environment.get("KEYTURN_GITHUB_KEYS", GITHUB_KEYS),
            address=_address(environment),
        )


def _number(environment: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > highest:
        raise SettingsError(f"{name} must be a whole number from 0 to {highest}.")
    return int(text)


def _notice_days(text: str) -> tuple[int, ...]:
    days = [day.strip() for day in text.split(",") if day.strip()]
    if not all(day.isascii() and day.isdigit() and len(day) < 5 and int(day) for day in days):
        raise SettingsError("KEYTURN_EXPIRY_NOTICES must list days before a token's end, such as 30,7,1.")
    return tuple(sorted(set(map(int, days)), reverse=True))


def _trusted_proxies(text: str) -> tuple[str, ...]:
    if not text.strip():
        return ()
    from chalicelib.core.common.errors import Invalid
    from chalicelib.core.common.networks import networks  # only where there is a proxy

    try:
        return networks(text.split())
    except Invalid:
        raise SettingsError("KEYTURN_TRUSTED_PROXIES must list networks such as 10.0.0.0/8, with spaces.") from None


def _address(environment: Mapping[str, str]) -> str | None:
    address = environment.get("KEYTURN_ADDRESS")
    if address is not None and not re.fullmatch(ADDRESS_FORM, address):
        raise SettingsError("KEYTURN_ADDRESS must be an https address (or http://localhost), as https://host/path.")
    return address.rstrip("/") if address else None


def parse_tag_keys(text: str) -> dict[str, bytes]:
    """Keys from `id:base64[,id:base64…]`, the current one first. Raises SettingsError, without the text."""
    keys = {}
    for entry in text.split(","):
        id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not id or len(key) < MINIMUM_TAG_KEY_BYTES:
            raise SettingsError(
                f"The tag keys must read id:base64[,id:base64…], each of {MINIMUM_TAG_KEY_BYTES} bytes or more."
            )
        keys[id] = key
    return keys


def _tag_keys_text(environment: Mapping[str, str], region: str) -> str:
    if "KEYTURN_TAG_KEYS" in environment:
        return environment["KEYTURN_TAG_KEYS"]
    if "KEYTURN_TAG_KEYS_PARAMETER" in environment:
        return _parameter(environment["KEYTURN_TAG_KEYS_PARAMETER"], region)
    raise SettingsError("Set KEYTURN_TAG_KEYS, or KEYTURN_TAG_KEYS_PARAMETER to the name of an SSM parameter.")


def _parameter(name: str, region: str) -> str:
    from chalicelib.outbound.parameters import Parameter  # only where it is used: a second client costs a cold start

    return Parameter(name, region).read() or ""
