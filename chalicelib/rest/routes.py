"""Every operation of the REST face on one page: path, method, and the view that answers.

A view is named as `module.function` (`web/routing.py`).
"""

from __future__ import annotations

ROOT = "/api/rest"

ROUTES: dict[str, dict[str, str]] = {
    "/health": {"GET": "health.get_health"},
    f"{ROOT}/openapi.json": {"GET": "openapi.get_openapi"},
    f"{ROOT}/reference": {"GET": "reference.get_reference"},
    f"{ROOT}/oauth2/introspect": {"POST": "introspection.introspect"},
    f"{ROOT}/login": {"POST": "login.log_in"},
    f"{ROOT}/login/passkey": {"POST": "login.begin_passkey_login"},
    f"{ROOT}/users": {"GET": "users.list_users", "POST": "users.create_user"},
    f"{ROOT}/users/{{user}}": {"GET": "users.get_user", "POST": "users.update_user", "DELETE": "users.delete_user"},
    f"{ROOT}/users/{{user}}/permanenttokens": {
        "GET": "permanent_tokens.list_tokens",
        "POST": "permanent_tokens.create_token",
    },
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}": {
        "GET": "permanent_tokens.get_token",
        "POST": "permanent_tokens.update_token",
        "DELETE": "permanent_tokens.delete_token",
    },
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}/rotate": {"POST": "permanent_tokens.rotate_token"},
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}/comparison": {"POST": "permanent_tokens.compare_secret"},
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}/takeback": {"POST": "permanent_tokens.take_back_rotation"},
    f"{ROOT}/batch": {"POST": "batch.change_many"},
    f"{ROOT}/permanenttokens": {"GET": "permanent_tokens.list_all_tokens"},
    f"{ROOT}/services/{{service}}/policy": {
        "GET": "policies.get_service_policy",
        "POST": "policies.set_service_policy",
        "DELETE": "policies.remove_service_policy",
    },
    f"{ROOT}/services/{{service}}/policy/preview": {"POST": "policies.preview_service_policy"},
    f"{ROOT}/usergroups/{{group}}/policy": {
        "GET": "policies.get_group_policy",
        "POST": "policies.set_group_policy",
        "DELETE": "policies.remove_group_policy",
    },
    f"{ROOT}/usergroups/{{group}}/policy/preview": {"POST": "policies.preview_group_policy"},
    f"{ROOT}/webhooks": {"GET": "webhooks.list_webhooks", "POST": "webhooks.create_webhook"},
    f"{ROOT}/webhooks/{{webhook}}": {
        "GET": "webhooks.get_webhook",
        "POST": "webhooks.update_webhook",
        "DELETE": "webhooks.delete_webhook",
    },
    f"{ROOT}/webhooks/{{webhook}}/secret": {"POST": "webhooks.renew_webhook_secret"},
    f"{ROOT}/webhooks/{{webhook}}/secret/comparison": {"POST": "webhooks.compare_webhook_secret"},
    f"{ROOT}/webhooks/{{webhook}}/secret/takeback": {"POST": "webhooks.take_back_webhook_secret"},
    f"{ROOT}/webhooks/{{webhook}}/test": {"POST": "webhooks.test_webhook"},
    f"{ROOT}/leaks": {"POST": "leaks.report"},
    f"{ROOT}/leaks/github": {"POST": "leaks.report_by_github"},
    f"{ROOT}/users/{{user}}/applicationpasswords": {
        "GET": "application_passwords.list_passwords",
        "POST": "application_passwords.create_password",
    },
    f"{ROOT}/users/{{user}}/applicationpasswords/{{password}}": {
        "GET": "application_passwords.get_password",
        "DELETE": "application_passwords.delete_password",
    },
    f"{ROOT}/users/{{user}}/refreshtokens": {"GET": "delegations.list_refresh_tokens"},
    f"{ROOT}/users/{{user}}/refreshtokens/{{token}}": {
        "GET": "delegations.get_refresh_token",
        "DELETE": "delegations.delete_refresh_token",
    },
    f"{ROOT}/users/{{user}}/approvedscopes": {"GET": "delegations.list_approved_scopes"},
    f"{ROOT}/users/{{user}}/approvedscopes/{{approval}}": {
        "GET": "delegations.get_approved_scope",
        "DELETE": "delegations.delete_approved_scope",
    },
    f"{ROOT}/users/{{user}}/trustrules": {"GET": "trust_rules.list_rules", "POST": "trust_rules.create_rule"},
    f"{ROOT}/users/{{user}}/trustrules/{{rule}}": {
        "GET": "trust_rules.get_rule",
        "POST": "trust_rules.update_rule",
        "DELETE": "trust_rules.delete_rule",
    },
    f"{ROOT}/users/{{user}}/trustruletrials": {"POST": "trust_rules.try_out"},
    f"{ROOT}/users/{{user}}/password": {"POST": "login.set_password"},
    f"{ROOT}/users/{{user}}/sessions": {"GET": "sessions.list_sessions"},
    f"{ROOT}/users/{{user}}/sessions/{{session}}": {"DELETE": "sessions.end_session"},
    f"{ROOT}/users/{{user}}/twoFactorAuthentication": {
        "GET": "second_factors.get_status",
        "POST": "second_factors.pair",
        "DELETE": "second_factors.turn_off",
    },
    f"{ROOT}/users/{{user}}/twoFactorAuthentication/recoverycodes": {"POST": "second_factors.renew_recovery_codes"},
    f"{ROOT}/users/{{user}}/passkeys": {"GET": "second_factors.list_passkeys", "POST": "second_factors.add_passkey"},
    f"{ROOT}/users/{{user}}/passkeys/{{passkey}}": {"DELETE": "second_factors.remove_passkey"},
    f"{ROOT}/users/{{user}}/permissions": {"GET": "permissions.explain_permissions"},
    f"{ROOT}/users/{{user}}/projectroles": {"GET": "roles.list_grants", "POST": "roles.grant_role"},
    f"{ROOT}/users/{{user}}/projectroles/{{grant}}": {"DELETE": "roles.revoke_role"},
    f"{ROOT}/roles": {"GET": "roles.list_roles", "POST": "roles.create_role"},
    f"{ROOT}/roles/{{role}}": {"GET": "roles.get_role", "POST": "roles.update_role", "DELETE": "roles.delete_role"},
    f"{ROOT}/projectroles": {"GET": "roles.list_all_grants", "POST": "roles.grant_role_to_owner"},
    f"{ROOT}/projectroles/{{grant}}": {"DELETE": "roles.revoke_role_from_owner"},
    f"{ROOT}/permissions": {"GET": "permissions.list_permissions"},
    f"{ROOT}/audit": {"GET": "audit.list_records"},
    f"{ROOT}/usergroups": {"GET": "groups.list_groups", "POST": "groups.create_group"},
    f"{ROOT}/usergroups/{{group}}": {
        "GET": "groups.get_group",
        "POST": "groups.update_group",
        "DELETE": "groups.delete_group",
    },
    f"{ROOT}/usergroups/{{group}}/users": {"GET": "groups.list_members", "POST": "groups.add_member"},
    f"{ROOT}/usergroups/{{group}}/users/{{user}}": {"DELETE": "groups.remove_member"},
    f"{ROOT}/usergroups/{{group}}/projectroles": {
        "GET": "roles.list_group_grants",
        "POST": "roles.grant_role_to_group",
    },
    f"{ROOT}/usergroups/{{group}}/projectroles/{{grant}}": {"DELETE": "roles.revoke_role_from_group"},
    f"{ROOT}/services": {"GET": "services.list_services", "POST": "services.register_service"},
    f"{ROOT}/services/{{service}}": {
        "GET": "services.get_service",
        "POST": "services.update_service",
        "DELETE": "services.delete_service",
    },
    f"{ROOT}/services/{{service}}/secret": {"POST": "services.renew_service_secret"},
    f"{ROOT}/services/{{service}}/secret/comparison": {"POST": "services.compare_service_secret"},
    f"{ROOT}/services/{{service}}/secret/takeback": {"POST": "services.take_back_service_secret"},
}
