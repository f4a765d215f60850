# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps secrets out of everything that is printed or written, while a play can hand them over."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.wire_format import permanent_token, service_secret


def hide(result):
    """Keep a result from every callback if it holds a secret; the registered variable has it all the same."""
    held = [result, *result.get("tokens", [])] if isinstance(result.get("tokens"), list) else [result]
    if any("secret" in each for each in held):
        result["_ansible_no_log"] = True


def put_together(result, arguments):
    """Give back each secret that was brought as the whole that the server made of it.

    A module cannot do so: Ansible blots out of its result whatever holds one of its secret options.
    """
    if "token_ids" in result:
        _complete(result, arguments["secret"])
    if "service_id" in result:
        result["secret"] = service_secret(arguments["secret"], result.pop("service_id"))
    brought = {
        (bot["login"], token["name"]): token["secret"]
        for bot in arguments.get("bots") or []
        for token in bot.get("tokens") or []
        if token.get("secret")
    }
    for told in result.get("tokens") or []:
        if isinstance(told, dict) and "token_ids" in told:
            secrets = [secret for (login, name), secret in brought.items() if _same(told, login, name)]
            _complete(told, secrets[0])


def _same(told, login, name):
    return told["user"] == login and told["name"] == name.strip()


def _complete(told, secret):
    ids = told.pop("token_ids")
    told["secret"] = permanent_token(secret, ids["user"], ids["token"])
