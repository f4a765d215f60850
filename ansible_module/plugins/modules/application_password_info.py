#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: application_password_info
short_description: Tell of application passwords
version_added: 0.1.0
description:
  - Reads the application passwords of an account, without the passwords themselves.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.application_password
options:
  user:
    description:
      - The login of the account; by default the one that acts.
    type: str
    default: me
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of application passwords
  keyturn.hub.application_password_info:
    user: deploy-bot
  register: found
"""

RETURN = r"""
application_passwords:
  description: The application passwords. With O(fields), what it asks for instead.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    name:
      description: Its name.
      type: str
      sample: mail client
    lastAccessTime:
      description: When it was used last, in milliseconds since 1970; null if never.
      type: int
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"user": {"type": "str", "default": "me"}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.application_passwords)


if __name__ == "__main__":
    main()
