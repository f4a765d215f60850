"""*Token health*: what deserves a look, drawn; of one account, or of many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.paging import Window
from chalicelib.core.tokens.health import Condition, condition, unused_scope
from chalicelib.pages.directory.account import account_page, read
from chalicelib.pages.directory.account_search import find_accounts, ticked
from chalicelib.pages.directory.service_names import services_in
from chalicelib.pages.frame.charts import End, calendar, scatter
from chalicelib.pages.frame.paging import LAST, SIZE, Pager, window
from chalicelib.pages.frame.render import link, page
from chalicelib.pages.frame.views import for_users
from chalicelib.pages.tokens.security import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.tokens.manage import OwnedToken
    from chalicelib.web.request import FormRequest

EVERY_TOKEN = Window(0, SIZE * LAST)
MOST_TOKENS = 200  # of one account, where many accounts are drawn
ACCOUNTS = 25  # on one page
WORST_FIRST = [Condition.NEVER_USED, Condition.IDLE, Condition.EXPIRED, Condition.NEW, Condition.IN_USE]


@for_users
def show(request: FormRequest, caller: Caller, user: str) -> Response:
    """Of one account, with what ends in the coming half year."""
    account = read(request, caller, user)
    tokens = request.keyturn.permanent_tokens.page(caller, account.id, EVERY_TOKEN).items
    values = _drawn(request, caller, account.id, tokens, _ends(request, caller, account))
    return account_page(request, caller, account, "health", values)


@for_users
def show_everybodys(request: FormRequest, caller: Caller) -> Response:
    """Of the bots, or of the accounts that are searched for, page by page."""
    caller.check(Operation.LIST_USERS)
    asked = Window(window(request).skip // SIZE * ACCOUNTS, ACCOUNTS)
    searched = request.asked("searched") is not None
    found = find_accounts(request, caller, asked, ticked(request) if searched else ["bot"])
    each = Window(0, MOST_TOKENS)
    of_accounts = [request.keyturn.permanent_tokens.page(caller, user.id, each) for user in found.page.items]
    values = {
        "found": found,
        "pager": Pager(asked, found.page.total, ACCOUNTS),
        "cut": [user for user, part in zip(found.page.items, of_accounts, strict=True) if part.total > MOST_TOKENS],
        **_drawn(request, caller, None, [owned for part in of_accounts for owned in part.items], []),
    }
    return page(request, "health", values, caller=caller)


def _drawn(
    request: FormRequest, caller: Caller, owner_id: str | None, tokens: Sequence[OwnedToken], other_ends: Sequence[End]
) -> dict[str, object]:
    now = request.origin.now
    days = calendar([*_ends_of(request, tokens), *other_ends], now)
    counts = Counter(condition(owned.token, now) for owned in tokens)
    wide = [owned for owned in tokens if unused_scope(owned.token)]
    rows = sorted(tokens, key=lambda owned: (WORST_FIRST.index(condition(owned.token, now)), owned.token.created))
    return {
        "scatter": scatter(tokens, now),
        "days": days,
        "ending": [end for day in days for end in day.ends],
        "conditions": WORST_FIRST,
        "counts": counts,
        "wide": sorted(wide, key=lambda owned: -len(unused_scope(owned.token))),
        "rows": rows[:SIZE],
        "more": len(rows) - SIZE,
        "services": services_in(request, caller, owner_id, (owned.token.scope for owned in tokens)),
        "condition_of": condition,
        "unused_scope": unused_scope,
    }


def _ends_of(request: FormRequest, tokens: Sequence[OwnedToken]) -> list[End]:
    return [
        End(
            owned.token.expires,
            f"Token {owned.token.name} of {owned.owner.login}",
            link(request, "users", owned.owner.id, "security", "tokens", owned.token.id),
        )
        for owned in tokens
        if owned.token.expires is not None
    ]


def _ends(request: FormRequest, caller: Caller, user: User) -> list[End]:
    oauth, place = request.keyturn.oauth, link(request, "users", user.id, "security")
    delegations = [each.delegation for each in oauth.delegations.page(caller, user.id, ALL).items]
    approvals = [each.approval for each in oauth.approved_scopes.page(caller, user.id, ALL).items]
    clients = {each.client_id for each in delegations} | {each.client_id for each in approvals}
    services = services_in(request, caller, user.id, [clients])

    def named(kind: str, client_id: str) -> str:
        client = services.get(client_id)
        return f"{kind} of {client.name if client else client_id}"

    return [
        *(End(each.expires, named("Refresh token", each.client_id), f"{place}#refresh-tokens") for each in delegations),
        *(End(each.expires, named("Approved scope", each.client_id), f"{place}#approved-scopes") for each in approvals),
    ]
