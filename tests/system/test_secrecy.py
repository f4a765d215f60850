"""A secret is in the one answer that creates it, and in no log, no output and no file after that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded import playbook
from embedded.api import introspect
from embedded.main_job import EXAMPLE, register_services
from embedded.stack import ADMINISTRATOR, Stack
from tests.conftest import files_below
from tests.system.test_durability import items


def run_example(stack: Stack, secrets: Path, *arguments: str) -> str:
    environment = playbook.environment(
        stack.url, stack.secrets.read(ADMINISTRATOR) or "", {"KEYTURN_SECRETS": str(secrets)}
    )
    finished = playbook.run(EXAMPLE, environment, *arguments)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


@dataclass(frozen=True)
class StoredResult:
    """What the example printed, with all that it can be made to print, and the secrets of the tokens that it made."""

    stack: Stack
    output: str
    tokens: list[str]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredResult]:
    """An installation with an engine of its own, whose files can be looked into."""
    secrets = tmp_path_factory.mktemp("secrets")
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        register_services(stack, stack.administrator())
        output = run_example(stack, secrets, "-vvvv", "--diff")
        output += run_example(stack, secrets, "-vvvv", "--diff", "--check")
        yield StoredResult(stack, output, [path.read_text() for path in files_below(secrets)])


def test_no_secret_is_in_any_log_output_or_database_file(done: StoredResult) -> None:
    stack = done.stack
    assert len(done.tokens) == 4
    for token in done.tokens:
        introspect(stack.url, "ci", stack.secrets.read("service-ci") or "", token)
    issued = [path.read_text().strip() for path in files_below(stack.secrets.folder)] + done.tokens
    assert len(issued) == 7

    looked_at = [path for path in files_below(stack.folder) if stack.secrets.folder not in path.parents]
    names = {path.name for path in looked_at}
    assert {"server.log", "dynamodb.log"} <= names
    assert any(name.endswith(".db") for name in names)
    for secret in issued:
        assert secret[:4] in ("ktp_", "kts_")
        # the 256 bits alone, without prefix and ids
        for searched in (secret, secret[-49:-6]):
            assert searched not in done.output
            for path in looked_at:
                assert searched.encode() not in path.read_bytes(), path


def test_tokens_and_service_secrets_rest_as_argon2id_hashes(done: StoredResult) -> None:
    hashed = [item for item in items(done.stack) if item["kind"] in ("token", "service") and item["id"] != "0-0-0-0-0"]
    assert len(hashed) == 5 + 2
    for item in hashed:
        assert item["argon2id"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert len(bytes(item["tag"].value)) == 4
