"""A renewal whose request arrives after it was thought lost, which no proxy can time."""

from __future__ import annotations

from typing import Any

import pytest
from keyturn_cli import wire_format
from keyturn_cli.errors import AnswerLost, ExitCode, Refused
from keyturn_cli.keepers import OwnToken
from keyturn_cli.patience import Patience

OLD = wire_format.permanent_token(wire_format.new_middle(), "uSer00000001", "tOken0000001")


class LateServer:
    """As an Api. It takes the first request only after the new secret was presented once; then the old one has
    ended."""

    def __init__(self, token: str | None = None, state: dict[str, Any] | None = None) -> None:
        self.token = token
        self.state = state if state is not None else {"current": OLD, "on its way": None, "asked": []}

    def using(self, token: str, patience: Patience) -> LateServer:
        return LateServer(token, self.state)

    def once(self, path: str, body: dict[str, Any], **query: Any) -> tuple[dict[str, Any], bool]:
        new = wire_format.permanent_token(body["secret"], "uSer00000001", "tOken0000001")
        known = self.token == self.state["current"]
        self.state["asked"].append("old" if self.token == OLD else "new")
        if self.state["on its way"] is None:
            self.state["on its way"] = new
            raise AnswerLost("lost")
        self.state["current"] = self.state["on its way"]
        if not known:
            raise Refused("The access token is not valid.", ExitCode.NOT_LOGGED_IN, 401)
        return {"id": "tOken0000001"}, False


def test_a_request_that_arrives_late_is_found_out() -> None:
    server = LateServer()
    kept = OwnToken(server, OLD)  # type: ignore[arg-type]
    new = kept.new_secret()
    with pytest.raises(AnswerLost):
        kept.take(new, 0, False, Patience())
    assert kept.take(new, 0, True, Patience()) == {"id": "tOken0000001"}
    assert server.state["asked"] == ["old", "new", "old", "new"]


def test_a_token_that_is_not_good_is_refused_and_not_asked_for_ever() -> None:
    server = LateServer()
    server.state |= {"current": "another", "on its way": "another"}
    kept = OwnToken(server, OLD)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        kept.take(kept.new_secret(), 0, False, Patience())
    assert server.state["asked"] == ["old"]
