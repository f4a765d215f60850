"""The ways to an access token (RFC 6749 section 1.3, and its extensions), and which a service may go by."""

from __future__ import annotations

from enum import Enum


class GrantType(Enum):
    """A value of `grant_type` at the token endpoint that a service may be allowed."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


# The others are opted into: a device code can be phished (RFC 8628 section 5.4), and an exchange lets a
# service act for users at other services.
DEFAULT = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS)
