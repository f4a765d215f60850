"""What only its owner reads: the secrets of a local run, one a file, in folders that are closed to everybody else.

What the client side was given once is in a folder that the server never reads; a real client would keep it in a vault.
"""

import os
from pathlib import Path


def close(folder: Path) -> None:
    """The folder is there, and it and the files in it are their owner's alone, however open they were."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)


class SecretsFolder:
    """One secret a file, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        close(folder)

    def read(self, name: str) -> str | None:
        """The secret, or None if it is not there."""
        path = self.folder / name
        return path.read_text().strip() if path.exists() else None

    def write(self, name: str, secret: str) -> None:
        """Keep the secret; the file appears whole or not at all."""
        scratch = self.folder / f".{name}.new"
        scratch.unlink(missing_ok=True)
        scratch.touch(mode=0o600)
        scratch.write_text(secret + "\n")
        os.replace(scratch, self.folder / name)

    def remove(self, name: str) -> None:
        """The secret is not kept any more."""
        (self.folder / name).unlink(missing_ok=True)
