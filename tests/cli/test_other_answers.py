"""Answers that are not Keyturn's, such as a gateway's, are no answers; and what became of a creation meanwhile."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from keyturn_cli import creation, main, token_format
from keyturn_cli.api import Api
from keyturn_cli.errors import ExitCode, Problem, Refused
from keyturn_cli.patience import Patience
from keyturn_cli.place import Place, beside

from tests.cli.test_errors import MIDDLE, SECRET, SECRETS, SERVICE, TOKEN, USER
from tests.cutting import Listener, message

Answer = tuple[int, str]
Answering = Callable[[str, str], Answer]


class Other(Listener):
    """Answers as it is told: `answer` gets a method and a path."""

    answer: Answering = staticmethod(lambda method, path: (404, ""))

    def serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            while request := message(client):
                method, path = request.split(b" ", 2)[:2]
                status, body = self.answer(method.decode(), path.decode())
                head = f"HTTP/1.1 {status} X\r\nLocation: /\r\nContent-Length: {len(body)}\r\n\r\n"
                client.sendall((head + body).encode())


def refusal(status: int, **more: Any) -> Answer:
    return status, json.dumps({"error": "x", "error_code": status, "error_description": "Refused.", **more})


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Other]:
    monkeypatch.setattr(main, "Patience", lambda seconds, told: Patience(seconds, told, pause=lambda wait: None))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("KEYTURN_TOKEN", SECRET)
    with Other() as server:
        monkeypatch.setenv("KEYTURN_ADDRESS", server.url)
        yield server


FOREIGN: list[Answer] = [
    (200, "{}"),
    (200, "[]"),
    (200, "[1]"),
    (200, '"x"'),
    (200, "<h1>x</h1>"),
    (200, '{"id": "another00001", "name": "another", "user": {"id": "x"}}'),
    (201, "{}"),
    (302, "x"),
    (400, '{"error": "bad", "error_field": "secret", "error_description": "x"}'),
    (400, "x"),
    (401, "<h1>x</h1>"),
    (403, '{"message": "Forbidden"}'),
    (404, "<h1>x</h1>"),
    (404, refusal(403)[1]),
    (408, "x"),
    (409, "x"),
    (429, '{"message": "Too Many Requests"}'),
]


@pytest.mark.parametrize("answer", FOREIGN, ids=str)
class TestOtherAnswers:
    def test_a_rotation_goes_on_with_the_same_command(
        self, other: Other, tmp_path: Path, capfd: pytest.CaptureFixture[str], answer: Answer
    ) -> None:
        other.answer = lambda method, path: answer
        file = tmp_path / "token"
        file.write_text(SECRET)
        code = main.run(["token", "rotate", "--grace", "0", "--write", str(file)])
        err = capfd.readouterr().err
        assert (code, file.read_text(), "not known" in err, "again" in err) == (4, SECRET, True, True), err
        assert token_format.parse((tmp_path / "token.new").read_text().strip())

    @pytest.mark.parametrize("kind", ["service", "webhook"])
    def test_so_does_a_renewal(self, other: Other, tmp_path: Path, kind: str, answer: Answer) -> None:
        thing = {"id": SERVICE, "key": "ci", "name": "ci"}
        told = json.dumps({**thing, "webhooks": [thing], "total": 1})
        other.answer = lambda method, path: (200, told) if method == "GET" else answer
        file = tmp_path / "secret"
        file.write_text(
            old := token_format.service_secret(MIDDLE, SERVICE) if kind == "service" else SECRETS["webhook"][:50]
        )
        assert main.run([kind, "renew-secret", "ci", "--grace", "0", "--write", str(file)]) == 4
        assert (file.read_text(), (tmp_path / "secret.new").exists()) == (old, True)

    @pytest.mark.parametrize(
        "arguments", [("token", "create", "x", "-s", "ci"), ("webhook", "create", "x", "https://a.b")]
    )
    def test_so_does_a_creation(
        self,
        other: Other,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
        answer: Answer,
        arguments: tuple[str, ...],
    ) -> None:
        other.answer = lambda method, path: answer
        file = tmp_path / "secret"
        code = main.run([*arguments, "--write", str(file)])
        err = capfd.readouterr().err
        assert (code, file.exists(), "not known whether it was made" in err) == (4, False, True), err
        assert (tmp_path / "secret.new").exists()

    def test_nothing_is_said_to_have_been_refused_that_may_be_taken_back(
        self, other: Other, tmp_path: Path, capfd: pytest.CaptureFixture[str], answer: Answer
    ) -> None:
        rotated = (200, json.dumps({"id": TOKEN, "name": "x"}))
        other.answer = lambda method, path: answer if "takeback" in path else rotated
        file = tmp_path / "token"
        file.write_text(SECRET)
        code = main.run(["token", "rotate", "--grace", "1h", "--write", str(file), "--exec", "exit 7"])
        err = capfd.readouterr().err
        assert (code, file.read_text().strip(), "not known whether the rotation was taken back" in err) == (
            6,
            SECRET,
            True,
        ), err
        assert (tmp_path / "token.new").exists()


@pytest.mark.parametrize("arguments", [("whoami",), ("token", "list"), ("webhook", "list"), ("health",)], ids=" ".join)
@pytest.mark.parametrize("answer", [(200, "[]"), (404, "x")], ids=str)
def test_reading_says_that_it_is_not_keyturn(
    other: Other, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], answer: Answer
) -> None:
    other.answer = lambda method, path: answer
    assert (main.run(arguments), "Is the address right?" in capfd.readouterr().err) == (4, True)


NAMED = {"id": TOKEN, "name": "x", "user": {"id": USER}}
MADE: Answer = (200, json.dumps(NAMED))


class TestMeanwhile:
    """A creation goes on, and somebody has done something with what it has made."""

    def create(self, other: Other, folder: Path) -> tuple[dict[str, Any], str]:
        kind = creation.Kind(
            "/things",
            token_format.new_middle,
            token_format.is_middle,
            lambda middle, made: token_format.permanent_token(middle, made["user"]["id"], made["id"]),
            "/comparison",
            lambda asked, made: [],
        )
        api = Api(other.url, SECRET, Patience(5, pause=lambda wait: None))
        return creation.create(api, kind, {"name": "x"}, Place(waiting=folder / "x.new"))

    def server(self, compared: Answer, first: Answer, listed: list[dict[str, Any]]) -> Answering:
        posts = iter([first])

        def answer(method: str, path: str) -> Answer:
            if "comparison" in path:
                return compared
            if method == "GET":
                return 200, json.dumps({"things": listed, "total": len(listed)})
            return next(posts, MADE)

        return answer

    @pytest.mark.parametrize(("first", "listed"), [(MADE, []), (refusal(422), [NAMED]), (refusal(409), [NAMED])])
    def test_a_secret_that_was_renewed_since_is_not_handed_over(
        self, other: Other, tmp_path: Path, first: Answer, listed: list[dict[str, Any]]
    ) -> None:
        (tmp_path / "x.new").write_text(MIDDLE)
        other.answer = self.server((200, '{"current": false}'), first, listed)
        with pytest.raises(Problem, match="renewed") as problem:
            self.create(other, tmp_path)
        assert (problem.value.exit_code, list(tmp_path.glob("x*"))) == (ExitCode.LEFT_BEHIND, [])

    @pytest.mark.parametrize(
        ("compared", "first", "listed"),
        [
            ((200, '{"current": true}'), refusal(404), []),
            (refusal(404), MADE, []),
            (refusal(409), MADE, []),
            (refusal(404), refusal(422), []),
            (refusal(409), refusal(422), [NAMED]),
        ],
    )
    def test_what_was_deleted_or_has_ended_is_made_anew(
        self, other: Other, tmp_path: Path, compared: Answer, first: Answer, listed: list[dict[str, Any]]
    ) -> None:
        (tmp_path / "x.new").write_text(MIDDLE)
        other.answer = self.server(compared, first, listed)
        _, secret = self.create(other, tmp_path)
        waiting = (tmp_path / "x.new").read_text().strip()
        assert waiting != MIDDLE
        assert secret == token_format.permanent_token(waiting, USER, TOKEN)

    def test_what_is_as_it_was_is_handed_over(self, other: Other, tmp_path: Path) -> None:
        (tmp_path / "x.new").write_text(MIDDLE)
        other.answer = self.server((200, '{"current": true}'), MADE, [])
        assert self.create(other, tmp_path)[1] == SECRET

    def test_a_refusal_leaves_nothing_that_waits(self, other: Other, tmp_path: Path) -> None:
        other.answer = lambda method, path: refusal(403)
        with pytest.raises(Refused):
            self.create(other, tmp_path)
        assert list(tmp_path.glob("x*")) == []

    @pytest.mark.parametrize("second", [refusal(403), refusal(401), refusal(404), refusal(409), refusal(422)], ids=str)
    def test_after_a_lost_answer_a_refusal_leaves_the_secret_where_it_waits(
        self, other: Other, tmp_path: Path, second: Answer
    ) -> None:
        """The server may go on with what was lost; the same command finds out."""
        posts = iter([(504, "x"), second])
        other.answer = lambda method, path: next(posts) if method == "POST" else (200, '{"things": [], "total": 0}')
        with pytest.raises(Problem, match="not known whether it was made") as problem:
            self.create(other, tmp_path)
        assert problem.value.exit_code == ExitCode.UNREACHABLE
        middle = (tmp_path / "x.new").read_text()
        other.answer = self.server((200, '{"current": true}'), MADE, [])
        assert middle.strip() in self.create(other, tmp_path)[1]

    @pytest.mark.parametrize("current", [True, False])
    def test_after_a_lost_answer_what_has_the_name_is_ours_or_somebody_elses(
        self, other: Other, tmp_path: Path, current: bool
    ) -> None:
        posts = iter([(504, "x"), refusal(409), (200, json.dumps({"current": current}))])
        listed = json.dumps({"things": [NAMED], "total": 1})
        other.answer = lambda method, path: next(posts) if method == "POST" else (200, listed)
        if current:
            _, secret = self.create(other, tmp_path)
            assert (tmp_path / "x.new").read_text().strip() in secret
            return
        with pytest.raises(Refused):
            self.create(other, tmp_path)
        assert list(tmp_path.glob("x*")) == []


class TestWhatIsInTheFile:
    """It is replaced only if it is a secret of the same thing."""

    RENEWALS = (("token", "rotate", "x"), ("service", "renew-secret", "x"), ("webhook", "renew-secret", "x"))

    @pytest.mark.parametrize("command", RENEWALS, ids=" ".join)
    @pytest.mark.parametrize("content", [SECRETS["permanent token"], "important: yes\nmore: no"], ids=["token", "YAML"])
    def test_something_else_stays(self, other: Other, tmp_path: Path, command: tuple[str, ...], content: str) -> None:
        asked = []
        thing = {"id": "another00001", "key": "x", "name": "x", "user": {"id": USER}}
        told = json.dumps({**thing, "permanenttokens": [thing], "webhooks": [thing], "total": 1})

        def answer(method: str, path: str) -> Answer:
            asked.append(method)
            return 200, told

        other.answer = answer
        file = tmp_path / "file"
        file.write_text(content)
        assert main.run([*command, "--grace", "0", "--write", str(file)]) == 1
        assert (file.read_text(), "POST" in asked, (tmp_path / "file.new").exists()) == (content, False, False)
        assert main.run([*command, "--grace", "0", "--write", str(file), "--force"]) == 0
        assert file.read_text() != content

    def test_what_a_creation_that_was_killed_has_put_there_is_its_own(self, other: Other, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_text(SECRET)
        (tmp_path / "file.new").write_text(MIDDLE)
        made = {"id": TOKEN, "name": "x", "user": {"id": USER}, "current": True}
        other.answer = lambda method, path: (200, json.dumps(made))
        assert main.run(["token", "create", "x", "-s", "ci", "--write", str(file)]) == 0
        assert (file.read_text().strip(), (tmp_path / "file.new").exists()) == (SECRET, False)


def test_drafts_of_commands_that_were_killed_are_removed(other: Other, tmp_path: Path) -> None:
    other.answer = lambda method, path: (200, json.dumps({"id": TOKEN, "name": "x"}))
    (tmp_path / "token").write_text(SECRET)
    for name in (".token.abcdefgh.draft", ".token.new.abcdefgh.draft", ".token.mine", ".other.abcdefgh.draft"):
        (tmp_path / name).write_text("x")
    assert main.run(["token", "rotate", "--write", str(tmp_path / "token")]) == 0
    assert {each.name for each in tmp_path.glob(".*")} == {".token.mine", ".other.abcdefgh.draft"}


def test_a_folder_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened = os.open

    def closed(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path) == str(tmp_path) and not flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(Problem, match=f"The folder {tmp_path} cannot be read: permission denied"):
        beside(tmp_path / "token")


def test_without_a_standard_output_the_secret_waits(other: Other, tmp_path: Path) -> None:
    other.answer = lambda method, path: (200, json.dumps({"id": TOKEN, "name": "x"}))
    code = "import sys; from keyturn_cli.main import main; main()"
    known = {"HOME": str(tmp_path), "KEYTURN_ADDRESS": other.url, "KEYTURN_TOKEN": SECRET, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", code, "token", "rotate", "--grace", "0"],
        env={**known, "PYTHONPATH": ":".join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    (waiting,) = tmp_path.glob(".local/state/keyturn/*.new")
    said = done.stderr.replace("\n", " ")
    assert (done.returncode, "could not be printed" in said, str(waiting) in said) == (6, True, True), said
