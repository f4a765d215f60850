# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trades a permanent token, or a platform's identity token, for a short-lived access token."""

from __future__ import annotations

DOCUMENTATION = r"""
name: access_token
short_description: A short-lived access token of Keyturn
version_added: 0.1.0
author: The Keyturn authors (@keyturn)
description:
  - Trades a permanent token for an access token that is good for five minutes, and for some services only (RFC 8693).
  - Or trades the identity token of a CI platform or cluster, which a trust rule of a bot admits (RFC 7523).
  - Nothing is written down. It is looked up again wherever a variable that uses it is, which makes another one.
seealso:
  - module: keyturn.hub.trust_rule
  - module: keyturn.hub.current_token_info
options:
  _terms:
    description: The services that the access token is for, each by its key or id.
    type: list
    elements: str
    required: true
  url:
    description: The address of Keyturn, without C(/api/rest).
    type: str
    required: true
    env:
      - name: KEYTURN_URL
    vars:
      - name: keyturn_url
  token:
    description: The permanent token to trade, unless O(assertion) is.
    type: str
    env:
      - name: KEYTURN_TOKEN
    vars:
      - name: keyturn_token
  assertion:
    description: The platform's identity token to trade.
    type: str
  account:
    description: With O(assertion), the login of the bot to act as, where several have a rule that matches.
    type: str
  validate_certs:
    description: Whether to check the server's TLS certificate.
    type: bool
    default: true
  ca_path:
    description: A file with certificates of the authorities to trust, instead of the system's.
    type: path
    env:
      - name: KEYTURN_CA_PATH
  use_proxy:
    description: Whether to heed E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY).
    type: bool
    default: true
  timeout:
    description: How many seconds to wait for an answer.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: The build server is asked with a token that soon ends
  ansible.builtin.uri:
    url: https://ci.example.com/api/builds
    headers:
      Authorization: "Bearer {{ lookup('keyturn.hub.access_token', 'ci') }}"
  no_log: true
"""

RETURN = r"""
_raw:
  description: The access token.
  type: list
  elements: str
"""

import json
from urllib.parse import urlencode

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Misconfigured, OneByOne, Unreachable, root

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
TRANSPORT = ("validate_certs", "ca_path", "use_proxy", "timeout")
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class LookupModule(LookupBase):
    """The lookup."""

    def run(self, terms, variables=None, **kwargs):
        """One access token for all the services. Raises AnsibleError."""
        self.set_options(var_options=variables, direct=kwargs)
        if not terms:
            raise AnsibleError("keyturn.hub.access_token: name the services that the access token is for.")
        form = dict(self._subject(), scope=" ".join(term.strip() for term in terms))
        try:
            transport = OneByOne(**{name: self.get_option(name) for name in TRANSPORT})
            address = root(self.get_option("url")) + "/oauth2/token"
        except Misconfigured as problem:
            raise AnsibleError(f"keyturn.hub.access_token: Option {problem.option}: {problem}") from None
        try:
            answer = transport.send("POST", address, urlencode(form).encode(), FORM)
        except Unreachable as lost:
            raise AnsibleError(f"keyturn.hub.access_token: {address} does not answer: {lost}.") from None
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = {}
        if not isinstance(told, dict):
            told = {}
        if "access_token" not in told:
            reason = told.get("error_description") or told.get("error") or f"the server answers {answer.status}"
            raise AnsibleError(f"keyturn.hub.access_token: {reason}")
        return [told["access_token"]]

    def _secret(self, option):
        """A token as it is, without the line end that a file or a variable puts behind it."""
        return (self.get_option(option) or "").strip()

    def _subject(self):
        token, assertion = (self._secret(name) for name in ("token", "assertion"))
        if assertion:
            account = self.get_option("account")
            return dict({"grant_type": ASSERTION, "assertion": assertion}, **({"account": account} if account else {}))
        if token:
            return {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        raise AnsibleError("keyturn.hub.access_token: set token, KEYTURN_TOKEN or assertion.")
