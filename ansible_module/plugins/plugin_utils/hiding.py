# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps secrets out of everything that is printed or written, while a play can hand them over."""

from __future__ import annotations

import re

from ansible.errors import AnsibleError
from ansible_collections.keyturn.hub.plugins.module_utils.names import login, same
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import (
    HIDDEN,
    PRIVATE_MEMBERS,
    permanent_token,
    secrets_in,
    service_secret,
)

JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*")  # a platform's identity token, or an access token (RFC 7519)
OPTIONS = ("token", "secret")
LISTS = ("bots", "tokens")  # of dictionaries
SHORTEST = 8  # what is shorter is no secret, and blotting it out would make messages unreadable


def hide(result):
    """Keep a result from every callback if it holds a secret; the registered variable has it all the same."""
    held = [result, *result.get("tokens", [])] if isinstance(result.get("tokens"), list) else [result]
    if any("secret" in each for each in held):
        result["_ansible_no_log"] = True


def secrets_of(arguments):
    """The secrets in a task's arguments: the token that acts, those that are declared, and private keys, wherever they
    are; and everything that is where a list of dictionaries should be.
    """
    return {text for each in _secret_values(arguments) for text in _texts(each)}


def _secret_values(thing):
    if isinstance(thing, (list, tuple)):
        return [found for each in thing for found in _secret_values(each)]
    if not isinstance(thing, dict):
        return []
    names = (*OPTIONS, *PRIVATE_MEMBERS) if "kty" in thing else OPTIONS
    found = []
    for name, value in thing.items():
        whole = name in names or (name in LISTS and value != _dicts(value))
        found += [value] if whole else _secret_values(value)
    return found


def values_at(arguments, names):
    """The values of a nested option, which `names` lead to through dictionaries and lists of them, as secrets."""
    if not names:
        return _texts(arguments)
    if isinstance(arguments, dict):
        return values_at(arguments.get(names[0]), names[1:])
    return {text for each in _dicts(arguments) for text in values_at(each, names)}


def _texts(thing):
    """Every text in a value that is long enough to be a secret, also as it is without line ends."""
    if isinstance(thing, dict):
        thing = list(thing.values())
    if isinstance(thing, (list, tuple)):
        return {text for each in thing for text in _texts(each)}
    whole = "" if thing is None else str(thing)
    return {text for text in (whole, whole.strip()) if len(text) >= SHORTEST}


def require_dictionaries(arguments):
    """Raises AnsibleError where `bots`, or the tokens of one, is no list of dictionaries. Ansible would quote what is
    there, which could be a secret, since nothing says what is one.
    """
    for bot in _dictionaries(arguments.get("bots"), "bots"):
        _dictionaries(bot.get("tokens"), "bots[].tokens")


def _dictionaries(value, option):
    if value is None:
        return []
    if not isinstance(value, list) or _dicts(value) != value:
        raise AnsibleError(f"Option {option}: must be a list of dictionaries.")
    return value


def blotted(thing, secrets):
    """The same without any of these secrets, nor anything that has the form of one."""
    if isinstance(thing, dict):
        return {name: blotted(value, secrets) for name, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [blotted(each, secrets) for each in thing]
    if not isinstance(thing, str):
        return thing
    for secret in sorted([*secrets, *secrets_in(thing), *JWT.findall(thing)], key=len, reverse=True):
        thing = thing.replace(secret, HIDDEN)
    return thing


def holds(thing, secrets):
    """Whether any of these secrets, or what has the form of one, is in a variable."""
    return blotted(thing, secrets) != thing


def subject(arguments):
    """What a task is about, in words without any secret: whose, and which."""
    said = (arguments.get(name) for name in ("user", "login", "key", "service", "group", "name"))
    return " / ".join(str(each).strip() for each in said if each)


def put_together(result, arguments):
    """Give back each secret that was brought as the whole that the server made of it.

    A module cannot do so: Ansible blots out of its result whatever holds one of its secret options.
    """
    if "token_ids" in result:
        _complete(result, arguments["secret"])
    if "service_id" in result:
        result["secret"] = service_secret(arguments["secret"].strip(), result.pop("service_id"))
    brought = {
        (login(bot["login"]), token["name"]): token["secret"]
        for bot in arguments.get("bots") or []
        for token in bot.get("tokens") or []
        if token.get("secret")
    }
    for told in result.get("tokens") or []:
        if isinstance(told, dict) and "token_ids" in told:
            found = [secret for (user, name), secret in brought.items() if _is_of(told, user, name)]
            _complete(told, found[0])


def _is_of(told, user, name):
    return login(told["user"]) == user and same(told["name"], name)


def _complete(told, secret):
    ids = told.pop("token_ids")
    told["secret"] = permanent_token(secret.strip(), ids["user"], ids["token"])


def _dicts(values):
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
