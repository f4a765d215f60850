"""`docs/reference/authorization.md`, made from the table of rules. `python -m tests.rules_table` writes it."""

from __future__ import annotations

from chalicelib.core.access import permissions as p
from chalicelib.core.access.caller import FRESH_MS
from chalicelib.core.access.rules import Operation, Rule
from embedded.layout import PROJECT

PAGE = PROJECT / "docs" / "reference" / "authorization.md"
INTRODUCTION = f"""# Who may do what

This page is made from the table in `chalicelib/core/access/rules.py` (`python -m tests.rules_table`); a test compares
the two. What has no row cannot be asked. `chalicelib/core/access/caller.py` holds every column, in one place. No
caller's change is written without an audit record, and only what it permits makes those of a caller.

Whatever a request names has to be something that you may see: a role that you grant needs *Read Role*, the account or
group that it is granted to or revoked from *Read User* or *Read Group*, a member that you add or remove *Read User*,
and a service, as a place or in a scope, *Read Service* or one of its groups.

- **Permission**: the permission that it needs, for any account or in the service that it is about. *Everywhere*: it has
  to be granted everywhere, not for one service.
- **Own account**: the permission that is enough for your own account. *By login*: only after you have logged in, not
  with a token or application password.
- **Your permissions include**: whose permissions yours have to include, service by service. For your own account
  nothing is compared.
- **Recent login**: if you have logged in, or present an access token of somebody who has, that login is at most
  {FRESH_MS // 60_000} minutes old. Tokens of bots and pipelines have no login that could be too old. No application
  password can do it. Whoever is refused it, unless for the age of the login, leaves a record.
- **Not delegated**: a connected service that acts for you by OAuth 2.0 cannot do it.
- **Makes**: what is made has neither end nor networks. So a credential that has an end or networks cannot make it.

A session without the second factor that a group of yours requires can do what is marked ¹ and nothing else. An earlier
secret of a rotated token can read, and rotate its own token.
"""
COLUMNS = (
    "Operation",
    "Permission",
    "Own account",
    "Your permissions include",
    "Recent login",
    "Not delegated",
    "Makes",
)


def page() -> str:
    """The whole page."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_row(operation) for operation in Operation)]
    return INTRODUCTION + "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(operation: Operation) -> tuple[str, ...]:
    rule = operation.rule
    return (
        operation.name.lower().replace("_", " ") + ("¹" if rule.unproven else ""),
        _permission(rule),
        _own(rule),
        rule.includes.value if rule.includes else "",
        "yes" if rule.fresh else "",
        "yes" if rule.first_hand else "",
        rule.lasting or "",
    )


def _permission(rule: Rule) -> str:
    if rule.permission is None:
        return "none"
    name = "System Admin" if rule.permission == p.EVERY_PERMISSION else p.KEYTURN_PERMISSIONS[rule.permission]
    return name + (", everywhere" if rule.everywhere else "")


def _own(rule: Rule) -> str:
    if rule.own is None:
        return ""
    return p.KEYTURN_PERMISSIONS[rule.own] + (", by login" if rule.logged_in else "")


if __name__ == "__main__":
    PAGE.write_text(page())
