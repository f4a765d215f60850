# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every module has: where the server is and how to reach it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of Keyturn, or of a JetBrains Hub. C(/api/rest) may be left out.
      - If not given, the value of the environment variable E(KEYTURN_URL) is used.
    type: str
    required: true
  token:
    description:
      - A permanent token of the account that acts. Its scope must include Keyturn itself. Blanks and line ends around
        it do not count.
      - If not given, the value of the environment variable E(KEYTURN_TOKEN) is used.
    type: str
    required: true
  validate_certs:
    description:
      - Whether to check the server's TLS certificate.
    type: bool
    default: true
  ca_path:
    description:
      - A file with certificates of the authorities to trust, instead of the system's.
      - If not given, the value of the environment variable E(KEYTURN_CA_PATH) is used.
      - E(SSL_CERT_FILE) and E(SSL_CERT_DIR) are heeded as usual.
    type: path
  client_cert:
    description:
      - A PEM file with the certificate to show to the server, and perhaps its key.
    type: path
  client_key:
    description:
      - A PEM file with the key of O(client_cert), if it is not in the same file.
    type: path
  use_proxy:
    description:
      - Whether to heed E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY).
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to wait for an answer.
    type: int
    default: 30
  retries:
    description:
      - How often to try again when the server is busy (429, 503), a gateway fails (502, 504) or the connection is lost.
      - It waits as long as C(Retry-After) says, and otherwise longer each time. What must not happen twice is looked
        for before it is tried again.
    type: int
    default: 3
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description:
      - Can run in C(check_mode) and tells exactly what would change. The server is asked whether it would refuse it, if
        it can answer that.
  diff_mode:
    description: Shows what changes, and never a secret.
  async:
    description: Can run with C(async).
    support: none
    details: It is refused, since Ansible would write the task's token, and secrets in its result, to the target's disk.
  action_group:
    description: Is part of an action group, so that C(module_defaults) can say how to reach the server.
    support: full
    membership:
      - keyturn.hub.all
  platform:
    description: Where it runs.
    support: full
    platforms: posix
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode), and does there what it always does.
    support: full
  diff_mode:
    description: Shows what changes, and never a secret.
    support: none
    details: Nothing changes.
  async:
    description: Can run with C(async).
    support: none
    details: It is refused, since Ansible would write the task's token to files on the target.
  action_group:
    description: Is part of an action group, so that C(module_defaults) can say how to reach the server.
    support: full
    membership:
      - keyturn.hub.all
  platform:
    description: Where it runs.
    support: full
    platforms: posix
"""
