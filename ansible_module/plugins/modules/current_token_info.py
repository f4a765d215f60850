#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: current_token_info
short_description: Tell of the token that is presented
version_added: 0.1.0
description:
  - Reads what the option O(token) itself is, whatever its scope, so that whoever holds a token can see whether it
    is good, whose it is and when it ends.
  - Keyturn alone can tell.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.permanent_token
options: {}
"""

EXAMPLES = r"""
- name: What was handed over is good
  keyturn.hub.current_token_info:
    token: "{{ handed_over }}"
  register: current
"""

RETURN = r"""
permanent_token:
  description: The token, with its owner and RV(ignore:endsOn). A token that is not good is a failure.
  returned: success
  type: dict
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run({}, reading.current_token)


if __name__ == "__main__":
    main()
