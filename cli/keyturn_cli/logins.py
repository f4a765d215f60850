"""Who is logged in where: one file for all installations, which only its owner can read."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import TOKEN, Api
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import make_folder, require_writable, write_secret

if TYPE_CHECKING:
    from keyturn_cli.patience import Patience

EARLY_SECONDS = 30  # before an access token ends, it is replaced


@dataclass(frozen=True)
class Login:
    """What is presented to one installation: a token, or what the device flow gave."""

    token: str
    refresh_token: str | None = None
    client: str | None = None
    ends: float | None = None  # seconds since the epoch


def _path() -> Path:
    try:
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "keyturn" / "logins.json"
    except RuntimeError:  # nobody's home
        raise Problem("There is no folder for logins. Set HOME, XDG_CONFIG_HOME, or KEYTURN_TOKEN.") from None


def addresses() -> list[str]:
    """Where somebody is logged in; the last one first."""
    return list(_all())


def keep(address: str, login: Login) -> None:
    """From now on this is presented there."""
    others = {known: each for known, each in _all().items() if known != address}
    _write({address: login, **others})


def forget(address: str) -> bool:
    """Nothing is presented there any more; whether something was."""
    logins = _all()
    known = logins.pop(address, None) is not None
    if known:
        _write(logins)
    return known


def require_room() -> None:
    """Raises Problem if a login could not be kept."""
    _all()
    make_folder(_path().parent)
    require_writable(_path())


def replace_token(address: str, held: str, new: str) -> None:
    """A login by a token goes on when the token has got a new secret. Raises Problem."""
    try:
        found = _all().get(address)
        if found is not None and found.token == held:
            keep(address, replace(found, token=new))
    except Problem as failure:
        again = "The token was rotated, but the login with it could not be renewed. Run: keyturn login --with-token"
        raise Problem(f"{failure.message} {again}", ExitCode.LEFT_BEHIND) from None


def token_for(address: str, patience: Patience) -> str | None:
    """What to present there, renewed if it is about to end; None if nobody is logged in. Raises Problem."""
    login = _all().get(address)
    if login is None:
        return None
    if login.ends is None or time.time() < login.ends - EARLY_SECONDS:
        return login.token
    return _renewed(address, login, patience).token


def from_answer(answer: dict[str, Any], client: str) -> Login:
    """What the token endpoint gave (RFC 6749 section 5.1)."""
    return Login(answer["access_token"], answer.get("refresh_token"), client, time.time() + answer["expires_in"])


def _renewed(address: str, login: Login, patience: Patience) -> Login:
    over = Problem(f"The login at {address} has ended. Run: keyturn login", ExitCode.NOT_LOGGED_IN)
    if not login.refresh_token or not login.client:
        raise over
    fields = [("grant_type", "refresh_token"), ("refresh_token", login.refresh_token), ("client_id", login.client)]
    status, answer = Api(address, None, patience).form(TOKEN, fields)
    if status >= 500 or status == 429:
        raise Problem(f"{address} cannot renew the login now. Try again.", ExitCode.UNREACHABLE)
    if status != 200 or not isinstance(answer, dict):
        raise over
    renewed = from_answer(answer, login.client)
    keep(address, renewed)
    return renewed


def _all() -> dict[str, Login]:
    """Raises Problem: what somebody has written there by hand, or half of it."""
    path = _path()
    unreadable = Problem(f"{path} cannot be read. Remove it, and log in again.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise unreadable from None
    try:
        logins = {str(address): Login(**each) for address, each in found.items()}
    except (AttributeError, TypeError):
        raise unreadable from None
    if not all(_is_whole(each) for each in logins.values()):
        raise unreadable
    return logins


def _is_whole(login: Login) -> bool:
    texts = [login.token, login.refresh_token or "", login.client or ""]
    return all(isinstance(text, str) for text in texts) and isinstance(login.ends, int | float | None)


def _write(logins: dict[str, Login]) -> None:
    make_folder(_path().parent)
    write_secret(_path(), json.dumps({address: asdict(each) for address, each in logins.items()}, indent=2))
