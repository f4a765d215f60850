"""Logging in by device code, and trading a pipeline's identity token."""

from __future__ import annotations

import html
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from embedded.api import Api
from embedded.stack import Stack
from tests.cli.conftest import PROGRAM, Terminal
from tests.conftest import NewStack
from tests.oauth.issuer import Issuer

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def trusting(issuer: Issuer, new_stack: NewStack) -> Iterator[Stack]:
    """An installation that may ask this issuer, and a bot that trusts it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEYTURN_INTERNAL_ISSUERS", issuer.url)
        environment.setenv("SSL_CERT_FILE", str(issuer.certificate))
        with new_stack("trusting") as stack:
            api = stack.administrator()
            api.call("POST", "/users", {"login": "pipeline", "name": "Pipeline", "type": "bot"})
            rule = {
                "name": "main branch",
                "issuer": issuer.url,
                "audience": stack.page,
                "conditions": {"repository": ["acme/shop"]},
                "scope": [{"key": "keyturn"}],
            }
            assert api.call("POST", "/users/pipeline/trustrules", rule).status_code == 200
            yield stack


class TestFederate:
    def terminal(self, stack: Stack, home: Path) -> Terminal:
        return Terminal(stack, home)

    def check(self, stack: Stack, access_token: str) -> None:
        assert Api(stack.url, access_token.strip()).get("/users/me?fields=login") == {"login": "pipeline"}

    def test_a_file_and_a_gitlab_jobs_variable(self, trusting: Stack, issuer: Issuer, tmp_path: Path) -> None:
        terminal, file = self.terminal(trusting, tmp_path), tmp_path / "identity"
        assertion = issuer.token(aud=trusting.page, repository="acme/shop")
        file.write_text(assertion)
        asked = ("federate", "--account", "pipeline")
        by_file = terminal.run(*asked, "--assertion-file", str(file))
        assert by_file.returncode == 0, by_file.stderr
        self.check(trusting, by_file.stdout)
        self.check(trusting, terminal.run(*asked, KEYTURN_ID_TOKEN=assertion).stdout)
        acting = terminal.run("--as", "pipeline", "--json", "whoami", KEYTURN_ID_TOKEN_FILE=str(file))
        assert json.loads(acting.stdout)["login"] == "pipeline", acting.stderr

    def test_github_actions(self, trusting: Stack, issuer: Issuer, tmp_path: Path) -> None:
        asked: list[tuple[str, str]] = []
        assertion = issuer.token(aud=trusting.page, repository="acme/shop")

        class Actions(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers["Authorization"]))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"value": "%s"}' % assertion.encode())

            def log_message(self, format: str, *arguments: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Actions)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        variables = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.server_port}/token?v=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        }
        arguments = ("federate", "--account", "pipeline", "--audience", trusting.page)
        done = self.terminal(trusting, tmp_path).run(*arguments, **variables)
        server.shutdown()
        assert done.returncode == 0, done.stderr
        self.check(trusting, done.stdout)
        ((path, authorization),) = asked
        assert path.startswith("/token?v=2&audience=http%3A%2F%2Flocalhost%3A")
        assert authorization == "Bearer of-the-job"

    def test_what_no_rule_trusts_and_where_there_is_no_token(
        self, trusting: Stack, issuer: Issuer, tmp_path: Path
    ) -> None:
        terminal = self.terminal(trusting, tmp_path)
        other = issuer.token(aud=trusting.page, repository="evil/shop")
        refused = terminal.run("federate", "--account", "pipeline", KEYTURN_ID_TOKEN=other)
        assert (refused.returncode, other in refused.stderr + refused.stdout) == (3, False)
        nothing = terminal.run("federate", "--account", "pipeline")
        assert (nothing.returncode, "no identity token here" in nothing.stderr) == (1, True)


def test_a_person_logs_in_with_a_browser_somewhere_else(terminal: Terminal, api: Api) -> None:
    api.call(
        "POST",
        "/services",
        {"key": "keyturn-cli", "name": "Command line", "public": True, "grantTypes": [DEVICE, "refresh_token"]},
    )
    password = "battery-horse-kestrel"
    api.call("POST", "/users", {"login": "ann", "name": "Ann"})
    assert api.call("POST", "/users/ann/password", {"password": password}).status_code == 200
    terminal.token = None
    process = subprocess.Popen(
        [str(PROGRAM), "login"], env=terminal.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr
    address = next(found[0] for line in process.stderr if (found := re.findall(r"http\S+user_code=\S+", line)))
    approve(terminal.stack, address, password)
    assert process.wait(60) == 0, process.stderr.read()
    assert terminal.json("whoami")["login"] == "ann"
    refused = terminal.run("token", "create", "x", "-s", "keyturn")
    assert (refused.returncode, "connected service" in refused.stderr) == (1, True)


def approve(stack: Stack, address: str, password: str) -> None:
    """What Ann does in a browser; its pages are tested elsewhere in a real one."""
    browser = requests.Session()
    page = browser.get(address, timeout=30)
    page = submit(browser, stack, page, "password", {"login": "ann", "password": password})
    submit(browser, stack, page, "decision", {"decision": "approve"})


def submit(
    browser: requests.Session, stack: Stack, page: requests.Response, having: str, values: dict[str, str]
) -> requests.Response:
    """Send the page's form that has this field, filled in."""
    (form,) = [form for form in re.findall(r"<form.*?</form>", page.text, re.S) if f'name="{having}"' in form]
    inputs = re.findall(r"<input[^>]*>", form)
    named = [(re.search(r'name="([^"]*)"', each), re.search(r'value="([^"]*)"', each)) for each in inputs]
    hidden = {name[1]: html.unescape(value[1]) for name, value in named if name and value}
    action = re.search(r'action="([^"]*)"', form)
    target = urljoin(page.url, html.unescape(action[1])) if action else page.url
    return browser.post(target, data={**hidden, **values}, headers={"Origin": stack.page}, timeout=30)
