"""The examples of pipelines that rotate at night. Their schedulers are not here; what they run is, as they run it,
against a real server and stand-ins for what stores the secret."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from embedded.api import Api, introspect
from embedded.layout import BIN
from embedded.stack import Stack
from tests.certificates import certificate
from tests.conftest import NewStack

FOLDER = Path(__file__).parents[2] / "examples" / "rotation"


@pytest.fixture(scope="module")
def stack(new_stack: NewStack) -> Iterator[Stack]:
    with new_stack("rotation") as stack:
        stack.administrator().call("POST", "/services", {"key": "ci", "name": "CI"})
        yield stack


@pytest.fixture
def token(stack: Stack) -> dict[str, Any]:
    """Of a bot, and not for Keyturn."""
    api = stack.administrator()
    login = f"bot-{os.urandom(4).hex()}"
    api.call("POST", "/users", {"login": login, "name": "Bot", "type": "bot"})
    body = {"name": "nightly", "scope": [{"key": "ci"}]}
    made: dict[str, Any] = api.call("POST", f"/users/{login}/permanenttokens", body).json()
    return made


class Platform:
    """Takes what is stored by HTTP; refuses it if it is told to."""

    def __init__(self, tls: tuple[Path, Path] | None = None) -> None:
        self.refuses = False
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                platform.asked.append((self.command, self.path, dict(self.headers), body))
                self.send_response(500 if platform.refuses else 200)
                self.end_headers()

            do_PATCH = do_PUT  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls[1], tls[0])
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def run(
    script: str | list[str], stack: Stack, token: str | None, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "CI"))}
    path = environment.pop("PATH", "") + f"{BIN}:{os.environ['PATH']}"
    known = {"KEYTURN_TOKEN": token} if token else {}
    return subprocess.run(
        script,
        shell=isinstance(script, str),
        env={**kept, "PATH": path, "KEYTURN_ADDRESS": stack.url, **known, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def is_good(stack: Stack, secret: str) -> bool:
    """It may rotate itself, and so is good."""
    answer = Api(stack.url, secret).call("GET", "/users/me")
    return answer.status_code == 403 and answer.json()["error"] == "insufficient_scope"


def check(stack: Stack, old: str, new: str) -> None:
    assert new != old
    assert is_good(stack, old)  # for the jobs that still use it
    assert is_good(stack, new)


class TestGithubActions:
    workflow = yaml.safe_load((FOLDER / "github-actions.yml").read_text())

    def rotating(self) -> dict[str, Any]:
        (step,) = [step for step in self.workflow["jobs"]["rotate"]["steps"] if "rotate" in step["run"]]
        return step  # type: ignore[no-any-return]

    def gh(self, folder: Path, script: str) -> str:
        """GitHub's own program is not here: one that is called as it is, and does what a test says."""
        program = folder / "gh"
        program.write_text(f'#!/bin/sh\necho "$@" > {folder}/arguments\ncat > {folder}/secret\n{script}\n')
        program.chmod(0o755)
        return f"{folder}:"

    def test_it_runs_every_night_one_at_a_time_without_rights(self) -> None:
        assert self.workflow[True]["schedule"] == [{"cron": "17 3 * * *"}]  # YAML 1.1 reads `on` as true
        assert self.workflow["permissions"] == {}
        assert self.workflow["concurrency"]
        assert "${{" not in self.rotating()["run"]  # nothing is pasted into a shell's line

    def test_the_secret_is_stored_where_the_workflows_find_it(
        self, stack: Stack, token: dict[str, Any], tmp_path: Path
    ) -> None:
        done = run(self.rotating()["run"], stack, token["token"], PATH=self.gh(tmp_path, "exit 0"))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "arguments").read_text() == "secret set KEYTURN_TOKEN\n"
        secret = (tmp_path / "secret").read_text().strip()
        check(stack, token["token"], secret)
        assert secret not in done.stdout + done.stderr

    def test_what_cannot_be_stored_is_taken_back(self, stack: Stack, token: dict[str, Any], tmp_path: Path) -> None:
        done = run(self.rotating()["run"], stack, token["token"], PATH=self.gh(tmp_path, "exit 1"))
        assert done.returncode == 5
        assert is_good(stack, token["token"])
        assert not is_good(stack, (tmp_path / "secret").read_text().strip())


class TestGitlab:
    job = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text())["rotate keyturn token"]

    @pytest.mark.parametrize("refuses", [False, True])
    def test_the_variable_gets_the_new_secret_or_all_is_as_before(
        self, stack: Stack, token: dict[str, Any], refuses: bool
    ) -> None:
        platform = Platform()
        platform.refuses = refuses
        variables = {
            "CI_API_V4_URL": f"http://127.0.0.1:{platform.port}/api/v4",
            "CI_PROJECT_ID": "7",
            "GITLAB_VARIABLES_TOKEN": "glpat-x",
        }
        (script,) = self.job["script"]
        done = run(script, stack, token["token"], **variables)
        platform.close()
        ((method, path, headers, body),) = platform.asked
        assert (method, path) == ("PUT", "/api/v4/projects/7/variables/KEYTURN_TOKEN")
        assert {name.lower(): value for name, value in headers.items()}["private-token"] == "glpat-x"
        assert done.returncode == (5 if refuses else 0), done.stderr
        if refuses:
            assert (is_good(stack, token["token"]), is_good(stack, body["value"])) == (True, False)
        else:
            check(stack, token["token"], body["value"])
        assert body["value"] not in done.stdout + done.stderr

    def test_it_runs_in_scheduled_pipelines_alone_and_never_twice_at_once(self) -> None:
        assert self.job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
        assert self.job["resource_group"]


class TestSystemd:
    def unit(self, name: str) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read(FOLDER / name)
        return parser

    def test_the_service_renews_the_token_in_its_file(
        self, stack: Stack, token: dict[str, Any], tmp_path: Path
    ) -> None:
        command = shlex.split(self.unit("keyturn-rotate.service")["Service"]["ExecStart"])
        file = tmp_path / "token"
        file.write_text(token["token"])
        assert (command[0], command[-1]) == ("/usr/local/bin/keyturn", "/var/lib/keyturn/token")
        here = [str(BIN / "keyturn"), *command[1:-1], str(file)]
        done = run(here, stack, None)
        assert done.returncode == 0, done.stderr
        check(stack, token["token"], file.read_text().strip())

    def test_the_timer_starts_it_every_night_also_one_that_was_missed(self) -> None:
        timer = self.unit("keyturn-rotate.timer")["Timer"]
        assert (timer["OnCalendar"], timer["Persistent"]) == ("*-*-* 03:17:00", "true")
        service = self.unit("keyturn-rotate.service")["Service"]
        assert (service["Type"], service["StateDirectory"]) == ("oneshot", "keyturn")


class TestKubernetes:
    objects: ClassVar = {each["kind"]: each for each in yaml.safe_load_all((FOLDER / "kubernetes.yml").read_text())}

    @pytest.mark.parametrize("refuses", [False, True])
    def test_the_job_patches_the_secret_or_all_is_as_before(
        self, stack: Stack, token: dict[str, Any], tmp_path: Path, refuses: bool
    ) -> None:
        import base64

        key, public = certificate(tmp_path)
        platform = Platform((key, public))
        platform.refuses = refuses
        for name, text in (("namespace", "bots"), ("token", "account-token"), ("ca.crt", public.read_text())):
            (tmp_path / name).write_text(text)
        pod = self.objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        variables = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(platform.port),
            "SERVICE_ACCOUNT_FOLDER": f"{tmp_path}/",
        }
        done = run([*container["command"], *container["args"]], stack, token["token"], **variables)
        platform.close()
        ((method, path, headers, body),) = platform.asked
        assert (method, path) == ("PATCH", "/api/v1/namespaces/bots/secrets/keyturn-token")
        assert headers["Content-Type"] == "application/merge-patch+json"
        secret = base64.b64decode(body["data"]["token"]).decode()
        assert done.returncode == (5 if refuses else 0), done.stderr
        if refuses:
            assert (is_good(stack, token["token"]), is_good(stack, secret)) == (True, False)
        else:
            check(stack, token["token"], secret)

    def test_its_account_may_change_this_one_secret_and_nothing_else(self) -> None:
        (rule,) = self.objects["Role"]["rules"]
        assert (rule["resources"], rule["resourceNames"]) == (["secrets"], ["keyturn-token"])
        assert self.objects["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid"
        assert self.objects["RoleBinding"]["roleRef"]["name"] == self.objects["Role"]["metadata"]["name"]


def test_a_token_that_was_rotated_is_good_where_it_was(stack: Stack, token: dict[str, Any]) -> None:
    """Or the tests above would hold for tokens that are good for nothing."""
    api = stack.administrator()
    secret = api.call("POST", "/services/ci/secret").json()["secret"]
    assert introspect(stack.url, "ci", secret, token["token"])["active"]
