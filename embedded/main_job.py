"""The main job on a running stack: a playbook declares bots and tokens, services check the tokens."""

import subprocess
import sys
from typing import Any

from embedded import playbook
from embedded.api import Api, introspect
from embedded.children import child
from embedded.layout import PROJECT
from embedded.stack import ADMINISTRATOR, Stack

EXAMPLE = PROJECT / "examples" / "bots.yml"
SERVICES = {"ci": "Build server", "deploy": "Deployment service"}
CHECKED_BOT, CHECKED_TOKEN = "build-bot", "build"  # its scope is ci alone
CHECKED = f"{CHECKED_BOT}--{CHECKED_TOKEN}"


class JobFailed(Exception):
    """The job did not do what it promises; the message says where."""


def register_services(stack: Stack, api: Api) -> None:
    """The two services exist, and their secrets are known to this side."""
    for key, name in SERVICES.items():
        if api.call("GET", f"/services/{key}").status_code == 404:
            stack.secrets.write(f"service-{key}", api.post("/services", {"key": key, "name": name})["secret"])
        elif stack.secrets.read(f"service-{key}") is None:  # an earlier run was killed before it kept it
            stack.secrets.write(f"service-{key}", api.post(f"/services/{key}/secret", None)["secret"])


def declare_bots(stack: Stack, api: Api) -> int:
    """Run the playbook, with its own output to be seen; how many tasks changed something."""
    changed = _run_playbook(stack)
    if stack.secrets.read(CHECKED) is None:  # an earlier run was killed before the hand-over
        tokens = f"/users/{CHECKED_BOT}/permanenttokens"
        for token in api.get(f"{tokens}?fields=id,name")["permanenttokens"]:
            if token["name"] == CHECKED_TOKEN:
                api.call("DELETE", f"{tokens}/{token['id']}")
        changed += _run_playbook(stack)
    return changed


def check_token(stack: Stack) -> dict[str, Any]:
    """What each service is told of one bot's token. Raises JobFailed unless it is what the scope says."""
    token = stack.secrets.read(CHECKED) or ""
    answers = {key: introspect(stack.url, key, stack.secrets.read(f"service-{key}") or "", token) for key in SERVICES}
    if not answers["ci"]["active"] or answers["ci"]["sub"] != _id_of(stack, CHECKED_BOT):
        raise JobFailed(f"The service ci does not accept the token of {CHECKED_BOT}.")
    if answers["deploy"] != {"active": False}:
        raise JobFailed(f"The service deploy is told of a token of {CHECKED_BOT} that is not for it.")
    return answers


def _id_of(stack: Stack, login: str) -> str:
    id: str = stack.administrator().get(f"/users/{login}?fields=id")["id"]
    return id


def _run_playbook(stack: Stack) -> int:
    environment = playbook.environment(
        stack.url,
        stack.secrets.read(ADMINISTRATOR) or "",
        {"KEYTURN_SECRETS": str(stack.secrets.folder), "ANSIBLE_FORCE_COLOR": str(int(sys.stdout.isatty()))},
    )
    output = []
    with child(playbook.command(EXAMPLE), environment, errors=subprocess.STDOUT) as running:
        assert running.stdout
        for line in running.stdout:
            print(f"  {line}", end="", flush=True)
            output.append(line)
    try:
        return playbook.changed_in("".join(output))
    except ValueError as error:
        raise JobFailed(str(error)) from None
