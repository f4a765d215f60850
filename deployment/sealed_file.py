"""An export as a file: a line that says what it is, its signature, then the items, encrypted with age.

The signed line holds the digest of all that follows, so nothing can be changed, cut, or put together from two exports.

Its key is age's (`age-keygen`), or one of KMS: then the file has an age identity of its own, which that key encrypts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import tempfile
import threading
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyrage

from deployment.export_signature import UntrustedExport, is_signed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from deployment.export_signature import Signer

FORMAT = 2
UNSIGNED = 1  # the form of older versions
HEAD_BYTES = 4_096  # of the line and its signature, which are written last
PART_BYTES = 1 << 20


class SealError(Exception):
    """The file cannot be opened, or the key is none; the message says which."""


@dataclass(frozen=True)
class Header:
    """What everybody may read. `begun`: when the export began, in milliseconds since the epoch; `identity`: the age
    identity that opens the file, encrypted by KMS, or None; `items`: how many there are; `sha256`: of what is
    encrypted, in hexadecimal."""

    table: str
    begun: int
    identity: str | None
    items: int
    sha256: str
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


def write(path: Path, table: str, begun: int, items: Iterable[dict[str, Any]], key: Key, signer: Signer) -> None:
    """Write an export that only its owner can read; it appears whole or not at all. Raises SealError."""
    recipient, identity = key.close()
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.seek(HEAD_BYTES)
            lines, body = _Lines(items), _Body(file)
            try:
                pyrage.encrypt_io(lines, body, [recipient])
            except pyrage.EncryptError as error:  # which does not say what failed where the items come from
                raise lines.failure or error from None
            file.seek(0)
            file.write(_head(Header(table, begun, identity, lines.count, body.sha256.hexdigest()), signer))
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


class Export:
    """An export that somebody made whom we trust. What is read is a copy: a file can be changed meanwhile."""

    def __init__(self, path: Path, key: Key, trusted: Collection[str]) -> None:
        """`trusted`: public keys (`Signer.public`). Raises SealError, or UntrustedExport if none of them has signed
        the file as it is."""
        self._path = path
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - as long as we live; encrypted, and without a name
        with path.open("rb") as file:
            self.header = _verified(file.read(HEAD_BYTES), path, trusted)
            digest = hashlib.sha256()
            while part := file.read(PART_BYTES):
                digest.update(part)
                self._copy.write(part)
        if digest.hexdigest() != self.header.sha256:
            raise UntrustedExport(f"{path} was changed after it was signed.")
        self._identity = key.open(self.header)

    def items(self) -> Iterator[dict[str, Any]]:
        """The items. Raises SealError if they cannot be opened with the key, also after the last."""
        self._copy.seek(0)
        reading, writing = os.pipe()
        failed: list[Exception] = []

        def decrypt() -> None:
            with os.fdopen(writing, "wb") as plain:
                try:
                    pyrage.decrypt_io(self._copy, plain, [self._identity])
                except (pyrage.DecryptError, OSError) as error:
                    failed.append(error)

        thread, count = threading.Thread(target=decrypt, daemon=True), 0
        thread.start()
        with os.fdopen(reading, "rb") as plain:
            for line in plain:
                if not line.endswith(b"\n"):  # decrypting broke off
                    break
                yield _decoded(json.loads(line))
                count += 1
        thread.join()
        if failed or count != self.header.items:
            raise SealError(f"{self._path} cannot be opened with this key.")


def _head(header: Header, signer: Signer) -> bytes:
    signature_bytes = 88 + 1  # of base64, and the end of a line
    line = json.dumps(asdict(header)).encode().ljust(HEAD_BYTES - signature_bytes - 1)
    head = line + b"\n" + base64.b64encode(signer.sign(line)) + b"\n"
    assert len(head) == HEAD_BYTES
    return head


def _verified(head: bytes, path: Path, trusted: Collection[str]) -> Header:
    line, _, rest = head.partition(b"\n")
    try:
        said = json.loads(line)
        form = said["keyturn"]
    except (ValueError, TypeError, KeyError):
        raise SealError(f"{path} is no export of Keyturn.") from None
    if form == UNSIGNED:
        raise UntrustedExport(
            f"{path} is of an older Keyturn, which did not sign: nobody can tell who made it. Export its installation "
            "again with this version; if that is gone, restore its table to a point in time."
        )
    if form != FORMAT:
        raise SealError(f"{path} has the form {form}; this Keyturn reads {FORMAT}.")
    try:
        signature = base64.b64decode(rest.strip(), validate=True)
    except binascii.Error:
        signature = b""
    if not any(is_signed(line, signature, public) for public in trusted):
        raise UntrustedExport(
            f"{path} was changed, or is of another installation. If it is, and you have the key that was printed when "
            "it was made, give it: --trust."
        )
    return Header(**said)


class _Body:
    """Writes to a file, and digests what it writes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class _Lines:
    """Items as a file to read from: nothing but the encrypted form ever rests anywhere."""

    def __init__(self, items: Iterable[dict[str, Any]]) -> None:
        self._lines = (json.dumps(_encoded(item), separators=(",", ":")).encode() + b"\n" for item in items)
        self._rest = b""
        self.failure: Exception | None = None
        self.count = 0

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
            self.count += 1
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
