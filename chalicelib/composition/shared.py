"""What the parts of OAuth 2.0 and those that look after tokens take of the others. Named as types, so that nobody has
to load what puts the others together (`composition`), which puts these together too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.groups import Groups
    from chalicelib.core.directory.services import Services
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.stores import Stores
    from chalicelib.core.tokens.compromise import Compromise
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.verification.credential_check import CredentialCheck


class SharedParts(Protocol):
    """One of each, for the life of a process."""

    @property
    def stores(self) -> Stores: ...
    @property
    def verifier(self) -> SecretVerifier: ...
    @property
    def keyring(self) -> Keyring: ...
    @property
    def credential_check(self) -> CredentialCheck: ...
    @property
    def effective_policies(self) -> EffectivePolicies: ...
    @property
    def compromise(self) -> Compromise: ...
    @property
    def attempt_limiter(self) -> AttemptLimiter: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def services(self) -> Services: ...
