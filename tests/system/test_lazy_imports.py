"""What a cold start of the most frequent request loads, and what it must not."""

from __future__ import annotations

import subprocess
import sys

from embedded.layout import PROJECT

HEAVY = ("authlib", "joserfc", "jinja2", "msgspec", "webauthn", "chalicelib.oauth.server")
# (cryptography comes with botocore, where pyOpenSSL is installed.)
SCRIPT = """
import sys
import app
from chalicelib.composition.keyturn import keyturn
print(*(name for name in sys.modules))
"""


def test_a_plain_verification_loads_nothing_of_oauth() -> None:
    environment = {"KEYTURN_TAG_KEYS": "k:" + "A" * 44, "AWS_LAMBDA_FUNCTION_NAME": "keyturn", "AWS_REGION": "x"}
    environment["KEYTURN_ADDRESS"] = "https://keyturn.example.com"
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = finished.stdout.split()
    assert "chalicelib.core.authentication.introspection" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []
