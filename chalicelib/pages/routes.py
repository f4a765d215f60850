"""Every page on one page. A form is sent to the address of the page that shows it."""

from __future__ import annotations

ACCOUNT = "/users/{user}"
SECURITY = f"{ACCOUNT}/security"
AUTHENTICATION = f"{ACCOUNT}/authentication"
ACCESS = f"{ACCOUNT}/access"

ROUTES: dict[str, dict[str, str]] = {
    "/": {"GET": "home.open_home"},
    "/assets/{name}": {"GET": "assets.serve"},
    "/login": {"GET": "login.ask", "POST": "login.log_in"},
    "/logout": {"POST": "login.log_out"},
    # Administration › Access Management
    "/users": {"GET": "users.show_users"},
    "/users/new": {"GET": "users.ask_new", "POST": "users.create"},
    "/groups": {"GET": "groups.show_groups"},
    "/groups/new": {"GET": "groups.ask_new", "POST": "groups.create"},
    "/groups/{group}": {"GET": "groups.show_group"},
    "/groups/{group}/edit": {"GET": "groups.ask_edit", "POST": "groups.edit"},
    "/groups/{group}/policy": {"GET": "policies.ask_for_group", "POST": "policies.set_for_group"},
    "/groups/{group}/delete": {"GET": "groups.ask_delete", "POST": "groups.delete"},
    "/groups/{group}/members/add": {"GET": "groups.ask_member", "POST": "groups.add_member"},
    "/groups/{group}/members/{user}/remove": {"GET": "groups.ask_remove", "POST": "groups.remove_member"},
    "/groups/{group}/roles/grant": {"GET": "grants.ask_for_group", "POST": "grants.grant_to_group"},
    "/groups/{group}/roles/{grant}/revoke": {
        "GET": "grants.ask_revoke_from_group",
        "POST": "grants.revoke_from_group",
    },
    "/roles": {"GET": "roles.show_roles"},
    "/roles/new": {"GET": "roles.ask_new", "POST": "roles.create"},
    "/roles/{role}": {"GET": "roles.show_role"},
    "/roles/{role}/edit": {"GET": "roles.ask_edit", "POST": "roles.edit"},
    "/roles/{role}/delete": {"GET": "roles.ask_delete", "POST": "roles.delete"},
    "/services": {"GET": "services.show_services"},
    "/services/new": {"GET": "services.ask_new", "POST": "services.create"},
    "/services/{service}": {"GET": "services.show_service"},
    "/services/{service}/edit": {"GET": "services.ask_edit", "POST": "services.edit"},
    "/services/{service}/secret": {"GET": "services.ask_secret", "POST": "services.renew_secret"},
    "/services/{service}/policy": {"GET": "policies.ask_for_service", "POST": "policies.set_for_service"},
    "/services/{service}/delete": {"GET": "services.ask_delete", "POST": "services.delete"},
    "/webhooks": {"GET": "webhooks.show_webhooks"},
    "/webhooks/new": {"GET": "webhooks.ask_new", "POST": "webhooks.create"},
    "/webhooks/{webhook}": {"GET": "webhooks.show_webhook"},
    "/webhooks/{webhook}/edit": {"GET": "webhooks.ask_edit", "POST": "webhooks.edit"},
    "/webhooks/{webhook}/secret": {"GET": "webhooks.ask_secret", "POST": "webhooks.renew_secret"},
    "/webhooks/{webhook}/test": {"GET": "webhooks.ask_test", "POST": "webhooks.test"},
    "/webhooks/{webhook}/delete": {"GET": "webhooks.ask_delete", "POST": "webhooks.delete"},
    "/audit": {"GET": "audit.show_audit"},
    "/token-health": {"GET": "health.show_everybodys"},
    # An account
    ACCOUNT: {"GET": "account.show"},
    f"{ACCOUNT}/edit": {"GET": "account.ask_edit", "POST": "account.edit"},
    f"{ACCOUNT}/ban": {"GET": "account.ask_ban", "POST": "account.ban"},
    f"{ACCOUNT}/delete": {"GET": "account.ask_delete", "POST": "account.delete"},
    f"{ACCOUNT}/health": {"GET": "health.show"},
    f"{ACCOUNT}/history": {"GET": "audit.show_history"},
    ACCESS: {"GET": "access.show"},
    f"{ACCESS}/grant": {"GET": "grants.ask_for_user", "POST": "grants.grant_to_user"},
    f"{ACCESS}/{{grant}}/revoke": {"GET": "grants.ask_revoke_from_user", "POST": "grants.revoke_from_user"},
    # Account Security
    SECURITY: {"GET": "security.show"},
    f"{SECURITY}/tokens/new": {"GET": "tokens.ask_new", "POST": "tokens.create"},
    f"{SECURITY}/tokens/{{token}}": {"GET": "tokens.show"},
    f"{SECURITY}/tokens/{{token}}/edit": {"GET": "tokens.ask_edit", "POST": "tokens.edit"},
    f"{SECURITY}/tokens/{{token}}/rotate": {"GET": "tokens.ask_rotate", "POST": "tokens.rotate"},
    f"{SECURITY}/tokens/{{token}}/delete": {"GET": "tokens.ask_delete", "POST": "tokens.delete"},
    f"{SECURITY}/application-passwords/new": {
        "GET": "application_passwords.ask_new",
        "POST": "application_passwords.create",
    },
    f"{SECURITY}/application-passwords/{{password}}/delete": {
        "GET": "application_passwords.ask_delete",
        "POST": "application_passwords.delete",
    },
    f"{SECURITY}/refresh-tokens/{{token}}/delete": {
        "GET": "delegations.ask_delete",
        "POST": "delegations.delete",
    },
    f"{SECURITY}/approved-scopes/{{approval}}/withdraw": {
        "GET": "delegations.ask_withdraw",
        "POST": "delegations.withdraw",
    },
    f"{SECURITY}/trust-rules/new": {"GET": "trust_rules.ask_new", "POST": "trust_rules.create"},
    f"{SECURITY}/trust-rules/{{rule}}/edit": {"GET": "trust_rules.ask_edit", "POST": "trust_rules.edit"},
    f"{SECURITY}/trust-rules/{{rule}}/delete": {"GET": "trust_rules.ask_delete", "POST": "trust_rules.delete"},
    # What an account logs in with
    AUTHENTICATION: {"GET": "authentication.show"},
    f"{AUTHENTICATION}/password": {"GET": "authentication.ask_password", "POST": "authentication.set_password"},
    f"{AUTHENTICATION}/app": {"GET": "second_factors.ask_app", "POST": "second_factors.pair_app"},
    f"{AUTHENTICATION}/passkey": {"GET": "second_factors.ask_passkey", "POST": "second_factors.add_passkey"},
    f"{AUTHENTICATION}/passkeys/{{passkey}}/remove": {
        "GET": "second_factors.ask_remove",
        "POST": "second_factors.remove_passkey",
    },
    f"{AUTHENTICATION}/recovery-codes": {"GET": "second_factors.ask_codes", "POST": "second_factors.renew_codes"},
    f"{AUTHENTICATION}/off": {"GET": "second_factors.ask_off", "POST": "second_factors.turn_off"},
    f"{AUTHENTICATION}/sessions/{{session}}/end": {
        "GET": "authentication.ask_end",
        "POST": "authentication.end_session",
    },
}
