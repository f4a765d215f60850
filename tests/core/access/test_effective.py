"""Adding up what an account holds, by itself and by its groups."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.access.effective import access, chain
from chalicelib.core.access.group import Group
from chalicelib.core.access.permissions import ScopedPermission
from chalicelib.core.access.role import Grant, Role
from chalicelib.core.common.identifiers import EVERYWHERE

RUN = Role("run", "run", "Run", frozenset({"ci:run"}), 0)
STOP = Role("stop", "stop", "Stop", frozenset({"ci:stop", "ci:run"}), 0)
ROLES = {role.id: role for role in (RUN, STOP)}


def group(id: str, parent: str | None = None, *grants: tuple[str, str]) -> Group:
    return Group(id, id, 0, parent, grants=frozenset(grants))


def by_id(*groups: Group) -> dict[str, Group]:
    return {group.id: group for group in groups}


def test_own_grants_and_those_of_all_outer_groups_add_up() -> None:
    groups = by_id(
        group("inner", "middle"), group("middle", "outer", ("run", "ci")), group("outer", None, ("stop", "0"))
    )
    found = access([Grant("me", "run", "deploy")], ["inner"], groups, ROLES)
    assert found.permissions.scoped_permissions == {
        ScopedPermission("ci:run", "deploy"),
        ScopedPermission("ci:run", "ci"),
        ScopedPermission("ci:run", EVERYWHERE),
        ScopedPermission("ci:stop", EVERYWHERE),
    }
    assert found.groups.keys() == {"inner", "middle", "outer"}


def test_each_permission_tells_every_way_by_which_it_came() -> None:
    groups = by_id(group("inner", "outer"), group("outer", None, ("run", EVERYWHERE)))
    found = access([Grant("me", "stop")], ["inner"], groups, ROLES)
    ways = [(way.role.id, [group.id for group in way.through]) for way in found.paths_to(ScopedPermission("ci:run"))]
    assert ways == [("stop", []), ("run", ["inner", "outer"])]


def test_what_is_gone_adds_nothing() -> None:
    groups = by_id(group("inner", "gone"), group("other", None, ("gone", EVERYWHERE)))
    found = access([Grant("me", "gone")], ["inner", "other", "also gone"], groups, ROLES)
    assert not found.permissions.scoped_permissions
    assert found.groups.keys() == {"inner", "other"}


@given(st.dictionaries(st.sampled_from("abcdef"), st.none() | st.sampled_from("abcdef"), max_size=6))
def test_a_chain_ends_even_if_groups_were_in_a_circle(parents: dict[str, str | None]) -> None:
    groups = by_id(*(group(id, parent) for id, parent in parents.items()))
    for id in groups:
        ids = [each.id for each in chain(id, groups)]
        assert ids[0] == id
        assert len(ids) == len(set(ids))
        assert all(groups[inner].parent_id == outer for inner, outer in itertools.pairwise(ids))
