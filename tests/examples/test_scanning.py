"""The rules for secret scanners: detect-secrets runs ours; gitleaks' rule is read, and tried as an expression."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets import token_format
from examples.scanning.keyturn_detector import checksum

FOLDER = Path(__file__).parents[2] / "examples" / "scanning"
PLUGIN = {"name": "KeyturnDetector", "path": f"file://{FOLDER / 'keyturn_detector.py'}"}
RULE = tomllib.loads((FOLDER / "gitleaks.toml").read_text())["rules"][0]
FORMATS = [
    *(kind.value for kind in token_format.CredentialKind),
    token_format.SERVICE_SECRET,
    token_format.AUTHORIZATION_CODE,
    token_format.DEVICE_CODE,
    token_format.REFRESH_TOKEN,
]


def issued(format: token_format.TokenFormat) -> str:
    return format.issue(*(new_id() for _ in range(format.ids)))


def found(folder: Path, text: str) -> int:
    file = folder / "settings.py"
    file.write_text(text)
    secrets = SecretsCollection()
    with transient_settings({"plugins_used": [PLUGIN]}):
        secrets.scan_file(str(file))
    return sum(len(each) for each in secrets.data.values())


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.prefix)
def test_every_kind_of_secret_is_found_wherever_it_stands(tmp_path: Path, format: token_format.TokenFormat) -> None:
    for frame in ("TOKEN = '{}'", "Authorization: Bearer {}", "x={}&y=1", "{}"):
        secret = issued(format)
        assert found(tmp_path, frame.format(secret)) == 1
        assert re.search(RULE["regex"], frame.format(secret))
    assert any(secret.startswith(keyword) for keyword in RULE["keywords"])


def test_what_only_looks_like_one_raises_no_alarm(tmp_path: Path) -> None:
    secret = issued(token_format.CredentialKind.PERMANENT_TOKEN.value)
    changed = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for text in (changed, "ktp_" + "x" * 73, secret[:-1], "ktp_EXAMPLE", secret + "x", "x" + secret):
        assert found(tmp_path, f"t = '{text}'") == 0


@given(st.text(st.sampled_from("abcXYZ019_"), max_size=90))
def test_the_published_checksum_is_ours(text: str) -> None:
    assert checksum(text) == token_format._checksum(text)
