"""`keyturn token …` and who asks."""

from __future__ import annotations

import itertools
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from keyturn_cli.tokens import create_token

from embedded.api import Api, introspect
from embedded.stack import Stack
from tests.cli.conftest import Terminal
from tests.token_details import NAMES, examples

_numbers = itertools.count()


def is_good(stack: Stack, secret: str) -> bool:
    """Whether Keyturn itself takes it."""
    return Api(stack.url, secret).call("GET", "/users/me").status_code == 200


def make(terminal: Terminal, *more: str) -> tuple[str, str]:
    """A token that is for Keyturn; its id and secret."""
    made = terminal.json("token", "create", f"t{next(_numbers)}", "-s", "keyturn", *more)
    return made["id"], made["token"]


def test_the_product_on_aws_is_not_loaded(terminal: Terminal) -> None:
    ours = ("boto3", "botocore", "chalice", "chalicelib", "pynamodb")
    code = f"import keyturn_cli.main, sys; print([m for m in sys.modules if m.partition('.')[0] in {ours}])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_who_asks_and_whether_it_answers(terminal: Terminal) -> None:
    assert terminal.json("whoami")["login"] == "admin"
    assert terminal.json("health")["status"] == "ok"
    assert "admin" in terminal.run("whoami").stdout


def test_a_login_is_kept_for_its_owner_alone_and_forgotten(terminal: Terminal) -> None:
    secret, terminal.token = terminal.token or "", None
    refused = terminal.run("whoami")
    assert (refused.returncode, "keyturn login" in refused.stderr) == (3, True)
    assert terminal.run("login", "--with-token", typed=secret + "\n").returncode == 0
    (kept,) = (terminal.home / ".config" / "keyturn").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert terminal.json("whoami")["login"] == "admin"
    assert terminal.run("logout").returncode == 0
    assert terminal.run("whoami").returncode == 3
    assert secret not in kept.read_text()


def test_each_detail_of_a_token_is_told_and_listed(terminal: Terminal) -> None:
    options = {each.name: each.opts[0] for each in create_token.params}
    details = {name: examples(name)[1] for name in NAMES}
    said = {name: [value] if isinstance(value, str) else value for name, value in details.items()}
    id, _ = make(
        terminal, *(word for name, values in said.items() for each in values for word in (options[name], each))
    )
    (listed,) = (each for each in terminal.json("token", "list") if each["id"] == id)
    assert {name: listed[name] for name in NAMES} == details


def test_a_token_is_made_listed_and_revoked(terminal: Terminal, tmp_path: Path) -> None:
    id, secret = make(terminal, "--label", "cli", "--expires", "90d", "--contact", "#ops", "--description", "d")
    assert is_good(terminal.stack, secret)
    (listed,) = terminal.json("token", "list", "--label", "CLI")
    assert (listed["id"], listed["labels"], listed["contact"]) == (id, ["cli"], "#ops")
    assert id in {each["id"] for each in terminal.json("token", "list", "me")}
    assert id in {each["id"] for each in terminal.json("token", "list", "--all")}
    assert listed["name"] in terminal.run("token", "list").stdout
    asked = terminal.run("token", "revoke", id, typed="n\n")
    assert (asked.returncode, is_good(terminal.stack, secret)) == (1, True)
    assert terminal.run("token", "revoke", listed["name"], "--yes").returncode == 0
    assert not is_good(terminal.stack, secret)
    assert terminal.run("token", "revoke", id, "--yes").returncode == 1


def test_a_secret_goes_into_a_file_that_only_its_owner_reads_and_is_not_shown(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    done = terminal.run("token", "create", f"t{next(_numbers)}", "-s", "keyturn", "--write", str(file))
    secret = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert is_good(terminal.stack, secret)
    assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("token", "create", "x", "-s", "nothing"), 1, "scope"),
        (("token", "create", "x", "-s", "keyturn", "--network", "nowhere"), 2, "--network"),
        (("token", "create", "x", "-s", "keyturn", "--expires", "soon"), 2, "--expires"),
        (("token", "create", "x"), 2, "--scope"),
        (("token", "rotate", "nothing-of-this-name"), 1, "no token"),
        (("token", "list", "nobody"), 1, "nobody"),
        (("--address", "http://example.com", "whoami"), 1, "https"),
        (("--address", "http://127.0.0.1:9", "health"), 4, "does not answer"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    terminal: Terminal, arguments: tuple[str, ...], code: int, words: str
) -> None:
    refused = terminal.run(*arguments)
    assert (refused.returncode, words in refused.stderr) == (code, True), refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_token_with_the_end_of_a_line_behind_it_is_taken(terminal: Terminal) -> None:
    terminal.token = f"{terminal.token}\n"
    assert terminal.json("whoami")["login"] == "admin"


@pytest.mark.parametrize("inside", ["\n", " ", "\t", "ß", "\N{ZERO WIDTH SPACE}"])
def test_a_token_that_is_none_is_refused_and_never_printed(terminal: Terminal, inside: str) -> None:
    secret = terminal.token or ""
    refused = terminal.run("whoami", KEYTURN_TOKEN=secret[:20] + inside + secret[20:])
    assert (refused.returncode, "holds something that no token does" in refused.stderr) == (1, True)
    assert secret[:20] not in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr


def test_no_token_is_made_whose_secret_could_not_be_written(terminal: Terminal) -> None:
    name = f"t{next(_numbers)}"
    refused = terminal.run("token", "create", name, "-s", "ci", "--write", "/nonexistent/secret")
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)
    assert name not in [each["name"] for each in terminal.json("token", "list")]


def test_an_id_names_its_own_token_whatever_others_are_called(terminal: Terminal) -> None:
    other, _ = make(terminal)
    id, secret = make(terminal)
    terminal.stack.administrator().post(f"/users/me/permanenttokens/{other}", {"name": id})
    assert terminal.run("token", "revoke", id, "--yes").returncode == 0
    assert not is_good(terminal.stack, secret)


def test_completion_knows_the_commands(terminal: Terminal) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_KEYTURN_COMPLETE" in terminal.run("completion", shell).stdout
    words = {"_KEYTURN_COMPLETE": "bash_complete", "COMP_WORDS": "keyturn token ro", "COMP_CWORD": "2"}
    assert terminal.run(**words).stdout == "plain,rotate\n"


class TestRotate:
    def rotate(self, terminal: Terminal, *arguments: str) -> tuple[int, str]:
        terminal.token = None
        done = terminal.run("token", "rotate", *arguments)
        return done.returncode, done.stdout + done.stderr

    def test_a_token_renews_itself_in_its_file(self, terminal: Terminal, tmp_path: Path) -> None:
        _, old = make(terminal)
        file = tmp_path / "token"
        file.write_text(old + "\n")
        file.chmod(0o640)
        code, said = self.rotate(terminal, "--write", str(file), "--grace", "1h")
        new = file.read_text().strip()
        assert (code, new != old, stat.S_IMODE(file.stat().st_mode)) == (0, True, 0o640)
        assert is_good(terminal.stack, old)
        assert is_good(terminal.stack, new)
        assert new not in said
        assert self.rotate(terminal, "--write", str(file), "--grace", "0")[0] == 0
        assert not is_good(terminal.stack, old)
        assert list(tmp_path.glob(".token.*")) == []

    def test_a_command_gets_it_on_its_input_and_in_its_environment_alone(
        self, terminal: Terminal, tmp_path: Path
    ) -> None:
        _, old = make(terminal)
        file, seen = tmp_path / "token", tmp_path / "seen"
        file.write_text(old)
        command = f'cat > {seen}; test "$KEYTURN_NEW_TOKEN" = "$(cat {seen})" && test "$(cat {file})" = "$(cat {seen})"'
        code, said = self.rotate(terminal, "--write", str(file), "--exec", command)
        assert code == 0, said
        assert is_good(terminal.stack, seen.read_text().strip())

    @pytest.mark.parametrize("failing", ["exit 7", "kill -9 $$", "no-such-program-anywhere"])
    def test_if_the_command_fails_the_rotation_is_taken_back(
        self, terminal: Terminal, tmp_path: Path, failing: str
    ) -> None:
        id, old = make(terminal)
        administrator, file, seen = terminal.token, tmp_path / "token", tmp_path / "seen"
        file.write_text(old)
        code, said = self.rotate(terminal, "--write", str(file), "--grace", "1h", "--exec", f"cat > {seen}; {failing}")
        assert (code, "is the current one again" in said, "bring the one before" in said) == (5, True, True), said
        assert file.read_text().strip() == old
        assert not is_good(terminal.stack, seen.read_text().strip())
        terminal.token = administrator
        (token,) = [each for each in terminal.json("token", "list") if each["id"] == id]
        assert is_good(terminal.stack, old)
        secrets = Api(terminal.stack.url, administrator or "").get(
            f"/users/me/permanenttokens/{id}?fields=secrets(endsOn)"
        )
        assert secrets == {"secrets": [{"endsOn": None}]}, token

    def test_if_the_file_cannot_be_written_nothing_is_begun(self, terminal: Terminal, tmp_path: Path) -> None:
        _, old = make(terminal)
        code, said = self.rotate_with(terminal, old, "--write", str(tmp_path / "no" / "folder" / "token"))
        assert (code, "cannot be written" in said) == (1, True), said
        assert is_good(terminal.stack, old)

    def test_without_grace_the_new_secret_is_not_lost(self, terminal: Terminal, tmp_path: Path) -> None:
        _, old = make(terminal)
        refused = self.rotate_with(terminal, old, "--grace", "0", "--exec", "true")
        assert (refused[0], is_good(terminal.stack, old)) == (1, True)
        file = tmp_path / "token"
        file.write_text(old)
        code, said = self.rotate(terminal, "--write", str(file), "--grace", "0", "--exec", "exit 1")
        assert (code, str(file) in said) == (6, True), said
        assert is_good(terminal.stack, file.read_text().strip())
        assert not is_good(terminal.stack, old)

    def rotate_with(self, terminal: Terminal, token: str, *arguments: str) -> tuple[int, str]:
        terminal.token = token
        done = terminal.run("token", "rotate", *arguments)
        return done.returncode, done.stdout + done.stderr

    def test_killed_while_the_command_runs_the_file_holds_a_good_secret(
        self, terminal: Terminal, tmp_path: Path
    ) -> None:
        _, old = make(terminal)
        file = tmp_path / "token"
        file.write_text(old)
        self.rotate(terminal, "--write", str(file), "--grace", "1h", "--exec", "kill -9 $PPID; sleep 1")
        kept = file.read_text().strip()
        assert is_good(terminal.stack, kept)
        assert is_good(terminal.stack, old)
        assert self.rotate(terminal, "--write", str(file))[0] == 0

    def test_without_a_place_to_put_it_the_secret_alone_is_printed(self, terminal: Terminal) -> None:
        _, old = make(terminal)
        terminal.token = old
        done = terminal.run("token", "rotate", "--grace", "60")
        assert is_good(terminal.stack, done.stdout.strip())

    def test_a_token_that_is_for_no_api_renews_itself_too(self, terminal: Terminal, tmp_path: Path, api: Api) -> None:
        service = api.call("POST", "/services", {"key": f"svc{next(_numbers)}", "name": "S"}).json()
        made = terminal.json("token", "create", f"t{next(_numbers)}", "-s", service["key"])
        file = tmp_path / "token"
        file.write_text(made["token"])
        assert self.rotate(terminal, "--write", str(file))[0] == 0
        told = introspect(terminal.stack.url, service["key"], service["secret"], file.read_text().strip())
        assert told["active"]
