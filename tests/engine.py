"""One DynamoDB engine for all workers of a test run, in which every installation has a database of its own.

DynamoDB Local keeps a database for each access key id: whoever signs with another one sees other tables. So nothing is
shared but the process, which takes some seconds of a processor to start and to get fast.
"""

from __future__ import annotations

from pathlib import Path

from embedded.alone import alone
from embedded.dynamodb import DynamoDBLocal, credentials, new_access_key_id

# Less work for the compiler and for the collector of garbage: half the CPU time in a run of minutes.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


class InMemoryEngine(DynamoDBLocal):
    """The engine, with its data in memory."""

    @property
    def storage(self) -> dict[str, str]:
        return {"inMemory": "true"}


class SharedEngine:
    """`folder` is the same in all workers; whoever needs the engine first starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._address = folder / "engine.url"

    @property
    def url(self) -> str:
        """Where it is, once it has started."""
        with alone(self.folder / "engine.lock"):
            if not self._address.exists():
                engine = InMemoryEngine(self.folder / "engine")
                engine.start()
                self._address.write_text(engine.url)
            return self._address.read_text()

    def stop(self) -> None:
        """End it, whoever has started it."""
        if self._address.exists():
            InMemoryEngine(self.folder / "engine").end_leftover()


class OwnDatabase:
    """What `DynamoDBLocal` offers, in the shared engine: a database in which nobody else has a table."""

    def __init__(self, engine: SharedEngine) -> None:
        self._engine = engine
        self._access_key_id = new_access_key_id()

    @property
    def url(self) -> str:
        return self._engine.url

    @property
    def environment(self) -> dict[str, str]:
        """What Keyturn's settings need in order to use it."""
        return {**credentials(self._access_key_id), "KEYTURN_DYNAMODB_ENDPOINT": self.url}

    def start(self) -> None:
        """The engine starts when it is first asked for."""

    def stop(self) -> None:
        """It goes on for others."""
