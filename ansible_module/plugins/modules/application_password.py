#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: application_password
short_description: Declare an application password
version_added: 0.1.0
description:
  - Creates and deletes application passwords, for clients that know no second factor.
  - Only their owner can create them, with two-factor authentication on.
  - The password is only in the result of the run that makes it, which is never printed, whatever the verbosity.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: A result that holds a secret is not printed, and so neither is its diff; in check mode it is.
seealso:
  - module: keyturn.hub.application_password_info
options:
  user:
    description:
      - The login of the account that it belongs to; by default the one that acts.
    type: str
    default: me
  name:
    description:
      - Its name, which identifies it among those of the account.
    type: str
    required: true

  state:
    description:
      - V(present) makes it exist.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: The mail client has a password of its own
  keyturn.hub.application_password:
    name: mail client
  register: mail
"""

RETURN = r"""
application_password:
  description: The application password as it is now, or as it would be in check mode.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id; absent in check mode for one that does not exist yet.
      type: str
    name:
      description: Its name.
      type: str
secret:
  description:
    - The password itself. The whole result is hidden from the output, and available to later tasks.
  returned: only when this run made it
  type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import application_passwords
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(application_passwords.ARGUMENTS, application_passwords.ensure)


if __name__ == "__main__":
    main()
