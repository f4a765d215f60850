"""Code in the documentation does what is said beside it."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import yaml

from embedded import playbook
from embedded.layout import BIN, PROJECT
from embedded.main_job import CHECKED, CHECKED_BOT, CHECKED_TOKEN, register_services
from embedded.stack import ADMINISTRATOR, Stack
from tests import markdown
from tests.cli_reference import commands
from tests.conftest import NewStack
from tests.markdown import Block
from tests.test_documentation import DOCS, PAGES

README, TUTORIAL = PROJECT / "README.md", DOCS / "tutorial" / "first-bot.md"
PROTECT = DOCS / "how-to" / "protect-a-service.md"
SERVED_AT = re.compile(r"http://(127\.0\.0\.1|localhost):8000|https://keyturn\.example\.com")
KNOWN = {"API", "AUTH", "BASE", "KEYTURN_ADDRESS", "SECRET", "TOKEN"}  # what a reader of a sample has
CURL = shutil.which("curl") is not None
BETWEEN = "--- the next block ---"


def requests_to_the_api() -> list[Block]:
    """Samples that call Keyturn with what a reader has, in the order of the pages."""
    found = [each for path in sorted(DOCS.rglob("*.md")) for each in markdown.blocks(path, "sh") if path != TUTORIAL]
    return [each for each in found if re.match("curl", each.text) and _variables(each) <= KNOWN]


def _variables(block: Block) -> set[str]:
    return set(re.findall(r"\$\{?([A-Z_]+)", block.text))


def in_language(*languages: str) -> list[Block]:
    """The blocks of all pages in one of these languages."""
    return [each for path in PAGES for each in markdown.blocks(path) if each.language in languages]


@dataclass(frozen=True)
class Reader:
    """Somebody who types what a page says, while `make run` serves."""

    stack: Stack
    folder: Path

    def follow(self, page: Path) -> None:
        """Run the page's commands in one shell, and compare what it says that they print. Files that the page shows
        with their names are written first."""
        for block in markdown.blocks(page, "yaml"):
            name = re.match(r"# ([\w-]+\.yml)\n", block.text)
            if name:
                (self.folder / name[1]).write_text(block.text)
        wanted, script = [], ["set -eu"]
        for block in markdown.blocks(page):
            if block.language == "sh":
                script += [block.text, f"echo; echo '{BETWEEN}'"]
                wanted.append("")
            elif block.language == "text":
                wanted[-1] = block.text
        printed = self.type("\n".join(script)).split(BETWEEN)[:-1]
        assert len(printed) == len(wanted)
        for expected, output in zip(wanted, printed, strict=True):
            read = 0
            for line in expected.splitlines():
                pattern = ".*".join(re.escape(part) for part in re.split(r"\s*…\s*", line.strip()))
                found = re.compile(pattern).search(output, read)
                assert found, f"{line}\nis not in\n{output[read:]}"
                read = found.end()

    def type(self, script: str, variables: Mapping[str, str] | None = None, own_curl: bool = not CURL) -> str:
        """What the commands print. They have to succeed."""
        if own_curl:
            script = f'curl() {{ PYTHONPATH={PROJECT} {sys.executable} -m tests.curl "$@"; }}\n{script}'
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "AWS_"))}
        environment = {**kept, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **(variables or {})}
        finished = subprocess.run(
            ["bash", "-c", SERVED_AT.sub(self.stack.url, script)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout
        return finished.stdout


@pytest.fixture(scope="module")
def stack(new_stack: NewStack) -> Iterator[Stack]:
    """As after the main job, as far as the pages need it."""
    with new_stack("documentation") as stack:
        api = stack.administrator()
        register_services(stack, api)
        api.post("/users", {"login": CHECKED_BOT, "name": "Build bot", "type": "bot"})
        body = {"name": CHECKED_TOKEN, "scope": [{"key": "ci"}]}
        stack.secrets.write(CHECKED, api.post(f"/users/{CHECKED_BOT}/permanenttokens", body)["token"])
        yield stack


@pytest.fixture
def reader(stack: Stack, tmp_path: Path) -> Reader:
    (tmp_path / ".keyturn").mkdir()
    (tmp_path / ".keyturn" / "secrets").symlink_to(stack.secrets.folder)
    (tmp_path / ".keyturn" / "collections").symlink_to(playbook.collections())
    (tmp_path / ".venv").symlink_to(BIN.parent)
    return Reader(stack, tmp_path)


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=lambda path: path.name)
def test_what_a_reader_types_prints_what_the_page_says(reader: Reader, page: Path) -> None:
    assert markdown.blocks(page, "sh")
    reader.follow(page)


def test_the_example_in_python_finds_the_account(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    api = stack.administrator()
    if api.call("GET", "/services/shop").status_code == 404:  # a sample registers it too
        api.post("/services", {"key": "shop", "name": "Shop"})
    service = api.post("/services/shop/secret", None)
    bot = api.post("/users", {"login": "shopper", "name": "Shopper", "type": "bot"})
    tokens = f"/users/{bot['id']}/permanenttokens"
    token = api.post(tokens, {"name": "shopping", "scope": [{"key": "shop"}], "networks": ["192.0.2.0/24"]})
    monkeypatch.setenv("KEYTURN_ADDRESS", stack.url)
    monkeypatch.setenv("KEYTURN_SERVICE_SECRET", service["secret"])
    (code,) = markdown.blocks(PROTECT, "python")
    (tmp_path / "sample.py").write_text(code.text)
    account = runpy.run_path(str(tmp_path / "sample.py"))["account"]
    assert account(token["token"], "192.0.2.7") == bot["id"]
    assert account(token["token"], "198.51.100.7") is None
    api.call("DELETE", f"{tokens}/{token['id']}")
    assert account(token["token"], "192.0.2.7") is None


def test_requests_to_the_api_are_answered(stack: Stack, reader: Reader) -> None:
    api = stack.administrator()
    api.call("DELETE", "/services/shop")  # which another test may have registered, and a sample registers
    person = api.post("/users", {"login": "jo", "name": "Jo"})
    group = api.post("/usergroups", {"name": "Builders"})
    body = {"name": "sample", "scope": [{"key": "ci"}]}
    token = api.post(f"/users/{CHECKED_BOT}/permanenttokens", body)["token"]
    known = {
        "API": f"{stack.url}/api/rest",
        "AUTH": f"Authorization: Bearer {stack.secrets.read(ADMINISTRATOR)}",
        "BASE": stack.url,
        "KEYTURN_ADDRESS": stack.url,
        "SECRET": stack.secrets.read("service-ci") or "",
        "TOKEN": token,
    }
    assert known.keys() == KNOWN
    samples = requests_to_the_api()
    assert len(samples) > 12
    answers = {}
    for block in samples:
        text = block.text.replace("curl -s", "curl -s --fail-with-body")
        text = text.replace("GROUP_ID", group["id"]).replace("USER_ID", person["id"])
        answer = json.loads(reader.type(text, known, own_curl=True))
        assert "error" not in answer, f"{block}: {answer}"
        answers[block] = answer
    users, tokens, created = (answer for block, answer in answers.items() if block.path.name == "rest-api.md")
    assert {user["login"] for user in users["users"]} >= {"admin", CHECKED_BOT}
    assert {token["name"] for token in tokens["permanenttokens"]} >= {CHECKED_TOKEN}
    assert created["token"].startswith("ktp_")


@pytest.mark.parametrize("block", in_language("json"), ids=str)
def test_json_can_be_read(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", in_language("python"), ids=str)
def test_python_can_be_read(block: Block) -> None:
    assert ast.parse(block.text)


@pytest.mark.parametrize("block", in_language("yaml"), ids=str)
def test_yaml_can_be_read(block: Block) -> None:
    assert list(yaml.safe_load_all(block.text))


def test_playbooks_are_such_as_ansible_reads(tmp_path: Path) -> None:
    paths = []
    for number, block in enumerate(in_language("yaml")):
        content = yaml.safe_load(block.text)
        if isinstance(content, list) and all("hosts" in each for each in content):
            paths.append(tmp_path / f"{number}.yml")
            paths[-1].write_text(block.text)
    assert len(paths) > 2
    main = tmp_path / "all.yml"
    main.write_text(yaml.safe_dump([{"import_playbook": str(path)} for path in paths]))
    finished = playbook.run(main, playbook.environment("http://127.0.0.1:9", "none"), "--syntax-check")
    assert finished.returncode == 0, finished.stderr


def test_shell_commands_can_be_read() -> None:
    for block in in_language("sh"):
        finished = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, f"{block}: {finished.stderr}"


def test_commands_of_keyturn_have_these_names_and_options() -> None:
    known = dict(commands())
    seen = 0
    for block in in_language("sh", "yaml"):
        for line in re.sub(r"\\\n", " ", block.text).splitlines():
            typed = re.search(r"(?:^|[\s/)])keyturn ((?:--?\w|[a-z]).*)", line.split(" #")[0])
            if typed and ": " not in line.partition("keyturn ")[2]:
                _checked(known, shlex.split(re.sub(r"[>|].*", "", typed[1])), f"{block}: {line}")
                seen += 1
    assert seen > 20


def _checked(known: dict[str, click.Command], words: list[str], line: str) -> None:
    name, options = "keyturn", _options(known["keyturn"])
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, line
        elif f"{name} {word}" in known:
            name = f"{name} {word}"
            options = _options(known[name])
    assert not isinstance(known[name], click.Group), line


def _options(command: click.Command) -> set[str]:
    return {option for each in command.params for option in each.opts} | {"--help"}


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    pages = [re.findall(r"(?:`|^    +)make ([a-z-]+)", path.read_text(), re.MULTILINE) for path in PAGES]
    blocks = [re.findall(r"^make ([a-z-]+)", each.text, re.MULTILINE) for each in in_language("sh")]
    named = {name for names in pages + blocks for name in names}
    assert {"run", "test", "deploy"} <= named
    assert named <= targets
