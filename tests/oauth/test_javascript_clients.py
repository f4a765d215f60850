"""JavaScript clients that we did not write (oauth4webapi, openid-client, jose) against the running server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.node import NODE, installed
from tests.oauth.running import CALLBACK, Running

SOURCE = Path(__file__).parent / "javascript"


class Clients:
    """A Node.js process that does what it is told, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, command: str, **values: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"command": command, **values}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "done" in answer, answer
        done: dict[str, Any] = answer["done"]
        return done


@pytest.fixture
def clients() -> Iterator[Clients]:
    folder = installed(SOURCE)
    with subprocess.Popen(
        [str(NODE), "clients.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Clients(process)
        process.kill()


def test_oauth4webapi_code_refresh_introspection_revocation(running: Running, clients: Clients) -> None:
    client = running.ids["web"]
    begun = clients("webapi_begin", issuer=running.issuer, client_id=client, redirect_uri=CALLBACK, scope="api openid")
    back = running.browse(begun["url"])
    forged = back.replace("iss=http", "iss=https")  # as if another server had answered
    assert clients("webapi_mixed_up", back=forged)["refused"]
    got = clients("webapi_end", back=back, secret=running.secrets["web"])
    assert got["tokens"]["refresh_token"] != got["again"]["refresh_token"]
    access = got["again"]["access_token"]
    introspected = clients("webapi_introspect", client_id="api", secret=running.secrets["api"], token=access)
    assert (introspected["active"], introspected["username"]) == (True, "jo")
    clients("webapi_revoke", secret=running.secrets["web"], token=got["again"]["refresh_token"])
    assert running.introspect(access) == {"active": False}


def test_oauth4webapi_as_a_public_client(running: Running, clients: Clients) -> None:
    uri = "http://127.0.0.1:49321/callback"
    program = running.ids["program"]
    begun = clients("webapi_begin", issuer=running.issuer, client_id=program, redirect_uri=uri, scope="api")
    got = clients("webapi_end", back=running.browse(begun["url"]), secret=None)
    assert running.introspect(got["again"]["access_token"])["active"]


def test_oauth4webapi_device_code(running: Running, clients: Clients) -> None:
    started = clients("webapi_device", issuer=running.issuer, client_id="program", scope="api")
    assert "Approved" in running.browse(started["verification_uri_complete"])
    tokens = clients("webapi_device_end")
    assert running.introspect(tokens["access_token"])["username"] == "jo"


def test_openid_client_login_credentials_exchange(running: Running, clients: Clients) -> None:
    client, secret = running.ids["web"], running.secrets["web"]
    begun = clients(
        "openid_begin",
        issuer=running.issuer,
        client_id=client,
        secret=secret,
        redirect_uri=CALLBACK,
        scope="openid profile api web",
    )
    got = clients("openid_end", back=running.browse(begun["url"]))
    assert got["user"]["preferred_username"] == got["claims"]["preferred_username"] == "jo"
    own = clients("openid_credentials", scope="api")
    assert running.introspect(own["access_token"])["account_type"] == "service"
    users = got["tokens"]["access_token"]
    acting = clients("openid_exchange", subject_token=users, audience="api")
    introspected = running.introspect(acting["access_token"])
    assert (introspected["username"], introspected["act"]) == ("jo", {"sub": client})
    traded = clients("openid_assertion", assertion=running.outside.token(), account="robot")
    assert running.introspect(traded["access_token"])["username"] == "robot"


def test_jose_verifies_an_access_token(running: Running, clients: Clients) -> None:
    answer = requests.post(
        f"{running.issuer}/api/rest/oauth2/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": running.bot_token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "scope": "api",
        },
        timeout=10,
    )
    values = {
        "issuer": running.issuer,
        "keys": f"{running.issuer}/api/rest/oauth2/keys",
        "token": answer.json()["access_token"],
    }
    verified = clients("jose_verify", audience=running.ids["api"], **values)
    assert verified["payload"]["scope"] == running.ids["api"]
    assert verified["protectedHeader"]["typ"] == "at+jwt"
    with pytest.raises(AssertionError, match="aud"):
        clients("jose_verify", audience=running.ids["web"], **values)
