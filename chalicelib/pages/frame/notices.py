"""What a page says after something was done. The address carries only a word, never a text: nobody can make a
link that lets Keyturn say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOTICES = {
    "logged-out": "You are logged out.",
    "logged-out-everywhere": "You are logged out everywhere.",
    "password-set": "The password is set. All sessions of the account have ended.",
    "token-deleted": "The token is deleted. It is refused from now on.",
    "token-changed": "The token is changed.",
    "application-password-deleted": "The application password is deleted. It is refused from now on.",
    "refresh-token-deleted": "The refresh token is deleted, and with it every access token that came of it.",
    "scope-withdrawn": "The approval is withdrawn, and with it every token under it.",
    "trust-rule-created": "The trust rule is created.",
    "trust-rule-changed": "The trust rule is changed.",
    "trust-rule-deleted": "The trust rule is deleted, and access tokens that came of it have ended.",
    "session-ended": "The session has ended.",
    "two-factor-off": "Two-factor authentication is off.",
    "passkey-removed": "The passkey is removed.",
    "account-created": "The account is created.",
    "account-changed": "The account is changed.",
    "account-banned": "The account is banned. Its tokens and logins are refused.",
    "account-unbanned": "The ban is lifted.",
    "account-deleted": "The account is deleted, with all its credentials.",
    "group-created": "The group is created.",
    "group-changed": "The group is changed.",
    "group-deleted": "The group is deleted.",
    "member-added": "The account is in the group.",
    "member-removed": "The account is no longer in the group.",
    "role-created": "The role is created.",
    "role-changed": "The role is changed.",
    "role-deleted": "The role is deleted.",
    "role-granted": "The role is granted.",
    "role-revoked": "The role is revoked.",
    "service-changed": "The service is changed.",
    "webhook-changed": "The webhook is changed.",
    "webhook-tested": "The webhook took the test.",
    "webhook-deleted": "The webhook is deleted. It is told nothing any more.",
    "policy-set": "The policy is switched on.",
    "policy-removed": "Nothing is demanded any more.",
    "service-deleted": "The service is deleted.",
}


def notice(words: Sequence[str]) -> str | None:
    """The sentence for these words of an address, if there is one."""
    return _NOTICES.get(words[0]) if words else None
