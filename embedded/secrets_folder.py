"""Where the client side of a local run keeps what it was given once: files that only their owner reads.

The server never reads these; a real client would keep such things in a vault.
"""

import os
from pathlib import Path


class SecretsFolder:
    """One secret a file, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self, name: str) -> str | None:
        """The secret, or None if it is not there."""
        path = self.folder / name
        return path.read_text().strip() if path.exists() else None

    def write(self, name: str, secret: str) -> None:
        """Keep the secret; the file appears whole or not at all."""
        scratch = self.folder / f".{name}.new"
        scratch.touch(mode=0o600)
        scratch.write_text(secret + "\n")
        os.replace(scratch, self.folder / name)

    def remove(self, name: str) -> None:
        """The secret is not kept any more."""
        (self.folder / name).unlink(missing_ok=True)
