"""What a verification costs, as ratios, so that the machine's speed drops out.

    python -m benchmarks.verify

Warm: one introspection through the Lambda handler, against a bare botocore BatchGetItem of the same
three items, measured in turn. Cold: a new process up to its first answered verification, against a
minimal Chalice app that makes one botocore read.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import argon2
import botocore.session
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from benchmarks.installation import Installation, answered, fresh_database, install
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.storage.engine import keys
from embedded.layout import PROJECT

WARM_UP, ROUNDS, COLD_ROUNDS = 200, 2_000, 15
COLD_START = Path(__file__).parent / "cold_start"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        table = Table("what", "median", "compared with", "median", "ratio", "target")
        table.add_row(*_warm(installation))
        table.add_row(*_cold(installation))
        console = Console(width=120)
        console.print(table)
        console.print(_argon2_calls(installation))


def _warm(installation: Installation) -> list[str]:
    ask = handler(installation, installation.token.secret or "")
    token, service = installation.token.token, installation.service.service
    places = [keys.user(token.user_id), keys.token(token.user_id, token.id), keys.service(service.id)]
    read = bare_read(installation, places, found=3)
    for _ in range(WARM_UP):
        ask()
        read()
    asked, bare = [], []
    for _ in range(ROUNDS):
        asked.append(seconds(ask))
        bare.append(seconds(read))
    return row("warm verification", asked, "bare botocore read", bare, "1.5")


def _cold(installation: Installation) -> list[str]:
    event = json.dumps(installation.introspection_event(installation.token.secret or ""))
    ours, minimal = [], []
    for round in range(COLD_ROUNDS + 1):
        for script, seconds in (("keyturn_app.py", ours), ("minimal_app.py", minimal)):
            taken = _seconds_to_answer(COLD_START / script, event, installation)
            if round:  # the first fills the file system's cache
                seconds.append(taken)
    return row("cold start to first answer", ours, "minimal Chalice app, one read", minimal, "1.4")


def _seconds_to_answer(script: Path, event: str, installation: Installation) -> float:
    environment = {**installation.environment, "PYTHONPATH": str(PROJECT), "AWS_LAMBDA_FUNCTION_NAME": "keyturn"}
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(event)
        process.stdin.close()
        assert any('"active":true' in line for line in process.stdout)
        return time.perf_counter() - start


def _argon2_calls(installation: Installation) -> str:
    """How often Argon2id ran for tokens that are not good."""
    unknown = CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id())
    wrong = CredentialKind.PERMANENT_TOKEN.issue(installation.token.owner.id, installation.token.token.id)
    counts = {}
    for kind, token in {"malformed": "ktp_" + "x" * 70, "unknown": unknown, "wrong secret": wrong}.items():
        with patch.object(argon2.PasswordHasher, "verify", side_effect=AssertionError("Argon2 ran")) as verify:
            handler(installation, token, good=False)()
        counts[kind] = verify.call_count
    return "Argon2id computations: " + ", ".join(f"{kind} {count}" for kind, count in counts.items())


def handler(installation: Installation, token: str, good: bool = True) -> Callable[[], None]:
    event = installation.introspection_event(token)
    expected = '"active":true' if good else '"active":false'

    def ask() -> None:
        answer = answered(event)
        assert expected in answer["body"], answer

    return ask


def bare_read(installation: Installation, places: list[keys.Key], found: int) -> Callable[[], None]:
    """One BatchGetItem by botocore alone, of which so many items exist."""
    client = botocore.session.get_session().create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=installation.environment["KEYTURN_DYNAMODB_ENDPOINT"],
        config=Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 4}),
    )
    wanted = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in places]
    request = {"keyturn": {"Keys": wanted, "ConsistentRead": True}}

    def read() -> None:
        assert len(client.batch_get_item(RequestItems=request)["Responses"]["keyturn"]) == found

    return read


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(what: str, ours: list[float], other: str, others: list[float], aim: str) -> list[str]:
    """A row of the table: medians, and their ratio."""
    median, base = statistics.median(ours), statistics.median(others)
    return [what, f"{median * 1000:.2f} ms", other, f"{base * 1000:.2f} ms", f"{median / base:.2f}×", f"≤ {aim}×"]


if __name__ == "__main__":
    main()
