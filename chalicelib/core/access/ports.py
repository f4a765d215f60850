"""What accounts, groups, roles and what they give need from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access, DirectGrants
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.role import Grant, Role
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page, Window
    from chalicelib.core.common.search import Search


class AccountStore(Protocol):
    """Users and bots."""

    def get(self, user_id: str) -> User | None: ...

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, User]: ...

    def find_by_login(self, login: str) -> User | None: ...

    def page(self, window: Window, search: Search, group_id: str | None, owner_id: str | None) -> Page[User]:
        """Those that `search` finds by login, name and traits, in the group, and with the owner, if given.
        By login, or by name where that is all that it asks for, unless it says otherwise.
        Eventually consistent. A bounded number of reads: raises Invalid if that does not suffice."""

    def last_used(self, user_id: str) -> int | None:
        """When one of the credentials that the account has was used last; one query of its partition."""

    def create(self, user: User, grants: Iterable[Grant], audit: AuditRecord, reuse: bool = False) -> None:
        """Raises Conflict if the login is taken, or was somebody else's in the last LOGIN_REST_MS (unless `reuse`)."""

    def replace(
        self,
        old: User,
        new: User,
        administrator: bool,
        audit: AuditRecord,
        reuse: bool = False,
        required_permissions: Access | None = None,
    ) -> None:
        """Raises StaleWrite if `old`, or a group or role of what was `required_permissions`, is no longer stored as it
        is; Conflict as `create` for the new login or if this would leave no administrator. `administrator`: the user
        holds that role everywhere."""

    def delete(self, user: User, audit: AuditRecord) -> None:
        """The account; with it everything that hangs on it is dead, and a piece of that is swept. Raises StaleWrite, or
        Conflict for the last administrator."""


class GroupStore(Protocol):
    """Groups and their members."""

    def get(self, group_id: str) -> Group | None: ...

    def get_many(self, group_ids: Iterable[str]) -> Mapping[str, Group]: ...

    def find_by_name(self, name: str) -> Group | None: ...

    def page(self, window: Window, search: Search) -> Page[Group]:
        """Sorted by name unless `search` says otherwise. Eventually consistent. Raises Invalid."""

    def create(self, group: Group, outer: Access | None, audit: AuditRecord) -> None:
        """Raises Conflict if the name is taken, StaleWrite if a group or role of `outer`, what the
        parent gives, is no longer stored as it is. It is granted nothing yet."""

    def replace(self, old: Group, new: Group, required_permissions: Access | None, audit: AuditRecord) -> None:
        """`required_permissions`: what members get from a new parent, or else what the rules looked at. Raises as
        `create`, and StaleWrite if `old`, or a group or role of `required_permissions`, is no longer stored as it
        is."""

    def delete(self, group: Group, audit: AuditRecord) -> None:
        """The group; with it what its members have of it is gone, and a piece of that is swept. Raises StaleWrite if
        `group` is no longer stored as it is, or has subgroups."""

    def add_member(self, group: Group, user: User, given: Access, audit: AuditRecord) -> None:
        """Counts as a change of `user`. Raises StaleWrite if `user`, or a group or role of what is
        `given`, is no longer stored as it is; Conflict if `user` is in the group."""

    def remove_member(self, group: Group, user: User, audit: AuditRecord) -> None:
        """Counts as a change of `user`. Raises StaleWrite if `user` is no longer stored as it is."""


class RoleStore(Protocol):
    """Roles, and the grants that give them to users."""

    def get(self, role_id: str) -> Role | None: ...

    def get_many(self, role_ids: Iterable[str]) -> Mapping[str, Role]: ...

    def find_by_key(self, key: str) -> Role | None: ...

    def page(self, window: Window, search: Search) -> Page[Role]:
        """Sorted by key unless `search` says otherwise. Eventually consistent. Raises Invalid."""

    def create(self, role: Role, audit: AuditRecord) -> None:
        """Raises Conflict if the key is taken."""

    def replace(self, old: Role, new: Role, audit: AuditRecord) -> None:
        """Raises StaleWrite if `old` is no longer stored, Conflict if the new key is taken."""

    def delete(self, role: Role, audit: AuditRecord) -> None:
        """Raises StaleWrite if `role` is no longer stored as it is. Its grants add nothing from then on."""

    def grants(self, window: Window, role_id: str | None) -> Page[Grant]:
        """Those of all accounts and groups, or those of one role, by role; at most 10,000 are counted.
        Eventually consistent."""

    def grant(self, owner: User, grant: Grant, role: Role, audit: AuditRecord) -> None:
        """Counts as a change of `owner`. Raises StaleWrite if `owner` or `role` is no longer stored as it
        is, Conflict if granted already."""

    def revoke(self, owner: User, grant: Grant, audit: AuditRecord) -> None:
        """Counts as a change of `owner`. Raises StaleWrite, or Conflict for the last administrator."""


class AccessStore(Protocol):
    """What accounts hold."""

    def direct_grants(self, user_id: str) -> DirectGrants:
        """One query. Whatever changes it makes another revision of the account in the same moment."""
