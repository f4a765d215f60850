"""Where a pipeline's identity token comes from: each platform as a small server, program or file of its own."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from keyturn_cli import api, federation, identity, identity_aws, main
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.federation import Federation
from keyturn_cli.identity import Source
from keyturn_cli.patience import Patience

AUDIENCE = "https://keyturn.example.com"
KEY = OctKey.generate_key(256)


def token(**claims: Any) -> str:
    """As a platform would sign it; nobody looks at the signature here."""
    said = {"iss": "https://ci.example.com", "sub": "job:1", "aud": AUDIENCE, "exp": int(time.time()) + 300, **claims}
    return jwt.encode({"alg": "HS256"}, said, KEY)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine of no platform."""
    for name in [*os.environ]:
        if name.startswith(("KEYTURN_", "AWS_", "ACTIONS_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(identity, "KUBERNETES", tmp_path / "kubernetes")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))


@contextmanager
def serving(answer: Any) -> Iterator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    """A server whose answers `answer(path, body)` gives, as status and text: its address, and what it was asked."""
    asked: list[tuple[str, str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            asked.append((self.path, body, dict(self.headers)))
            status, text = answer(self.path, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def refused(source: Source) -> Problem:
    with pytest.raises(Problem) as refusal:
        source.token(Patience())
    return refusal.value


class TestEachSource:
    def test_a_file_is_read_anew_each_time(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        for text in ("first", "second"):
            file.write_text(f"{text}\n")
            assert Source("file", file=file).token(Patience()) == text
        file.write_text(" \n")
        assert f"{file} holds no identity token" in refused(Source("file", file=file)).message

    def test_a_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CIRCLE_OIDC_TOKEN_V2", "of circleci")
        monkeypatch.setenv("KEYTURN_ID_TOKEN", "of its name\n")
        assert Source("variable", variable="CIRCLE_OIDC_TOKEN_V2").token(Patience()) == "of circleci"
        assert Source("variable").token(Patience()) == "of its name"
        assert "NOWHERE is not set" in refused(Source("variable", variable="NOWHERE")).message

    def test_gitlab_says_how_a_job_declares_its_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = refused(Source("gitlab", AUDIENCE)).message
        assert "under id_tokens, with aud: https://keyturn.example.com" in told
        monkeypatch.setenv("KEYTURN_ID_TOKEN", "of gitlab")
        assert Source("gitlab", AUDIENCE).token(Patience()) == "of gitlab"

    def test_kubernetes_says_how_it_is_mounted(self, tmp_path: Path) -> None:
        told = refused(Source("kubernetes", AUDIENCE)).message
        assert str(tmp_path / "kubernetes") in told
        assert f"serviceAccountToken, with audience: {AUDIENCE}" in told
        (tmp_path / "kubernetes").write_text("projected")
        (tmp_path / "elsewhere").write_text("there")
        assert Source("kubernetes").token(Patience()) == "projected"
        assert Source("kubernetes", file=tmp_path / "elsewhere").token(Patience()) == "there"

    def test_ansible_automation_platform_has_it_where_a_credential_put_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert "Attach a credential" in refused(Source("aap")).message
        (tmp_path / "injected").write_text("by file")
        monkeypatch.setenv("KEYTURN_ID_TOKEN_FILE", str(tmp_path / "injected"))
        assert Source("aap").token(Patience()) == "by file"
        monkeypatch.setenv("KEYTURN_ID_TOKEN", "by variable")
        assert Source("aap").token(Patience()) == "by variable"

    @pytest.mark.parametrize(("path", "asked_for"), [("/token?v=2", "/token?v=2&"), ("/token", "/token?")])
    def test_github_is_asked_for_this_audience_and_answers_once_for_each_time(
        self, monkeypatch: pytest.MonkeyPatch, path: str, asked_for: str
    ) -> None:
        assert "id-token: write" in refused(Source("github")).message
        with serving(lambda path, body: (200, '{"value": "of github"}')) as (address, asked):
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{address}{path}")
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
            for _ in range(2):
                assert Source("github", AUDIENCE).token(Patience()) == "of github"
        sent, _, headers = asked[0]
        assert (sent, headers["Authorization"]) == (
            f"{asked_for}audience=https%3A%2F%2Fkeyturn.example.com",
            "Bearer of-the-job",
        )
        assert len(asked) == 2

    @pytest.mark.parametrize("text", ["", "{}", "[]", "null", '"x"'])
    def test_github_that_gives_none(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        with serving(lambda path, body: (403, text)) as (address, _):
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{address}/token?v=2")
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
            told = refused(Source("github"))
        assert (told.exit_code, "of-the-job" in told.message) == (ExitCode.UNREACHABLE, False)


STS = """<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult>
<WebIdentityToken>of sts</WebIdentityToken><Expiration>2026-11-30T12:00:00Z</Expiration>
</GetWebIdentityTokenResult></GetWebIdentityTokenResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{}</Code>
<Message>{}</Message></Error></ErrorResponse>"""


class TestAws:
    @pytest.fixture
    def role(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-one")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def program(self, monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
        """There is no botocore, and this is the program `aws`; what it was told."""
        monkeypatch.setattr(identity_aws.importlib.util, "find_spec", lambda name: None)
        file = folder / "bin" / "aws"
        file.parent.mkdir()
        file.write_text(f'#!/bin/sh\necho "$@" > {folder}/told\n{script}\n')
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")
        return folder / "told"

    @pytest.mark.usefixtures("role")
    def test_botocore_asks_sts_for_the_role_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(lambda path, body: (200, STS)) as (address, asked):
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
            assert Source("aws", AUDIENCE).token(Patience()) == "of sts"
        sent = parse_qs(asked[0][1])
        assert sent["Action"] == ["GetWebIdentityToken"]
        assert (sent["Audience.member.1"], sent["SigningAlgorithm"]) == ([AUDIENCE], ["ES384"])
        assert not {"SubjectMode", "Tags.member.1.Key"} & set(sent)  # the subject is the principal

    @pytest.mark.usefixtures("role")
    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("OutboundWebIdentityFederationDisabledException", "enable-outbound-web-identity-federation"),
            ("AccessDenied", "sts:GetWebIdentityToken"),
        ],
    )
    def test_what_aws_refuses_says_what_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, words: str
    ) -> None:
        with serving(lambda path, body: (403, ERROR.format(code, "It is not allowed."))) as (address, _):
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
            assert words in refused(Source("aws", AUDIENCE)).message
        self.program(monkeypatch, tmp_path, f'echo "An error occurred ({code}) when calling it" >&2; exit 254')
        assert words in refused(Source("aws", AUDIENCE)).message

    def test_without_a_region_or_credentials(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        assert "AWS_REGION" in refused(Source("aws", AUDIENCE)).message
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        assert "no credentials of AWS" in refused(Source("aws", AUDIENCE)).message
        self.program(monkeypatch, tmp_path, 'echo "You must specify a region." >&2; exit 252')
        assert "AWS_REGION" in refused(Source("aws", AUDIENCE)).message

    def test_the_program_where_there_is_no_botocore(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        told = self.program(monkeypatch, tmp_path, "echo of the program")
        assert Source("aws", AUDIENCE).token(Patience()) == "of the program"
        assert told.read_text().split()[:4] == ["sts", "get-web-identity-token", "--audience", AUDIENCE]

    def test_a_program_that_takes_too_long_is_ended(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.program(monkeypatch, tmp_path, "exec sleep 30")
        with pytest.raises(Problem, match="did not answer in time") as late:
            Source("aws", AUDIENCE).token(Patience(0.2))
        assert late.value.exit_code == ExitCode.UNREACHABLE

    def test_neither_of_them(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(identity_aws.importlib.util, "find_spec", lambda name: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "keyturn-cli[aws]" in refused(Source("aws", AUDIENCE)).message


class TestWithoutASource:
    def test_what_is_there_first_counts(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        assert "no identity token here" in refused(Source()).message
        found = []
        (tmp_path / "file").touch()
        for name, value in (
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy"),
            ("", ""),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.example.com"),
            ("KEYTURN_ID_TOKEN_FILE", str(tmp_path / "file")),
            ("KEYTURN_ID_TOKEN", "x"),
        ):
            if name:
                monkeypatch.setenv(name, value)
            else:
                (tmp_path / "kubernetes").touch()
            found.append(Source().found())
        assert found == ["aws", "kubernetes", "github", "file", "variable"]
        assert Source(file=tmp_path / "x").found() == "file"
        assert Source(variable="OTHER").found() == "variable"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--source", "file"), "--assertion-file"),
            (("--source", "github", "--assertion-file", "x"), "--source github reads no file"),
            (("--source", "aws", "--assertion-variable", "X"), "--source aws reads no variable"),
            (("--assertion-file", "x", "--assertion-variable", "X"), "not both"),
            (("--source", "jenkins"), "'jenkins' is not one of"),
        ],
    )
    def test_what_does_not_go_together_is_refused(
        self, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
    ) -> None:
        asked = ["--address", "https://nowhere.invalid", "federate", "--account", "bot", *arguments]
        assert main.run(asked) == ExitCode.USAGE
        told = capsys.readouterr().err
        assert words in told or "is not one of" in told


@contextmanager
def keyturn(status: int = 200, lives: int = 300) -> Iterator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    """An installation that trades whatever comes, for a while."""
    count = iter(range(100))

    def answer(path: str, body: str) -> tuple[int, str]:
        if not path.endswith("/token"):
            return 200, json.dumps({"id": "u", "login": "bot", "name": "Bot", "type": "bot"})
        if status != 200:
            return status, json.dumps({"error": "invalid_grant", "error_description": "No trust rule accepts it."})
        return 200, json.dumps({"access_token": f"access-{next(count)}", "expires_in": lives})

    with serving(answer) as started:
        yield started


class TestTrading:
    def test_a_refusal_says_what_a_rule_would_have_to_say_and_never_the_token(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        presented = token(sub="repo:acme/shop\x1b[2J")
        monkeypatch.setenv("KEYTURN_ID_TOKEN", presented)
        with keyturn(400) as (address, _):
            code = main.run(["--address", address, "federate", "--account", "bot"])
        told = capsys.readouterr()
        assert (code, presented in told.out + told.err) == (ExitCode.NOT_LOGGED_IN, False)
        assert "No trust rule accepts it. The identity token (variable) has iss https://ci.example.com" in told.err
        assert "sub repo:acme/shop\ufffd[2J" in told.err

    def test_one_that_has_ended_says_so_and_what_to_do(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KEYTURN_ID_TOKEN", token(exp=time.time() - 100))
        with keyturn(400) as (address, _):
            code = main.run(["--address", address, "federate", "--account", "bot", "--source", "gitlab"])
        told = capsys.readouterr().err
        assert (code, "ended 100 s ago" in told, "when the job starts" in told) == (3, True, True)

    @pytest.mark.parametrize("text", ["a password", "a.b", "a.b.c", "..", "a.W10.c", "ä.e30.c"])
    def test_what_is_no_token_goes_nowhere(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setenv("KEYTURN_ID_TOKEN", text)
        with keyturn() as (address, asked):
            assert main.run(["--address", address, "federate", "--account", "bot"]) == ExitCode.NOT_LOGGED_IN
        told = capsys.readouterr().err
        assert (asked, "is no identity token" in told, text in told) == ([], True, False)

    def test_no_platform_is_asked_before_it_is_known_where_the_token_goes(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(lambda path, body: (200, "{}")) as (address, asked):
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{address}/token?v=2")
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
            assert main.run(["--address", "http://keyturn.example.com", "federate", "--account", "bot"]) == 1
        assert (asked, "no https address" in capsys.readouterr().err) == ([], True)

    def test_a_command_acts_as_a_bot_without_any_secret(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("KEYTURN_ID_TOKEN", token())
        with keyturn() as (address, asked):
            assert main.run(["--address", address, "--as", "bot", "--json", "whoami"]) == 0
        (_, traded, _), (_, _, headers), (path, given_back, _) = asked
        assert (path, given_back) == (federation.REVOCATION, "token=access-0")
        assert (parse_qs(traded)["account"], parse_qs(traded)["scope"]) == (["bot"], [federation.KEYTURN])
        assert headers["Authorization"] == "Bearer access-0"
        assert not (tmp_path / ".config").exists()
        monkeypatch.setenv("KEYTURN_TOKEN", "ktp_x")
        assert main.run(["--address", address, "--as", "bot", "whoami"]) == ExitCode.USAGE
        assert "name two who ask" in capsys.readouterr().err

    def test_a_command_that_fails_gives_its_access_token_back_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KEYTURN_ID_TOKEN", token())
        with keyturn() as (address, asked):
            assert main.run(["--address", address, "--as", "bot", "token", "revoke", "--yes", "no-such-token"]) != 0
        assert asked[-1][:2] == (federation.REVOCATION, "token=access-0")

    def test_a_long_one_asks_the_source_anew_before_the_access_token_ends(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        with keyturn(lives=300) as (address, asked):
            acting = Federation(address, "bot", Source("file", AUDIENCE, file))
            user = api.Api(address, acting.token)
            for sub in ("job:1", "job:2"):
                file.write_text(token(sub=sub))
                for _ in range(3):
                    user.get("/users/me")
                acting._ends -= 250  # as much time goes by
            file.unlink()
            with pytest.raises(Problem, match="holds no identity token"):
                user.get("/users/me")
        traded = [parse_qs(body)["assertion"][0] for path, body, _ in asked if path.endswith("/token")]
        presented = [headers["Authorization"] for path, _, headers in asked if path.endswith("/me")]
        assert [(federation._claims(each) or {})["sub"] for each in traded] == ["job:1", "job:2"]
        assert presented == ["Bearer access-0"] * 3 + ["Bearer access-1"] * 3
