"""Every OAuth 2.0 endpoint on one page. Introspection, which services call all the time, stays in the
REST API, where it loads next to nothing."""

from __future__ import annotations

ROOT = "/api/rest/oauth2"

AUTHORIZATION = f"{ROOT}/auth"
TOKEN = f"{ROOT}/token"
REVOCATION = f"{ROOT}/revoke"
INTROSPECTION = f"{ROOT}/introspect"
USER_INFO = f"{ROOT}/userinfo"
KEYS = f"{ROOT}/keys"
DEVICE_AUTHORIZATION = f"{ROOT}/device_authorization"
DEVICE = f"{ROOT}/device"
LOGIN = f"{ROOT}/login"
METADATA = "/.well-known/oauth-authorization-server"
OPENID_CONFIGURATION = "/.well-known/openid-configuration"

ROUTES: dict[str, dict[str, str]] = {
    AUTHORIZATION: {"GET": "pages.oauth.authorization.ask", "POST": "pages.oauth.authorization.decide"},
    TOKEN: {"POST": "oauth.token.issue"},
    REVOCATION: {"POST": "oauth.token.revoke"},
    DEVICE_AUTHORIZATION: {"POST": "oauth.token.start_device"},
    DEVICE: {"GET": "pages.oauth.device.ask", "POST": "pages.oauth.device.decide"},
    LOGIN: {"POST": "pages.oauth.login.log_in"},
    USER_INFO: {"GET": "oauth.user_info.describe", "POST": "oauth.user_info.describe"},
    KEYS: {"GET": "oauth.metadata.get_keys"},
    METADATA: {"GET": "oauth.metadata.get_metadata"},
    OPENID_CONFIGURATION: {"GET": "oauth.metadata.get_metadata"},
}
