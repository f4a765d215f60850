"""Letters to those who have to rotate what came from Hub: files that any mail program sends."""

from __future__ import annotations

import re
from collections import defaultdict
from email.message import EmailMessage
from shlex import quote
from typing import TYPE_CHECKING

from keyturn_cli.output import moment, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from keyturn_cli.hub.moving import Moved


def write(folder: Path, address: str, sender: str | None, tokens: Iterable[Moved]) -> list[Path]:
    """A letter to each who is to be told; one without an address has no `To`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, list[Moved]] = defaultdict(list)
    for token in tokens:
        told[token.told].append(token)
    written = []
    for login, theirs in sorted(told.items()):
        path = folder / f"{re.sub(r'[^A-Za-z0-9._@+-]', '_', login)}.eml"
        path.write_bytes(bytes(letter(address, sender, login, theirs)))
        written.append(path)
    return written


def letter(address: str, sender: str | None, login: str, tokens: list[Moved]) -> EmailMessage:
    """What to rotate, and how (RFC 5322)."""
    message = EmailMessage()
    message["Subject"] = "Your tokens have moved: please rotate them"
    if sender:
        message["From"] = sender
    if tokens[0].email:
        message["To"] = text(tokens[0].email)
    lines = [f"  {each.name} ({each.owner}) for {', '.join(each.services)}; {_used(each)}" for each in tokens]
    commands = [f"  keyturn --address {address} token rotate {quote(each.name)} --user {each.owner}" for each in tokens]
    message.set_content(
        "\n".join(
            [
                f"To {login}",
                "",
                f"These tokens have moved from Hub to {address}. A token's secret cannot move, since Hub keeps only",
                "its hash. Each is there under its name, and needs a new secret, which you get by rotating it:",
                "",
                *lines,
                "",
                f"In the browser: {address}/users/me/security",
                "On the command line:",
                *commands,
                "If you may not rotate what a bot has, ask an administrator.",
                "",
                "Delete those that nothing uses any more. The secrets in Hub are good there until Hub is switched off.",
                "",
            ]
        )
    )
    return message


def _used(token: Moved) -> str:
    return f"last used {moment(token.last_used)}" if token.last_used else "never used"
