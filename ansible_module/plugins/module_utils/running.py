# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the modules' `main` functions have in common."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.keyturn.hub.plugins.module_utils.client import CONNECTION_ARGUMENTS, Client, RequestRefused


def run(arguments, ensure, field_options=None, kept_alive=False, **rules):
    """Run `ensure(client, parameters, check_mode)` and exit with its result.

    `field_options` maps the server's names of fields to the options that set them, where they differ, so that a
    refusal names what is in the playbook. `rules` are those of AnsibleModule, such as `required_if`.
    """
    module = AnsibleModule(argument_spec=dict(CONNECTION_ARGUMENTS, **arguments), supports_check_mode=True, **rules)
    options = dict({name: name for name in arguments}, **(field_options or {}))
    try:
        client = Client.from_parameters(module.params, kept_alive)
        result = ensure(client, module.params, module.check_mode)
    except RequestRefused as refusal:
        option = options.get((refusal.field or "").split("[")[0].split(".")[0])
        prefix = f"Option {option}: " if option else ""
        module.fail_json(msg=prefix + str(refusal), status=refusal.status)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
