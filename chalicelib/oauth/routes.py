"""Every endpoint of the OAuth 2.0 face on one page. Introspection, which services call all the time, stays in the
REST face, where it loads next to nothing."""

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
    AUTHORIZATION: {"GET": "authorization.ask", "POST": "authorization.decide"},
    TOKEN: {"POST": "token.issue"},
    REVOCATION: {"POST": "token.revoke"},
    DEVICE_AUTHORIZATION: {"POST": "token.start_device"},
    DEVICE: {"GET": "device.ask", "POST": "device.decide"},
    LOGIN: {"POST": "login.log_in"},
    USER_INFO: {"GET": "user_info.describe", "POST": "user_info.describe"},
    KEYS: {"GET": "metadata.get_keys"},
    METADATA: {"GET": "metadata.get_metadata"},
    OPENID_CONFIGURATION: {"GET": "metadata.get_metadata"},
}
