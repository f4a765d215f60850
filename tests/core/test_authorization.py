"""The table of operations, read as a whole: deny by default, and the caller's own account apart."""

import itertools
from dataclasses import replace

import pytest

from chalicelib.core.accounts import AccountType, User
from chalicelib.core.authorization import FRESH_MS, Caller, Operation
from chalicelib.core.errors import Forbidden, LoginTooOld
from chalicelib.core.permissions import KEYTURN_PERMISSIONS, PermissionSet, Power

ME = User("me1", "me", "Me", AccountType.USER, 0)


def caller(*permissions: str, logged_in: bool = True, unproven: bool = False) -> Caller:
    powers = PermissionSet(map(Power, permissions))
    return Caller(ME, powers, "token", 0, "192.0.2.1", logged_in=logged_in, unproven=unproven)


@pytest.mark.parametrize("operation", Operation)
def test_nobody_may_do_anything_without_permission(operation: Operation) -> None:
    for subject in (None, ME.id, "another"):
        assert not caller().may(operation, subject)


@pytest.mark.parametrize(("operation", "permission"), list(itertools.product(Operation, KEYTURN_PERMISSIONS)))
def test_exactly_the_named_permission_suffices(operation: Operation, permission: str) -> None:
    rule = operation.rule
    assert caller(permission).may(operation, "another") == (permission == rule.permission)
    assert caller(permission).may(operation, ME.id) == (permission in (rule.permission, rule.own))


@pytest.mark.parametrize("operation", Operation)
def test_with_a_token_nobody_changes_what_they_log_in_with(operation: Operation) -> None:
    with_token = caller(*KEYTURN_PERMISSIONS, logged_in=False)
    assert with_token.may(operation, ME.id) == (not operation.rule.logged_in)
    assert with_token.may(operation, "another") == (operation.rule.permission is not None)


def test_who_lacks_a_demanded_second_factor_may_only_add_one_or_leave() -> None:
    unproven = caller(*KEYTURN_PERMISSIONS, unproven=True)
    assert {operation for operation in Operation if unproven.may(operation, ME.id)} == {
        Operation.READ_SECOND_FACTORS,
        Operation.ADD_SECOND_FACTOR,
        Operation.END_SESSION,
    }


def test_a_refusal_names_the_permission() -> None:
    with pytest.raises(Forbidden, match="Update Self"):
        caller().require(Operation.CREATE_TOKEN, ME.id)
    with pytest.raises(Forbidden, match="Update User"):
        caller().require(Operation.CREATE_TOKEN, "another")


def test_operations_are_told_apart_though_they_share_a_rule() -> None:
    assert len(Operation.__members__) == len(list(Operation))


@pytest.mark.parametrize("operation", Operation)
def test_every_rule_names_permissions_that_exist(operation: Operation) -> None:
    assert {operation.rule.permission, operation.rule.own} - {None} <= KEYTURN_PERMISSIONS.keys()


FRESH = {
    Operation.DELETE_USER,
    Operation.CREATE_TOKEN,
    Operation.UPDATE_TOKEN,
    Operation.ROTATE_TOKEN,
    Operation.SET_PASSWORD,
    Operation.REMOVE_SECOND_FACTORS,
    Operation.ADD_SECOND_FACTOR,
    Operation.CREATE_APPLICATION_PASSWORD,
    Operation.CREATE_TRUST_RULE,
    Operation.CREATE_SERVICE,
    Operation.SET_SERVICE_POLICY,
    Operation.SET_GROUP_POLICY,
    Operation.CREATE_WEBHOOK,
    Operation.UPDATE_SERVICE,
    Operation.ADD_MEMBER,
    Operation.UPDATE_ROLE,
    Operation.GRANT_ROLE,
}


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("age", [0, FRESH_MS, FRESH_MS + 1])
def test_what_makes_credentials_or_gives_powers_needs_a_login_from_just_now(operation: Operation, age: int) -> None:
    long_ago = replace(caller(*KEYTURN_PERMISSIONS), now=age, logged_in_at=0)
    for subject in (ME.id, "another"):
        wanted = long_ago.could(operation, subject)
        assert long_ago.may(operation, subject) == (wanted and (age <= FRESH_MS or operation not in FRESH))
        if wanted and not long_ago.may(operation, subject):
            with pytest.raises(LoginTooOld, match="15 minutes"):
                long_ago.require(operation, subject)


def test_a_token_has_no_login_that_could_be_too_old() -> None:
    with_token = replace(caller(*KEYTURN_PERMISSIONS, logged_in=False), now=10 * FRESH_MS)
    assert with_token.may(Operation.CREATE_TOKEN, "another")
