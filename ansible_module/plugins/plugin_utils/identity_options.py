# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the options `token` and `identity`, and of the environment variables in their place, a task acts by."""

from __future__ import annotations

import os

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.keyturn.hub.plugins.module_utils.acting import IDENTITY
from ansible_collections.keyturn.hub.plugins.module_utils.client import CONNECTION_ARGUMENTS
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import TRANSPORT, NoSession

BOTH = (
    "cannot be given together with token. Where one of them is in module_defaults, set it to null in a task that needs "
    "the other."
)
BOTH_IN_ENVIRONMENT = "KEYTURN_TOKEN and KEYTURN_IDENTITY are both set. Unset one, or give token or identity."


def login_of(arguments):
    """How to reach the server, and the identity by which to log in there, if a task's arguments (and those of its
    module_defaults) say so, or the environment; None if the task has a token. Raises NoSession for what makes no sense.

    An identity that is given goes before KEYTURN_TOKEN, and a token that is given before KEYTURN_IDENTITY.
    """
    if arguments.get("identity"):
        if arguments.get("token") is not None:
            raise NoSession(BOTH)
    elif arguments.get("token") is not None or not os.environ.get("KEYTURN_IDENTITY"):
        return None
    elif os.environ.get("KEYTURN_TOKEN"):
        raise NoSession(BOTH_IN_ENVIRONMENT)
    names = ["url", *TRANSPORT]
    specification = {name: CONNECTION_ARGUMENTS[name] for name in names}
    given = {name: arguments[name] for name in names if arguments.get(name) is not None}
    options = _checked(specification, given)
    return options, checked_identity(arguments.get("identity") or {})


def checked_identity(given):
    """The option `identity` with what the environment adds to it. Raises NoSession for what it must not hold."""
    identity = _checked({"identity": IDENTITY}, {"identity": given})["identity"]
    for name, value in identity.items():
        identity[name] = value.strip() if isinstance(value, str) else value
        if value is not None and not identity[name]:
            raise NoSession(f"{name} must not be empty.")
    if identity["file"]:
        identity["file"] = os.path.abspath(identity["file"])
    unused = [name for name in ("file", "variable") if identity[name] and identity["source"] not in _USED[name]]
    if unused and isinstance(given, dict) and given.get(unused[0]):
        raise NoSession(f"{unused[0]} means nothing for the source {identity['source']}.")
    return identity


_USED = {"file": ("aap", "file", "kubernetes"), "variable": ("aap", "gitlab", "variable")}


def _checked(specification, given):
    result = ArgumentSpecValidator(specification).validate(given)
    if result.error_messages:
        raise NoSession("; ".join(result.error_messages))
    return result.validated_parameters
