"""What holds for every kind of credential, by its entry in the registry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.core.access.caller import Caller
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Unauthenticated
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.login.totp import STEP_MS
from chalicelib.core.secrets.token_format import BASIC, BEARER, CredentialKind, recognise
from chalicelib.core.verification.leaks import Found
from chalicelib.core.verification.ports import Credential
from tests.conftest import Scene
from tests.people import HOME, Person, person


def permanent_token(jo: Person) -> str | None:
    tokens, administrator = jo.scene.product.permanent_tokens, jo.scene.caller()
    return tokens.create(administrator, jo.user.id, "both", ["keyturn", "ci"]).secret


def application_password(jo: Person) -> str | None:
    return jo.scene.product.application_passwords.create(jo.log_in(), "me", "mail").secret


def session(jo: Person) -> str | None:
    return jo.attempt(code=jo.code()).secret


MAKERS: dict[CredentialKind, Callable[[Person], str | None]] = {
    CredentialKind.PERMANENT_TOKEN: permanent_token,
    CredentialKind.APPLICATION_PASSWORD: application_password,
    CredentialKind.SESSION: session,
}


@pytest.fixture
def jo(scene: Scene) -> Person:
    found = person(scene)
    found.turn_on_2fa()
    found.wait(STEP_MS)
    return found


@pytest.fixture(params=CredentialKind, ids=lambda kind: kind.value.audit_name)
def kind(request: pytest.FixtureRequest) -> CredentialKind:
    made: CredentialKind = request.param
    return made


@pytest.fixture
def secret(jo: Person, kind: CredentialKind) -> str:
    return MAKERS[kind](jo) or ""


def calls(jo: Person, scheme: str, secret: str) -> Caller:
    """Who calls Keyturn's API by this HTTP scheme."""
    authentication, come_from = jo.scene.product.authentication, Origin(jo.clock, HOME)
    if scheme == BEARER:
        return authentication.caller(secret, come_from)
    return authentication.caller_by_password(jo.user.login, secret, come_from)


def is_good_for_services(jo: Person, secret: str) -> bool:
    scene = jo.scene
    return scene.product.introspection.introspect("ci", scene.ci.secret, secret, jo.clock) is not None


def stored(jo: Person, secret: str) -> Credential | None:
    return jo.scene.product.stores.credentials.find(recognise(secret, *CredentialKind), None).credential


def test_it_calls_the_api_by_its_scheme_and_by_no_other(jo: Person, kind: CredentialKind, secret: str) -> None:
    for scheme in (BEARER, BASIC):
        if scheme == kind.value.scheme:
            caller = calls(jo, scheme, secret)
            assert (caller.user.id, caller.hand.kind) == (jo.user.id, kind.value.audit_name)
            assert caller.logged_in == kind.value.is_login
            assert (caller.secret_since is not None) == kind.value.rotates
        else:
            with pytest.raises(Unauthenticated):
                calls(jo, scheme, secret)


def test_services_accept_it_if_its_entry_says_so(jo: Person, kind: CredentialKind, secret: str) -> None:
    assert is_good_for_services(jo, secret) == (kind.value.token_type is not None)


def test_a_use_is_noted(jo: Person, kind: CredentialKind, secret: str) -> None:
    held = stored(jo, secret)
    assert held
    assert (held.kind, held.last_used) == (kind, None)
    if kind.value.scheme:
        calls(jo, kind.value.scheme, secret)
    else:
        is_good_for_services(jo, secret)
    held = stored(jo, secret)
    assert held
    assert held.last_used == jo.clock


def test_entry_and_record_agree_on_whether_secrets_rotate(jo: Person, kind: CredentialKind, secret: str) -> None:
    held = stored(jo, secret)
    assert held
    assert (held.rotating is held) == kind.value.rotates
    assert held.secrets.current == held.secret


class TestItEnds:
    def check(self, jo: Person, kind: CredentialKind, secret: str) -> None:
        for scheme in (BEARER, BASIC):
            with pytest.raises(Unauthenticated):
                calls(jo, scheme, secret)
        assert not is_good_for_services(jo, secret)

    def test_with_a_ban(self, jo: Person, kind: CredentialKind, secret: str) -> None:
        jo.scene.product.accounts.update(jo.scene.caller(), jo.user.id, AccountChange(banned=True))
        self.check(jo, kind, secret)

    def test_with_its_account(self, jo: Person, kind: CredentialKind, secret: str) -> None:
        jo.scene.product.accounts.delete(jo.scene.caller(), jo.user.id)
        self.check(jo, kind, secret)
        assert stored(jo, secret) is None

    def test_when_it_leaks(self, jo: Person, kind: CredentialKind, secret: str) -> None:
        held = stored(jo, secret)
        assert held
        leaks, at = jo.scene.product.lifecycle.leaks, Origin(jo.clock, HOME)
        assert leaks.ended([Found(kind.issue(jo.user.id, held.id)), Found(secret)], at) == [False, True]
        self.check(jo, kind, secret)
        query = AuditQuery(target_id=jo.user.id, kind=f"{kind.value.audit_name}.leaked", until=jo.clock)
        assert len(jo.scene.product.audit_trail.page(jo.scene.caller(), query, 10).records) == 1

    def test_by_the_rule_that_its_record_has(
        self, jo: Person, kind: CredentialKind, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(stored(jo, secret)), "has_ended", lambda *_: True)
        self.check(jo, kind, secret)
        if not kind.value.rotates:  # a token's are recognised after their end
            leaks, at = jo.scene.product.lifecycle.leaks, Origin(jo.clock, HOME)
            assert leaks.ended([Found(secret)], at) == [False]
