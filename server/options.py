"""How the server runs: by options of its command line, each of which has an environment variable too."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREFIX = "KEYTURN_SERVER_"


def _option(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Options:
    """All that can be chosen. Bounds are for each worker."""

    host: str = _option("127.0.0.1", "address to listen on; 0.0.0.0 or :: for every one of this machine")
    port: int = _option(8000, "port to listen on")
    workers: int = _option(1, "processes; one for each core is usual")
    threads: int = _option(16, "requests that a worker answers at a time")
    waiting: int = _option(256, "requests that may wait for a thread; the next one gets a 503")
    connections: int = _option(4096, "connections that a worker holds; the next one waits")
    backlog: int = _option(1024, "connections that may wait until a worker takes them")
    head_seconds: int = _option(
        65, "time for the head of a request, and so also for which a connection may stay idle; longer than a proxy's"
    )
    body_seconds: int = _option(20, "time for the body of a request")
    body_bytes: int = _option(1024 * 1024, "largest body of a request")
    bodies_bytes: int = _option(64 * 1024 * 1024, "all bodies that a worker holds at a time; the next one gets a 503")
    answer_seconds: int = _option(
        30, "time for an answer; after that, a 503, and nobody knows whether anything was changed"
    )
    stop_seconds: int = _option(30, "time to finish what was begun when the server is told to stop")
    certificate: str = _option("", "file with the TLS certificate and its chain (PEM); without it, plain HTTP")
    key: str = _option("", "file with the certificate's private key (PEM)")
    metrics: str = _option("", "address:port on which Prometheus finds metrics, such as 127.0.0.1:9464; none if empty")


class OptionsError(Exception):
    """The options cannot be used; the message says why."""


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """From the command line, and where that says nothing, from the environment. Raises OptionsError; exits for
    `--help`."""
    told = vars(_parser().parse_args(arguments))
    values: dict[str, Any] = {}
    for each in fields(Options):
        text = told[each.name] if told[each.name] is not None else environment.get(variable(each.name))
        if text is not None:
            values[each.name] = _number(each.name, text) if isinstance(each.default, int) else text
    options = Options(**values)
    if bool(options.certificate) != bool(options.key):
        raise OptionsError("--certificate and --key go together.")
    if options.metrics:
        address_of(options.metrics)
    return options


def variable(name: str) -> str:
    """The environment variable of an option."""
    return PREFIX + name.upper()


def address_of(text: str) -> tuple[str, int]:
    """Host and port of `host:port`. Raises OptionsError."""
    host, _, port = text.rpartition(":")
    if not host:
        raise OptionsError("--metrics must be an address and a port, such as 127.0.0.1:9464.")
    return host.strip("[]"), _number("metrics", port)


def _number(name: str, text: str) -> int:
    least = 0 if name == "waiting" else 1
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) < least:
        raise OptionsError(f"{_flag(name)} ({variable(name)}) must be a whole number, {least} or more.")
    number = int(text)
    if name in ("port", "metrics") and number > 65_535:
        raise OptionsError(f"{_flag(name)} ({variable(name)}) must be a port.")
    return number


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description="Serves Keyturn. What it serves is configured by variables: see docs/reference/settings.md.",
        epilog=f"Each option has an environment variable too: --head-seconds is {variable('head_seconds')}.",
    )
    for each in fields(Options):
        said = each.metadata["meaning"].replace("%", "%%")
        default = f" (default: {each.default})" if each.default != "" else ""
        parser.add_argument(_flag(each.name), metavar="…", help=said + default)
    return parser
