"""The table of operations, read as a whole: deny by default, and the caller's own account apart."""

import ast
import functools
import itertools
from dataclasses import replace

import pytest

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.caller import FRESH_MS, Caller, Opening, Permit
from chalicelib.core.access.effective import Access
from chalicelib.core.access.permissions import (
    EVERY_PERMISSION,
    KEYTURN_PERMISSIONS,
    READ_USER,
    PermissionSet,
    ScopedPermission,
)
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Forbidden, LoginTooOld
from embedded.layout import PROJECT

ME = User("me1", "me", "Me", AccountType.USER, 0)


def caller(*permissions: str, logged_in: bool = True, second_factor_missing: bool = False) -> Caller:
    scoped_permissions = PermissionSet(map(ScopedPermission, permissions))
    return Caller(
        ME,
        scoped_permissions,
        "token",
        0,
        "192.0.2.1",
        logged_in=logged_in,
        second_factor_missing=second_factor_missing,
    )


@pytest.mark.parametrize("operation", Operation)
def test_nobody_may_do_anything_without_permission(operation: Operation) -> None:
    for subject in (None, ME.id, "another"):
        assert not caller().is_allowed(operation, subject)


@pytest.mark.parametrize(("operation", "permission"), list(itertools.product(Operation, KEYTURN_PERMISSIONS)))
def test_exactly_the_named_permission_suffices(operation: Operation, permission: str) -> None:
    rule = operation.rule
    assert caller(permission).is_allowed(operation, "another") == (permission == rule.permission)
    assert caller(permission).is_allowed(operation, ME.id) == (permission in {rule.permission, rule.own})


@pytest.mark.parametrize("operation", Operation)
def test_with_a_token_nobody_changes_what_they_log_in_with(operation: Operation) -> None:
    with_token = caller(*KEYTURN_PERMISSIONS, EVERY_PERMISSION, logged_in=False)
    assert with_token.is_allowed(operation, ME.id) == (not operation.rule.logged_in)
    assert with_token.is_allowed(operation, "another") == (operation.rule.permission is not None)


def test_who_lacks_a_demanded_second_factor_may_only_add_one_or_leave() -> None:
    second_factor_missing = caller(*KEYTURN_PERMISSIONS, second_factor_missing=True)
    assert {operation for operation in Operation if second_factor_missing.is_allowed(operation, ME.id)} == {
        Operation.READ_SECOND_FACTORS,
        Operation.ADD_SECOND_FACTOR,
        Operation.END_SESSION,
    }


@pytest.mark.parametrize("operation", Operation)
def test_and_nothing_to_others(operation: Operation) -> None:
    second_factor_missing = caller(*KEYTURN_PERMISSIONS, EVERY_PERMISSION, second_factor_missing=True)
    assert not second_factor_missing.is_allowed(operation, "another")
    assert not second_factor_missing.is_allowed(operation)


@pytest.mark.parametrize("operation", [each for each in Operation if each.only_reads])
def test_what_only_reads_records_no_change(operation: Operation) -> None:
    permit = Permit(caller(), operation)
    with pytest.raises(TypeError, match="changes nothing"):
        permit.record("user.deleted", "user", "another")


def test_a_refusal_names_the_permission() -> None:
    with pytest.raises(Forbidden, match="Update Self"):
        caller().require(Operation.CREATE_TOKEN, ME.id)
    with pytest.raises(Forbidden, match="Update User"):
        caller().require(Operation.CREATE_TOKEN, "another")


def test_operations_are_told_apart_though_they_share_a_rule() -> None:
    assert len(Operation.__members__) == len(list(Operation))


@pytest.mark.parametrize("operation", Operation)
def test_every_rule_names_permissions_that_exist(operation: Operation) -> None:
    assert {operation.rule.permission, operation.rule.own} <= {None, EVERY_PERMISSION, *KEYTURN_PERMISSIONS}


TAKING_AWAY = {
    Operation.BAN_USER,
    Operation.DELETE_TOKEN,
    Operation.DELETE_APPLICATION_PASSWORD,
    Operation.END_SESSION,
    Operation.DELETE_APPROVED_SCOPE,
    Operation.DELETE_REFRESH_TOKEN,
    Operation.DELETE_TRUST_RULE,
    Operation.DELETE_SERVICE,
    Operation.DELETE_WEBHOOK,
    Operation.DELETE_GROUP,
    Operation.MOVE_GROUP_OUT,
    Operation.REMOVE_MEMBER,
    Operation.DELETE_ROLE,
    Operation.REVOKE_ROLE,
}
# Nothing that these make gives anybody a power, or they have a guard of their own.
HARMLESS = {
    Operation.CREATE_USER,
    Operation.DESCRIBE_USER,
    Operation.CREATE_GROUP,
    Operation.UPDATE_GROUP,
    Operation.TEST_WEBHOOK,
}
OF_ITS_OWN = {
    Operation.ROTATE_CURRENT_TOKEN,  # by nothing but the token itself
    Operation.APPROVE_SERVICE,  # what comes of it carries when its user logged in
    Operation.TRY_TRUST_RULES,
}


def opens(operation: Operation) -> bool:
    """Whether it makes credentials, gives powers, or changes who an account is."""
    reads = operation.name.startswith(("READ_", "LIST_", "EXPLAIN_"))
    return not reads and operation not in TAKING_AWAY | HARMLESS | OF_ITS_OWN


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("age", [0, FRESH_MS, FRESH_MS + 1])
def test_what_makes_credentials_or_gives_powers_needs_a_login_from_just_now(operation: Operation, age: int) -> None:
    long_ago = replace(caller(*KEYTURN_PERMISSIONS, EVERY_PERMISSION), now=age, logged_in_at=0)
    for subject in (ME.id, "another"):
        wanted = long_ago.is_allowed_after_relogin(operation, subject)
        assert long_ago.is_allowed(operation, subject) == (wanted and (age <= FRESH_MS or not opens(operation)))
        if wanted and not long_ago.is_allowed(operation, subject):
            with pytest.raises(LoginTooOld, match="15 minutes"):
                long_ago.require(operation, subject)


@pytest.mark.parametrize("operation", Operation)
def test_no_connected_service_makes_what_outlives_its_approval(operation: Operation) -> None:
    delegated = replace(caller(*KEYTURN_PERMISSIONS, EVERY_PERMISSION), delegated=True)
    if opens(operation) or operation in HARMLESS:
        assert not delegated.is_allowed(operation, "another")
        assert not delegated.is_allowed(operation, ME.id)


@pytest.mark.parametrize("operation", Operation)
def test_nothing_is_opened_that_the_caller_does_not_have(operation: Operation) -> None:
    including = operation.rule.includes
    if including is None:
        return
    every = caller(*KEYTURN_PERMISSIONS)
    if not every.is_allowed(operation, "another"):
        return
    ask = functools.partial(every.require, operation, "another")
    with pytest.raises(TypeError):
        ask()
    with pytest.raises(Forbidden, match=r"Jo has more: deploy \(service ci\)\."):
        ask(opens=Opening(PermissionSet([ScopedPermission("deploy", "ci")]), "Jo has more"))
    held = Opening(PermissionSet([ScopedPermission(READ_USER)]), "Jo has more", Access((), {}))
    assert ask(opens=held).required_permissions is held.access


@pytest.mark.parametrize("operation", [each for each in Operation if each.rule.everywhere])
def test_what_reaches_everybody_needs_the_permission_everywhere(operation: Operation) -> None:
    of_one_service = replace(caller(), permissions=PermissionSet([ScopedPermission(EVERY_PERMISSION, "ci")]))
    assert not of_one_service.is_allowed(operation, scope_id="ci")
    with pytest.raises(Forbidden, match="System Admin, everywhere"):
        of_one_service.require(operation, scope_id="ci")
    assert caller(EVERY_PERMISSION).is_allowed(operation, scope_id="ci")


def test_only_the_table_permits() -> None:
    """A change needs an audit record, a caller's records come from permits, and these from `Caller.require` alone."""
    makers = [
        path.name
        for path in (PROJECT / "chalicelib").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Permit"
    ]
    assert makers == ["caller.py"]


def test_a_token_has_no_login_that_could_be_too_old() -> None:
    with_token = replace(caller(*KEYTURN_PERMISSIONS, logged_in=False), now=10 * FRESH_MS)
    assert with_token.is_allowed(Operation.CREATE_TOKEN, "another")
