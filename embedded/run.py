"""`make run`: start everything, do the main job, say what happened, stay until Ctrl-C.

KEYTURN_ONCE=1   do the job, stop, and say by the exit code whether it succeeded
KEYTURN_PORT     the port to prefer (8000)
"""

import os
import signal
import sys
import threading
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from embedded import main_job
from embedded.api import Api
from embedded.children import INTERRUPTIONS
from embedded.fetch import FetchError
from embedded.layout import STATE
from embedded.stack import AlreadyRunning, Stack

console = Console(highlight=False)
DEFAULT_PORT = 8000


def main() -> int:
    """The exit code."""
    os.umask(0o077)  # what an installation keeps is its owner's alone
    stop = threading.Event()
    stack = Stack(STATE)
    try:
        for interruption in INTERRUPTIONS:
            signal.signal(interruption, _interrupt)
        _start(stack)
        _do_main_job(stack)
        if os.environ.get("KEYTURN_ONCE") != "1":
            stack.start_worker()
            _say_where(stack)
            stop.wait()
    except KeyboardInterrupt:
        console.print("\nShutting down; the data stay.")
    except (AlreadyRunning, FetchError, main_job.JobFailed, RuntimeError, requests.RequestException) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    finally:
        for interruption in INTERRUPTIONS:
            signal.signal(interruption, signal.SIG_IGN)
        stack.stop()
    return 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _start(stack: Stack) -> None:
    stack.lock()
    wanted = _wanted_port()
    _step("DynamoDB Local, with its data in .keyturn/database")
    stack.database.start()
    _step("Keyturn's server")
    server = stack.start_server(wanted)
    if server.port != wanted:
        console.print(f"  [yellow]port {wanted} is busy; using {server.port}[/]")
    stack.announce()


def _wanted_port() -> int:
    text = os.environ.get("KEYTURN_PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 0 < int(text) < 2**16:
        raise RuntimeError(f"KEYTURN_PORT is {text!r}, which is not a port.")
    return int(text)


def _do_main_job(stack: Stack) -> None:
    known = stack.secrets.read("administrator")
    api = stack.administrator()
    current = stack.secrets.read("administrator")
    if current != known:
        console.print(
            "  The first administrator is [bold]admin[/]. This token is shown only now; "
            "this run keeps a copy in .keyturn/secrets:\n"
        )
        console.print(f"  [bold green]{current}[/]\n", soft_wrap=True)
    _step("Two services: ci and deploy")
    main_job.register_services(stack, api)
    _step("ansible-playbook examples/bots.yml")
    changed = main_job.declare_bots(stack, api)
    _step("Both services ask about the token of build-bot, whose scope is ci")
    answers = main_job.check_token(stack)
    console.print()
    console.print(_bots(api))
    console.print(_answers(answers))
    verdict = "nothing had to change" if changed == 0 else f"{changed} tasks changed something"
    console.print(f"[green]The main job is done[/]: {verdict}; the token was checked.")


def _say_where(stack: Stack) -> None:
    password = stack.new_password()
    console.print(f"\nServing on [bold]{stack.url}[/] until Ctrl-C. The API described: {stack.url}/api/rest/reference")
    if password:
        known = (
            f"password [bold green]{password}[/], which is shown only now; this run keeps a copy in .keyturn/secrets"
        )
    else:
        known = "the password that was shown at first, or that you have set since"
    console.print(f"The page: [bold]{stack.page}[/]. Log in as [bold]admin[/] with {known}.", soft_wrap=True)


def _step(text: str) -> None:
    console.print(f"[bold cyan]▸[/] {text}")


def _bots(api: Api) -> Table:
    table = Table("bot", "token", "scope", "created by", title="Who holds what", title_justify="left")
    for user in api.get("/users?$top=100")["users"]:
        if user["type"] == "bot":
            for token in api.get(f"/users/{user['id']}/permanenttokens")["permanenttokens"]:
                scope = api.get(f"/users/{user['id']}/permanenttokens/{token['id']}?fields=scope(key)")["scope"]
                keys = ", ".join(service["key"] or "(deleted)" for service in scope)
                table.add_row(user["login"], token["name"], keys, token["author"]["name"])
    return table


def _answers(answers: dict[str, Any]) -> Table:
    table = Table(
        "service", "good?", "whose", title="What the services were told of build-bot's token", title_justify="left"
    )
    for service, answer in answers.items():
        good = "[green]yes[/]" if answer["active"] else "[yellow]not for you[/]"
        table.add_row(service, good, answer.get("username", "–"))
    return table


if __name__ == "__main__":
    sys.exit(main())
