"""What access tokens cost: offline, at introspection, and at an exchange, as ratios where a database is asked.

    python -m benchmarks.oauth

Offline: how many access tokens a service verifies by the public key, per second and core, with joserfc and with
PyJWT. Introspection and exchange go through the Lambda handler, and are compared with a bare botocore BatchGetItem of
as many items, measured in turn. What OAuth adds to a cold start of a plain verification is in `benchmarks.verify`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from urllib.parse import urlencode

import jwt as pyjwt
from joserfc import jwt
from joserfc.jwk import JWKRegistry
from rich.console import Console
from rich.table import Table

from benchmarks.installation import Installation, answered, fresh_database, install
from benchmarks.verify import ROUNDS, WARM_UP, bare_read, row, seconds
from chalicelib.storage.engine import keys

OFFLINE_ROUNDS = 5_000
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        access_token = _exchange(installation)()
        table = Table("what", "median", "compared with", "median", "ratio", "target")
        token, service = installation.token.token, installation.service.service
        read = [keys.user(token.user_id), keys.token(token.user_id, token.id)]
        missing = keys.revoked_access_token(token.user_id, "none")
        introspected = [*read, keys.service(service.id), missing]
        ask = _introspect(installation, access_token)
        table.add_row(*_compared("introspect an access token", ask, bare_read(installation, introspected, found=3)))
        exchange = _exchange(installation)
        table.add_row(*_compared("exchange a permanent token", exchange, bare_read(installation, read, found=2)))
        console = Console(width=120)
        console.print(table)
        console.print(_offline(installation, access_token))


def _compared(what: str, ours: Callable[[], object], read: Callable[[], None]) -> list[str]:
    for _ in range(WARM_UP):
        ours()
        read()
    asked, bare = [], []
    for _ in range(ROUNDS):
        asked.append(seconds(ours))
        bare.append(seconds(read))
    return row(what, asked, "bare botocore read", bare, "2")


def _introspect(installation: Installation, token: str) -> Callable[[], object]:
    event = installation.introspection_event(token)

    def ask() -> None:
        assert '"active":true' in answered(event)["body"]

    return ask


def _exchange(installation: Installation) -> Callable[[], str]:
    form = {
        "grant_type": EXCHANGE,
        "subject_token": installation.token.secret or "",
        "subject_token_type": ACCESS_TOKEN,
        "scope": installation.service.service.id,
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    event = installation.event("/api/rest/oauth2/token", urlencode(form), headers)

    def exchange() -> str:
        token: str = json.loads(answered(event)["body"])["access_token"]
        return token

    return exchange


def _offline(installation: Installation, token: str) -> str:
    public = installation.keyturn.oauth.jwt.public_keys(time.time_ns() // 1_000_000)[0]
    audience = installation.service.service.id
    ours, theirs = JWKRegistry.import_key(public), pyjwt.PyJWK(public)
    claims = jwt.JWTClaimsRegistry(aud={"essential": True, "value": audience}, exp={"essential": True})
    rates = {}
    for name, verify in {
        "joserfc": lambda: claims.validate(jwt.decode(token, ours, algorithms=["ES256"]).claims),
        "PyJWT": lambda: pyjwt.decode(token, theirs, algorithms=["ES256"], audience=audience),
    }.items():
        began = time.perf_counter()
        for _ in range(OFFLINE_ROUNDS):
            verify()
        rates[name] = OFFLINE_ROUNDS / (time.perf_counter() - began)
    return "Verified offline, per second and core: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())


if __name__ == "__main__":
    main()
