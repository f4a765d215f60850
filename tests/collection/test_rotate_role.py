"""The role `keyturn.hub.rotate`: the new secret is where it is used, and good there, or the old one goes on.

AWS is moto's server, reached with boto3 in place of the `aws` program; `kubectl` and `gh` are scripts that keep what
they are given in a file; Vault is a few lines of its HTTP API.
"""

from __future__ import annotations

import base64
import json
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from embedded.api import introspect
from embedded.layout import PROJECT
from embedded.playbook import environment
from embedded.stack import ADMINISTRATOR, Stack
from tests.collection.conftest import Play

AWS = """\
import json, os, sys
import boto3
service, operation, *words = sys.argv[1:]
options = dict(zip(words[::2], words[1::2])) if "--with-decryption" not in words else {"--name": words[1]}
client = boto3.client(service, endpoint_url=os.environ["MOTO"], region_name="us-east-1")
read = lambda: open("/dev/stdin").read()
if operation == "get-secret-value":
    answer = client.get_secret_value(SecretId=options["--secret-id"])
elif operation == "put-secret-value":
    answer = client.put_secret_value(SecretId=options["--secret-id"], SecretString=read())
elif operation == "get-parameter":
    answer = client.get_parameter(Name=options["--name"], WithDecryption=True)
elif operation == "put-parameter":
    answer = client.put_parameter(Name=words[1], Type="SecureString", Overwrite=True, Value=read())
print(json.dumps(answer, default=str))
"""
KUBECTL = """\
import json, os, sys
file = os.environ["KEPT"]
data = json.load(open(file)) if os.path.exists(file) else {}
if sys.argv[1] == "get":
    print(json.dumps({"data": data}))
else:
    data.update(json.load(open("/dev/stdin"))["data"])
    json.dump(data, open(file, "w"))
"""
GH = """\
import os, sys
open(os.environ["KEPT"], "w").write(sys.stdin.read())
"""


@pytest.fixture
def held(stack: Stack) -> tuple[str, str]:
    """A bot's login, and the secret of its token `nightly`."""
    api = stack.administrator()
    login = f"rotating-{api.get('/users?fields=id')['total']}"
    api.post("/users", {"login": login, "name": login, "type": "bot"})
    made = api.post(f"/users/{login}/permanenttokens", {"name": "nightly", "scope": [{"key": "ci"}]})
    return login, made["token"]


@pytest.fixture
def rotate(play: Play, stack: Stack, held: tuple[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Runs the role; `program` is what `aws`, `kubectl` or `gh` is."""

    def run(
        target: str, program: tuple[str, str] = ("none", ""), more: dict[str, str] | None = None, **options: Any
    ) -> Any:
        name, script = program
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable}\n{script}")
        path.chmod(stat.S_IRWXU)
        variables = environment(stack.url, stack.secrets.read(ADMINISTRATOR) or "", more)
        variables["PATH"] = f"{path.parent}:{variables['PATH']}"
        given = {f"rotate_{name}": value for name, value in options.items()}
        wanted = {"user": held[0], "name": "nightly", "target": target}
        role = {
            "ansible.builtin.include_role": {"name": "keyturn.hub.rotate"},
            "vars": {**{f"rotate_{name}": value for name, value in wanted.items()}, **given},
        }
        failed = {"ansible.builtin.debug": {"msg": "the role failed"}}
        return play({"block": [role], "rescue": [failed]}, environment=variables, arguments=("-vvvv",))

    return run


def is_good(stack: Stack, secret: str) -> bool:
    return bool(introspect(stack.url, "ci", stack.secrets.read("service-ci") or "", secret)["active"])


def has_moved_on(stack: Stack, run: Any, before: str, after: str) -> None:
    """The new secret is good, and so is the old one during its grace; nobody saw either."""
    assert after != before
    assert "the role failed" not in run.output
    assert is_good(stack, after)
    assert is_good(stack, before)
    assert after not in run.output
    assert before not in run.output


def test_a_file_gets_it_and_keeps_its_mode(rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(held[1] + "\n")
    file.chmod(0o640)
    has_moved_on(stack, rotate("file", file=str(file)), held[1], file.read_text().strip())
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_file_that_is_not_there_yet(rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "token"
    has_moved_on(stack, rotate("file", file=str(file)), held[1], file.read_text().strip())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_that_is_young_enough_stays(rotate: Any, held: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(held[1])
    rotate("file", file=str(file), only_older_than="1d")
    assert file.read_text() == held[1]


def test_what_cannot_be_written_leaves_the_old_one_good_without_end(
    rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"token": base64.b64encode(held[1].encode()).decode()}))
    first = tmp_path / "first"
    script = f"""\
import os, sys
if sys.argv[1] == "patch" and not os.path.exists({str(first)!r}):
    open({str(first)!r}, "w")
    raise SystemExit("the cluster is away")
{KUBECTL}"""
    url = f"{stack.url}/api/rest/"  # which taking back, no module, understands too
    run = rotate("kubernetes", ("kubectl", script), {"KEPT": str(kept)}, kubernetes_secret="bot", url=url)
    assert "the role failed" in run.output
    assert "could not be handed over" in run.output
    assert "The one before is the current one again." in run.output
    assert base64.b64decode(json.loads(kept.read_text())["token"]).decode() == held[1]
    tokens = stack.administrator().get(f"/users/{held[0]}/permanenttokens?fields=rotationTime,secrets(endsOn)")
    assert tokens["permanenttokens"][0]["rotationTime"] is None
    assert is_good(stack, held[1])


def test_kubernetes(rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"token": base64.b64encode(held[1].encode()).decode(), "other": "eA=="}))
    run = rotate("kubernetes", ("kubectl", KUBECTL), {"KEPT": str(kept)}, kubernetes_secret="bot")
    after = json.loads(kept.read_text())
    assert after["other"] == "eA=="
    has_moved_on(stack, run, held[1], base64.b64decode(after["token"]).decode())


def test_github(rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run = rotate("github", ("gh", GH), {"KEPT": str(kept)}, github_repository="a/b", github_secret="TOKEN")
    has_moved_on(stack, run, held[1], kept.read_text())


VAULT_FILE = """\
---
# Of the shop.
database_password: "s3cret: with a colon"
keyturn_token: {}  # renewed each month
certificate: |
  -----BEGIN CERTIFICATE-----
  keyturn_token: not this one
  -----END CERTIFICATE-----
ports: [80, 443]
"""


@pytest.mark.parametrize("label", ["default", "shop"])
def test_an_encrypted_file_gets_it_and_keeps_its_other_variables_its_mode_and_its_label(
    rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path, label: str
) -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    vault = VaultLib([(label, VaultSecret(b"password"))])
    file = tmp_path / "vault.yml"
    before = VAULT_FILE.format(held[1])
    file.write_bytes(vault.encrypt(before, vault_id=label))
    file.chmod(0o640)
    header = file.read_bytes().splitlines()[0]
    run = rotate("vault_file", file=str(file), vault_password="password")
    after = vault.decrypt(file.read_bytes()).decode()
    secret = yaml.safe_load(after)["keyturn_token"]
    assert after == before.replace(f"{held[1]}  # renewed each month", secret)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_bytes().splitlines()[0] == header
    has_moved_on(stack, run, held[1], secret)


def test_a_file_that_no_password_opens_is_found_out_before_anything_is_renewed(
    rotate: Any, stack: Stack, held: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "vault.yml"
    file.write_text("other: 1\n")
    run = rotate("vault_file", file=str(file), vault_password="password")
    assert "the role failed" in run.output
    assert file.read_text() == "other: 1\n"
    tokens = stack.administrator().get(f"/users/{held[0]}/permanenttokens?fields=rotationTime")
    assert tokens["permanenttokens"][0]["rotationTime"] is None


def test_taking_back_reaches_the_server_as_everything_else_does() -> None:
    """With the same options."""
    tasks = yaml.safe_load((PROJECT / "ansible_module/roles/rotate/tasks/main.yml").read_text())
    (block,) = [task for task in tasks if "block" in task]
    asked = [*tasks, *block["block"], *block["rescue"]]
    options = ("validate_certs", "ca_path", "client_cert", "client_key", "use_proxy", "timeout")
    reaching = [
        task[name] for task in asked for name in task if name.startswith("keyturn.hub.") or name.endswith(".uri")
    ]
    assert len(reaching) == 3
    for each in reaching:
        assert [name for name in options if f"rotate_{name}" not in str(each[name])] == []


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_aws_secrets_manager(rotate: Any, stack: Stack, held: tuple[str, str], moto: str) -> None:
    client = boto3.client("secretsmanager", endpoint_url=moto, region_name="us-east-1")
    client.create_secret(Name="bot", SecretString=held[1])
    run = rotate("aws_secrets_manager", ("aws", AWS), {"MOTO": moto}, aws_name="bot")
    has_moved_on(stack, run, held[1], client.get_secret_value(SecretId="bot")["SecretString"])


def test_aws_parameter_store(rotate: Any, stack: Stack, held: tuple[str, str], moto: str) -> None:
    client = boto3.client("ssm", endpoint_url=moto, region_name="us-east-1")
    client.put_parameter(Name="/bot", Value=held[1], Type="SecureString")
    run = rotate("aws_ssm", ("aws", AWS), {"MOTO": moto}, aws_name="/bot")
    has_moved_on(stack, run, held[1], client.get_parameter(Name="/bot", WithDecryption=True)["Parameter"]["Value"])


@pytest.fixture
def vault() -> Iterator[tuple[str, dict[str, Any]]]:
    """The key-value engine, version 2, of HashiCorp Vault: as much of its HTTP API as the role speaks."""
    data: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            if self.headers["X-Vault-Token"] != "root":
                return self.answer(403, {"errors": ["permission denied"]})
            found = data.get(self.path)
            return self.answer(200, {"data": {"data": found}}) if found else self.answer(404, {"errors": []})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            data[self.path] = body["data"]
            self.answer(200, {"data": {"version": 2}})

        def log_message(self, format: str, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", data
    server.shutdown()
    server.server_close()


def test_hashicorp_vault(rotate: Any, stack: Stack, held: tuple[str, str], vault: tuple[str, dict[str, Any]]) -> None:
    url, data = vault
    data["/v1/secret/data/bots/nightly"] = {"token": held[1], "other": "x"}
    run = rotate("hashicorp_vault", hashicorp_url=url, hashicorp_token="root", hashicorp_path="bots/nightly")
    after = data["/v1/secret/data/bots/nightly"]
    assert after["other"] == "x"
    has_moved_on(stack, run, held[1], after["token"])
