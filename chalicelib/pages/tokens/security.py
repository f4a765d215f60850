"""The tab *Account Security*: permanent tokens, application passwords, refresh tokens, approved scopes, trust rules.

Source: Hub's page "Manage Authentication Tokens".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import Order, Search
from chalicelib.pages.directory.account import account_page, read
from chalicelib.pages.directory.service_names import services_in
from chalicelib.pages.frame.paging import Pager, window
from chalicelib.pages.frame.render import link
from chalicelib.pages.frame.views import for_users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.oauth.delegations import ApprovedScope, Delegation
    from chalicelib.core.oauth.manage_trust_rules import OwnedRule
    from chalicelib.pages.frame.render import Dialog
    from chalicelib.web.request import FormRequest

NEWEST_FIRST = (Order("creationTime", descending=True),)
ALL = Window(0, 100)  # of what an account has at most so many


@for_users
def show(request: FormRequest, caller: Caller, user: str) -> Response:
    """The tab."""
    return security_page(request, caller, read(request, caller, user))


def security_page(
    request: FormRequest, caller: Caller, user: User, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """The tab, or a dialog on it."""
    keyturn, asked, query = request.keyturn, window(request), request.asked("q") or ""
    tokens = keyturn.permanent_tokens.page(caller, user.id, asked, Search(text=query or None, order=NEWEST_FIRST))
    of_refresh_tokens, of_approvals = window(request, "refresh"), window(request, "approved")
    refresh_tokens = keyturn.oauth.delegations.page(caller, user.id, of_refresh_tokens)
    approvals = keyturn.oauth.approved_scopes.page(caller, user.id, of_approvals)
    trust_rules = _trust_rules(request, caller, user)
    scopes = [owned.token.scope for owned in tokens.items] + [owned.rule.scope for owned in trust_rules]
    granted: list[Delegation | ApprovedScope] = [each.delegation for each in refresh_tokens.items]
    granted += [each.approval for each in approvals.items]
    values = {
        "tokens": tokens,
        "authors": keyturn.accounts.known(caller, {owned.token.author_id for owned in tokens.items}),
        "pager": Pager(asked, tokens.total),
        "q": query,
        "application_passwords": _application_passwords(request, caller, user),
        "two_factor": keyturn.second_factors.status(caller, user.id).authenticators.two_factor,
        "refresh_tokens": refresh_tokens,
        "refresh_pager": Pager(of_refresh_tokens, refresh_tokens.total),
        "trust_rules": trust_rules,
        "approvals": approvals,
        "approval_pager": Pager(of_approvals, approvals.total),
        "services": services_in(
            request, caller, user.id, [*scopes, *(each.scope for each in granted), [each.client_id for each in granted]]
        ),
    }
    return account_page(request, caller, user, "security", values, dialog, problem)


def back(request: FormRequest, user: User) -> str:
    """The address of the tab."""
    return link(request, "users", user.id, "security")


def _trust_rules(request: FormRequest, caller: Caller, user: User) -> Sequence[OwnedRule]:
    """Only bots have any."""
    if user.type is not AccountType.BOT:
        return ()
    return request.keyturn.oauth.trust_rules.page(caller, user.id, ALL).items


def _application_passwords(request: FormRequest, caller: Caller, user: User) -> Page[object]:
    page = request.keyturn.application_passwords.page(caller, user.id, ALL)
    return Page(list(page.items), page.total)
