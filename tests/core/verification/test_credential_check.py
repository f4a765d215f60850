"""Who gets in: by token, by service secret, and by nothing else."""

from unittest.mock import patch

import pytest

from chalicelib.core.common.errors import InsufficientScope, Unauthenticated, Unavailable
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.secrets.hashing import Argon2Parameters, SecretHasher
from chalicelib.core.secrets.token_format import SERVICE_SECRET, CredentialKey, CredentialKind
from chalicelib.core.tokens.token import PermanentToken
from tests.conftest import Scene, now, origin


def test_the_caller_is_the_tokens_owner(scene: Scene) -> None:
    caller = scene.caller()
    assert caller.user.login == "admin"
    assert caller.credential_id == scene.administrator.token.id


def test_a_token_that_is_not_for_keyturn_does_not_call_its_api(scene: Scene) -> None:
    with pytest.raises(InsufficientScope):
        scene.caller(scene.token.secret)


@pytest.mark.parametrize(
    "presented",
    ["", "x", "ktp_" + "0" * 73, CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id())],
    ids=["empty", "short", "wrong checksum", "unknown"],
)
def test_other_tokens_are_refused(scene: Scene, presented: str) -> None:
    with pytest.raises(Unauthenticated):
        scene.product.authentication.caller(presented, origin())
    assert not scene.is_good(presented or "-")


def test_the_right_ids_with_another_secret_are_refused(scene: Scene) -> None:
    forged = CredentialKind.PERMANENT_TOKEN.issue(scene.bot.id, scene.token.token.id)
    assert not scene.is_good(forged)


def test_what_is_malformed_is_refused_without_asking_the_database(scene: Scene) -> None:
    with patch.object(scene.product.stores.credentials, "find", side_effect=AssertionError("asked")):
        with pytest.raises(Unauthenticated):
            scene.product.authentication.caller((scene.administrator.secret or "")[:-1] + "!", origin())
        with pytest.raises(Unauthenticated):
            scene.product.introspection.introspect("ci", "kts_malformed", scene.token.secret or "", now())


def test_a_service_proves_itself_with_its_own_secret(scene: Scene) -> None:
    ask = scene.product.introspection.introspect
    token = scene.token.secret or ""
    for client, secret in (
        ("deploy", scene.ci.secret),
        ("nobody", scene.ci.secret),
        ("ci", scene.deploy.secret),
        ("ci", SERVICE_SECRET.issue(scene.ci.service.id)),
        ("ci", SERVICE_SECRET.issue(new_id())),
        ("0-0-0-0-0", scene.ci.secret),
    ):
        with pytest.raises(Unauthenticated):
            ask(client, secret, token, now())
    assert ask("ci", scene.ci.secret, token, now()) is not None
    assert ask(scene.ci.service.id, scene.ci.secret, token, now()) is not None


def test_a_renewed_service_secret_replaces_the_old_one_at_once(scene: Scene) -> None:
    assert scene.is_good(scene.token.secret)
    renewed = scene.product.service_secrets.renew(scene.caller(), "ci")
    with pytest.raises(Unauthenticated):
        scene.is_good(scene.token.secret)
    assert scene.is_good(scene.token.secret, renewed)


def test_a_ban_binds_the_tokens_at_the_next_request_until_it_is_lifted(scene: Scene) -> None:
    assert scene.is_good(scene.token.secret)
    scene.product.accounts.update(scene.caller(), scene.bot.id, AccountChange(banned=True, ban_reason="leaked"))
    assert not scene.is_good(scene.token.secret)
    scene.product.accounts.update(scene.caller(), scene.bot.id, AccountChange(banned=False))
    assert scene.is_good(scene.token.secret)


def test_a_deleted_owner_and_a_deleted_service_end_the_token(scene: Scene) -> None:
    scene.product.permanent_tokens.update(
        scene.caller(), scene.bot.id, scene.token.token.id, None, ["ci", "deploy", "keyturn"]
    )
    assert scene.is_good(scene.token.secret, scene.deploy)
    scene.product.services.delete(scene.caller(), "deploy")
    with pytest.raises(Unauthenticated):
        scene.is_good(scene.token.secret, scene.deploy)
    scene.product.accounts.delete(scene.caller(), scene.bot.id)
    assert not scene.is_good(scene.token.secret)
    with pytest.raises(Unauthenticated):
        scene.caller(scene.token.secret)


def test_a_verified_secret_is_sealed_anew_when_the_cost_rises(scene: Scene) -> None:
    dearer = scene.restarted(argon2=Argon2Parameters(19 * 1024, 3))
    assert dearer.is_good(scene.token.secret)
    key = CredentialKey(CredentialKind.PERMANENT_TOKEN, scene.bot.id, scene.token.token.id)
    found = scene.product.stores.credentials.find(key, scene.ci.service.id)
    assert isinstance(found.credential, PermanentToken)
    assert found.credential.secret.argon2id.startswith("$argon2id$v=19$m=19456,t=3,p=1$")
    assert found.service is not None
    assert found.service.secret is not None
    assert ",t=3," in found.service.secret.argon2id
    assert found.credential.revision == scene.token.token.revision
    assert dearer.is_good(scene.token.secret)


def test_a_secret_is_good_though_its_seal_could_not_be_renewed(scene: Scene) -> None:
    dearer = scene.restarted(argon2=Argon2Parameters(19 * 1024, 3))
    with patch.object(scene.product.stores.credentials, "replace_hash", side_effect=Unavailable("down")) as attempted:
        assert dearer.is_good(scene.token.secret)
    assert attempted.called


def test_a_warm_check_computes_no_argon2_and_reads_the_record_every_time(scene: Scene) -> None:
    credentials = scene.product.stores.credentials
    assert scene.is_good(scene.token.secret)
    with (
        patch.object(SecretHasher, "matches", side_effect=AssertionError("Argon2 ran")),
        patch.object(credentials, "find", wraps=credentials.find) as find,
    ):
        assert scene.is_good(scene.token.secret)
        assert scene.is_good(scene.token.secret)
    assert find.call_count == 2
