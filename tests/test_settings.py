"""What an installation configures."""

import base64
import secrets

import pytest
from moto import mock_aws

from chalicelib.settings import Settings, SettingsError, parse_tag_keys

KEY = base64.b64encode(b"k" * 32).decode()
OTHER = base64.b64encode(b"o" * 40).decode()


def test_the_first_tag_key_is_the_current_one() -> None:
    settings = Settings.from_environment({"KEYTURN_TAG_KEYS": f"new:{OTHER}, old:{KEY}"})
    assert settings.current_tag_key == "new"
    assert settings.tag_keys == {"new": b"o" * 40, "old": b"k" * 32}


@pytest.mark.parametrize("text", ["", "x", "x:", f":{KEY}", "x:c2hvcnQ=", f"a:{KEY},", f"a:{KEY},b:!!!"])
def test_other_keys_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_tag_keys(text)
    assert KEY not in str(refusal.value)


def test_without_tag_keys_it_does_not_start() -> None:
    with pytest.raises(SettingsError, match="KEYTURN_TAG_KEYS"):
        Settings.from_environment({})


@pytest.mark.parametrize(("name", "value"), [("PASSES", "1"), ("MEMORY_KIB", "1024"), ("LANES", "many")])
def test_argon2_below_owasps_minimum_does_not_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="ARGON2"):
        Settings.from_environment({"KEYTURN_TAG_KEYS": f"a:{KEY}", f"KEYTURN_ARGON2_{name}": value})


def test_the_table_is_where_the_environment_says() -> None:
    environment = {"KEYTURN_TAG_KEYS": f"a:{KEY}", "KEYTURN_TABLE": "t", "AWS_REGION": "eu-central-1"}
    table = Settings.from_environment(environment).table
    assert (table.name, table.region, table.endpoint) == ("t", "eu-central-1", None)


def test_tag_keys_may_live_in_an_encrypted_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    with mock_aws():
        ssm = boto3.client("ssm", region_name="eu-central-1")
        ssm.put_parameter(Name="/keyturn/tag-keys", Value=f"aws:{key}", Type="SecureString")
        environment = {"KEYTURN_TAG_KEYS_PARAMETER": "/keyturn/tag-keys", "AWS_REGION": "eu-central-1"}
        assert Settings.from_environment(environment).current_tag_key == "aws"


@pytest.mark.parametrize(
    "address", ["https://keyturn.example.com", "https://example.com:8443/hub", "http://localhost:8000"]
)
def test_the_address_of_an_installation(address: str) -> None:
    environment = {"KEYTURN_TAG_KEYS": f"a:{KEY}", "KEYTURN_ADDRESS": address}
    assert Settings.from_environment(environment).address == address


@pytest.mark.parametrize("address", ["", "keyturn.example.com", "http://example.com", "https://a@b", "https://a/?b"])
def test_an_address_that_browsers_would_not_trust_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="KEYTURN_ADDRESS"):
        Settings.from_environment({"KEYTURN_TAG_KEYS": f"a:{KEY}", "KEYTURN_ADDRESS": address})


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("LAST_USED_WINDOW", "0", "last_used_window_ms", 0),
        ("LAST_USED_WINDOW", "60", "last_used_window_ms", 60_000),
        ("EXPIRY_NOTICES", "1, 14,14", "notice_days", (14, 1)),
        ("EXPIRY_NOTICES", "", "notice_days", ()),
        ("TRUSTED_PROXIES", "10.0.0.0/8 2001:db8::/32", "trusted_proxies", ("10.0.0.0/8", "2001:db8::/32")),
        ("INTERNAL_RECEIVERS", "hooks ops", "internal_receivers", frozenset({"hooks", "ops"})),
    ],
)
def test_what_the_lifecycle_is_told(name: str, text: str, attribute: str, value: object) -> None:
    settings = Settings.from_environment({"KEYTURN_TAG_KEYS": f"a:{KEY}", f"KEYTURN_{name}": text})
    assert getattr(settings, attribute) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LAST_USED_WINDOW", "soon"),
        ("LAST_USED_WINDOW", "-1"),
        ("LAST_USED_WINDOW", "86401"),
        ("EXPIRY_NOTICES", "30,0"),
        ("EXPIRY_NOTICES", "a month"),
        ("TRUSTED_PROXIES", "everybody"),
    ],
)
def test_what_it_cannot_be_told(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"KEYTURN_{name}"):
        Settings.from_environment({"KEYTURN_TAG_KEYS": f"a:{KEY}", f"KEYTURN_{name}": text})
