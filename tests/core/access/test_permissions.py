"""Comparing what two subjects may do: exhaustively over a small universe, against an independent oracle."""

import itertools

from chalicelib.core.access.permissions import EVERY_PERMISSION, PermissionSet, ScopedPermission
from chalicelib.core.common.identifiers import EVERYWHERE

PERMISSIONS = ("ci:run", "ci:stop")
PLACES = ("ci", "deploy")
ELSEWHERE = "a service that nobody named"
UNIVERSE = [ScopedPermission(permission, scope_id) for permission in PERMISSIONS for scope_id in (EVERYWHERE, *PLACES)]
ALL_SETS = [
    PermissionSet(chosen) for size in range(len(UNIVERSE) + 1) for chosen in itertools.combinations(UNIVERSE, size)
]


def deeds(subject: PermissionSet) -> set[tuple[str, str]]:
    """Everything that the subject may do, spelled out: which permission at which service."""
    spelled_out = set()
    for scoped_permission in subject.scoped_permissions:
        permissions = (
            (*PERMISSIONS, "another")
            if scoped_permission.permission == EVERY_PERMISSION
            else (scoped_permission.permission,)
        )
        places = (*PLACES, ELSEWHERE) if scoped_permission.scope_id == EVERYWHERE else (scoped_permission.scope_id,)
        spelled_out |= set(itertools.product(permissions, places))
    return spelled_out


def test_a_set_includes_another_exactly_when_it_allows_every_deed_of_it() -> None:
    spelled_out = {subject: deeds(subject) for subject in ALL_SETS}
    pairs = list(itertools.product(ALL_SETS, repeat=2))
    assert len(pairs) == 64 * 64
    for actor, target in pairs:
        assert actor.includes(target) == (spelled_out[actor] >= spelled_out[target]), (
            actor.scoped_permissions,
            target.scoped_permissions,
        )


def test_every_permission_everywhere_includes_everything() -> None:
    administrator = PermissionSet([ScopedPermission(EVERY_PERMISSION)])
    assert all(administrator.includes(other) for other in ALL_SETS)
    assert not any(other.includes(administrator) for other in ALL_SETS)


def test_every_permission_of_one_place_does_not_reach_another() -> None:
    local = PermissionSet([ScopedPermission(EVERY_PERMISSION, "ci")])
    for other in ALL_SETS:
        assert local.includes(other) == all(
            scoped_permission.scope_id == "ci" for scoped_permission in other.scoped_permissions
        )


def test_allows_agrees_with_the_deeds() -> None:
    for subject in ALL_SETS:
        for permission, scope_id in itertools.product(PERMISSIONS, (*PLACES, ELSEWHERE)):
            assert subject.allows(permission, scope_id) == ((permission, scope_id) in deeds(subject))


def test_what_is_missing_is_said_in_words() -> None:
    missing = PermissionSet().missing(
        PermissionSet([ScopedPermission(EVERY_PERMISSION), ScopedPermission("ci:run", "ci")])
    )
    assert [str(scoped_permission) for scoped_permission in missing] == ["every permission", "ci:run (service ci)"]
