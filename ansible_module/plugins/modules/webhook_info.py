#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: webhook_info
short_description: Tell of webhooks
version_added: 0.1.0
description:
  - Reads webhooks, with how their receivers answer, what waits, and when that is tried again.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.webhook
options:
  name:
    description:
      - The webhooks to tell of, by name or id.
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of one webhook
  keyturn.hub.webhook_info:
    name: operations
  register: found

- name: It takes what it is sent
  ansible.builtin.assert:
    that: found.webhooks[0].failing is none
    fail_msg: "{{ found.webhooks[0].problem }}; {{ found.webhooks[0].waiting }} messages wait"
"""

RETURN = r"""
webhooks:
  description: The webhooks; none where there is none of this name. With O(fields), what it asks for instead.
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
    creationTime:
      description: When it was made, in milliseconds since 1970.
      type: int
    secrets:
      description: From when to when its secrets are good; the current one is last.
      type: list
      elements: dict
      contains:
        creationTime:
          description: When it was made, in milliseconds since 1970.
          type: int
        endsOn:
          description: When it ends, in milliseconds since 1970; null for no end.
          type: int
    failing:
      description: Since when nothing has arrived, in milliseconds since 1970; null if the last attempt did.
      type: int
    problem:
      description: Why the last attempt failed; null if it did not.
      type: str
    gone:
      description: Whether the address says that it is gone for ever.
      type: bool
    lastSuccess:
      description: When something arrived last, in milliseconds since 1970; null if nothing did.
      type: int
    waiting:
      description: How many events wait to be sent.
      type: int
    nextTry:
      description: When the next attempt is, in milliseconds since 1970; null if nothing waits.
      type: int
    attempt:
      description: The number of the next attempt for the oldest of them; null if nothing waits.
      type: int
    attempts:
      description: After how many attempts an event is given up.
      type: int
    givenUps:
      description: How many events were given up.
      type: int
    givenUp:
      description: The last of them; null for none.
      type: dict
      contains:
        id:
          description: The event's id.
          type: str
        kind:
          description: Its kind.
          type: str
        tokenId:
          description: The id of the token that it tells of.
          type: str
        time:
          description: When it was given up, in milliseconds since 1970.
          type: int
        problem:
          description: Why the last attempt failed.
          type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"name": {"type": "str"}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.webhooks)


if __name__ == "__main__":
    main()
