"""A service's secrets: a new one, those before it until their ends, and who may say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import READ_SERVICE, UPDATE_SERVICE
from chalicelib.core.audit.records import AuditQuery, AuditRecord
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.service import Service, keyturn_service
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.directory.service_secrets import ServiceSecrets, could_renew
from chalicelib.core.secrets.hashing import SecretHasher
from chalicelib.core.secrets.previous_secrets import LONGEST_GRACE_MS, MAX_PREVIOUS, MAX_RETIRED
from chalicelib.core.secrets.token_format import SERVICE_SECRET
from chalicelib.core.verification.leaks import Found
from tests.conftest import Scene, now, origin
from tests.core.secrets.test_client_supplied import FIRST, SECOND, WEAK
from tests.people import person

MINUTE = 60_000
HOUR = 60 * MINUTE


def secrets(scene: Scene) -> ServiceSecrets:
    return scene.product.service_secrets


def renew(scene: Scene, grace_ms: int = HOUR, secret: str | None = None) -> str:
    return secrets(scene).renew(scene.caller(), "ci", grace_ms, secret).secret


def is_good(scene: Scene, secret: str, at: int | None = None) -> bool:
    """Whether the service can ask by this secret."""
    try:
        scene.product.introspection.introspect("ci", secret, scene.token.secret or "", at or now())
    except Unauthenticated:
        return False
    return True


def stored(scene: Scene) -> Service:
    return scene.product.services.get(scene.caller(), "ci")


def whole(scene: Scene, middle: str) -> str:
    return SERVICE_SECRET.assemble(middle, scene.ci.service.id)


def records(scene: Scene, kind: str) -> list[AuditRecord]:
    query = AuditQuery(target_id=scene.ci.service.id, kind=kind)
    return list(scene.product.audit_trail.page(scene.caller(), query, 50).records)


def holder(scene: Scene, *permissions: str) -> Caller:
    """Somebody with a role of these permissions, everywhere."""
    key = f"role-{len(permissions)}"
    scene.product.roles.create(scene.caller(), key, key, permissions)
    somebody = person(scene, f"holder-of-{key}")
    scene.product.roles.grant(scene.caller(), somebody.user.id, key)
    return somebody.log_in()


class TestRenewing:
    def test_both_secrets_are_good_until_the_grace_ends(self, scene: Scene) -> None:
        made = secrets(scene).renew(scene.caller(), "ci", HOUR)
        begun = made.service.secret_renewed or 0
        for later, expected in ((0, True), (HOUR - 1, True), (HOUR, False), (9 * HOUR, False)):
            assert is_good(scene, scene.ci.secret, begun + later) is expected
            assert is_good(scene, made.secret, begun + later)

    def test_without_grace_every_earlier_one_ends_at_once(self, scene: Scene) -> None:
        second = renew(scene)
        third = renew(scene, 0)
        assert [is_good(scene, each) for each in (scene.ci.secret, second, third)] == [False, False, True]

    def test_answers_that_are_lost_lock_nobody_out_until_there_are_too_many(self, scene: Scene) -> None:
        for _ in range(MAX_PREVIOUS):
            renew(scene)
        with pytest.raises(Conflict, match=r"This service has 10 valid secrets, .* without a grace period"):
            renew(scene)
        assert is_good(scene, scene.ci.secret)
        assert is_good(scene, renew(scene, 0))
        assert not is_good(scene, scene.ci.secret)

    def test_what_has_ended_is_remembered_and_not_for_ever(self, scene: Scene) -> None:
        for _ in range(MAX_RETIRED + 2):
            renew(scene, 0)
        assert len(stored(scene).retired_secrets) == MAX_RETIRED
        assert stored(scene).previous_secrets == ()

    @pytest.mark.parametrize("grace", [-1, LONGEST_GRACE_MS + 1])
    def test_a_grace_has_the_bounds_of_tokens(self, scene: Scene, grace: int) -> None:
        with pytest.raises(Invalid, match="grace: must be from 0 to 90 days"):
            renew(scene, grace)

    def test_another_change_of_the_service_leaves_them_alone(self, scene: Scene) -> None:
        second = renew(scene)
        scene.product.services.update(scene.caller(), "ci", ServiceDescription(name="New", key="new"))
        scene.product.services.update(scene.caller(), "new", ServiceDescription(key="ci"))
        assert is_good(scene, scene.ci.secret)
        assert is_good(scene, second)

    def test_it_leaves_a_record_without_a_secret(self, scene: Scene) -> None:
        secret = renew(scene)
        (record,) = records(scene, "service.secret-renewed")
        assert record.details == {"key": "ci", "grace": "3600 s"}
        assert secret not in repr(record)


class TestBringing:
    def test_a_service_is_registered_with_it(self, scene: Scene) -> None:
        made = scene.product.services.register(scene.caller(), ServiceDescription(key="wiki", name="Wiki"), FIRST)
        assert made.secret == SERVICE_SECRET.assemble(FIRST, made.service.id)
        assert secrets(scene).has_current(scene.caller(), "wiki", FIRST)[1]

    def test_the_current_one_changes_nothing_whatever_the_grace(self, scene: Scene) -> None:
        renew(scene, HOUR, FIRST)
        before = stored(scene)
        for grace in (0, HOUR):
            again = secrets(scene).renew(scene.caller(), "ci", grace, FIRST)
            assert (again.service, again.secret) == (before, whole(scene, FIRST))
        assert len(records(scene, "service.secret-renewed")) == 1

    def test_another_one_renews(self, scene: Scene) -> None:
        renew(scene, HOUR, FIRST)
        renew(scene, HOUR, SECOND)
        assert is_good(scene, whole(scene, FIRST))
        assert is_good(scene, whole(scene, SECOND))

    @pytest.mark.parametrize("grace", [0, HOUR])
    def test_one_of_before_is_refused_whether_it_is_good_yet_or_not(self, scene: Scene, grace: int) -> None:
        renew(scene, HOUR, FIRST)
        renew(scene, grace, SECOND)
        with pytest.raises(Invalid, match="was a secret of this service before"):
            renew(scene, HOUR, FIRST)

    @pytest.mark.parametrize("weak", WEAK)
    def test_what_is_weaker_than_the_format_demands_is_refused(self, scene: Scene, weak: str) -> None:
        caller, product = scene.caller(), scene.product
        for bring in (
            lambda: product.services.register(caller, ServiceDescription(key="wiki", name="Wiki"), weak),
            lambda: product.service_secrets.renew(caller, "ci", HOUR, weak),
            lambda: product.service_secrets.has_current(caller, "ci", weak),
        ):
            with pytest.raises(Invalid) as refusal:
                bring()
            assert refusal.value.field == "secret"

    def test_a_comparison_knows_the_current_one_alone(self, scene: Scene) -> None:
        renew(scene, HOUR, FIRST)
        renew(scene, HOUR, SECOND)
        compared = [secrets(scene).has_current(scene.caller(), "ci", each)[1] for each in (FIRST, SECOND)]
        assert compared == [False, True]


class TestRollback:
    def test_the_earlier_one_is_the_current_one_again_without_end(self, scene: Scene) -> None:
        second = renew(scene)
        third = renew(scene)
        service = secrets(scene).roll_back(scene.caller(), "ci", scene.ci.secret)
        assert (service.secret_renewed, service.previous_secrets) == (None, ())
        assert [is_good(scene, each) for each in (second, third)] == [False, False]
        assert is_good(scene, scene.ci.secret, now() + 1000 * DAY_MS)
        (record,) = records(scene, "service.secret-renewal-taken-back")
        assert record.details == {"key": "ci"}

    def test_those_before_it_keep_their_ends(self, scene: Scene) -> None:
        second = renew(scene)
        renew(scene)
        secrets(scene).roll_back(scene.caller(), "ci", second)
        assert is_good(scene, scene.ci.secret)
        assert not is_good(scene, scene.ci.secret, now() + HOUR)

    def test_one_before_it_that_had_ended_is_remembered(self, scene: Scene) -> None:
        """It may be in other hands, so it is not accepted again."""
        renew(scene, HOUR, FIRST)
        renew(scene, MINUTE, SECOND)
        renew(scene)
        later = replace(scene.caller(), now=now() + 2 * MINUTE)
        secrets(scene).roll_back(later, "ci", whole(scene, SECOND))
        with pytest.raises(Invalid, match="was a secret of this service before"):
            renew(scene, HOUR, FIRST)

    def test_it_can_be_said_twice(self, scene: Scene) -> None:
        renew(scene)
        taken = [secrets(scene).roll_back(scene.caller(), "ci", scene.ci.secret) for _ in range(2)]
        assert taken[0] == taken[1]
        assert len(records(scene, "service.secret-renewal-taken-back")) == 1

    def test_what_has_ended_or_never_was_is_not_taken_back_to(self, scene: Scene) -> None:
        renew(scene, 0)
        renew(scene)
        for kept in (scene.ci.secret, scene.deploy.secret, whole(scene, FIRST), "x"):
            with pytest.raises(Invalid, match="keep: must be a previous secret of this service"):
                secrets(scene).roll_back(scene.caller(), "ci", kept)


ALL: dict[str, Callable[[Scene, Caller], object]] = {
    "renew": lambda scene, by: secrets(scene).renew(by, "ci", HOUR),
    "bring": lambda scene, by: secrets(scene).renew(by, "ci", HOUR, SECOND),
    "bring the current one": lambda scene, by: secrets(scene).renew(by, "ci", HOUR, FIRST),
    "compare": lambda scene, by: secrets(scene).has_current(by, "ci", FIRST),
    "roll back": lambda scene, by: secrets(scene).roll_back(by, "ci", scene.ci.secret),
    "roll back again": lambda scene, by: secrets(scene).roll_back(by, "ci", whole(scene, FIRST)),
}


@pytest.mark.parametrize("what", ALL)
class TestWhoMay:
    def test_whoever_may_renew_it_and_nobody_else(self, scene: Scene, what: str) -> None:
        renew(scene, HOUR, FIRST)
        before = stored(scene)
        with pytest.raises(Forbidden):
            ALL[what](scene, person(scene).log_in())
        with pytest.raises(Forbidden, match="Update Service"):
            ALL[what](scene, holder(scene, READ_SERVICE))
        assert stored(scene) == before
        ALL[what](scene, holder(scene, READ_SERVICE, UPDATE_SERVICE))

    def test_of_a_trusted_one_whoever_could_trust_it(self, scene: Scene, what: str) -> None:
        renew(scene, HOUR, FIRST)
        scene.product.services.update(scene.caller(), "ci", ServiceDescription(trusted=True))
        manager = holder(scene, READ_SERVICE, UPDATE_SERVICE)
        with pytest.raises(Forbidden, match="System Admin"):
            ALL[what](scene, manager)
        assert not could_renew(manager, stored(scene))
        ALL[what](scene, scene.caller())


def test_keyturns_own_service_has_none(scene: Scene) -> None:
    caller = scene.caller()
    for refused in (
        lambda: secrets(scene).renew(caller, "keyturn", HOUR),
        lambda: secrets(scene).has_current(caller, "keyturn", FIRST),
        lambda: secrets(scene).roll_back(caller, "keyturn", scene.ci.secret),
    ):
        with pytest.raises(Conflict, match="built in"):
            refused()
    assert not could_renew(caller, keyturn_service(0))
    with pytest.raises(NotFound):
        secrets(scene).renew(caller, "nothing", HOUR)


class TestProvingItself:
    def test_it_is_told_when_the_secret_ends_by_which_it_asks(self, scene: Scene) -> None:
        made = secrets(scene).renew(scene.caller(), "ci", HOUR)
        token, answer = scene.token.secret or "", scene.product.introspection.answer
        end = made.service.previous_secrets[0].until
        assert answer("ci", scene.ci.secret, token, now()).secret_ends == end
        assert answer("ci", scene.ci.secret, "x", now()).secret_ends == end
        assert answer("ci", made.secret, token, now()).secret_ends is None

    def test_it_costs_one_read_and_no_hash_of_another_secret(self, scene: Scene) -> None:
        for _ in range(MAX_PREVIOUS):
            renew(scene)
        other, reads = scene.restarted(), []
        find = type(scene.product.stores.credentials).find

        def counted(*arguments: object) -> object:
            reads.append(arguments)
            return find(*arguments)  # type: ignore[arg-type]

        hashed = patch.object(SecretHasher, "matches", autospec=True, side_effect=SecretHasher.matches)
        with patch.object(type(scene.product.stores.credentials), "find", counted), hashed as matches:
            assert is_good(other, scene.ci.secret)
            assert (len(reads), matches.call_count) == (1, 2)  # its own, and the token's
            assert not is_good(other, SERVICE_SECRET.issue(scene.ci.service.id))
            assert (len(reads), matches.call_count) == (2, 2)

    def test_one_that_has_ended_is_counted_where_its_manager_looks(self, scene: Scene) -> None:
        renew(scene, 0)
        for _ in range(3):
            assert not is_good(scene, scene.ci.secret)
        assert not is_good(scene, SERVICE_SECRET.issue(scene.ci.service.id))
        (record,) = records(scene, "service.ended-secret-refused")
        assert record.details["times"] == "1"  # of this process, in this quarter of an hour
        assert not is_good(scene.restarted(), scene.ci.secret)
        (record,) = records(scene, "service.ended-secret-refused")
        assert record.details["times"] == "2"

    def test_one_that_was_taken_back_is_recorded_as_given_up(self, scene: Scene) -> None:
        rolled_back = renew(scene)
        secrets(scene).roll_back(scene.caller(), "ci", scene.ci.secret)
        for _ in range(3):
            assert not is_good(scene, rolled_back)
        (record,) = records(scene, "service.taken-back-secret-refused")
        assert record.details["times"] == "1"
        assert records(scene, "service.ended-secret-refused") == []


@pytest.mark.parametrize(("grace", "which"), [(HOUR, "a previous secret"), (0, "a retired secret"), (None, None)])
def test_one_that_was_found_is_recorded_whichever_it_is(scene: Scene, grace: int | None, which: str | None) -> None:
    if grace is not None:
        renew(scene, grace)
    scene.product.lifecycle.leaks.report([Found(scene.ci.secret, "a paste")], origin())
    (record,) = records(scene, "service.secret-leaked")
    assert record.details["secret"] == (which or "the current secret")
    assert is_good(scene, scene.ci.secret) is (grace != 0)


def test_what_was_stored_before_there_were_several_is_read(scene: Scene) -> None:
    service = stored(scene)
    assert service.secrets is not None
    assert (service.secrets.since, service.secrets.previous_secrets, service.secrets.retired_secrets) == (
        service.created,
        (),
        (),
    )
