"""`docs/reference/cli.md`, made from the commands. `python -m tests.cli_reference` writes it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click
from keyturn_cli.main import cli

from embedded.layout import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = PROJECT / "docs" / "reference" / "cli.md"
INTRODUCTION = """# Command line

This page is made from the commands (`python -m tests.cli_reference`); a test compares the two. How to install the
program, how it stores secrets, and what its exit codes mean: [cli/README.md](../../cli/README.md).

| variable | meaning |
|---|---|
| `KEYTURN_ADDRESS` | address of the installation |
| `KEYTURN_TOKEN` | token that commands present |
| `KEYTURN_AS` | bot that commands act as, by the [identity of a job](../how-to/authenticate-pipelines.md) |
| `KEYTURN_IDENTITY_SOURCE`, `KEYTURN_AUDIENCE` | where the identity token comes from, and for whom it is |
| `KEYTURN_ID_TOKEN`, `KEYTURN_ID_TOKEN_FILE` | the identity token itself, or the file that holds it |
| `HUB_TOKEN` | token of an administrator of the Hub, for `hub-import` |

Every command has `--help`. Options of `keyturn` itself stand before the command: `keyturn --json token list`.
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(_described(cli, "keyturn", None))


def commands(group: click.Command = cli, name: str = "keyturn") -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, groups before what is in them."""
    yield name, group
    if isinstance(group, click.Group):
        for each in sorted(group.commands):
            yield from commands(group.commands[each], f"{name} {each}")


def _described(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(command, parent, info_name=name.rsplit(" ", 1)[-1])
    if isinstance(command, click.Group) and parent:
        yield from (text for each in sorted(command.commands) for text in _inner(command, each, name, context))
        return
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    help = "\n\n".join(textwrap.fill(" ".join(each.split()), 120) for each in (command.help or "").split("\n\n"))
    yield f"\n## `{name}`\n\n```text\n{usage}\n```\n\n{help}\n"
    options = [each for each in command.params if isinstance(each, click.Option) and each.name != "version"]
    if options:
        rows = "".join(f"| {_option(each)} | {_meaning(each)} |\n" for each in options)
        yield f"\n| option | meaning |\n|---|---|\n{rows}"
    if isinstance(command, click.Group):
        yield from (text for each in sorted(command.commands) for text in _inner(command, each, name, context))


def _inner(group: click.Group, each: str, name: str, context: click.Context) -> Iterator[str]:
    return _described(group.commands[each], f"{name} {each}", context)


def _option(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or _choices(option)}"
    return ", ".join(f"`{each}`" for each in option.opts) + (f" {value.strip()}" if value else "")


def _choices(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(f"`{each}`" for each in option.type.choices)
    return option.type.name.upper()


def _meaning(option: click.Option) -> str:
    said = " ".join((option.help or "").split()).replace("|", "\\|")
    required = "**required**" if option.required else ""
    default = option.default if isinstance(option.default, str) and option.show_default else ""
    return " ".join(part for part in (said, required, f"Default: `{default}`." if default else "") if part)


if __name__ == "__main__":
    PAGE.write_text(page())
