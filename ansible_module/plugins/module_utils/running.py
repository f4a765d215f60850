# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the modules' `main` functions have in common."""

from __future__ import annotations

import os
import random
import sys
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.keyturn.hub.plugins.module_utils.client import CONNECTION_ARGUMENTS, Client, RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import HIDDEN, PRIVATE_MEMBERS

ATTEMPTS = 4  # of a run that others outrun
LONGEST_PAUSE = 0.5  # seconds, so that runs which began together do not go on together


class Module(AnsibleModule):
    """A module that tells nobody its secrets, where Ansible itself would."""

    def fail_json(self, msg, **more):
        """Of arguments that do not fit, Ansible would tell the value of an option that it does not know, whose name may
        be a secret option's, misspelt. The action plugin, which knows no options, is told the names, each as a path.
        """
        unknown = self.validation_result.unsupported_parameters
        if unknown:
            self.params = declared(self.params, self.argument_spec)
            more["unknown"] = sorted([each] if isinstance(each, str) else list(each) for each in unknown)
        super().fail_json(msg, **more)

    def _log_invocation(self):
        """Ansible blots secrets out of the text that it makes of an option with nested ones, where a line end or a
        quotation mark is written as an escape, so that a secret with one is not recognized. A private key is none of
        the options, and is refused later.
        """
        given = self.params
        self.params = without_private_keys(remove_values(given, self.no_log_values))
        try:
            super()._log_invocation()
        finally:
            self.params = given


def without_private_keys(thing):
    """The same, where a JSON Web Key has no private members."""
    if isinstance(thing, list):
        return [without_private_keys(each) for each in thing]
    if not isinstance(thing, dict):
        return thing
    hidden = PRIVATE_MEMBERS if "kty" in thing else ()
    return {name: HIDDEN if name in hidden else without_private_keys(value) for name, value in thing.items()}


def declared(parameters, specification):
    """The parameters, but for the values of options that the specification does not know."""
    if not isinstance(parameters, dict):
        return HIDDEN
    result = {}
    for name, value in parameters.items():
        option = specification.get(name)
        inner = (option or {}).get("options")
        if option is None:
            result[name] = HIDDEN
        elif not inner or value is None:
            result[name] = value
        else:
            lists = isinstance(value, list)
            result[name] = [declared(each, inner) for each in value] if lists else declared(value, inner)
    return result


def run(arguments, ensure, field_options=None, kept_alive=False, **rules):
    """Run `ensure(client, parameters, check_mode)` and exit with its result.

    `field_options` maps the server's names of fields to the options that set them, where they differ, so that a
    refusal names what is in the playbook. `rules` are those of AnsibleModule, such as `required_if`.
    """
    specification = dict(CONNECTION_ARGUMENTS, **arguments)
    module = Module(argument_spec=specification, supports_check_mode=True, **rules)
    # What is blotted out of results is compared to the letter, and requests carry the secrets without line ends.
    module.no_log_values.update([value.strip() for value in module.no_log_values if isinstance(value, str)])
    options = dict({name: name for name in specification}, **(field_options or {}))
    result, failure = _outcome(module, specification, ensure, kept_alive, options)
    # Outside of any `except`, so that no trace of an error, which could quote a secret, is part of the result.
    if failure:
        module.fail_json(**failure)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def _outcome(module, specification, ensure, kept_alive, options):
    """The result, and how the module fails; one of them is None."""
    try:
        parameters = normalized(module.params, specification)
        client = Client.from_parameters(parameters, kept_alive)
        return reading_again(ensure)(client, parameters, module.check_mode), None
    except RequestRefused as refusal:
        option = options.get((refusal.field or "").split("[")[0].split(".")[0])
        prefix = f"Option {option}: " if option else ""
        return None, {"msg": prefix + str(refusal), "status": refusal.status}
    except Exception as error:
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno}"
        python = ".".join(str(part) for part in sys.version_info[:3])
        return None, {
            "msg": f"An error that this module does not know: {type(error).__name__} in {place}, with Python {python}. "
            "What the error says is left out, since it could quote a secret. Please report this.",
            "status": 0,
        }


def reading_again(ensure):
    """`ensure`, which begins anew when somebody else was faster: whoever loses a race reads what there is now."""

    def run(client, parameters, check_mode):
        refused = None
        for attempt in range(ATTEMPTS):
            try:
                result = ensure(client, parameters, check_mode)
            except RequestRefused as refusal:
                # The same answer to what was read anew: it is no race.
                if not refusal.outrun or attempt == ATTEMPTS - 1 or str(refusal) == refused:
                    raise
                refused = str(refusal)
                time.sleep(random.uniform(0, LONGEST_PAUSE))
            else:
                # An attempt before this one may have done a part of it.
                return dict(result, changed=bool(result.get("changed") or (attempt and client.changes)))
        raise AssertionError("unreachable")

    return run


def normalized(parameters, specification, where=""):
    """The parameters with every text as the server keeps it. Secrets, and what may be anything, stay as they are.

    Raises RequestRefused for a required option that says nothing.
    """
    result = dict(parameters)
    for name, option in specification.items():
        value, inner = parameters.get(name), option.get("options")
        if inner and isinstance(value, list):
            result[name] = [normalized(each, inner, f"{where}{name}[{at}].") for at, each in enumerate(value)]
        elif inner and isinstance(value, dict):
            result[name] = normalized(value, inner, f"{where}{name}.")
        elif option.get("no_log"):
            continue
        elif isinstance(value, str) and option["type"] == "str":
            result[name] = kept(value)
        elif isinstance(value, list) and option.get("elements") == "str":
            result[name] = [kept(each) for each in value]
        if option.get("required") and result[name] == "":
            path = f"{where}{name}"
            message = "must not be empty." if not where else f"{path} must not be empty."
            raise RequestRefused(0, message, path)
    return result
