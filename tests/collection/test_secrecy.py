"""No secret is anywhere but in the variable that a play registers: all that is printed, logged or written is read."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import zlib
from typing import Any

from embedded.stack import ADMINISTRATOR, Stack
from tests.collection.watching import Watched, core, syslog, watch
from tests.cutting import Cut, CuttingProxy, message

__all__ = ["core", "syslog", "watch"]  # fixtures
BROUGHT = "Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB"
WEBHOOKS_OWN = "whsec_Zk3uP1sVh9QyT7rXcB0aLwN5mEoGdJ2fK8iR4tU6xYM="


def modules(login: str) -> list[dict[str, Any]]:
    """A task with each module that is given, or gives, a secret."""
    token = {"user": login, "scope": ["ci"]}
    return [
        {"keyturn.hub.user": {"login": login, "name": login, "type": "bot"}},
        {"keyturn.hub.permanent_token": {**token, "name": "made"}, "register": "r0"},
        {"keyturn.hub.permanent_token": {**token, "name": "made", "state": "rotated"}, "register": "r1"},
        {"keyturn.hub.permanent_token": {**token, "name": "brought", "secret": BROUGHT}, "register": "r2"},
        {
            "keyturn.hub.permanent_token": {**token, "name": "{{ item }}"},
            "loop": ["first", "second"],
            "register": "r3",
        },
        {"keyturn.hub.service": {"key": f"{login}-service", "name": "S"}, "register": "r4"},
        {"keyturn.hub.service": {"key": f"{login}-service", "renew_secret": True}, "register": "r5"},
        {
            "keyturn.hub.bots": {
                "bots": [
                    {
                        "login": f"{login}-2",
                        "name": "Two",
                        "tokens": [
                            {"name": "made", "scope": ["ci"]},
                            {"name": "brought", "scope": ["ci"], "secret": f"{BROUGHT[::-1]}\n"},
                        ],
                    }
                ]
            },
            "register": "r6",
        },
        {"keyturn.hub.webhook": {"name": login, "address": "https://hooks.example.com/"}, "register": "r8"},
        {"keyturn.hub.webhook": {"name": login, "secret": WEBHOOKS_OWN}, "register": "r9"},
        {"keyturn.hub.current_token_info": {"token": "{{ r1.secret }}"}, "register": "r7"},
        {"keyturn.hub.service": {"key": f"{login}-service", "secret": BROUGHT, "grace": "1h"}, "register": "r10"},
    ]


def secrets_of(told: dict[str, Any]) -> list[str]:
    found = re.findall(r"kt[a-z]_[0-9A-Za-z]{61,}|whsec_[0-9A-Za-z+/=]{40,}", json.dumps(told))
    return [*found, BROUGHT, BROUGHT[::-1], WEBHOOKS_OWN]


def test_nothing_that_is_printed_told_logged_or_written_holds_a_secret(watch: Any, core: str, stack: Stack) -> None:
    login = f"secrecy{core}"
    told, watched = watch(modules(login))
    secrets = [*secrets_of(told), stack.secrets.read(ADMINISTRATOR)]
    assert len(set(secrets)) == 15, told.keys()
    for secret in secrets:
        assert watched.holds(secret) == []
    assert b"ansible-keyturn.hub.permanent_token" in watched.seen["syslog"]
    assert f'"login": "{login}"'.encode() in watched.seen["dump.json"]
    assert f"+ bot {login}-2".encode() in watched.seen["terminal"]  # the plan is shown, although the result is hidden


def test_failures_hold_no_secret_either_and_the_debugger_has_none_to_show(watch: Any, stack: Stack) -> None:
    token = {"user": "nobody-there", "scope": ["ci"], "name": "t", "secret": BROUGHT}
    no_form = {"login": "formless", "name": "x", "tokens": [{**token, "secret": f"{BROUGHT[::-1]}'\t\"\\"}]}
    del no_form["tokens"][0]["user"]
    tasks = [
        {"keyturn.hub.permanent_token": token, "debugger": "on_failed", "ignore_errors": True, "register": "r0"},
        {"keyturn.hub.permanent_token": {**token, "secret": BROUGHT[:-1]}, "ignore_errors": True, "register": "r1"},
        {"keyturn.hub.user_info": {"url": "http://127.0.0.1:1", "retries": 0}, "ignore_errors": True, "register": "r2"},
        {"keyturn.hub.bots": {"bots": [{"login": "a b", "name": "x"}]}, "ignore_errors": True, "register": "r3"},
        {"keyturn.hub.bots": {"bots": [no_form]}, "ignore_errors": True, "register": "r4"},
    ]
    keys = "p result._result\np task\np task.args.keys()\np host\nc\n"
    told, watched = watch(tasks, keys, ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS="false")
    assert all(result["failed"] for result in told.values()), told
    assert b"(debug)" in watched.seen["terminal"]
    assert b"Option user: there is no account nobody-there." in watched.seen["terminal"]
    for secret in (stack.secrets.read(ADMINISTRATOR) or "", BROUGHT, BROUGHT[:-1], BROUGHT[::-1]):
        assert [place for place in watched.holds(secret) if place != "terminal"] == []
    assert (stack.secrets.read(ADMINISTRATOR) or "").encode() not in watched.seen["terminal"]


class Unsteady(CuttingProxy):
    """Is busy at the first request, and gone at the second."""

    busy = True

    def serve(self, client: socket.socket) -> None:
        if self.busy and message(client):
            self.busy = False
            self.begin({0: Cut.BEFORE})
            client.sendall(b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            client.close()
        else:
            super().serve(client)


def test_what_is_retried_misspelt_or_given_elsewhere_is_no_less_secret(watch: Any, core: str, stack: Stack) -> None:
    login = f"unsteady{core}"
    names = ("again", "dry", "misspelt", "nested", "label", "elsewhere", "number", "beyond")
    given = {name: (name.upper() + BROUGHT)[:43] for name in names}
    given.update(number="4711471147114711", beyond="\u00e4\u4e2d" + given["beyond"])
    token = {"user": login, "scope": ["ci"]}
    nested = {"login": login, "tokens": [{"name": "t", "secrett": "{{ nested }}\n"}]}
    failing = [
        {"keyturn.hub.permanent_token": {**token, "name": "t", "secrett": "{{ misspelt }}"}},
        {"keyturn.hub.bots": {"bots": ["{{ item }}"]}, "loop": [nested]},
        {"keyturn.hub.bots": {"bots": [{"login": login, "tokens": ["{{ number | int }}"]}]}},
        {
            "keyturn.hub.permanent_token": {**token, "name": "t", "scope": ["none"], "secret": "{{ item }}"},
            "loop": ["{{ label }}"],
            "loop_control": {"label": "of {{ label }}"},
        },
        {"keyturn.hub.user_info": {"login": login}, "environment": {"KEYTURN_TOKEN": "{{ elsewhere }}"}},
        {"keyturn.hub.permanent_token": {**token, "name": "t", "secret": "{{ number | int }}"}},
        {"keyturn.hub.permanent_token": {**token, "name": "t", "secret": "{{ beyond }}"}},
    ]
    with Unsteady(stack.url) as proxy:
        told, watched = watch(
            [
                {"keyturn.hub.user": {"login": login, "name": "U", "type": "bot", "url": proxy.url}},
                {
                    "keyturn.hub.permanent_token": {**token, "name": "again", "secret": "{{ again }}"},
                    **{"register": "r0", "until": "r0.attempts | default(1) > 1", "retries": 1, "delay": 0},
                },
                {
                    "keyturn.hub.permanent_token": {**token, "name": "dry", "secret": "{{ dry }}"},
                    **{"register": "r1", "check_mode": True},
                },
                *(
                    {"ignore_errors": True, "register": f"r{number}", **each}
                    for number, each in enumerate(failing, start=2)
                ),
                {"ansible.builtin.debug": {"msg": f"{{{{ [{', '.join(f'r{n}' for n in (2, 4, 6, 7, 8))}] }}}}"}},
            ],
            encrypted=given,
        )
    assert proxy.number > 1
    assert told["r0"]["secret"][4:].find(given["again"]) > 0
    assert [told[f"r{number}"]["failed"] for number in range(2, 9)] == [True] * 7, told
    assert told["r6"].get("status") == 401, told["r6"]  # the token of the environment is the one that acts
    for secret in (*given.values(), given["beyond"][2:], stack.secrets.read(ADMINISTRATOR) or ""):
        assert watched.holds(secret) == []


def test_what_ends_before_a_module_runs_or_is_in_the_wrong_place_is_no_less_secret(
    watch: Any, core: str, stack: Stack
) -> None:
    names = ("async", "unreachable", "odd", "file", "private")
    given = {f"{name}_secret": (name.upper() + BROUGHT)[:43] for name in names}
    parts = (b'{"alg":"ES256"}', b'{"sub":"me"}')
    given["misplaced"] = ".".join([*(base64.urlsafe_b64encode(each).decode() for each in parts), BROUGHT])
    token = {"user": "early", "scope": ["ci"], "name": "t", "secret": "{{ item.secret }}"}
    nowhere = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    odd = [{"login": "early", "tokens": {"name": "t", "secret": "{{ odd_secret }}"}}]
    rule = {"user": "early", "name": "r", "issuer": "https://ci.example.com", "audience": "a", "scope": ["ci"]}
    key = {"kty": "OKP", "crv": "Ed25519", "x": "x", "d": "{{ private_secret }}"}
    failing: list[dict[str, Any]] = [
        {"keyturn.hub.permanent_token": token, "loop": [{"secret": "{{ async_secret }}"}], "async": 60},
        {
            **{"keyturn.hub.permanent_token": token, "loop": [{"secret": "{{ unreachable_secret }}"}]},
            **{"vars": nowhere, "ignore_unreachable": True},
        },
        {"keyturn.hub.bots": {"bots": "{{ item.bots }}"}, "loop": [{"bots": odd}]},
        {
            "keyturn.hub.bots": {"src": "no-such-file.yml", "token": "{{ item.token }}"},
            "loop": [{"token": "{{ file_secret }}"}],
        },
        {
            "keyturn.hub.user_info": {"identity": "{{ item }}"},
            "loop": [{"source": "{{ misplaced }}", "account": "early"}],
        },
        {"keyturn.hub.trust_rule": {**rule, "conditions": {"sub": ["me"]}, "keys": [key]}},
    ]
    told, watched = watch(
        [{"ignore_errors": True, "register": f"r{number}", **each} for number, each in enumerate(failing)],
        encrypted=given,
    )
    failed = [told[f"r{number}"].get("failed") or told[f"r{number}"].get("unreachable") for number in range(6)]
    assert failed == [True] * 6, told
    for secret in given.values():
        assert watched.holds(secret) == [], secret[:10]
    for reason in (b"async is refused", b"must be a list of dictionaries", b"no-such-file.yml"):
        assert reason in watched.seen["terminal"]


def test_a_secret_that_is_there_would_be_found() -> None:
    """The search itself: plain, in base64, and in the archive that a module travels in."""
    secret = "ktp_" + BROUGHT
    deflated = zlib.compressobj(wbits=-15)
    part = deflated.compress(f"arguments: {secret}".encode() * 20) + deflated.flush()
    archive = b"PK\x03\x04" + bytes(22) + (1).to_bytes(2, "little") + bytes(2) + b"a" + part
    padded = base64.b64encode(archive + os.urandom(400))
    for place in (secret.encode(), base64.b64encode(b"x" + secret.encode()), b"zip: " + padded):
        assert Watched({"it": place}).holds(secret) == ["it"]
    assert Watched({"it": os.urandom(4_000)}).holds(secret) == []
