"""A renewal whose request arrives after it was thought lost, which no proxy can time; and what the file system refuses
after the server has taken the secret."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from keyturn_cli import place, renewal, token_format
from keyturn_cli.errors import AnswerLost, ExitCode, Problem, Refused
from keyturn_cli.keepers import OwnToken
from keyturn_cli.patience import Patience

OLD = token_format.permanent_token(token_format.new_middle(), "uSer00000001", "tOken0000001")


class LateServer:
    """As an Api. It takes the first request only after the new secret was presented once; then the old one has
    ended."""

    def __init__(self, token: str | None = None, state: dict[str, Any] | None = None) -> None:
        self.token = token
        self.state = state if state is not None else {"current": OLD, "on its way": None, "asked": []}

    def using(self, token: str, patience: Patience) -> LateServer:
        return LateServer(token, self.state)

    def once(self, path: str, body: dict[str, Any], expected: Any, **query: Any) -> tuple[dict[str, Any], bool]:
        new = token_format.permanent_token(body["secret"], "uSer00000001", "tOken0000001")
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


class Taken:
    """What is renewed, by a server that takes whatever it is asked, but perhaps takes nothing back."""

    named, identity = "the token", "token"

    def __init__(self, takes_back: bool = True) -> None:
        self.takes_back = takes_back

    def new_secret(self) -> str:
        return "new"

    def owns(self, secret: str) -> bool:
        return True

    def held(self, secret: str) -> Taken:
        return self

    def can_take_back(self) -> bool:
        return True

    def take(self, new: str, grace: int, doubtful: bool, patience: Patience) -> dict[str, Any]:
        return {"secrets": [{"endsOn": 4 * 10**12}, {"endsOn": None}]}

    def roll_back(self, new: str, held: str, doubtful: bool, patience: Patience) -> None:
        if not self.takes_back:
            raise Refused("No.", ExitCode.REFUSED, 403)


def failing(*results: str | None) -> Any:
    """A function of the file system that fails where there is a reason."""
    left = list(results)

    def fails(*arguments: Any) -> None:
        if reason := left.pop(0):
            raise Problem(reason)

    return fails


def renewed(folder: Path, command: str | None, kept: Taken, in_file: bool = True) -> Problem:
    """How the renewal fails."""
    (folder / "token").write_text("old")
    file = folder / "token" if in_file else None
    where = place.Place(file, command, "old", folder / "token.new")
    with pytest.raises(Problem) as problem:
        renewal.renew(kept, 60, where, Patience(5))
    return problem.value


class TestFileSystem:
    """What it refuses after the server has taken the secret: code 6, since nothing is as before."""

    def test_what_waits_cannot_be_removed_after_the_command(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(place, "remove", failing("It cannot be removed."))
        problem = renewed(tmp_path, "true", Taken(), in_file=False)
        assert problem.exit_code == 6
        assert problem.message.startswith("The command has the new secret. The one before is good until")

    def test_what_waits_cannot_be_removed_after_it_was_taken_back(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(place, "remove", failing("It cannot be removed."))
        problem = renewed(tmp_path, "exit 1", Taken())
        assert (problem.exit_code, "The rotation was taken back" in problem.message) == (6, True)
        assert (tmp_path / "token").read_text().strip() == "old"

    def test_the_file_cannot_be_written_after_the_server_has_taken_nothing_back(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        put_in_place = place.put_in_place
        puts = iter([put_in_place, failing("It cannot be replaced.")])
        monkeypatch.setattr(place, "put_in_place", lambda *arguments: next(puts)(*arguments))
        problem = renewed(tmp_path, "exit 1", Taken(takes_back=False))
        assert problem.exit_code == 6
        assert f"The new secret waits in {tmp_path / 'token.new'}, and is the current one." in problem.message
        assert (tmp_path / "token.new").read_text().strip() == "new"

    def test_it_says_where_the_secret_is_when_the_folder_could_not_be_synced(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        put_in_place = place.put_in_place

        def put(draft: Path, path: Path) -> None:
            put_in_place(draft, path)
            raise Problem("It cannot be replaced.")

        monkeypatch.setattr(place, "put_in_place", put)
        problem = renewed(tmp_path, None, Taken())
        assert problem.exit_code == 6
        assert f"The new secret stays the current one, and is in {tmp_path / 'token'}." in problem.message

    def test_a_command_that_could_not_be_run_was_not_interrupted(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def popen(*arguments: Any, **named: Any) -> None:
            raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))

        monkeypatch.setattr(subprocess, "Popen", popen)
        problem = renewed(tmp_path, "true", Taken())
        assert (problem.exit_code, "could not be run (argument list too long)" in problem.message) == (5, True)


@pytest.mark.parametrize("secrets", [[{"endsOn": 10**12}, {"endsOn": None}], [{"endsOn": None}]])
def test_an_end_that_is_over_is_said(secrets: list[dict[str, Any]]) -> None:
    assert renewal.Renewed({"secrets": secrets}, "new", 3600).ends == "has ended"
