"""The program around the commands: signals, exit codes, and every message of an error, at one place."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

from keyturn_cli.errors import ExitCode, Problem, Refused, Terminated, interrupted
from keyturn_cli.redaction import holds_secret, redacted, without_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

NAME = "keyturn"
JSON = "--json"


def run(commands: click.Group, arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit code. Whatever goes wrong is said in a sentence on the error stream, or as
    one object of JSON."""
    previous = signal.signal(signal.SIGTERM, _terminated)
    try:
        return _attempted(commands, arguments)
    except Problem as problem:
        _complain(arguments, problem.message, ExitCode(problem.exit_code), problem)
        return problem.exit_code
    except click.UsageError as error:
        _complain_of_usage(commands, arguments, error)
        return error.exit_code
    except click.ClickException as error:
        _complain(arguments, error.format_message(), ExitCode.REFUSED)
        return ExitCode.REFUSED
    except (click.Abort, KeyboardInterrupt) as error:
        return _aborted(arguments, error)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        text = f"This machine has refused something ({reason}). It is not known how much of the command was done."
        _complain(arguments, text, ExitCode.LEFT_BEHIND)
        return ExitCode.LEFT_BEHIND
    except Exception as error:  # a defect of ours: no frames are shown, which could hold a secret
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {os.path.basename(place.filename)}, line {place.lineno}"
        _complain(arguments, f"This program has failed ({where}). Please report it.", ExitCode.LEFT_BEHIND)
        return ExitCode.LEFT_BEHIND
    finally:
        signal.signal(signal.SIGTERM, previous)


def _attempted(commands: click.Group, arguments: Sequence[str]) -> int:
    if any(map(holds_secret, arguments)):
        raise click.UsageError(
            "An argument holds a secret. Secrets are never arguments: other users of this machine see those, and the "
            "shell keeps them. Rotate it, and hand the new one over by KEYTURN_TOKEN, a file, or the standard input."
        )
    code = commands.main(list(arguments), prog_name=NAME, standalone_mode=False)
    if sys.stdout:
        sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _aborted(arguments: Sequence[str], error: BaseException) -> int:
    """Somebody said no to a question, or ended the program."""
    interruption = error if isinstance(error, KeyboardInterrupt) else error.__cause__
    if not isinstance(interruption, KeyboardInterrupt):
        _complain(arguments, "Nothing was done.", ExitCode.REFUSED)
        return ExitCode.REFUSED
    code = interrupted(interruption)
    _complain(arguments, "Interrupted.", code)
    return code


def _complain_of_usage(commands: click.Group, arguments: Sequence[str], error: click.UsageError) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and JSON not in arguments:
        error.show()
        return
    message = "Say a command." if isinstance(error, click.exceptions.NoArgsIsHelpError) else error.format_message()
    if error.ctx and JSON not in arguments:
        context = error.ctx
        usage = f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n\n"
        _say(usage, newline=False)
    _complain(arguments, without_arguments(message, arguments, set(_names(commands))), ExitCode.USAGE)


def _names(command: click.Command) -> Iterator[str]:
    """Every name that the program has by itself."""
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts, parameter.make_metavar(click.Context(command)))
        if isinstance(parameter.type, click.Choice):
            yield from map(str, parameter.type.choices)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield name
            yield from _names(inner)


def _complain(arguments: Sequence[str], message: str, code: ExitCode, problem: Problem | None = None) -> None:
    text = redacted(message)
    if JSON not in arguments:
        _say(f"Error: {text}\n")
        return
    error: dict[str, Any] = {"code": code.word, "exit": int(code), "message": text}
    if isinstance(problem, Refused):
        told = {"status": problem.status, "reason": problem.reason, "field": problem.field}
        error |= {name: redacted(value) if isinstance(value, str) else value for name, value in told.items() if value}
    _say(json.dumps({"error": error}, ensure_ascii=False) + "\n")


def _say(text: str, newline: bool = False) -> None:
    with suppress(OSError):  # nobody listens, and the exit code says it too
        click.echo(text, err=True, nl=newline)
