# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What there is of many bots, in as few requests as may be."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils import accounts, names, tokens
from ansible_collections.keyturn.hub.plugins.module_utils.client import PAGE, RequestRefused

FEW = 10  # so many are read one by one
FURTHEST = 10_000  # from where on the server answers no page
SHARE = 5  # an account in a page costs the server a fifth of a request
SHOWN = 100  # tokens of an account, in an answer about accounts


class Reading:
    """`bots` by login in lower case, with their tokens; `inside_owner` and `inside_label` for clearing the boundary."""

    def __init__(self, client, declared, boundary, purge, pool):
        self._client = client
        self._pool = pool
        self._fields = _fields(declared)
        self.bots = {}
        self.inside_owner = []
        self.inside_label = []
        self.acting = ()  # ids of the account and the token that act
        if boundary.get("owner"):
            self._read_owned(boundary["owner"])
        self._read_others([names.login(bot["login"]) for bot in declared])
        self._complete(self.bots.values())
        if purge:
            self._read_what_may_go(boundary)

    def _read_owned(self, owner):
        if self._client.get("users", owner, fields="id") is None:
            raise RequestRefused(404, f"there is no account {owner}.", "boundary")
        self.inside_owner = self._read_pages({"query": f"owner: {{{owner}}}"})

    def _read_pages(self, query):
        first = self._page(query, 0)
        starts = range(PAGE, first["total"], PAGE)
        pages = [first, *self._pool.map(lambda skip: self._page(query, skip), starts)]
        found = [bot for page in pages for bot in page["users"]]
        self.bots.update({names.login(bot["login"]): bot for bot in found})
        return found

    def _page(self, query, skip):
        return self._client.get("users", fields=self._fields, **query, **{"$skip": skip, "$top": PAGE})

    def _read_others(self, logins):
        """Those that were not read yet: one by one, or all accounts there are, whichever takes fewer requests."""
        missing = [login for login in logins if login not in self.bots]
        if len(missing) > FEW:
            there = self._client.get("users", fields="id", **{"$top": 1})["total"]
            if there <= FURTHEST and there <= PAGE * len(missing) // SHARE:
                self._read_pages({})
                return
        for bot in self._pool.map(lambda login: self._client.get("users", login, fields=self._fields), missing):
            if bot:
                self.bots[names.login(bot["login"])] = bot

    def again(self, login):
        """One bot as it is now, or None."""
        bot = self._client.get("users", names.kept(login), fields=self._fields)
        if bot:
            self._complete([bot])
        return bot

    @property
    def inside(self):
        """How many bots and tokens are inside the boundary."""
        owned = [token["id"] for bot in self.inside_owner for token in bot["permanentTokens"]]
        return len(self.inside_owner) + len({*owned, *(token["id"] for token in self.inside_label)})

    def _complete(self, bots):
        """An answer about accounts has no more than a hundred tokens of each."""
        asked = self._fields[self._fields.index("permanentTokens(") + len("permanentTokens(") : -1]
        for bot in bots:
            if len(bot["permanentTokens"]) >= SHOWN:
                path = ("users", bot["id"], "permanenttokens")
                bot["permanentTokens"] = self._client.get_all("permanenttokens", *path, fields=asked)

    def _read_what_may_go(self, boundary):
        me = self._client.get("users", "me", fields="id")
        current = self._client.get("users", "me", "permanenttokens", "current", fields="id") or {}
        self.acting = (me["id"], current.get("id"))
        if boundary.get("label"):
            self.inside_label = self._client.trail(
                "permanenttokens", "permanenttokens", label=boundary["label"], fields="id,name,user(id,login)"
            )


def _fields(declared):
    """What has to be asked of an account, for all that any bot declares."""
    options = {name for bot in declared for name in accounts.OPTIONS if bot[name] is not None}
    wanted = {name: True if name in options else None for name in accounts.OPTIONS}
    every = [token for bot in declared for token in bot["tokens"] or []]
    said = {name: next((True for token in every if token[name] is not None), None) for name in tokens.OPTIONS}
    return f"{accounts.fields(wanted)},permanentTokens({tokens.fields(said)})"
