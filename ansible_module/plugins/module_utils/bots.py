# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The whole desired state of many bots: read together, planned, applied in parallel; what is not declared goes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.keyturn.hub.plugins.module_utils import accounts, names, plan, removals, tokens
from ansible_collections.keyturn.hub.plugins.module_utils.batches import TOGETHER, batched
from ansible_collections.keyturn.hub.plugins.module_utils.bot_reading import Reading
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept
from ansible_collections.keyturn.hub.plugins.module_utils.running import reading_again
from ansible_collections.keyturn.hub.plugins.module_utils.token_reading import one_of
from ansible_collections.keyturn.hub.plugins.module_utils.token_rules import shown
from ansible_collections.keyturn.hub.plugins.module_utils.token_work import moment

ACCOUNT_OPTIONS = {name: option for name, option in accounts.OPTIONS.items() if name != "type"}
ARGUMENTS = {
    "bots": {
        "type": "list",
        "elements": "dict",
        "options": dict(
            ACCOUNT_OPTIONS,
            login={"type": "str", "required": True},
            tokens={"type": "list", "elements": "dict", "options": tokens.OPTIONS, "no_log": False},
        ),
    },
    "src": {"type": "path"},
    "boundary": {"type": "dict", "options": {"owner": {"type": "str"}, "label": {"type": "str"}}},
    "purge": {"type": "bool", "default": False},
    "max_removals": {"type": "str"},
    "allow_empty": {"type": "bool", "default": False},
    "parallel": {"type": "int", "default": 8},
}


def ensure(client, parameters, check_mode):
    """Make all bots as declared; the module's result."""
    _require_consistent(parameters)
    lanes = max(1, min(parameters["parallel"], 64))
    with ThreadPoolExecutor(max_workers=lanes * TOGETHER) as pool:
        return _Reconciliation(batched(client, lanes), parameters, check_mode, pool).run()


class _Bot:
    """A declared bot on its way: what there is, and what came of account and tokens."""

    def __init__(self, parameters, existing):
        self.parameters = parameters
        self.existing = existing
        self.account = None
        self.tokens = []

    @property
    def changed(self):
        return self.account["changed"] or any(result["changed"] for _name, result in self.tokens)


class _Reconciliation:
    """One run."""

    def __init__(self, client, parameters, check_mode, pool):
        self.client = client
        self.parameters = parameters
        self.check_mode = check_mode
        self.pool = pool
        self.boundary = parameters["boundary"] or {}
        self.catalog = Catalog(client, check_mode)
        # Plans what is then done: the server is asked whether it would do it in check mode alone, where nothing is.
        self.planner = client if check_mode else client.planning()
        self.now = moment()
        self.going = set()  # ids of tokens of declared bots that are not declared
        self.declared = [self._inside(bot) for bot in parameters["bots"] or []]
        self.catalog.tokens = sum(len(bot["tokens"] or []) for bot in self.declared)

    def run(self):
        """Plan everything; then, unless there is nothing to do or this is check mode, do it."""
        reading = Reading(self.client, self.declared, self.boundary, self.parameters["purge"], self.pool)
        self.reading = reading
        bots = [_Bot(each, reading.bots.get(names.login(each["login"]))) for each in self.declared]
        failures = self._for_each(bots, lambda bot: self._make(bot, True))
        if failures:
            return self._failed("Nothing was changed, since not all of it can be.", failures)
        gone_bots, gone_tokens = self._not_declared(reading)
        if self.parameters["purge"]:
            removals.require_few(self.parameters, len(gone_bots) + len(gone_tokens) + len(self.going), reading.inside)
        lines = [line for bot in bots for line in plan.of_bot(bot.parameters["login"], bot.account, bot.tokens)]
        lines += ["- bot {}".format(bot["login"]) for bot in gone_bots]
        lines += ["-   token {} of {}".format(token["name"], token["user"]["login"]) for token in gone_tokens]
        if not self.check_mode:
            failures = self._apply([bot for bot in bots if bot.changed], gone_bots, gone_tokens)
            if failures:
                return self._failed("Not all of it could be done. Run it again.", failures)
        else:
            failures = self._remove(self.client.rehearsing() if lines else None, gone_bots, gone_tokens)
            if failures:
                return self._failed("Nothing was changed, since not all of it can be.", failures)
        return self._result(bots, lines)

    def _apply(self, bots, gone_bots, gone_tokens):
        failures = self._for_each(bots, self._make_or_read_again)
        if failures:
            return failures  # nothing is removed then, and secrets stay marked as not handed over
        failures = self._remove(self.client, gone_bots, gone_tokens)
        if not failures:
            self._for_each(self.catalog.at_end, lambda finish: finish())
        return failures

    def _remove(self, act, gone_bots, gone_tokens):
        if act is None:
            return []

        def remove(token):
            act.delete("users", token["user"]["id"], "permanenttokens", token["id"])

        failures = self._for_each(gone_tokens, remove)
        return failures + self._for_each(gone_bots, lambda bot: act.delete("users", bot["id"]))

    def _make_or_read_again(self, bot):
        """Make one bot; if somebody else was faster, from what there is now."""
        planned = [True]

        def attempt(_client, _parameters, _check_mode):
            if not planned:
                bot.existing = self.reading.again(bot.parameters["login"])
                bot.tokens = []
                self._make(bot, True)
            planned.clear()
            self._make(bot, False)
            return {}

        reading_again(attempt)(self.client, self.parameters, False)

    def _make(self, bot, check_mode):
        """Plan or make one bot with its tokens."""
        client = self.planner if check_mode else self.client
        if check_mode or bot.account["changed"]:
            bot.account = accounts.make(client, self.catalog, bot.parameters, bot.existing, check_mode)
        tokens_there = (bot.existing or {}).get("permanentTokens", [])
        owner = bot.existing or ({"id": bot.account["user"]["id"]} if "id" in bot.account["user"] else None)
        planned = dict(bot.tokens)
        results = []
        for wanted in bot.parameters["tokens"] or []:
            name = kept(wanted["name"])
            result = planned.get(name)
            if check_mode or result["changed"]:
                there = one_of(tokens_there, name, self.now)
                wanted = self._labelled(wanted, there)
                result = tokens.make(client, self.catalog, owner, wanted, there, check_mode)
            results.append((name, result))
        for token in self._undeclared(bot, tokens_there):
            self.going.add(token["id"])
            act = client.acting(check_mode)
            if act:
                act.delete("users", owner["id"], "permanenttokens", token["id"])
            results.append((token["name"], outcome("permanent_token", {"name": token["name"]}, ABSENT)))
        bot.tokens = results

    def _undeclared(self, bot, there):
        """Tokens of a declared bot that go, since it is inside a boundary of owner."""
        if not (self.parameters["purge"] and self.boundary.get("owner")) or bot.parameters["tokens"] is None:
            return []  # a bot that says nothing of tokens keeps those that it has
        said = {kept(token["name"]) for token in bot.parameters["tokens"] or []}
        return sorted((token for token in there if kept(token["name"]) not in said), key=lambda token: token["name"])

    def _not_declared(self, reading):
        """Bots and tokens inside the boundary that nobody declares. Raises RequestRefused for those that act here."""
        if not self.parameters["purge"]:
            return [], []
        said = {names.login(each["login"]): each for each in self.declared}
        bots = [bot for bot in reading.inside_owner if names.login(bot["login"]) not in said]
        gone = {bot["id"] for bot in bots}
        left = []
        for token in reading.inside_label:
            bot = said.get(names.login(token["user"]["login"]))
            called = {kept(each["name"]) for each in (bot or {}).get("tokens") or []}
            owned = bot and (self.boundary.get("owner") or bot["tokens"] is None)
            if kept(token["name"]) not in called and token["user"]["id"] not in gone and not owned:
                left.append(token)
        going = gone | {token["id"] for token in left} | self.going
        if going & set(reading.acting):
            raise RequestRefused(0, "the account or token that acts is inside the boundary: declare it.", "boundary")
        return bots, left

    def _inside(self, bot):
        """A bot as declared, and inside the boundary."""
        wanted = dict(bot, type="bot")
        if self.boundary.get("owner") and wanted["owner"] is None:
            wanted["owner"] = self.boundary["owner"]
        return wanted

    def _labelled(self, token, existing):
        """A token as declared, and inside the boundary: with its label, besides those that it has or is to have."""
        label = self.boundary.get("label")
        if not label or token["state"] == "absent":
            return token
        labels = shown((existing or {}).get("labels")) if token["labels"] is None else token["labels"]
        return dict(token, labels=list(dict.fromkeys([*labels, label])))

    def _for_each(self, things, act):
        """Do something to all of them in parallel; what failed, in words."""

        def attempt(thing):
            try:
                act(thing)
            except RequestRefused as refusal:
                name = (
                    thing.parameters["login"] if isinstance(thing, _Bot) else str(thing.get("login") or thing["name"])
                )
                option = f"option {refusal.field}: " if refusal.field else ""
                return f"{name}: {option}{refusal}"
            return None

        return [failure for failure in self.pool.map(attempt, things) if failure]

    def _failed(self, message, failures):
        return {"failed": True, "msg": " ".join([message, *failures[:20]]), "failures": failures}

    def _result(self, bots, lines):
        return {
            "changed": bool(lines),
            "diff": {"prepared": "".join(line + "\n" for line in lines)},
            "plan": lines,
            "bots": [_shown(bot) for bot in bots],
            "tokens": [_told(bot, name, made) for bot in bots for name, made in bot.tokens if _is_told(made)],
            "warnings": self.catalog.warnings,
        }


def _shown(bot):
    return {
        "login": bot.parameters["login"],
        "id": bot.account["user"].get("id"),
        "changed": bot.changed,
    }


def _is_told(made):
    return "secret" in made or "token_ids" in made


def _told(bot, name, made):
    told = {"user": bot.parameters["login"], "name": name}
    told.update({field: made[field] for field in ("secret", "token_ids") if field in made})
    return told


def _require_consistent(parameters):
    removals.require_limited(parameters)
    logins = [names.login(bot["login"]) for bot in parameters["bots"] or []]
    for login in _repeated(logins):
        raise RequestRefused(0, f"{login} is declared more than once.", "bots")
    owner = (parameters["boundary"] or {}).get("owner")
    for bot in parameters["bots"] or []:
        for name in _repeated(kept(token["name"]) for token in bot["tokens"] or []):
            raise RequestRefused(0, "{} declares the token {} more than once.".format(bot["login"], name), "bots")
        if owner and bot["owner"] is not None and names.login(bot["owner"]) != names.login(owner):
            raise RequestRefused(0, "{} is declared outside the boundary of {}.".format(bot["login"], owner), "bots")


def _repeated(texts):
    return [text for text, number in Counter(texts).items() if number > 1]
