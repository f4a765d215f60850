# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the options `token` and `identity`, and of the environment variables in their place, a task acts by."""

from __future__ import annotations

import os

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.keyturn.hub.plugins.module_utils.acting import ACCOUNT_VARIABLE, IDENTITY, SOURCE_VARIABLE
from ansible_collections.keyturn.hub.plugins.module_utils.client import CONNECTION_ARGUMENTS
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_tokens import FILE_VARIABLE, file_of
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import TRANSPORT, NoSession

BOTH = (
    "cannot be given together with token. Where one of them is in module_defaults, set it to null in a task that needs "
    "the other."
)
BOTH_IN_ENVIRONMENT = f"KEYTURN_TOKEN and {ACCOUNT_VARIABLE} are both set. Unset one, or give token or identity."

FILES = ("ca_path", "client_cert", "client_key")


def login_of(arguments):
    """How to reach the server, and the identity by which to log in there, if a task's arguments (and those of its
    module_defaults) say so, or the environment; None if the task has a token. Raises NoSession for what makes no sense.

    An identity that is given goes before KEYTURN_TOKEN, and a token that is given before KEYTURN_AS.
    """
    if arguments.get("identity"):
        if arguments.get("token") is not None:
            raise NoSession(BOTH)
    elif arguments.get("token") is not None or not os.environ.get(ACCOUNT_VARIABLE):
        return None
    elif os.environ.get("KEYTURN_TOKEN"):
        raise NoSession(BOTH_IN_ENVIRONMENT)
    names = ["url", *TRANSPORT]
    specification = {name: CONNECTION_ARGUMENTS[name] for name in names}
    given = {name: arguments[name] for name in names if arguments.get(name) is not None}
    options = _checked(specification, given)
    for name in FILES:
        options[name] = os.path.abspath(options[name]) if options[name] else None
    return options, checked_identity(arguments.get("identity") or {})


def checked_identity(given):
    """The option `identity` with what the environment adds to it. Raises NoSession for what it must not hold."""
    for name, variable in (("source", SOURCE_VARIABLE), ("account", ACCOUNT_VARIABLE)):
        if isinstance(given, dict) and given.get(name) is None and not os.environ.get(variable):
            raise NoSession(f"{name} is missing. Set it, or {variable}.")
    identity = _checked({"identity": IDENTITY}, {"identity": given})["identity"]
    for name, value in identity.items():
        identity[name] = value.strip() if isinstance(value, str) else value
        if value is not None and not identity[name]:
            raise NoSession(f"{name} must not be empty.")
    _require_use(identity)
    identity["file"] = file_of(identity)
    if identity["source"] == "file" and not identity["file"]:
        raise NoSession(f"file is missing. Set it, or {FILE_VARIABLE}.")
    return identity


def _require_use(identity):
    """Raises NoSession for what the source does not read."""
    named = [name for name in _USED if identity[name]]
    unused = [name for name in named if identity["source"] not in _USED[name]]
    if unused:
        mean = "means" if len(unused) == 1 else "mean"
        raise NoSession(f"{' and '.join(unused)} {mean} nothing for the source {identity['source']}.")
    if len(named) > 1:
        raise NoSession(f"{' and '.join(named)} cannot both be given.")


_USED = {"file": ("aap", "file", "kubernetes"), "variable": ("aap", "gitlab", "variable")}


def _checked(specification, given):
    result = ArgumentSpecValidator(specification).validate(given)
    if result.error_messages:
        raise NoSession("; ".join(result.error_messages))
    return result.validated_parameters
