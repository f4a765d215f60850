"""Who is logged in where: one file for all installations, which only its owner can read."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keyturn_cli.api import TOKEN, Api
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import write_secret

EARLY_SECONDS = 30  # before an access token ends, it is replaced


@dataclass(frozen=True)
class Login:
    """What is presented to one installation: a token, or what the device flow gave."""

    token: str
    refresh_token: str | None = None
    client: str | None = None
    ends: float | None = None  # seconds since the epoch


def _path() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "keyturn" / "logins.json"


def addresses() -> list[str]:
    """Where somebody is logged in; the last one first."""
    return list(_all())


def keep(address: str, login: Login) -> None:
    """From now on this is presented there."""
    others = {known: each for known, each in _all().items() if known != address}
    _write({address: asdict(login), **others})


def forget(address: str) -> bool:
    """Nothing is presented there any more; whether something was."""
    logins = _all()
    known = logins.pop(address, None) is not None
    if known:
        _write(logins)
    return known


def token_for(address: str) -> str | None:
    """What to present there, renewed if it is about to end; None if nobody is logged in."""
    found = _all().get(address)
    if found is None:
        return None
    login = Login(**found)
    if login.ends is None or time.time() < login.ends - EARLY_SECONDS:
        return login.token
    return _renewed(address, login).token


def from_answer(answer: dict[str, Any], client: str) -> Login:
    """What the token endpoint gave (RFC 6749 section 5.1)."""
    return Login(answer["access_token"], answer.get("refresh_token"), client, time.time() + answer["expires_in"])


def _renewed(address: str, login: Login) -> Login:
    over = Problem(f"The login at {address} has ended. Run: keyturn login", ExitCode.NOT_LOGGED_IN)
    if not login.refresh_token or not login.client:
        raise over
    fields = [("grant_type", "refresh_token"), ("refresh_token", login.refresh_token), ("client_id", login.client)]
    status, answer = Api(address).form(TOKEN, fields)
    if status != 200:
        raise over
    renewed = from_answer(answer, login.client)
    keep(address, renewed)
    return renewed


def _all() -> dict[str, Any]:
    try:
        found = json.loads(_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise Problem(f"{_path()} cannot be read. Remove it, and log in again.") from None
    return found if isinstance(found, dict) else {}


def _write(logins: dict[str, Any]) -> None:
    try:
        _path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Problem(f"{_path().parent} cannot be made: {error.strerror}.") from None
    write_secret(_path(), json.dumps(logins, indent=2))
