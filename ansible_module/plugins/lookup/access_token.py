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
  - Or trades the identity token of a CI platform or cluster, which a trust rule of a bot admits (RFC 7523). It is
    given as O(assertion), or got as O(identity) says.
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
    description: The permanent token to trade, unless O(assertion) or O(identity) is given.
    type: str
    env:
      - name: KEYTURN_TOKEN
    vars:
      - name: keyturn_token
  assertion:
    description: The platform's identity token to trade.
    type: str
  account:
    description: With O(assertion), the login of the bot to act as.
    type: str
  identity:
    description:
      - Where the platform's identity token comes from, which is traded for the access token, instead of O(token).
      - It has the suboptions that the option of this name of the modules has, and the same environment variables in
        their place. It goes before E(KEYTURN_TOKEN), and cannot be given together with O(token) or O(assertion).
    type: dict
    vars:
      - name: keyturn_identity
  validate_certs:
    description: Whether to check the server's TLS certificate.
    type: bool
    default: true
  ca_path:
    description: A file with certificates of the authorities to trust, instead of the system's.
    type: path
    env:
      - name: KEYTURN_CA_PATH
  client_cert:
    description: A PEM file with the certificate to show to the server, and perhaps its key.
    type: path
    env:
      - name: KEYTURN_CLIENT_CERT
    vars:
      - name: keyturn_client_cert
  client_key:
    description: A PEM file with the key of O(client_cert), if it is not in the same file.
    type: path
    env:
      - name: KEYTURN_CLIENT_KEY
    vars:
      - name: keyturn_client_key
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

import os

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.keyturn.hub.plugins.module_utils.acting import ACCOUNT_VARIABLE
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_options import checked_identity
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import (
    ASSERTION,
    TRANSPORT,
    NoSession,
    TokenEndpoint,
    token_of,
    trade,
)

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class LookupModule(LookupBase):
    """The lookup."""

    def run(self, terms, variables=None, **kwargs):
        """One access token for all the services. Raises AnsibleError."""
        self.set_options(var_options=variables, direct=kwargs)
        if not terms:
            raise AnsibleError("keyturn.hub.access_token: name the services that the access token is for.")
        options = {name: self.get_option(name) for name in ("url", *TRANSPORT)}
        try:
            return [
                self._access_token(
                    TokenEndpoint(options, repetitions=0), " ".join(term.strip() for term in terms), kwargs
                )
            ]
        except NoSession as problem:
            raise AnsibleError(f"keyturn.hub.access_token: Option {problem.option}: {problem}") from None

    def _access_token(self, endpoint, scope, given):
        identity = self._identity(given)
        if identity:
            return trade(endpoint, identity, scope)[0]
        status, told = endpoint.ask(dict(self._subject(), scope=scope))
        return token_of(status, told)[0]

    def _identity(self, given):
        """The identity to act by, if the options say so, or else the environment. What is `given` to the lookup itself
        goes before what a variable or the environment says."""
        others = [name for name in ("token", "assertion") if given.get(name)]
        if given.get("identity") and others:
            raise NoSession(f"cannot be given together with {others[0]}.")
        said = None if others else self.get_option("identity")
        if not said and (self._secret("token") or self._secret("assertion") or not os.environ.get(ACCOUNT_VARIABLE)):
            return None
        return checked_identity(said or {})

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
        raise NoSession("is missing. Set token, identity, assertion, KEYTURN_TOKEN or KEYTURN_AS.", "token")
