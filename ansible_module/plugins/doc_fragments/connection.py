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
      - If neither this nor O(identity) is given, the value of the environment variable E(KEYTURN_TOKEN) is used.
    type: str
  identity:
    description:
      - Act by the identity of the job or workload instead of O(token), so that no secret is stored. A trust rule of the
        bot O(identity.account) has to let it in, and have Keyturn itself in its scope.
      - One login serves the whole run. It is kept in memory alone, renewed while the run goes on, and revoked at its
        end. The task runs on the controller, as the user that runs Ansible, whatever the host, O(ignore:become) and
        O(ignore:delegate_to).
      - It goes before E(KEYTURN_TOKEN). It cannot be given together with O(token); where one of the two is in
        O(ignore:module_defaults), V(null) takes it out of a task.
      - If neither is given, and the environment variable E(KEYTURN_AS) is set, the suboptions' environment variables
        alone say it. They are those of the command line C(keyturn).
      - See the collection's page on identities for what to set up on each platform.
    type: dict
    version_added: 0.1.0
    suboptions:
      source:
        description:
          - Where the identity token comes from.
          - V(github) asks GitHub Actions, or Forgejo Actions, for it.
          - V(gitlab) reads the environment variable that C(id_tokens) of the job sets.
          - V(kubernetes) reads the file of a projected service account token, anew each time.
          - V(aws) asks AWS STS for it (C(GetWebIdentityToken)). It needs botocore.
          - V(aap) reads what a credential type of Ansible Automation Platform sets, E(KEYTURN_ID_TOKEN) or the file
            that E(KEYTURN_ID_TOKEN_FILE) names, or what O(identity.file) or O(identity.variable) names.
          - V(file) and V(variable) read it, anew each time, from where these suboptions say.
          - If not given, the value of the environment variable E(KEYTURN_IDENTITY_SOURCE) is used.
        type: str
        required: true
        choices: [aap, aws, file, github, gitlab, kubernetes, variable]
      account:
        description:
          - The login or id of the bot to act as.
          - If not given, the value of the environment variable E(KEYTURN_AS) is used.
        type: str
        required: true
      audience:
        description:
          - For whom the identity token is, as the trust rule has it. V(github) and V(aws) make it for this one.
          - If not given, the value of the environment variable E(KEYTURN_AUDIENCE) is used, and otherwise the address
            in O(url), without C(/api/rest).
        type: str
      file:
        description:
          - The file with the identity token, for V(file), V(kubernetes) and V(aap).
          - If not given, the value of the environment variable E(KEYTURN_ID_TOKEN_FILE) is used for V(file), and for
            V(aap) where its variable is not set; for V(kubernetes), C(/var/run/secrets/keyturn/token).
        type: path
      variable:
        description:
          - The name of the environment variable with the identity token, for V(variable), V(gitlab) and V(aap).
          - If not given, it is C(KEYTURN_ID_TOKEN).
        type: str
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
