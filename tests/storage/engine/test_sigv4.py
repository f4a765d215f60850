"""Our signature is the one that AWS's own library makes."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.storage.engine.sigv4 import Signer

REGION = "eu-central-1"
HOSTS = ("dynamodb.eu-central-1.amazonaws.com", "localhost:8000")
words = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+=", min_size=1, max_size=60)


@given(
    host=st.sampled_from(HOSTS),
    key=words,
    secret=words,
    token=st.none() | words,
    body=st.binary(max_size=200),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)),
    target=words,
)
def test_as_botocore_signs(
    host: str, key: str, secret: str, token: str | None, body: bytes, now: datetime, target: str
) -> None:
    credentials, headers = (
        Credentials(key, secret, token),
        {"content-type": "application/json", "x-amz-target": target},
    )
    request = AWSRequest("POST", f"https://{host}/", headers=dict(headers), data=body)
    with patch("botocore.auth.get_current_datetime", return_value=now):
        SigV4Auth(credentials, "dynamodb", REGION).add_auth(request)
    signer = Signer(REGION, host)
    for _ in range(2):  # with the day's key made, and kept
        signed = signer.headers(credentials.get_frozen_credentials(), "/", headers, body, now.replace(tzinfo=UTC))
        assert signed["authorization"] == request.headers["Authorization"]


def test_another_secret_or_day_gets_another_key() -> None:
    signer, morning = Signer(REGION, HOSTS[0]), datetime(2026, 11, 28, 9, tzinfo=UTC)
    moments = [(secret, morning.replace(day=day)) for secret in ("one", "two") for day in (28, 29, 28)]

    def signature(signer: Signer, secret: str, moment: datetime) -> str:
        return signer.headers(Credentials("key", secret).get_frozen_credentials(), "/", {}, b"", moment)[
            "authorization"
        ]

    kept = [signature(signer, *each) for each in moments]
    assert kept == [signature(Signer(REGION, HOSTS[0]), *each) for each in moments]
    assert len(set(kept)) == 4
