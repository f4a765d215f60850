"""Roles bundle permissions; grants give roles to users and groups, everywhere or for one service."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.core.access.permissions import EVERY_PERMISSION, READ_SELF, ROTATE_SELF, UPDATE_SELF
from chalicelib.core.common.identifiers import EVERYWHERE

SYSTEM_ADMIN = "system-admin"
REGISTERED_USER = "registered-user"
MAX_PERMISSIONS = 200
MAX_GRANTS = 50  # of one account: deleting it must fit into one transaction


@dataclass(frozen=True, slots=True)
class Role:
    """A named bundle of permission ids."""

    id: str
    key: str
    name: str
    permissions: frozenset[str]
    created: int
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """`role_id` given to `holder_id` (a user or a group) in `scope_id`: EVERYWHERE or a service id."""

    holder_id: str
    role_id: str
    scope_id: str = EVERYWHERE

    @property
    def id(self) -> str:
        """The same grant always has the same id."""
        return f"{self.holder_id}.{self.key}"

    @property
    def key(self) -> str:
        """Unique among the holder's grants."""
        return f"{self.role_id}.{self.scope_id}"

    @property
    def makes_administrator(self) -> bool:
        """Whether who holds this grant is an administrator, of whom one must always be left."""
        return self.role_id == SYSTEM_ADMIN and self.scope_id == EVERYWHERE


_OF_EVERYBODY = frozenset({READ_SELF, UPDATE_SELF, ROTATE_SELF})


def current(role: Role) -> Role:
    """A built-in role is what this program says, not the one with which the installation began."""
    return replace(role, permissions=_OF_EVERYBODY) if role.id == REGISTERED_USER else role


def built_in_roles(now: int) -> list[Role]:
    """The administrator's role, and the one that every new account gets (in Hub: by All Users)."""
    return [
        Role(SYSTEM_ADMIN, SYSTEM_ADMIN, "System Admin", frozenset({EVERY_PERMISSION}), now),
        Role(REGISTERED_USER, REGISTERED_USER, "Registered User", _OF_EVERYBODY, now),
    ]
