"""What is checked before anything is asked, how errors are said, and that no secret is among what is said."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from keyturn_cli import keepers, main, place, redaction, token_format
from keyturn_cli.api import Api
from keyturn_cli.errors import AnswerLost, ExitCode
from keyturn_cli.patience import Patience

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.token_format import CredentialKind
from embedded.layout import PROJECT
from tests.cutting import Listener, message

USER, TOKEN, SERVICE = "uSer00000001", "tOken0000001", "sErvice00001"
MIDDLE = "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3aBc"
SECRET = token_format.permanent_token(MIDDLE, USER, TOKEN)
SECRETS = {
    "permanent token": SECRET,
    "half of one": SECRET[:40],
    "service": token_format.service_secret(MIDDLE, SERVICE),
    "middle": MIDDLE,
    "webhook": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" * 2,
    "access token": ".".join(("eyJhbGciOiJFUzI1NiJ9", "eyJzdWIiOiJ1In0", "c2lnbmF0dXJl")),
    "Hub": "perm:cm9vdA==.VXBzb3VyY2U=.0aB1cD2eF3gH4iJ5kL6m",
    "base 16": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
}


class Silent(Listener):
    """Takes connections, and answers as slowly as it is told: never, or a byte at a time."""

    drips = False

    def serve(self, client: socket.socket) -> None:
        self.asked = getattr(self, "asked", 0) + 1
        with suppress(OSError), client:
            while True:
                time.sleep(0.2)
                if self.drips:
                    client.sendall(b"H")


@pytest.fixture
def silent() -> Iterator[Silent]:
    with Silent() as server:
        server.asked = 0
        yield server


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def keyturn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, silent: Silent, capfd: pytest.CaptureFixture[str]) -> Run:
    """The program, in this process; where it would ask is silent."""
    for name in ("KEYTURN_ADDRESS", "HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KEYTURN_TOKEN", SECRET)
    monkeypatch.setenv("KEYTURN_ADDRESS", silent.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main.run(arguments)
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def new_secret(kind: CredentialKind) -> str:
    return kind.issue(*[new_id()] * kind.value.ids)


def pieces(secret: str) -> list[str]:
    """Of a secret, what would give some of it away."""
    return [secret[start : start + 12] for start in range(len(secret) - 11)]


PLACES = [
    ("{}",),
    ("token", "{}"),
    ("token", "list", "me", "{}"),
    ("--{}",),
    ("token", "create", "x", "--{}=1"),
    ("token", "create", "x", "-s", "keyturn", "--label", "{}!"),
    ("token", "create", "x", "-s", "keyturn", "--network", "{}"),
    ("token", "create", "x", "-s", "keyturn", "--expires", "{}"),
    ("token", "create", "x", "-s", "keyturn", "--write", "/nowhere/{}"),
    ("token", "rotate", "--grace", "{}"),
    ("token", "rotate", "--exec", "/nowhere/{}"),
    ("--address", "https://user:{}@keyturn.example.com", "whoami"),
    ("--address", "https://{}@keyturn.example.com", "whoami"),
    ("--address", "{}", "whoami"),
    ("--timeout", "{}", "whoami"),
    ("completion", "{}"),
    ("federate", "--account", "bot", "--assertion-file", "/nowhere/{}"),
    ("federate", "--account", "bot", "--assertion-variable", "{}"),
    ("federate", "--account", "bot", "--source", "{}"),
    ("webhook", "create", "x", "https://user:{}@example.com"),
    ("webhook", "create", "x", "{}"),
]


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_secret_that_was_typed_is_not_said_again(
    keyturn: Run, silent: Silent, place: tuple[str, ...], as_json: bool
) -> None:
    for kind, secret in SECRETS.items():
        arguments = [part.format(secret) for part in place]
        code, out, err = keyturn(*(["--json"] if as_json else []), *arguments)
        assert code in (1, 2), (kind, err)
        assert not [piece for piece in pieces(secret) if piece in out + err], (kind, err)
    assert silent.asked == 0


@pytest.mark.parametrize("kind", SECRETS)
def test_an_unusual_secret_in_the_environment_is_not_said(
    keyturn: Run, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for text in (f"{SECRETS[kind]} x", f"{SECRETS[kind]}\tx"):
        monkeypatch.setenv("KEYTURN_TOKEN", text)
        code, out, err = keyturn("whoami")
        assert code == 1
        assert not [piece for piece in pieces(SECRETS[kind]) if piece in out + err]


def test_a_whole_secret_among_the_arguments_is_refused_everywhere(keyturn: Run, silent: Silent) -> None:
    for arguments in (("token", "create", SECRET, "-s", "keyturn"), ("token", "revoke", "-y", SECRET)):
        code, _, err = keyturn(*arguments)
        assert (code, "Secrets are never arguments" in err) == (2, True)
    assert silent.asked == 0


def test_what_is_no_secret_stays_readable() -> None:
    for text in (
        "/var/lib/keyturn/token cannot be written: no space left on device.",
        "nobody has no token of that id or name.",
        "Did you mean --network?",
        "https://keyturn.example.com does not answer (ConnectTimeoutError).",
        f"the token {TOKEN}",
        "/etc/bot/Build-Token-Production-01 cannot be read: permission denied.",
    ):
        assert redaction.redacted(text) == text


def test_where_a_secret_is_stays_readable_whatever_the_path_looks_like(
    keyturn: Run, tmp_path: Path, silent: Silent
) -> None:
    folder = tmp_path / "Build9Runner4Production7"
    folder.mkdir()
    file = folder / "Build-Token-Production-01"
    file.write_text(SECRET)
    code, _, err = keyturn("--timeout", "1", "token", "rotate", "--grace", "0", "--write", str(file))
    assert (code, f"still in {file}," in err, f"waits in {file}.new." in err) == (4, True, True), err
    Path(f"{file}.new").write_text("something")
    code, _, err = keyturn("token", "rotate", "--write", str(file))
    assert (code, f"{file}.new holds something else" in err) == (1, True), err


def test_what_only_looks_like_a_secret_may_be_a_name() -> None:
    names = (
        "perm-production-build-runner-token",
        "perm-production.build.runner-token-for-all",
        "eyJaNameThatIsLong.a.b",
    )
    for name in (*names, "ktp_this_is_a_name", "ktp_" + "a" * 73, "whsec_rotation-of-the-audit-webhook"):
        assert not redaction.holds_secret(name), name


def test_every_whole_secret_is_known() -> None:
    for kind in set(SECRETS) - {"half of one", "middle", "base 16"}:
        assert redaction.holds_secret(f"x={SECRETS[kind]}"), kind
    for secret in [*map(new_secret, CredentialKind), "perm-cm9vdA==.NDMtMQ==.0aB1cD2eF3gH4iJ5kL6m"]:
        assert redaction.holds_secret(secret), secret


WRONG = [
    (("token", "create", "x"), "--scope"),
    (("token", "create", " ", "-s", "ci"), "printable"),
    (("token", "create", "x", "-s", "ci", "--network", "10.0.0.1/8"), "--network"),
    (("token", "create", "x", "-s", "ci", "-n", "10.0.0.0/8", "-n", "nowhere"), "--network"),
    (("token", "create", "x", "-s", "ci", "--label", "not so"), "--label"),
    (("token", "create", "x", "-s", "ci", "--expires", "0"), "--expires"),
    (("token", "create", "x", "-s", "ci", "--expires", "4000d"), "3650 d"),
    (("token", "create", "x", "-s", "ci", "--write", "/"), "directory"),
    (("token", "rotate", "--grace", "91d"), "90 d"),
    (("token", "rotate", "--grace", "-1"), "--grace"),
    (("token", "rotate", "--exec", ""), "empty"),
    (("token", "rotate", "--exec", "no-such-program-anywhere --store"), "no such program"),
    (("token", "rotate", "--exec", "A=1 /nowhere/at-all"), "no such program"),
    (("token", "rotate", "--exec", "cat 'x"), "sh -n"),
    (("service", "renew-secret"), "SERVICE"),
    *((("service", "renew-secret", each), "it names nothing") for each in ("", "..", "/", ".", "../..")),
    (("token", "list", ".."), "it names nothing"),
    (("token", "create", "x", "-s", "ci", "--user", "/"), "it names nothing"),
    (("token", "rotate", ".."), "it names nothing"),
    (("token", "revoke", "x", ""), "it names nothing"),
    (("service", "renew-secret", "ci", "--exec", "no-such-program-anywhere"), "no such program"),
    (("webhook", "create", "x", "ftp://example.com"), "web address"),
    (("webhook", "create", "x", "http://example.com"), "web address"),
    (("webhook", "create", "x", "https://example.com", "--event", "everything"), "permanent-token.expired"),
    (("webhook", "update", "x", "--event", "all"), "permanent-token.expired"),
    (("webhook", "update", "x"), "Say what is to change"),
    (("--timeout", "0", "whoami"), "--timeout"),
    (("whoami", "more"), "unexpected extra argument"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_what_is_written_wrong_is_said_before_anything_is_asked(
    keyturn: Run, silent: Silent, arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = keyturn(*arguments)
    assert (code, out, silent.asked, words in err) == (2, "", 0, True), err
    code, out, err = keyturn("--json", *arguments)
    error = json.loads(err)["error"]
    assert (code, out, error["code"], error["exit"], words in error["message"]) == (2, "", "usage", 2, True)


def test_json_before_a_bad_option_or_behind_it(keyturn: Run) -> None:
    for arguments in (("--json", "--nonsense"), ("--nonsense", "--json"), ("--json",), ("--json", "token", "rotat")):
        code, out, err = keyturn(*arguments)
        assert (code, out, json.loads(err)["error"]["code"]) == (2, "", "usage")


LOCAL = [
    (("token", "create", "x", "-s", "ci", "--write", "{}/none/token"), 1, "cannot be written"),
    (("token", "rotate", "--write", "{}/none/token"), 1, "cannot be written"),
    (("token", "rotate", "--write", "/dev/null"), 1, "no file"),
    (("token", "rotate", "--write", "{}/binary"), 1, "no text"),
    (("token", "rotate", "--write", "{}/words"), 3, "no permanent token"),
    (("token", "rotate", "--write", "{}/loop"), 1, "cannot be"),
    (("token", "rotate", "--write", "{}/token"), 1, "something else than a new secret"),
    (("service", "renew-secret", "ci", "--write", "{}/none/secret"), 1, "cannot be written"),
    (("webhook", "create", "x", "https://example.com", "--write", "{}/none/secret"), 1, "cannot be written"),
    (("webhook", "create", "x", "https://example.com", "--write", "{}/begun"), 1, "begun and not finished"),
    (("webhook", "create", "x", "https://example.com", "--write", "{}/token"), 1, "--force"),
    (("token", "create", "x", "-s", "ci", "--write", "{}/words"), 1, "--force"),
    (("token", "rotate", "--write", "{}/linked"), 1, "is a link"),
    (("token", "create", "x", "-s", "ci", "--write", "{}/linked"), 1, "is a link"),
    (("hub-import", "--from", "https://hub.example.com", "--letters", "/dev/null/letters"), 3, "HUB_TOKEN"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), LOCAL, ids=lambda value: str(value)[:50])
def test_what_this_machine_lacks_is_said_before_anything_is_asked(
    keyturn: Run, silent: Silent, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "words").write_text("some words")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / "token.new").write_text("what somebody else keeps here")
    (tmp_path / "begun.new").write_text("what somebody else keeps here")
    (tmp_path / "linked.new").symlink_to(tmp_path / "elsewhere")
    found, out, err = keyturn(*(part.format(tmp_path) for part in arguments))
    assert (found, out, silent.asked, words in err) == (code, "", 0, True), err
    assert (tmp_path / "token").read_text() == SECRET


RENEWALS = (("token", "rotate"), ("service", "renew-secret", "ci"), ("webhook", "renew-secret", "audit"))
CREATIONS = (("token", "create", "x", "-s", "ci"), ("webhook", "create", "x", "https://example.com"))


@pytest.mark.parametrize("command", [*((*each, "--grace", "0") for each in RENEWALS), *CREATIONS], ids=" ".join)
def test_a_secret_that_could_wait_nowhere_is_not_made(
    keyturn: Run, silent: Silent, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """After a lost answer nobody would have it, and the one before would have ended."""
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    code, out, err = keyturn(*command)
    assert (code, out, silent.asked, "(--write)" in err) == (1, "", 0, True), err


@pytest.mark.parametrize("command", RENEWALS, ids=" ".join)
def test_a_command_alone_is_given_no_secret_that_cannot_be_taken_back(
    keyturn: Run, silent: Silent, command: tuple[str, ...]
) -> None:
    code, out, err = keyturn(*command, "--grace", "0", "--exec", "true")
    assert (code, out, silent.asked, "name a file" in err) == (1, "", 0, True), err


@pytest.mark.parametrize("command", [each[:2] for each in RENEWALS], ids=" ".join)
def test_a_grace_that_was_forgotten_is_a_day(keyturn: Run, command: tuple[str, ...]) -> None:
    assert re.search(r"default:\s+24h", keyturn(*command, "--help")[1])


def test_without_a_folder_for_state_a_file_or_a_grace_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    file = tmp_path / "token"
    assert place.for_renewal(file, "true", 0).waiting == place.for_creation(file, "x").waiting == tmp_path / "token.new"
    for command in (None, "true"):
        assert place.for_renewal(None, command, 1).waiting_for("x").waiting is None


@pytest.mark.parametrize(
    "kept", ["", "{", "[]", "7", '{"a": 7}', '{"a": {}}', '{"a": {"token": 7}}', '{"a": {"token": "x", "more": 1}}']
)
def test_logins_that_somebody_has_broken_are_said(
    keyturn: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: str
) -> None:
    monkeypatch.delenv("KEYTURN_TOKEN")
    file = tmp_path / "config" / "keyturn" / "logins.json"
    file.parent.mkdir(parents=True)
    file.write_text(kept)
    for command in (("whoami",), ("logout",), ("login",), ("token", "list")):
        code, _, err = keyturn(*command)
        assert (code, "Remove it, and log in again" in err) == (1, True), err
    assert file.read_text() == kept


@pytest.mark.parametrize(
    ("drips", "command"),
    [(True, ("whoami",)), (False, ("health",)), (False, ("token", "rotate")), (False, ("login", "--client", "x"))],
)
def test_no_command_waits_longer_than_it_was_told(
    keyturn: Run, silent: Silent, drips: bool, command: tuple[str, ...]
) -> None:
    silent.drips = drips
    began = time.monotonic()
    code, _, err = keyturn("--timeout", "1", *command)
    assert time.monotonic() - began < 20
    assert (code, "in time (--timeout)" in err or "does not answer" in err) == (4, True), err


def test_the_platforms_own_answer_is_waited_for_no_longer_either(
    keyturn: Run, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{silent.url}/token?v=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
    began = time.monotonic()
    code, _, err = keyturn("--timeout", "1", "federate", "--account", "bot")
    assert time.monotonic() - began < 8
    assert (code, "GitHub Actions did not answer in time (--timeout)" in err) == (4, True), err


def test_waiting_says_for_what_and_until_when(keyturn: Run, silent: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyturn_cli.patience.QUIET_SECONDS", 0.1)
    _, _, err = keyturn("--timeout", "1", "whoami")
    assert re.search(rf"Waiting for {re.escape(silent.url)} to answer, until \d\d:\d\d:\d\d\.", err.replace("\n", " "))


class Busy(Silent):
    """Says that it could do nothing."""

    def serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            while message(client):
                self.asked = getattr(self, "asked", 0) + 1
                body = b'{"error": "throttled", "error_code": 429, "error_description": "Too many requests."}'
                client.sendall(b"HTTP/1.1 429 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("command", [("token", "rotate"), ("token", "create", "x", "-s", "ci")], ids=" ".join)
def test_a_server_that_was_busy_all_the_time_has_changed_nothing(
    keyturn: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(main, "Patience", lambda seconds, told: Patience(seconds, told, pause=lambda wait: None))
    file = tmp_path / "token"
    file.write_text(SECRET)
    with Busy() as busy:
        force = ("--force",) if "create" in command else ()
        code, _, err = keyturn("--address", busy.url, *command, *force, "--write", str(file))
        assert (code, busy.asked, "not known" in err) == (4, 5, False), err
    assert (file.read_text(), list(tmp_path.glob("token.new*"))) == (SECRET, [])


def test_what_was_never_sent_since_the_time_was_over_has_changed_nothing(silent: Silent) -> None:
    with pytest.raises(AnswerLost) as lost:
        Api(silent.url, SECRET, Patience(0)).once("/x", {})
    assert (lost.value.nothing_done, silent.asked) == (True, 0)
    with pytest.raises(AnswerLost) as lost:
        Api(silent.url, SECRET, Patience(0.2)).once("/x", {})
    assert (lost.value.nothing_done, silent.asked) == (False, 1)


def test_a_comparison_without_an_answer_has_changed_nothing(silent: Silent) -> None:
    kept = keepers.token_of(Api(silent.url, SECRET), USER, TOKEN, "nightly", SECRET)
    with pytest.raises(AnswerLost) as lost:
        kept.take(kept.new_secret(), 60, False, Patience(0.2))
    assert lost.value.nothing_done


def test_a_program_that_is_told_to_end_says_what_is_so(tmp_path: Path, silent: Silent) -> None:
    """With a process of its own, as a supervisor ends one."""
    file = tmp_path / "token"
    file.write_text(SECRET)
    code = "import sys; from keyturn_cli.main import main; sys.argv[0] = 'keyturn'; main()"
    known = {"HOME": str(tmp_path), "KEYTURN_ADDRESS": silent.url, "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, "token", "rotate", "--write", str(file), "--grace", "0"],
        env={**known, "PYTHONPATH": ":".join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not silent.asked:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.TERMINATED
    assert f"waits in {file}.new" in err
    assert file.read_text() == SECRET
    assert token_format.parse((tmp_path / "token.new").read_text().strip())


def test_what_this_machine_refuses_in_the_middle_is_not_said_to_have_changed_nothing(
    keyturn: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(main.Api, "health", full)
    code, _, err = keyturn("health")
    assert (code, "no space left on device" in err, "not known how much" in err) == (6, True, True), err


def test_every_exit_code_is_documented() -> None:
    readme = (PROJECT / "cli" / "README.md").read_text()
    for code in ExitCode:
        assert re.search(rf"^\| {int(code)} \| `{code.word}` \|", readme, re.MULTILINE), code
