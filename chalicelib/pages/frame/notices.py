"""What a page says after something was done. The address carries only a word, never a text: nobody can make a
link that lets Keyturn say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOTICES = {
    "logged-out": "You are logged out.",
    "logged-out-everywhere": "You are logged out everywhere.",
    "password-set": "Password set. All sessions of the account have ended.",
    "token-deleted": "Token deleted. It no longer works.",
    "token-changed": "Token updated.",
    "application-password-deleted": "Application password deleted. It no longer works.",
    "refresh-token-deleted": "Refresh token deleted. All access tokens issued from it have ended.",
    "scope-withdrawn": "Approval revoked. All refresh and access tokens under it have ended.",
    "trust-rule-created": "Trust rule created.",
    "trust-rule-changed": "Trust rule updated.",
    "trust-rule-deleted": "Trust rule deleted. All access tokens issued through it have ended.",
    "session-ended": "Session ended.",
    "two-factor-off": "Two-factor authentication turned off.",
    "passkey-removed": "Passkey removed.",
    "account-created": "Account created.",
    "account-changed": "Account updated.",
    "account-banned": "Account banned. Its tokens and logins are refused.",
    "account-unbanned": "Account unbanned.",
    "account-deleted": "Account deleted, with all its credentials.",
    "group-created": "Group created.",
    "group-changed": "Group updated.",
    "group-deleted": "Group deleted.",
    "member-added": "Member added.",
    "member-removed": "Member removed.",
    "role-created": "Role created.",
    "role-changed": "Role updated.",
    "role-deleted": "Role deleted.",
    "role-granted": "Role granted.",
    "role-revoked": "Role revoked.",
    "service-changed": "Service updated.",
    "webhook-changed": "Webhook updated.",
    "webhook-tested": "The webhook accepted the test event.",
    "webhook-deleted": "Webhook deleted. It no longer receives events.",
    "policy-set": "Token policy applied.",
    "policy-removed": "Token policy removed.",
    "service-deleted": "Service deleted.",
}


def notice(words: Sequence[str]) -> str | None:
    """The sentence for these words of an address, if there is one."""
    return _NOTICES.get(words[0]) if words else None
