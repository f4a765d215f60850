"""An export as a file: a line that says what it is, then the items, encrypted with age.

Its key is age's (`age-keygen`), or one of KMS: then the file has an age identity of its own, which that key encrypts.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyrage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT = 1


class SealError(Exception):
    """The file cannot be opened, or the key is none; the message says which."""


@dataclass(frozen=True)
class Header:
    """What everybody may read. `begun`: when the export began, in milliseconds since the epoch; `identity`: the age
    identity that opens the file, encrypted by KMS, or None."""

    table: str
    begun: int
    identity: str | None = None
    keyturn: int = FORMAT


class Key(Protocol):
    """What closes and opens exports."""

    def close(self) -> tuple[pyrage.x25519.Recipient, str | None]:
        """For whom to encrypt, and what the header's `identity` is."""

    def open(self, header: Header) -> pyrage.x25519.Identity:
        """What decrypts. Raises SealError."""


class AgeKey:
    """Of age: a recipient closes, an identity opens."""

    def __init__(self, text: str) -> None:
        """`text`: a recipient (age1…), or a file's content with an identity (AGE-SECRET-KEY-1…)."""
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self._text = lines[0] if len(lines) == 1 else ""

    def close(self) -> tuple[pyrage.x25519.Recipient, str | None]:
        try:
            return pyrage.x25519.Recipient.from_str(self._text), None
        except pyrage.RecipientError:
            raise SealError("--recipient must be a recipient of age, as age-keygen prints it: age1…") from None

    def open(self, header: Header) -> pyrage.x25519.Identity:
        try:
            return pyrage.x25519.Identity.from_str(self._text)
        except pyrage.IdentityError:
            raise SealError("The identity must be a file as age-keygen writes it: AGE-SECRET-KEY-1…") from None


class KmsKey:
    """Of AWS KMS: its id, ARN or alias."""

    def __init__(self, client: Any, id: str) -> None:
        self._client, self._id = client, id

    def close(self) -> tuple[pyrage.x25519.Recipient, str | None]:
        identity = pyrage.x25519.Identity.generate()
        sealed = self._client.encrypt(KeyId=self._id, Plaintext=str(identity).encode())["CiphertextBlob"]
        return identity.to_public(), base64.b64encode(sealed).decode()

    def open(self, header: Header) -> pyrage.x25519.Identity:
        if header.identity is None:
            raise SealError("This export was encrypted for a recipient of age, not by KMS.")
        blob = base64.b64decode(header.identity)
        opened = self._client.decrypt(KeyId=self._id, CiphertextBlob=blob)["Plaintext"]
        return pyrage.x25519.Identity.from_str(opened.decode())


def write(path: Path, table: str, begun: int, items: Iterable[dict[str, Any]], key: Key) -> None:
    """Write an export that only its owner can read; it appears whole or not at all. Raises SealError."""
    recipient, identity = key.close()
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(asdict(Header(table, begun, identity))).encode() + b"\n")
            lines = _Lines(items)
            try:
                pyrage.encrypt_io(lines, file, [recipient])
            except pyrage.EncryptError as error:  # which does not say what failed where the items come from
                raise lines.failure or error from None
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def header(path: Path) -> Header:
    """What the file says of itself. Raises SealError."""
    with path.open("rb") as file:
        return _header(file.readline(10_000), path)


def read(path: Path, key: Key) -> Iterator[dict[str, Any]]:
    """The items. Raises SealError, also in the middle if the file was changed or cut."""
    with path.open("rb") as file:
        identity = key.open(_header(file.readline(10_000), path))
        reading, writing = os.pipe()
        failed: list[Exception] = []

        def decrypt() -> None:
            with os.fdopen(writing, "wb") as plain:
                try:
                    pyrage.decrypt_io(file, plain, [identity])
                except (pyrage.DecryptError, OSError) as error:
                    failed.append(error)

        thread = threading.Thread(target=decrypt, daemon=True)
        thread.start()
        with os.fdopen(reading, "rb") as plain:
            for line in plain:
                if line.endswith(b"\n"):
                    yield _decoded(json.loads(line))
        thread.join()
        if failed:
            raise SealError(f"{path} cannot be opened with this key, or was changed.")


def _header(line: bytes, path: Path) -> Header:
    try:
        found = Header(**json.loads(line))
    except (ValueError, TypeError):
        raise SealError(f"{path} is no export of Keyturn.") from None
    if found.keyturn != FORMAT:
        raise SealError(f"{path} has the form {found.keyturn}; this Keyturn reads {FORMAT}.")
    return found


class _Lines:
    """Items as a file to read from: nothing but the encrypted form ever rests anywhere."""

    def __init__(self, items: Iterable[dict[str, Any]]) -> None:
        self._lines = (json.dumps(_encoded(item), separators=(",", ":")).encode() + b"\n" for item in items)
        self._rest = b""
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            try:
                line = next(self._lines, None)
            except Exception as error:
                self.failure = error
                raise
            if line is None:
                break
            self._rest += line
        size = len(self._rest) if size < 0 else size
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _encoded(value: Any) -> Any:
    """Bytes are not JSON; DynamoDB's own JSON has them as base64."""
    if isinstance(value, dict):
        return {name: _encoded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_encoded(inner) for inner in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _decoded(value: Any) -> Any:
    """An attribute's only name is its type: `B` or `BS` hold bytes."""
    if isinstance(value, dict):
        if value.keys() == {"B"} and isinstance(value["B"], str):
            return {"B": base64.b64decode(value["B"])}
        if value.keys() == {"BS"}:
            return {"BS": [base64.b64decode(each) for each in value["BS"]]}
        return {name: _decoded(inner) for name, inner in value.items()}
    return [_decoded(inner) for inner in value] if isinstance(value, list) else value
