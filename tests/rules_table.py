"""`docs/reference/authorization.md`, made from the table of rules. `python -m tests.rules_table` writes it."""

from __future__ import annotations

from chalicelib.core.access import permissions as p
from chalicelib.core.access.caller import FRESH_MS
from chalicelib.core.access.rules import Operation, Rule
from embedded.layout import PROJECT

PAGE = PROJECT / "docs" / "reference" / "authorization.md"
INTRODUCTION = f"""# Who may do what

This page is made from the table of rules in `chalicelib/core/access/rules.py` (`python -m tests.rules_table`); a test
compares the two. What has no row is denied. Every change writes an audit record.

You must be able to see whatever a request names: a role that you grant (*Read Role*); the account or group that you
grant it to or revoke it from (*Read User*, *Read Group*); a member that you add or remove (*Read User*); a service, as
the place of a grant or in a scope (*Read Service*, or one of the groups that see it).

- **Permission**: what you need, for any account or in the service concerned. *Everywhere*: granted everywhere, not for
  one service.
- **Own account**: what is enough for your own account. *By login*: only if you have logged in, not with a token or
  application password.
- **Your permissions include**: whose permissions yours must include, service by service. Your own account is not
  compared.
- **Recent login**: your login, or the login that your access token came from, is at most {FRESH_MS // 60_000} minutes
  old. Tokens of bots and pipelines have no login, and are not affected. An application password cannot do it. A refusal
  is recorded, unless it is for the age of the login.
- **Not delegated**: a connected service that acts for you by OAuth 2.0 cannot do it.
- **Creates**: what is created has no end and no networks. So a credential that has an end or networks cannot create it.

If a group of yours requires 2FA and you logged in without, you can only do what is marked ¹. A previous secret of a
rotated token can read, and rotate its own token.
"""
COLUMNS = (
    "Operation",
    "Permission",
    "Own account",
    "Your permissions include",
    "Recent login",
    "Not delegated",
    "Creates",
)


def page() -> str:
    """The whole page."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_row(operation) for operation in Operation)]
    return INTRODUCTION + "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(operation: Operation) -> tuple[str, ...]:
    rule = operation.rule
    return (
        operation.name.lower().replace("_", " ") + ("¹" if rule.second_factor_missing else ""),
        _permission(rule),
        _own(rule),
        rule.includes.value if rule.includes else "",
        "yes" if rule.fresh else "",
        "yes" if rule.not_delegated else "",
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
