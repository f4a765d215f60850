"""What an account may do at this moment, and why: its own grants, and those of its groups.

This is the one place where permissions are added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.permissions import PermissionSet, ScopedPermission
from chalicelib.core.access.role import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from chalicelib.core.access.group import Group
    from chalicelib.core.access.role import Grant, Role


@dataclass(frozen=True, slots=True)
class DirectGrants:
    """What is granted to an account directly: its own grants, and the ids of the groups that it is directly in."""

    grants: tuple[Grant, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrantPath:
    """One way by which an account has the permissions of a role.

    `through` leads from a group that the account is in to the one that was granted the role; it is
    empty for the account's own grant.
    """

    role: Role
    scope_id: str
    through: tuple[Group, ...] = ()

    def scoped_permissions(self) -> Iterator[ScopedPermission]:
        """The permissions that come this way."""
        return (ScopedPermission(permission, self.scope_id) for permission in self.role.permissions)


@dataclass(frozen=True, slots=True)
class Access:
    """Everything that an account holds, and the groups that it is in: `direct` ones, and all by nesting."""

    grant_paths: tuple[GrantPath, ...]
    groups: Mapping[str, Group]
    direct: tuple[str, ...] = ()  # ids, of groups that exist

    @property
    def permissions(self) -> PermissionSet:
        """All permissions, each with the scopes where it holds."""
        return PermissionSet(
            scoped_permission
            for grant_path in self.grant_paths
            for scoped_permission in grant_path.scoped_permissions()
        )

    @property
    def roles(self) -> Mapping[str, Role]:
        """The roles that it rests on, by id."""
        return {grant_path.role.id: grant_path.role for grant_path in self.grant_paths}

    @property
    def requires_two_factor(self) -> bool:
        """Whether one of the groups demands a second factor at login."""
        return any(group.requires_two_factor for group in self.groups.values())

    @property
    def demands_something(self) -> bool:
        """Whether one of the groups demands anything of its members."""
        return any(group.demands_something for group in self.groups.values())

    def together_with(self, other: Access | None) -> Access:
        """What rests on both."""
        if other is None:
            return self
        return Access(self.grant_paths + other.grant_paths, {**self.groups, **other.groups})

    def paths_to(self, scoped_permission: ScopedPermission) -> list[GrantPath]:
        """The grants from which this permission comes."""
        return [
            grant_path for grant_path in self.grant_paths if scoped_permission in set(grant_path.scoped_permissions())
        ]


def access(
    grants: Iterable[Grant], direct_groups: Sequence[str], groups: Mapping[str, Group], roles: Mapping[str, Role]
) -> Access:
    """What own grants and memberships add up to. Roles and groups that are gone add nothing."""
    roles = {id: current(role) for id, role in roles.items()}
    grant_paths = [GrantPath(roles[grant.role_id], grant.scope_id) for grant in grants if grant.role_id in roles]
    entered = {}
    for group_id in direct_groups:
        path: list[Group] = []
        for group in chain(group_id, groups):
            path.append(group)
            entered[group.id] = group
            for role_id, scope_id in sorted(group.grants):
                if role_id in roles:
                    grant_paths.append(GrantPath(roles[role_id], scope_id, tuple(path)))
    return Access(tuple(grant_paths), entered, tuple(id for id in direct_groups if id in entered))


def chain(group_id: str | None, groups: Mapping[str, Group]) -> Iterator[Group]:
    """The group and what it is inside of, from the inside out, as far as `groups` has them."""
    seen: set[str] = set()
    group = groups.get(group_id or "")
    while group and group.id not in seen:
        seen.add(group.id)
        yield group
        group = groups.get(group.parent_id or "")
