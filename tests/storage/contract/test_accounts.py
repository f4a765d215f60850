"""`AccountStore` and `AccessStore`: unique logins, the last administrator, and what goes with an account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.access.account import LOGIN_REST_MS, Owner, OwnerKind, User
from chalicelib.core.access.group import MAX_MEMBERSHIPS
from chalicelib.core.access.role import SYSTEM_ADMIN, Grant
from chalicelib.core.audit.idempotency import IdempotencyKey, Replayed, StoredResult
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Order, Search
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.stores import Stores
from tests.storage.contract import making
from tests.storage.contract.conftest import everything, refused
from tests.storage.contract.making import newer, record, stored_group, stored_role, stored_token, stored_user


def test_what_is_stored_is_found_by_id_and_login_whatever_its_case(stores: Stores) -> None:
    user = making.bot(description="a", email="b@example.com", owner=Owner(OwnerKind.GROUP, "g"), banned=True)
    stores.accounts.create(replace(user, login="MiXed-1"), [Grant(user.id, "reader", "ci")], record())
    expected = replace(user, login="MiXed-1")
    assert stores.accounts.get(user.id) == stores.accounts.find_by_login("mIxED-1") == expected
    assert stores.accounts.get_many([user.id, "nobody"]) == {user.id: expected}
    assert stores.access.direct_grants(user.id).grants == (Grant(user.id, "reader", "ci"),)


def test_nobody_is_none(stores: Stores) -> None:
    assert stores.accounts.get("nobody") is None
    assert stores.accounts.find_by_login("nobody") is None
    assert stores.accounts.last_used("nobody") is None
    assert stores.access.direct_grants("nobody") == stores.access.direct_grants("somebody else")


def test_a_login_that_is_taken_is_a_conflict_and_nothing_is_written(stores: Stores) -> None:
    taken = stored_user(stores)
    with refused(stores, Conflict):
        stores.accounts.create(making.user(login=taken.login.upper()), [], record())
    other = stored_user(stores)
    with refused(stores, Conflict):
        stores.accounts.replace(other, newer(other, login=taken.login), False, record())


def test_a_change_is_refused_unless_the_old_one_is_stored(stores: Stores) -> None:
    user = stored_user(stores)
    changed = newer(user, name="Changed")
    stores.accounts.replace(user, changed, False, record())
    with refused(stores, StaleWrite):
        stores.accounts.replace(user, newer(user, name="Later"), False, record())
    with refused(stores, StaleWrite):
        stores.accounts.delete(user, record())
    assert stores.accounts.get(user.id) == changed
    gone = making.user()
    with refused(stores, StaleWrite):
        stores.accounts.replace(gone, newer(gone), False, record())
    with refused(stores, StaleWrite):
        stores.accounts.delete(gone, record())


@pytest.mark.parametrize("change", ["group", "role"])
@pytest.mark.parametrize("written", ["account", "group"])
def test_what_was_compared_has_to_be_as_it_was(stores: Stores, change: str, written: str) -> None:
    user, group, other, role = stored_user(stores), stored_group(stores), stored_group(stores), stored_role(stores)
    required_permissions = making.access_by(group, roles=(role,))
    if change == "group":
        stores.groups.replace(group, newer(group), None, record())
    else:
        stores.roles.replace(role, newer(role), record())
    with refused(stores, StaleWrite):
        if written == "account":
            stores.accounts.replace(user, newer(user), False, record(), required_permissions=required_permissions)
        else:
            stores.groups.replace(other, newer(other), required_permissions, record())


def test_a_group_is_changed_though_it_was_compared_itself(stores: Stores) -> None:
    group = stored_group(stores)
    stores.groups.replace(group, newer(group), making.access_by(group), record())


def give_up_login(stores: Stores, user: User, how: str) -> User:
    """The account as it is then."""
    if how == "deleted":
        stores.accounts.delete(user, record())
        return user
    renamed = newer(user, login=making.name().lower())
    stores.accounts.replace(user, renamed, False, record())
    return renamed


@pytest.mark.parametrize("how", ["renamed", "deleted"])
class TestALoginThatWasGivenUp:
    def test_is_not_given_to_somebody_else_for_a_month(self, stores: Stores, how: str) -> None:
        user, other = stored_user(stores), stored_user(stores)
        give_up_login(stores, user, how)
        assert stores.accounts.find_by_login(user.login) is None
        for later in (0, LOGIN_REST_MS - 1000):
            audit = replace(record(), at=record().at + later)
            with refused(stores, Conflict):
                stores.accounts.create(making.user(login=user.login.upper()), [], audit)
            with refused(stores, Conflict):
                stores.accounts.replace(other, newer(other, login=user.login), False, audit)
        after = replace(record(), at=record().at + LOGIN_REST_MS + 1000)
        stores.accounts.replace(other, newer(other, login=user.login), False, after)

    def test_may_be_given_again_by_who_may_that(self, stores: Stores, how: str) -> None:
        user, other = stored_user(stores), stored_user(stores)
        give_up_login(stores, user, how)
        stores.accounts.replace(other, newer(other, login=user.login), False, record(), reuse=True)
        assert stores.accounts.find_by_login(user.login)


def test_an_account_takes_its_former_login_back(stores: Stores) -> None:
    user = stored_user(stores)
    renamed = give_up_login(stores, user, "renamed")
    stores.accounts.replace(renamed, newer(renamed, login=user.login), False, record())
    assert stores.accounts.find_by_login(user.login)


def test_an_account_is_deleted_with_everything_that_hangs_on_it(stores: Stores) -> None:
    before = everything(stores)
    user = stored_user(stores, "reader")
    authenticators = making.with_2fa(stores, user)
    for number in range(110):  # more than one transaction holds
        making.stored_token(stores, user, name=f"token {number}", labels=("a",))
    stores.account_credentials.create(making.password(user), user, authenticators, record())
    stores.approved_scopes.approve(None, making.approval(user), user, record())
    stores.trust_rules.create(making.trust_rule(user), user, None, record())
    stores.codes.create(making.code(user), user, record())
    stores.access_tokens.revoke(making.access_token(user), record())
    stores.accounts.delete(user, record())
    assert stores.accounts.get(user.id) is None
    assert stores.tokens.list(user.id) == stores.account_credentials.list(ApplicationPassword, user.id) == []
    assert stores.approved_scopes.list(user.id) == stores.trust_rules.list(user.id) == []
    assert stores.access.direct_grants(user.id).grants == ()
    assert stores.authenticators.get(user.id).password is None
    if isinstance(before, list):  # DynamoDB: nothing of it is left anywhere but in the history
        left = [item for item in set(everything(stores)) - set(before) if f"USER#{user.id}" in item]
        assert [item for item in left if "SWEEP#" not in item] == []


def test_an_account_in_as_many_groups_as_can_be_is_deleted_and_every_group_counts_right(empty_stores: Stores) -> None:
    stores, user = empty_stores, stored_user(empty_stores)
    groups = [stored_group(stores) for _ in range(MAX_MEMBERSHIPS)]
    for group in groups:
        stores.groups.add_member(group, user, making.access_by(), record())
        user = newer(user, groups=user.groups | {group.id})
    for _ in range(20):
        stored_token(stores, user)
    stores.accounts.delete(user, record())
    assert [stores.accounts.page(Window(), EVERYTHING, each.id, None).total for each in groups] == [0] * len(groups)
    assert stores.accounts.get(user.id) is None
    assert stores.tokens.list(user.id) == []


class TestTheLastAdministrator:
    """One who is not banned is always left; those by groups do not count."""

    def test_can_neither_be_banned_nor_deleted_nor_lose_the_role(self, empty_stores: Stores) -> None:
        accounts, roles = empty_stores.accounts, empty_stores.roles
        admin = stored_user(empty_stores, SYSTEM_ADMIN)
        for _ in range(2):  # the second time with another who came and went
            with refused(empty_stores, Conflict):
                accounts.replace(admin, newer(admin, banned=True), True, record())
            with refused(empty_stores, Conflict):
                accounts.delete(admin, record())
            with refused(empty_stores, Conflict):
                roles.revoke(admin, making.admin(admin), record())
            accounts.delete(stored_user(empty_stores, SYSTEM_ADMIN), record())

    def test_is_whoever_is_left(self, empty_stores: Stores) -> None:
        accounts = empty_stores.accounts
        first, second = stored_user(empty_stores, SYSTEM_ADMIN), stored_user(empty_stores, SYSTEM_ADMIN)
        banned = newer(first, banned=True)
        accounts.replace(first, banned, True, record())
        with refused(empty_stores, Conflict):
            accounts.delete(second, record())
        accounts.replace(banned, newer(banned, banned=False), True, record())
        accounts.delete(second, record())

    def test_a_role_for_one_service_or_another_role_makes_none(self, empty_stores: Stores) -> None:
        admin = stored_user(empty_stores, SYSTEM_ADMIN)
        elsewhere = making.user()
        empty_stores.accounts.create(elsewhere, [Grant(elsewhere.id, SYSTEM_ADMIN, "ci")], record())
        with refused(empty_stores, Conflict):
            empty_stores.accounts.delete(admin, record())

    def test_a_banned_one_loses_the_role_without_ado(self, empty_stores: Stores) -> None:
        first, second = stored_user(empty_stores, SYSTEM_ADMIN), stored_user(empty_stores, SYSTEM_ADMIN)
        banned = newer(first, banned=True)
        empty_stores.accounts.replace(first, banned, True, record())
        empty_stores.roles.revoke(banned, making.admin(banned), record())
        with refused(empty_stores, Conflict):
            empty_stores.roles.revoke(second, making.admin(second), record())


class TestPages:
    def test_are_in_order_of_logins_and_count_all(self, empty_stores: Stores) -> None:
        for login in ("b", "C", "a", "D"):
            stored_user(empty_stores, login=login, name=f"Name {login}")
        page = empty_stores.accounts.page(Window(1, 2), EVERYTHING, None, None)
        assert ([user.login for user in page.items], page.total) == (["b", "C"], 4)
        downwards = Search(order=(Order("login", descending=True),))
        assert [user.login for user in empty_stores.accounts.page(Window(0, 9), downwards, None, None).items] == [
            *"DCba"
        ]

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            (Search(text="jo"), ["jo", "joan", "x"]),
            (Search(terms={"login": "JO"}), ["jo"]),
            (Search(terms={"login": "jo*"}), ["jo", "joan"]),
            (Search(terms={"name": "joe bloggs"}), ["x"]),
            (Search(terms={"name": "zö*"}), ["joan"]),
            (Search(traits=frozenset({"bot"})), ["b1", "b2"]),
            (Search(traits=frozenset({"banned"})), ["b2", "x"]),
            (Search(traits=frozenset({"bot", "banned"})), ["b2"]),
            (Search(traits=frozenset({"ownerless"})), ["b1"]),
            (Search(order=(Order("name"),)), ["b1", "b2", "x", "jo", "joan"]),
            (Search(terms={"login": "nobody*"}), []),
        ],
    )
    def test_hold_what_the_search_says(self, empty_stores: Stores, search: Search, found: list[str]) -> None:
        stored_user(empty_stores, login="jo", name="Jules")
        stored_user(empty_stores, login="joan", name="ZÖE")
        stored_user(empty_stores, login="x", name="Joe Bloggs", banned=True)
        for login, more in (("b1", {}), ("b2", {"owner": Owner(OwnerKind.USER, "o"), "banned": True})):
            empty_stores.accounts.create(making.bot(login=login, name="Bot " + login, **more), [], record())
        page = empty_stores.accounts.page(Window(), search, None, None)
        assert ([user.login for user in page.items], page.total) == (found, len(found))

    def test_of_a_group_and_of_an_owner(self, empty_stores: Stores) -> None:
        group = making.stored_group(empty_stores)
        owner = stored_user(empty_stores)
        bots = [making.bot(login=login, owner=Owner(OwnerKind.USER, owner.id)) for login in ("q", "p")]
        for bot in bots:
            empty_stores.accounts.create(bot, [], record())
        empty_stores.groups.add_member(group, bots[0], making.access_by(), record())

        def logins(group_id: str | None, owner_id: str | None) -> list[str]:
            found = empty_stores.accounts.page(Window(), EVERYTHING, group_id, owner_id)
            assert len(found.items) == found.total
            return [user.login for user in found.items]

        assert logins(group.id, None) == logins(group.id, owner.id) == ["q"]
        assert logins(None, owner.id) == ["p", "q"]
        assert logins("another", None) == logins(None, "another") == []
        renamed = empty_stores.accounts.get(bots[0].id)
        assert renamed
        empty_stores.accounts.replace(renamed, newer(renamed, login="a"), False, record())
        assert logins(group.id, None) == ["a"]
        assert logins(None, owner.id) == ["a", "p"]


class TestTheRecordOfAChange:
    def test_is_there_with_the_change(self, stores: Stores) -> None:
        user, made = making.user(), record("user.created", actor_id=making.name(), details={"a": "b"})
        written = replace(made, target_id=user.id)
        stores.accounts.create(user, [], written)
        for query in (AuditQuery(actor_id=made.actor_id), AuditQuery(target_id=user.id)):
            assert list(stores.audit.page(query, 10).records) == [written]

    def test_a_clients_key_is_good_for_one_change(self, stores: Stores) -> None:
        idempotency_key, user = IdempotencyKey(making.name(), "fingerprint"), making.user()
        stores.accounts.create(user, [], record(idempotency_key=idempotency_key, target_id=user.id))
        assert stores.idempotency.find("actor", idempotency_key.key) == StoredResult("fingerprint", user.id)
        with refused(stores, Replayed):
            stores.accounts.create(making.user(), [], record(idempotency_key=idempotency_key))
        with refused(stores, Replayed):  # rather than that the login is taken: it was the same request
            stores.accounts.create(making.user(login=user.login), [], record(idempotency_key=idempotency_key))
        assert stores.idempotency.find("somebody else", idempotency_key.key) is None
        other = making.user()
        stores.accounts.create(other, [], record(idempotency_key=idempotency_key, actor_id="somebody else"))


def test_the_last_use_of_any_credential_is_the_accounts(stores: Stores) -> None:
    user = stored_user(stores)
    assert stores.accounts.last_used(user.id) is None
    making.stored_token(stores, user, last_used=making.NOW + 1)
    stores.trust_rules.create(making.trust_rule(user, last_used=making.NOW + 3), user, None, record())
    making.stored_token(stores, user, last_used=making.NOW + 2)
    assert stores.accounts.last_used(user.id) == making.NOW + 3
