#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service
short_description: Declare a service
version_added: 0.1.0
description:
  - Creates, changes and deletes services, which are what tokens are good for.
  - The secret with which a service asks about tokens is made by the module, unless O(secret) declares it. It is only in
    the result of the run that makes it, or of each run that declares it. Such a result is never printed, whatever the
    verbosity; register it and hand the secret over in the same play.
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
  - module: keyturn.hub.service_info
  - module: keyturn.hub.policy
options:
  key:
    description:
      - The service's key, which identifies it.
    type: str
    required: true
  name:
    description:
      - Its name. Required to create a service.
    type: str
  application_name:
    description:
      - What kind of program it is.
    type: str
  vendor:
    description:
      - Who makes the program.
    type: str
  version:
    description:
      - The program's version.
    type: str
  home_url:
    description:
      - Where people find it.
    type: str
  icon_url:
    description:
      - Its picture.
    type: str
  base_urls:
    description:
      - Where it is reached.
    type: list
    elements: str
  redirect_uris:
    description:
      - Where people are sent back to after they have logged in for it (OAuth 2.0).
    type: list
    elements: str
  grant_types:
    description:
      - In which ways it may come by access tokens (OAuth 2.0).
    type: list
    elements: str
    choices:
      - authorization_code
      - client_credentials
      - refresh_token
      - urn:ietf:params:oauth:grant-type:device_code
      - urn:ietf:params:oauth:grant-type:token-exchange
  trusted:
    description:
      - Whether nobody needs to approve what it may do for them.
    type: bool
  public:
    description:
      - Whether it cannot keep a secret, such as a program on people's own machines.
    type: bool
  default_roles:
    description:
      - Exactly the roles, by key, id or name, that it names as those of new members.
    type: list
    elements: str
  visible_to:
    description:
      - Exactly the groups, by name or id, whose members see it without further permissions.
    type: list
    elements: str
  permissions:
    description:
      - Exactly the permissions that it declares for roles.
    type: list
    elements: dict
    suboptions:
      key:
        description: The permission's key.
        type: str
        required: true
      name:
        description: Its name; if not given, the key.
        type: str
  secret:
    description:
      - The secret that the service's is to be made of, such as from a vault, instead of one that the module makes.
      - 43 characters of A-Z, a-z and 0-9, chosen at random (P(keyturn.hub.new_secret#lookup) makes one). The result of
        every run has the whole secret.
      - A different value renews the secret, with O(grace). One that was the service's before is refused.
    type: str
  renew_secret:
    description:
      - Whether to make a new secret, at every run, with O(grace). Of many hosts each does, so use C(run_once). Not
        together with O(secret), which is renewed by another value.
    type: bool
    default: false
  grace:
    description:
      - How long the secret before goes on after a renewal, such as V(36h), V(7d), V(P7D) or seconds. With V(0), all
        earlier ones end at once.
      - If not given, a day.
    type: str
  state:
    description:
      - V(present) makes the service exist as declared; options that are left out stay as they are.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: The build server can ask about tokens
  keyturn.hub.service:
    key: ci
    name: Build server
    home_url: https://ci.example.com
    permissions:
      - key: deploy
        name: Deploy
  register: ci

- name: Its secret goes where it is used
  ansible.builtin.copy:
    content: "{{ ci.secret }}"
    dest: /etc/ci/keyturn-secret
    mode: "0600"
  no_log: true
  when: ci.secret is defined

- name: A service whose secret is in a vault, and goes on for a day when it is replaced there
  keyturn.hub.service:
    key: wiki
    name: Wiki
    secret: "{{ vault_wiki_secret }}"
    grace: 1d
  register: wiki
"""

RETURN = r"""
service:
  description: The service as it is now, or as it would be in check mode, with the fields of Hub's contract.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    key:
      description: Its key.
      type: str
      sample: ci
    name:
      description: Its name.
      type: str
      sample: Build server
    applicationName:
      description: What kind of program it is.
      type: str
    vendor:
      description: Who makes the program.
      type: str
    version:
      description: The program's version.
      type: str
    homeUrl:
      description: Where people find it.
      type: str
      sample: https://ci.example.com
    iconUrl:
      description: Its picture.
      type: str
    baseUrls:
      description: Where it is reached.
      type: list
      elements: str
    redirectUris:
      description: Where people are sent back to after they have logged in for it.
      type: list
      elements: str
    grantTypes:
      description: In which ways it may come by access tokens.
      type: list
      elements: str
      sample: ["client_credentials"]
    trusted:
      description: Whether nobody needs to approve what it may do for them.
      type: bool
    public:
      description: Whether it cannot keep a secret.
      type: bool
    defaultRoles:
      description: The roles that it names as those of new members.
      type: list
      elements: dict
      contains:
        id:
          description: The role's id.
          type: str
    permissions:
      description: The permissions that it declares for roles.
      type: list
      elements: dict
      contains:
        key:
          description: The permission's key.
          type: str
        name:
          description: Its name.
          type: str
    groups:
      description: The groups whose members see it without further permissions.
      type: list
      elements: dict
      contains:
        id:
          description: The group's id.
          type: str
secret:
  description:
    - The service's secret. The whole result is hidden from the output, and available to later tasks.
  returned: only when this run made one, or declares O(secret)
  type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import services
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(services.ARGUMENTS, services.ensure, services.FIELD_OPTIONS)


if __name__ == "__main__":
    main()
