"""Every operation of the REST API on one page: path, method, and the view that answers.

A view is named as `module.function` (`web/routing.py`).
"""

from __future__ import annotations

ROOT = "/api/rest"

ROUTES: dict[str, dict[str, str]] = {
    "/health": {"GET": "contract.health.get_health"},
    f"{ROOT}/openapi.json": {"GET": "openapi.get_openapi"},
    f"{ROOT}/reference": {"GET": "reference.get_reference"},
    f"{ROOT}/oauth2/introspect": {"POST": "oauth.introspection.introspect"},
    f"{ROOT}/login": {"POST": "login.login.log_in"},
    f"{ROOT}/login/passkey": {"POST": "login.login.begin_passkey_login"},
    f"{ROOT}/users": {"GET": "directory.users.list_users", "POST": "directory.users.create_user"},
    f"{ROOT}/users/{{user}}": {
        "GET": "directory.users.get_user",
        "POST": "directory.users.update_user",
        "DELETE": "directory.users.delete_user",
    },
    f"{ROOT}/users/{{user}}/permanenttokens": {
        "GET": "tokens.permanent_tokens.list_tokens",
        "POST": "tokens.permanent_tokens.create_token",
    },
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}": {
        "GET": "tokens.permanent_tokens.get_token",
        "POST": "tokens.permanent_tokens.update_token",
        "DELETE": "tokens.permanent_tokens.delete_token",
    },
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}/rotate": {"POST": "tokens.permanent_tokens.rotate_token"},
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}/comparison": {"POST": "tokens.permanent_tokens.compare_secret"},
    f"{ROOT}/users/{{user}}/permanenttokens/{{token}}/takeback": {"POST": "tokens.permanent_tokens.take_back_rotation"},
    f"{ROOT}/batch": {"POST": "batch.change_many"},
    f"{ROOT}/permanenttokens": {"GET": "tokens.permanent_tokens.list_all_tokens"},
    f"{ROOT}/services/{{service}}/policy": {
        "GET": "tokens.policies.get_service_policy",
        "POST": "tokens.policies.set_service_policy",
        "DELETE": "tokens.policies.remove_service_policy",
    },
    f"{ROOT}/services/{{service}}/policy/preview": {"POST": "tokens.policies.preview_service_policy"},
    f"{ROOT}/usergroups/{{group}}/policy": {
        "GET": "tokens.policies.get_group_policy",
        "POST": "tokens.policies.set_group_policy",
        "DELETE": "tokens.policies.remove_group_policy",
    },
    f"{ROOT}/usergroups/{{group}}/policy/preview": {"POST": "tokens.policies.preview_group_policy"},
    f"{ROOT}/webhooks": {"GET": "webhooks.webhooks.list_webhooks", "POST": "webhooks.webhooks.create_webhook"},
    f"{ROOT}/webhooks/{{webhook}}": {
        "GET": "webhooks.webhooks.get_webhook",
        "POST": "webhooks.webhooks.update_webhook",
        "DELETE": "webhooks.webhooks.delete_webhook",
    },
    f"{ROOT}/webhooks/{{webhook}}/secret": {"POST": "webhooks.webhooks.renew_webhook_secret"},
    f"{ROOT}/webhooks/{{webhook}}/secret/comparison": {"POST": "webhooks.webhooks.compare_webhook_secret"},
    f"{ROOT}/webhooks/{{webhook}}/secret/takeback": {"POST": "webhooks.webhooks.take_back_webhook_secret"},
    f"{ROOT}/webhooks/{{webhook}}/test": {"POST": "webhooks.webhooks.test_webhook"},
    f"{ROOT}/leaks": {"POST": "tokens.leaks.report"},
    f"{ROOT}/leaks/github": {"POST": "tokens.leaks.report_by_github"},
    f"{ROOT}/users/{{user}}/applicationpasswords": {
        "GET": "login.application_passwords.list_passwords",
        "POST": "login.application_passwords.create_password",
    },
    f"{ROOT}/users/{{user}}/applicationpasswords/{{password}}": {
        "GET": "login.application_passwords.get_password",
        "DELETE": "login.application_passwords.delete_password",
    },
    f"{ROOT}/users/{{user}}/refreshtokens": {"GET": "oauth.delegations.list_refresh_tokens"},
    f"{ROOT}/users/{{user}}/refreshtokens/{{token}}": {
        "GET": "oauth.delegations.get_refresh_token",
        "DELETE": "oauth.delegations.delete_refresh_token",
    },
    f"{ROOT}/users/{{user}}/approvedscopes": {"GET": "oauth.delegations.list_approved_scopes"},
    f"{ROOT}/users/{{user}}/approvedscopes/{{approval}}": {
        "GET": "oauth.delegations.get_approved_scope",
        "DELETE": "oauth.delegations.delete_approved_scope",
    },
    f"{ROOT}/users/{{user}}/trustrules": {
        "GET": "oauth.trust_rules.list_rules",
        "POST": "oauth.trust_rules.create_rule",
    },
    f"{ROOT}/users/{{user}}/trustrules/{{rule}}": {
        "GET": "oauth.trust_rules.get_rule",
        "POST": "oauth.trust_rules.update_rule",
        "DELETE": "oauth.trust_rules.delete_rule",
    },
    f"{ROOT}/users/{{user}}/trustruletrials": {"POST": "oauth.trust_rules.try_out"},
    f"{ROOT}/users/{{user}}/password": {"POST": "login.login.set_password"},
    f"{ROOT}/users/{{user}}/sessions": {"GET": "login.sessions.list_sessions"},
    f"{ROOT}/users/{{user}}/sessions/{{session}}": {"DELETE": "login.sessions.end_session"},
    f"{ROOT}/users/{{user}}/twoFactorAuthentication": {
        "GET": "login.second_factors.get_status",
        "POST": "login.second_factors.pair",
        "DELETE": "login.second_factors.turn_off",
    },
    f"{ROOT}/users/{{user}}/twoFactorAuthentication/recoverycodes": {
        "POST": "login.second_factors.renew_recovery_codes"
    },
    f"{ROOT}/users/{{user}}/passkeys": {
        "GET": "login.second_factors.list_passkeys",
        "POST": "login.second_factors.add_passkey",
    },
    f"{ROOT}/users/{{user}}/passkeys/{{passkey}}": {"DELETE": "login.second_factors.remove_passkey"},
    f"{ROOT}/users/{{user}}/permissions": {"GET": "directory.permissions.explain_permissions"},
    f"{ROOT}/users/{{user}}/projectroles": {"GET": "directory.roles.list_grants", "POST": "directory.roles.grant_role"},
    f"{ROOT}/users/{{user}}/projectroles/{{grant}}": {"DELETE": "directory.roles.revoke_role"},
    f"{ROOT}/roles": {"GET": "directory.roles.list_roles", "POST": "directory.roles.create_role"},
    f"{ROOT}/roles/{{role}}": {
        "GET": "directory.roles.get_role",
        "POST": "directory.roles.update_role",
        "DELETE": "directory.roles.delete_role",
    },
    f"{ROOT}/projectroles": {"GET": "directory.roles.list_all_grants", "POST": "directory.roles.grant_role_to_owner"},
    f"{ROOT}/projectroles/{{grant}}": {"DELETE": "directory.roles.revoke_role_from_owner"},
    f"{ROOT}/permissions": {"GET": "directory.permissions.list_permissions"},
    f"{ROOT}/audit": {"GET": "directory.audit.list_records"},
    f"{ROOT}/usergroups": {"GET": "directory.groups.list_groups", "POST": "directory.groups.create_group"},
    f"{ROOT}/usergroups/{{group}}": {
        "GET": "directory.groups.get_group",
        "POST": "directory.groups.update_group",
        "DELETE": "directory.groups.delete_group",
    },
    f"{ROOT}/usergroups/{{group}}/users": {
        "GET": "directory.groups.list_members",
        "POST": "directory.groups.add_member",
    },
    f"{ROOT}/usergroups/{{group}}/users/{{user}}": {"DELETE": "directory.groups.remove_member"},
    f"{ROOT}/usergroups/{{group}}/projectroles": {
        "GET": "directory.roles.list_group_grants",
        "POST": "directory.roles.grant_role_to_group",
    },
    f"{ROOT}/usergroups/{{group}}/projectroles/{{grant}}": {"DELETE": "directory.roles.revoke_role_from_group"},
    f"{ROOT}/services": {"GET": "directory.services.list_services", "POST": "directory.services.register_service"},
    f"{ROOT}/services/{{service}}": {
        "GET": "directory.services.get_service",
        "POST": "directory.services.update_service",
        "DELETE": "directory.services.delete_service",
    },
    f"{ROOT}/services/{{service}}/secret": {"POST": "directory.services.renew_service_secret"},
    f"{ROOT}/services/{{service}}/secret/comparison": {"POST": "directory.services.compare_service_secret"},
    f"{ROOT}/services/{{service}}/secret/takeback": {"POST": "directory.services.take_back_service_secret"},
}
