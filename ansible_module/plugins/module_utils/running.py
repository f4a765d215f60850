# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the modules' `main` functions have in common."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.keyturn.hub.plugins.module_utils.client import CONNECTION_ARGUMENTS, Client, RequestRefused


def run(arguments, ensure, field_options, required_if=()):
    """Run `ensure(client, parameters, check_mode)` and exit with its result.

    `field_options` maps the server's names of fields to the options that set them, so that a
    refusal names what is in the playbook.
    """
    module = AnsibleModule(
        argument_spec=dict(CONNECTION_ARGUMENTS, **arguments),
        required_if=list(required_if),
        supports_check_mode=True,
    )
    try:
        result = ensure(Client.from_parameters(module.params), module.params, module.check_mode)
    except RequestRefused as refusal:
        option = field_options.get((refusal.field or "").split("[")[0])
        prefix = f"Option {option}: " if option else ""
        module.fail_json(msg=prefix + str(refusal), status=refusal.status)
    module.exit_json(**result)
