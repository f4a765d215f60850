"""From a presented token to the caller of Keyturn's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Caller
from chalicelib.core.credentials.wire_format import PERMANENT_TOKEN
from chalicelib.core.errors import InsufficientScope, Unauthenticated
from chalicelib.core.permissions import KEYTURN

if TYPE_CHECKING:
    from chalicelib.core.operations.credential_check import CredentialCheck
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.origin import Origin
    from chalicelib.core.ports import CredentialStore


class Authentication:
    """Says who calls."""

    def __init__(self, credentials: CredentialStore, check: CredentialCheck, access: EffectiveAccess) -> None:
        self._credentials = credentials
        self._check = check
        self._access = access

    def caller(self, presented: str, origin: Origin) -> Caller:
        """Who calls with the permanent token `presented`.

        Raises Unauthenticated, InsufficientScope (the token is not for Keyturn itself) or Throttled.
        """
        key = PERMANENT_TOKEN.parse(presented)
        if key is None:  # refused without asking the database
            raise Unauthenticated("The access token is not valid.")
        found = self._credentials.find((key[0], key[1]), None)
        token, owner = found.token, found.owner
        if token is None or owner is None or not self._check.is_good_token(presented, token, owner, origin.now):
            raise Unauthenticated("The access token is not valid.")
        if KEYTURN not in token.scope:
            raise InsufficientScope("This token's scope does not include Keyturn itself.")
        access = self._access.of(owner.id)
        groups = frozenset(access.groups)
        return Caller(owner, access.permissions, token.id, origin.now, origin.address, groups)
