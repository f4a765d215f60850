# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What tasks refer to by name: services, groups, roles, accounts. Each list is read once for a task."""

from __future__ import annotations

import threading

from ansible_collections.keyturn.hub.plugins.module_utils import names
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

KEYTURN = {"id": "0-0-0-0-0", "key": "keyturn"}
_FIELDS = {"services": "id,key,name", "usergroups": "id,name", "roles": "id,key,name"}
_FORMS = {"usergroups": names.group}
_WORDS = {"services": "service", "usergroups": "group", "roles": "role"}


class Catalog:
    """Finds things by id, key or name. In check mode, one that is missing is taken for one that an earlier task of the
    play creates, with a warning."""

    def __init__(self, client, check_mode):
        self._client = client
        self._check_mode = check_mode
        self._known = {}
        self._lock = threading.Lock()
        self.warnings = []
        self.tokens = 1  # how many permanent tokens the run is about
        self.at_end = []  # what is left to be done once all else went well

    def all(self, kind):
        """All services, usergroups or roles that the caller may see."""
        with self._lock:
            if kind not in self._known:
                self._known[kind] = self._client.get_all(kind, kind, fields=_FIELDS[kind])
            return self._known[kind]

    def find(self, kind, name, option, or_none=False):
        """The one thing of this name; None for a missing one, if that will do. Raises RequestRefused for `option`."""
        found = names.named(self.all(kind), name, _FORMS.get(kind, names.kept))
        if len(found) > 1:
            raise RequestRefused(0, f"{name} names more than one {_WORDS[kind]}; give an id.", option)
        if found:
            return found[0]
        if or_none:
            return None
        message = f"there is no {_WORDS[kind]} {name} that this account may see."
        if not self._check_mode:
            raise RequestRefused(404, message, option)
        self.warn(f"Option {option}: {message} Check mode takes it for one that an earlier task creates.")
        return {"id": None, "key": names.kept(name), "name": names.kept(name)}

    def find_all(self, kind, called, option):
        """These things, each once, in the order given."""
        found = []
        for name in called:
            thing = self.find(kind, name, option)
            if thing not in found:
                found.append(thing)
        return found

    def account(self, login, option, fields="id,type,name,login"):
        """The account with this login or id. Raises RequestRefused for `option`."""
        login = names.kept(login)
        if not login:
            raise RequestRefused(0, "must not hold an empty login.", option)
        with self._lock:
            if (login, fields) not in self._known:
                self._known[login, fields] = self._client.get("users", login, fields=fields)
            found = self._known[login, fields]
        if found is None and not self._check_mode:
            raise RequestRefused(404, f"there is no account {login}.", option)
        return found

    def is_keyturn(self):
        """Whether a Keyturn answers, and no Hub."""
        return any(service.get("key") == KEYTURN["key"] for service in self.all("services"))

    def warn(self, message):
        """Something that whoever runs the play should know."""
        if message not in self.warnings:
            self.warnings.append(message)


def reference(thing):
    """How a request names a thing."""
    return {"id": thing["id"]}
