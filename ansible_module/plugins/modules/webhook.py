#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: webhook
short_description: Declare a webhook
version_added: 0.1.0
description:
  - Creates, changes and deletes webhooks, which are told what happens to permanent tokens and to the
    secrets of services, and gives them secrets.
  - A secret that this module makes is only in the result of the run that makes it, which is never printed, whatever
    the verbosity; register it and hand the secret over in the same play. Or declare O(secret), such as from a vault.
  - Keyturn alone has them.
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
  - module: keyturn.hub.webhook_info
options:
  name:
    description:
      - The webhook's name, which identifies it. Case does not matter, and stays as it is.
    type: str
    required: true
  address:
    description:
      - Where messages are sent, by https. Required to create a webhook.
      - At another address a webhook is told again, also if its receiver wanted to be told nothing any more.
    type: str
  events:
    description:
      - Exactly the events that it is told of; an empty list for all. Order does not matter.
    type: list
    elements: str
    choices:
      - permanent-token.created
      - permanent-token.updated
      - permanent-token.rotated
      - permanent-token.rotation-taken-back
      - permanent-token.expiring
      - permanent-token.expired
      - permanent-token.rotation-due
      - permanent-token.unused
      - permanent-token.reused
      - permanent-token.leaked
      - permanent-token.revoked
      - service.secret-renewed
      - service.secret-renewal-taken-back
  secret:
    description:
      - The secret that signs its messages, such as from a vault, instead of one that this module makes.
      - C(whsec_) and the base64 of 24 to 64 random bytes (Standard Webhooks), such as by C(openssl rand -base64 32).
      - A different value renews the secret, with O(grace). One that was the webhook's before is refused.
    type: str
  grace:
    description:
      - How long the secret before goes on to sign beside a new one, such as V(36h), V(7d), V(P7D) or seconds. With
        V(0), all earlier ones end at once.
      - If not given, a day.
    type: str
  state:
    description:
      - V(present) makes the webhook exist as declared; options that are left out stay as they are.
      - V(absent) deletes it; it is told nothing any more.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Operations is told what leaks and what ends
  keyturn.hub.webhook:
    name: operations
    address: https://hooks.example.com/keyturn
    events:
      - permanent-token.leaked
      - permanent-token.expiring
    secret: "{{ vault_webhook_secret }}"
    grace: 2d

- name: The new place of the receiver
  keyturn.hub.webhook:
    name: operations
    address: https://new.example.com/keyturn

- name: Nobody is told any more
  keyturn.hub.webhook:
    name: operations before 2026
    state: absent
"""

RETURN = r"""
webhook:
  description: The webhook as it is now, or as it would be in check mode, without its secret.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    name:
      description: Its name.
      type: str
      sample: operations
    url:
      description: Where events are sent to.
      type: str
      sample: https://hooks.example.com/keyturn
    kinds:
      description: The kinds of events that it hears of; none for all.
      type: list
      elements: str
      sample: ["permanent-token.leaked"]
secret:
  description:
    - The webhook's secret. The whole result is hidden from the output, and available to later tasks.
  returned: when this run made one
  type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import webhooks
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(webhooks.ARGUMENTS, webhooks.ensure, webhooks.FIELD_OPTIONS)


if __name__ == "__main__":
    main()
