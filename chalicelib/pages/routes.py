"""Every page on one page. A form is sent to the address of the page that shows it."""

from __future__ import annotations

ACCOUNT = "/users/{user}"
SECURITY = f"{ACCOUNT}/security"
AUTHENTICATION = f"{ACCOUNT}/authentication"
ACCESS = f"{ACCOUNT}/access"

ROUTES: dict[str, dict[str, str]] = {
    "/": {"GET": "frame.home.open_home"},
    "/assets/{name}": {"GET": "frame.assets.serve"},
    "/login": {"GET": "login.login.ask", "POST": "login.login.log_in"},
    "/logout": {"POST": "login.login.log_out"},
    # Administration › Access Management
    "/users": {"GET": "directory.users.show_users"},
    "/users/new": {"GET": "directory.users.ask_new", "POST": "directory.users.create"},
    "/groups": {"GET": "directory.groups.show_groups"},
    "/groups/new": {"GET": "directory.groups.ask_new", "POST": "directory.groups.create"},
    "/groups/{group}": {"GET": "directory.groups.show_group"},
    "/groups/{group}/edit": {"GET": "directory.groups.ask_edit", "POST": "directory.groups.edit"},
    "/groups/{group}/policy": {"GET": "tokens.policies.ask_for_group", "POST": "tokens.policies.set_for_group"},
    "/groups/{group}/delete": {"GET": "directory.groups.ask_delete", "POST": "directory.groups.delete"},
    "/groups/{group}/members/add": {"GET": "directory.groups.ask_member", "POST": "directory.groups.add_member"},
    "/groups/{group}/members/{user}/remove": {
        "GET": "directory.groups.ask_remove",
        "POST": "directory.groups.remove_member",
    },
    "/groups/{group}/roles/grant": {"GET": "directory.grants.ask_for_group", "POST": "directory.grants.grant_to_group"},
    "/groups/{group}/roles/{grant}/revoke": {
        "GET": "directory.grants.ask_revoke_from_group",
        "POST": "directory.grants.revoke_from_group",
    },
    "/roles": {"GET": "directory.roles.show_roles"},
    "/roles/new": {"GET": "directory.roles.ask_new", "POST": "directory.roles.create"},
    "/roles/{role}": {"GET": "directory.roles.show_role"},
    "/roles/{role}/edit": {"GET": "directory.roles.ask_edit", "POST": "directory.roles.edit"},
    "/roles/{role}/delete": {"GET": "directory.roles.ask_delete", "POST": "directory.roles.delete"},
    "/services": {"GET": "directory.services.show_services"},
    "/services/new": {"GET": "directory.services.ask_new", "POST": "directory.services.create"},
    "/services/{service}": {"GET": "directory.services.show_service"},
    "/services/{service}/edit": {"GET": "directory.services.ask_edit", "POST": "directory.services.edit"},
    "/services/{service}/secret": {"GET": "directory.services.ask_secret", "POST": "directory.services.renew_secret"},
    "/services/{service}/policy": {"GET": "tokens.policies.ask_for_service", "POST": "tokens.policies.set_for_service"},
    "/services/{service}/delete": {"GET": "directory.services.ask_delete", "POST": "directory.services.delete"},
    "/webhooks": {"GET": "webhooks.webhooks.show_webhooks"},
    "/webhooks/new": {"GET": "webhooks.webhooks.ask_new", "POST": "webhooks.webhooks.create"},
    "/webhooks/{webhook}": {"GET": "webhooks.webhooks.show_webhook"},
    "/webhooks/{webhook}/edit": {"GET": "webhooks.webhooks.ask_edit", "POST": "webhooks.webhooks.edit"},
    "/webhooks/{webhook}/secret": {"GET": "webhooks.webhooks.ask_secret", "POST": "webhooks.webhooks.renew_secret"},
    "/webhooks/{webhook}/test": {"GET": "webhooks.webhooks.ask_test", "POST": "webhooks.webhooks.test"},
    "/webhooks/{webhook}/delete": {"GET": "webhooks.webhooks.ask_delete", "POST": "webhooks.webhooks.delete"},
    "/audit": {"GET": "directory.audit.show_audit"},
    "/token-health": {"GET": "tokens.health.show_everybodys"},
    # An account
    ACCOUNT: {"GET": "directory.account.show"},
    f"{ACCOUNT}/edit": {"GET": "directory.account.ask_edit", "POST": "directory.account.edit"},
    f"{ACCOUNT}/ban": {"GET": "directory.account.ask_ban", "POST": "directory.account.ban"},
    f"{ACCOUNT}/delete": {"GET": "directory.account.ask_delete", "POST": "directory.account.delete"},
    f"{ACCOUNT}/health": {"GET": "tokens.health.show"},
    f"{ACCOUNT}/history": {"GET": "directory.audit.show_history"},
    ACCESS: {"GET": "directory.access.show"},
    f"{ACCESS}/grant": {"GET": "directory.grants.ask_for_user", "POST": "directory.grants.grant_to_user"},
    f"{ACCESS}/{{grant}}/revoke": {
        "GET": "directory.grants.ask_revoke_from_user",
        "POST": "directory.grants.revoke_from_user",
    },
    # Account Security
    SECURITY: {"GET": "tokens.security.show"},
    f"{SECURITY}/tokens/new": {"GET": "tokens.tokens.ask_new", "POST": "tokens.tokens.create"},
    f"{SECURITY}/tokens/{{token}}": {"GET": "tokens.tokens.show"},
    f"{SECURITY}/tokens/{{token}}/edit": {"GET": "tokens.tokens.ask_edit", "POST": "tokens.tokens.edit"},
    f"{SECURITY}/tokens/{{token}}/rotate": {"GET": "tokens.tokens.ask_rotate", "POST": "tokens.tokens.rotate"},
    f"{SECURITY}/tokens/{{token}}/delete": {"GET": "tokens.tokens.ask_delete", "POST": "tokens.tokens.delete"},
    f"{SECURITY}/application-passwords/new": {
        "GET": "tokens.application_passwords.ask_new",
        "POST": "tokens.application_passwords.create",
    },
    f"{SECURITY}/application-passwords/{{password}}/delete": {
        "GET": "tokens.application_passwords.ask_delete",
        "POST": "tokens.application_passwords.delete",
    },
    f"{SECURITY}/refresh-tokens/{{token}}/delete": {
        "GET": "tokens.delegations.ask_delete",
        "POST": "tokens.delegations.delete",
    },
    f"{SECURITY}/approved-scopes/{{approval}}/withdraw": {
        "GET": "tokens.delegations.ask_withdraw",
        "POST": "tokens.delegations.withdraw",
    },
    f"{SECURITY}/trust-rules/new": {"GET": "oauth.trust_rules.ask_new", "POST": "oauth.trust_rules.create"},
    f"{SECURITY}/trust-rules/{{rule}}/edit": {"GET": "oauth.trust_rules.ask_edit", "POST": "oauth.trust_rules.edit"},
    f"{SECURITY}/trust-rules/{{rule}}/delete": {
        "GET": "oauth.trust_rules.ask_delete",
        "POST": "oauth.trust_rules.delete",
    },
    # What an account logs in with
    AUTHENTICATION: {"GET": "login.authentication.show"},
    f"{AUTHENTICATION}/password": {
        "GET": "login.authentication.ask_password",
        "POST": "login.authentication.set_password",
    },
    f"{AUTHENTICATION}/app": {"GET": "login.second_factors.ask_app", "POST": "login.second_factors.pair_app"},
    f"{AUTHENTICATION}/passkey": {
        "GET": "login.second_factors.ask_passkey",
        "POST": "login.second_factors.add_passkey",
    },
    f"{AUTHENTICATION}/passkeys/{{passkey}}/remove": {
        "GET": "login.second_factors.ask_remove",
        "POST": "login.second_factors.remove_passkey",
    },
    f"{AUTHENTICATION}/recovery-codes": {
        "GET": "login.second_factors.ask_codes",
        "POST": "login.second_factors.renew_codes",
    },
    f"{AUTHENTICATION}/off": {"GET": "login.second_factors.ask_off", "POST": "login.second_factors.turn_off"},
    f"{AUTHENTICATION}/sessions/{{session}}/end": {
        "GET": "login.authentication.ask_end",
        "POST": "login.authentication.end_session",
    },
}
