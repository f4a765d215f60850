"""What a Hub has, made in Keyturn: once, however often it is run, and reported one by one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import Api, collection, part
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.output import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keyturn_cli.hub.source import Holdings, Raw

OWN_SERVICE = "0-0-0-0-0"  # of Hub itself, and of Keyturn
COPIED = ("applicationName", "vendor", "version", "homeUrl", "baseUrls", "redirectUris", "iconUrl", "trusted")
LABEL = "hub="  # and the token's id there: so a second run finds what the first one made
MADE, THERE, REFUSED = "made", "there already", "refused"


@dataclass
class Moved:
    """A token that its owner has to rotate: the account that it is of, and whom to tell."""

    owner: str  # logins
    told: str
    email: str | None
    name: str
    services: list[str]
    last_used: int | None


@dataclass
class Report:
    """What became of everything."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    tokens: list[Moved] = field(default_factory=list)

    def note(self, kind: str, outcome: str, why: str = "") -> None:
        self.counts.setdefault(kind, Counter())[outcome] += 1
        if outcome == REFUSED:
            self.refused.append(why)


class Move:
    """Of `holdings` to `keyturn`. `bots`: names of Hub's groups whose members are bots. With `pretend`, nothing is
    changed, and what would be refused is not known."""

    def __init__(self, keyturn: Api, holdings: Holdings, bots: Iterable[str], pretend: bool) -> None:
        self._keyturn, self._hub, self._pretend = keyturn, holdings, pretend
        self._bots = {each["id"] for each in holdings.groups if each["name"] in set(bots)}
        self._keys = {each["id"]: service_key(each) for each in holdings.services}
        self._groups: dict[str, str] = {}  # Hub's id -> Keyturn's
        self._logins: set[str] = set()  # of accounts that are in Keyturn, in lower case
        self.report = Report()

    def run(self, track: Callable[[list[Raw], str], Iterable[Raw]]) -> Report:
        """Everything, in an order in which each finds what it needs. `track` shows how far it is. Raises Problem if
        Keyturn does not answer; a second run goes on from there."""
        self._services(track(self._hub.services, "Services"))
        self._make_groups(track(list(parents_first(self._hub.groups)), "Groups"))
        self._accounts(track(sorted(self._hub.accounts, key=self._is_bot), "Accounts"))  # people own bots
        return self.report

    def _services(self, services: Iterable[Raw]) -> None:
        there = {each["key"] for each in collection(self._keyturn, "/services", "key")}
        for each in services:
            if each["id"] == OWN_SERVICE:
                continue
            key = self._keys[each["id"]]
            body = {"key": key, "name": each["name"], **{name: each[name] for name in COPIED if each.get(name)}}
            self._make("services", key in there, f"service {each['name']}", "/services", body)

    def _make_groups(self, groups: Iterable[Raw]) -> None:
        there = {each["name"]: each["id"] for each in collection(self._keyturn, "/usergroups", "id,name")}
        refused = set[str]()
        for each in groups:
            body = {"name": each["name"]}
            if each.get("requiredTwoFactorAuthentication"):
                body["requiredTwoFactorAuthentication"] = True
            parent = _parent(each) or ""
            if parent in refused:  # outermost, its members would be rid of what the parent demands
                refused.add(each["id"])
                self.report.note("groups", REFUSED, f"group {each['name']}: its parent was refused.")
                continue
            if parent in self._groups:
                body["parent"] = {"id": self._groups[parent]}
            known = there.get(each["name"])
            made = self._make("groups", known is not None, f"group {each['name']}", "/usergroups", body)
            if id := known or (made and made["id"]) or (self._pretend and each["id"]):
                self._groups[each["id"]] = id
            else:
                refused.add(each["id"])

    def _accounts(self, accounts: Iterable[Raw]) -> None:
        fields = "id,login,banned,groups(id)"
        there = {each["login"].lower(): each for each in collection(self._keyturn, "/users", fields)}
        self._logins = set(there)
        for each in accounts:
            known = there.get(each["login"].lower())
            made = self._make("accounts", known is not None, f"account {each['login']}", "/users", self._account(each))
            account = known or made
            if account:
                self._logins.add(each["login"].lower())
            if account or self._pretend:
                self._ban(each, account or {})
                self._join(each, account or {})
            self._tokens(each, account)

    def _account(self, each: Raw) -> Raw:
        body: Raw = {"login": each["login"], "name": each.get("name") or each["login"], "type": "user"}
        if email := _email(each):
            body["profile"] = {"email": {"email": email}}
        if self._is_bot(each):
            body["type"] = "bot"
            makers = [_author(token).get("login", "") for token in self._hub.tokens.get(each["id"], [])]
            if owner := next((login for login in makers if login.lower() in self._logins), None):
                body["owner"] = {"login": owner}  # who is asked about it
        return body

    def _is_bot(self, account: Raw) -> bool:
        return any(group["id"] in self._bots for group in account.get("groups") or [])

    def _ban(self, each: Raw, account: Raw) -> None:
        """Also after a run that ended between an account and its ban."""
        if each.get("banned") and not account.get("banned"):
            reason = {"banReason": each["banReason"]} if each.get("banReason") else {}
            path = _of(account) if account else ""
            self._make("bans", False, f"ban of {each['login']}", path, {"banned": True, **reason})

    def _join(self, each: Raw, account: Raw) -> None:
        member = {group["id"] for group in account.get("groups") or []}
        for group in each.get("groups") or []:
            if id := self._groups.get(group["id"]):
                what, body = f"{each['login']} in a group", {"id": account.get("id")}
                self._make("memberships", id in member, what, f"/usergroups/{part(id)}/users", body)

    def _tokens(self, owner: Raw, account: Raw | None) -> None:
        tokens = self._hub.tokens.get(owner["id"], [])
        if not tokens:
            return
        path = f"{_of(account)}/permanenttokens" if account else ""
        held = collection(self._keyturn, path, "name,labels") if account else []
        there = {label: each["name"] for each in held for label in each["labels"]}
        names = {each["name"].casefold() for each in held}
        for each in tokens:
            label, what = f"{LABEL}{each['id']}", f"token {each['name']} of {owner['login']}"
            name = there.get(label) or _free(each["name"], names)
            body = {"name": name, "scope": self._scope(each), "labels": [label], "description": _history(each)}
            if account is None and not self._pretend:
                self.report.note("tokens", REFUSED, f"{what}: there is no such account.")
            elif self._make("tokens", label in there, what, path, body) or label in there or self._pretend:
                self.report.tokens.append(self._moved(owner, {**each, "name": name}))

    def _scope(self, token: Raw) -> list[Raw]:
        ids = [service["id"] for service in token.get("scope") or []]
        return [{"id": id} if id == OWN_SERVICE else {"key": self._keys.get(id, id)} for id in ids]

    def _moved(self, owner: Raw, token: Raw) -> Moved:
        """A person rotates what is theirs; what a bot has, whoever made it."""
        accounts = {each["id"]: each for each in self._hub.accounts}
        told = accounts.get(_author(token).get("id"), owner) if self._is_bot(owner) else owner
        services = [service.get("name", service["id"]) for service in token.get("scope") or []]
        return Moved(owner["login"], told["login"], _email(told), token["name"], services, token.get("lastAccessTime"))

    def _make(self, kind: str, known: bool, what: str, path: str, body: Raw) -> Raw | None:
        """The answer, if it was made. A refusal is noted, and the rest goes on."""
        if known or self._pretend:
            self.report.note(kind, THERE if known else MADE)
            return None
        try:
            made: dict[str, Any] = self._keyturn.post(path, body)
        except Problem as error:
            if error.exit_code != ExitCode.REFUSED:
                raise
            self.report.note(kind, REFUSED, f"{what}: {error.message}")
            return None
        made.pop("token", None)  # nobody is meant to have it: whoever uses the token rotates it
        self.report.note(kind, MADE)
        return made


def parents_first(groups: list[Raw]) -> Iterator[Raw]:
    """All groups but the one of all users, each after its parent as far as that is possible."""
    waiting = [each for each in groups if not each.get("allUsers")]
    known = {each["id"] for each in waiting}
    done: set[str] = set()
    while waiting:
        ready = [each for each in waiting if _parent(each) not in known - done] or waiting  # or they go in a circle
        yield from ready
        done |= {each["id"] for each in ready}
        waiting = [each for each in waiting if each["id"] not in done]


def service_key(service: Raw) -> str:
    """The key that it has, or one made of its name: Keyturn wants letters, digits, dots, lines and underscores, and
    nothing that has the form of Keyturn's own ids."""
    for wanted in (service.get("key"), service["name"], service["id"]):
        key = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted or "").strip("-._")
        if key and not re.fullmatch(r"[A-Za-z0-9]{12}", key):
            return key
    raise AssertionError("Hub's ids are letters, digits and lines.")


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number if another token of the account has it: in Hub several may. It is taken from now on."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name} ({number})"
    taken.add(found.casefold())
    return found


def _parent(group: Raw) -> str | None:
    return (group.get("parent") or {}).get("id")


def _author(token: Raw) -> Raw:
    return token.get("author") or {}


def _email(account: Raw) -> str | None:
    email = ((account.get("profile") or {}).get("email") or {}).get("email")
    return str(email) if email else None


def _of(account: Raw) -> str:
    return f"/users/{part(account['id'])}"


def _history(token: Raw) -> str:
    author = _author(token)
    by = author.get("name") or author.get("login") or "somebody"
    made, used = moment(token.get("creationTime")), moment(token.get("lastAccessTime"))
    return f"From Hub, made there {made} by {by}, last used {used}. Rotate it to get its secret."
