"""A superseded secret comes back, or a secret is found in public."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.core.access.token_policy import Consequence, Policy
from chalicelib.core.audit.records import FAILURES_WINDOW_MS, AuditQuery
from chalicelib.core.common.errors import Invalid, NotFound, Throttled, Unauthenticated
from chalicelib.core.common.identifiers import KEYTURN, random_text
from chalicelib.core.common.rate_limits import LEAK_REPORTS
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.login.totp import STEP_MS
from chalicelib.core.secrets.previous_secrets import MAX_RETIRED, RetiredSecret
from chalicelib.core.secrets.token_format import SECRET_LENGTH, CredentialKind
from chalicelib.core.tokens.compromise import WINDOW_MS
from chalicelib.core.tokens.token import PermanentToken
from chalicelib.core.verification.leaks import Found
from tests.conftest import Scene, now, origin
from tests.core.tokens.test_rotation import MINUTE, is_good, rotate
from tests.people import person
from tests.storage.contract.making import token_record


def stored(scene: Scene) -> PermanentToken:
    return scene.product.permanent_tokens.get(scene.caller(), scene.bot.id, scene.token.token.id).token


def records(scene: Scene, kind: str) -> list[dict[str, str]]:
    page = scene.product.audit_trail.page(scene.caller(), AuditQuery(actor_id=KEYTURN, kind=kind), 100)
    return [dict(record.details) for record in page.records]


def events(scene: Scene) -> list[str]:
    found = scene.product.lifecycle.events.after(scene.token.token.id, 0, 100)
    assert [event.sequence for event in found] == list(range(1, len(found) + 1))
    return [event.kind.value.removeprefix("permanent-token.") for event in found]


def refused(scene: Scene, what: str) -> list[dict[str, str]]:
    """The records of retired secrets that were refused quietly."""
    query = AuditQuery(target_id=scene.bot.id, kind=f"permanent-token.refused-{what}")
    return [dict(record.details) for record in scene.product.audit_trail.page(scene.caller(), query, 100).records]


def rotated_and_used(scene: Scene, grace: int = 0) -> str:
    """A new secret, in use."""
    new = rotate(scene, grace)
    assert is_good(scene, new, now())
    return new


class TestReuse:
    @pytest.mark.parametrize("grace", [0, 1_000])
    def test_it_is_refused_recorded_and_raised(self, scene: Scene, grace: int) -> None:
        old = scene.token.secret or ""
        rotated_and_used(scene, grace)
        later = now() + 5_000
        assert not is_good(scene, old, later)
        (details,) = records(scene, "permanent-token.reused")
        assert details == {"name": "build", "service": scene.ci.service.id}
        assert events(scene) == ["created", "rotated", "reused"]
        assert stored(scene).reused == later

    def test_within_an_hour_it_is_noted_once(self, scene: Scene) -> None:
        old = scene.token.secret or ""
        rotated_and_used(scene)
        at = now()
        for later in (0, 1, WINDOW_MS - 1, WINDOW_MS):
            assert not is_good(scene, old, at + later)
        assert len(records(scene, "permanent-token.reused")) == 2

    def test_an_invented_secret_is_nobodys(self, scene: Scene) -> None:
        rotated_and_used(scene)
        for _ in range(20):
            invented = CredentialKind.PERMANENT_TOKEN.issue(scene.bot.id, scene.token.token.id)
            assert not is_good(scene, invented, now())
        assert events(scene) == ["created", "rotated"]

    def test_it_is_known_after_later_rotations_until_there_were_many(self, scene: Scene) -> None:
        old = scene.token.secret or ""
        for _ in range(MAX_RETIRED):
            rotated_and_used(scene)
        assert not is_good(scene, old, now())
        assert events(scene).count("reused") == 1
        rotate(scene, 0)
        assert not is_good(scene, old, now() + WINDOW_MS)
        assert events(scene).count("reused") == 1

    def test_a_policy_may_revoke(self, scene: Scene) -> None:
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(reused=Consequence.REVOKE))
        old, renewed = scene.token.secret or "", rotate(scene, 0)
        assert is_good(scene, renewed, now())
        assert not is_good(scene, old, now())
        assert not is_good(scene, renewed, now())
        with pytest.raises(NotFound):
            stored(scene)
        assert events(scene) == ["created", "rotated", "reused", "revoked"]
        (details,) = records(scene, "permanent-token.deleted")
        assert details["reason"] == "a retired secret was reused"


class TestAnAnswerThatWasLost:
    """The client has only the old secret: nobody has the later one, or nobody has used it yet."""

    REVOKE = Policy(reused=Consequence.REVOKE)

    @pytest.mark.parametrize("grace", [0, 1_000])
    def test_its_old_secret_is_refused_and_raises_nothing(self, scene: Scene, grace: int) -> None:
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", self.REVOKE)
        old, new = scene.token.secret or "", rotate(scene, grace)
        for _ in range(3):
            assert not is_good(scene, old, now() + 5_000)
        assert refused(scene, "ended") == [{"name": "build", "service": scene.ci.service.id}]
        assert (events(scene), stored(scene).reused) == (["created", "rotated"], None)
        assert is_good(scene, new, now())

    def test_the_first_use_of_the_new_one_raises_nothing_either_and_from_then_on_the_old_one_does(
        self, scene: Scene
    ) -> None:
        """Who has both tries the old one, and then the new one. A thief who came before that learns nothing by it, and
        is found with the next attempt."""
        old, new = scene.token.secret or "", rotate(scene, 0)
        assert not is_good(scene, old, now())
        assert is_good(scene, new, now())
        assert events(scene) == ["created", "rotated"]
        assert not is_good(scene, old, now())
        assert events(scene) == ["created", "rotated", "reused"]

    def test_only_a_later_one_that_was_used_counts(self, scene: Scene) -> None:
        first = scene.token.secret or ""
        second = rotated_and_used(scene)
        rotate(scene, 0)
        assert not is_good(scene, second, now())
        assert events(scene) == ["created", "rotated", "rotated"]
        assert not is_good(scene, first, now())
        assert events(scene) == ["created", "rotated", "rotated", "reused"]

    def test_the_same_rotation_again_is_harmless_for_ever(self, scene: Scene) -> None:
        """Also with the old secret, when the new one has long been in use."""
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", self.REVOKE)
        token, old, supplied = scene.token.token, scene.token.secret or "", random_text(SECRET_LENGTH)
        authentication, rotation = scene.product.authentication, scene.product.rotation
        by = authentication.caller_any_scope(old, origin(), supplied)
        new = rotation.rotate(by, "me", "current", 0, supplied).secret or ""
        assert is_good(scene, new, now())
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                authentication.caller_any_scope(old, origin(), supplied)
            again = rotation.rotate(
                authentication.caller_any_scope(new, origin(), supplied), "me", "current", 0, supplied
            )
            assert (again.secret, again.token.id) == (new, token.id)
        assert events(scene) == ["created", "rotated"]
        newest = rotated_and_used(scene)
        with pytest.raises(Unauthenticated):
            authentication.caller_any_scope(old, origin(), supplied)
        assert events(scene) == ["created", "rotated", "rotated"]
        assert is_good(scene, newest, now())

    def test_asking_whether_the_new_secret_arrived_is_no_use_of_it(self, scene: Scene) -> None:
        """The client presents what it supplies, since all answers were lost, and its jobs have the old one still."""
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", self.REVOKE)
        old, supplied = scene.token.secret or "", random_text(SECRET_LENGTH)
        authentication, rotation = scene.product.authentication, scene.product.rotation
        by = authentication.caller_any_scope(old, origin(), supplied)
        new = rotation.rotate(by, "me", "current", 0, supplied).secret or ""
        rotation.rotate(authentication.caller_any_scope(new, origin(), supplied), "me", "current", 0, supplied)
        assert not is_good(scene, old, now())
        assert events(scene) == ["created", "rotated"]
        assert is_good(scene, new, now())
        assert not is_good(scene, old, now())
        assert "reused" in events(scene)

    @pytest.mark.parametrize("supplies", ["another", "the old one"])
    def test_who_supplies_something_else_with_an_old_secret_reuses_it(self, scene: Scene, supplies: str) -> None:
        old = scene.token.secret or ""
        rotated_and_used(scene)
        middle = random_text(SECRET_LENGTH) if supplies == "another" else old[-6 - SECRET_LENGTH : -6]
        with pytest.raises(Unauthenticated):
            scene.product.authentication.caller_any_scope(old, origin(), middle)
        assert events(scene) == ["created", "rotated", "reused"]

    def test_what_ended_before_its_beginning_was_kept_counts_as_it_did(self, scene: Scene) -> None:
        old = scene.token.secret or ""
        rotate(scene, 0)
        token = stored(scene)
        before = replace(token, retired_secrets=tuple(RetiredSecret(each.stored) for each in token.retired_secrets))
        scene.product.stores.tokens.update_system_fields(
            token, replace(before, revision=token.revision + 1), token_record("updated", target_id=token.id)
        )
        assert not is_good(scene, old, now())
        assert events(scene)[-1] == "reused"

    def test_it_is_noted_with_one_write_in_a_quarter_of_an_hour(self, scene: Scene) -> None:
        old = scene.token.secret or ""
        rotate(scene, 0)
        at = now() - now() % FAILURES_WINDOW_MS + FAILURES_WINDOW_MS
        with patch.object(scene.product.stores.audit, "append", wraps=scene.product.stores.audit.append) as append:
            for later in (0, 1, FAILURES_WINDOW_MS - 1, FAILURES_WINDOW_MS):
                assert not is_good(scene, old, at + later)
        assert append.call_count == 2
        other = scene.restarted()
        assert not is_good(other, old, at)
        assert len(refused(scene, "ended")) == 2


class TestRollback:
    def test_what_was_made_after_the_secret_that_is_kept_ends_and_what_was_before_goes_on(self, scene: Scene) -> None:
        first = scene.token.secret or ""
        second, third, fourth = rotate(scene), rotate(scene), rotate(scene)
        scene.product.rotation.roll_back(scene.caller(), scene.bot.id, scene.token.token.id, second)
        good = [is_good(scene, each, now()) for each in (first, second, third, fourth)]
        assert good == [True, True, False, False]
        assert is_good(scene, second, now() + 10**10)
        assert not is_good(scene, first, now() + 10**10)

    def test_what_was_taken_back_is_refused_and_raises_nothing(self, scene: Scene) -> None:
        """It was handed over to one place of two, say, which may use it until it is told otherwise."""
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(reused=Consequence.REVOKE))
        old, new = scene.token.secret or "", rotated_and_used(scene, MINUTE)
        taken = scene.product.rotation.roll_back(scene.caller(), scene.bot.id, scene.token.token.id, old)
        assert taken.token.previous_secrets == ()
        for _ in range(3):
            assert not is_good(scene, new, now())
        assert (is_good(scene, old, now() + 10**10), stored(scene).reused) == (True, None)
        newest = rotated_and_used(scene)  # later ones in use change nothing about it
        assert not is_good(scene, new, now())
        assert is_good(scene, newest, now())
        assert events(scene) == ["created", "rotated", "rotation-taken-back", "rotated"]
        assert refused(scene, "taken-back") == [{"name": "build", "service": scene.ci.service.id}]

    def test_a_secret_that_is_kept_is_not_taken_for_used(self, scene: Scene) -> None:
        """An administrator rolls back what nobody got: the answers with both of the later ones were lost."""
        old, _, kept = scene.token.secret or "", rotate(scene, 1_000), rotate(scene)
        rotate(scene)
        scene.product.rotation.roll_back(scene.caller(), scene.bot.id, scene.token.token.id, kept)
        assert not is_good(scene, old, now() + 5_000)
        assert stored(scene).reused is None
        assert is_good(scene, kept, now() + 5_000)
        assert not is_good(scene, old, now() + 5_000)
        assert stored(scene).reused is not None

    def test_what_had_ended_before_is_reused_all_the_same(self, scene: Scene) -> None:
        first = scene.token.secret or ""
        second = rotated_and_used(scene)
        third = rotated_and_used(scene, MINUTE)
        scene.product.rotation.roll_back(scene.caller(), scene.bot.id, scene.token.token.id, second)
        assert not is_good(scene, third, now())
        assert not is_good(scene, first, now())
        assert events(scene)[-2:] == ["rotation-taken-back", "reused"]

    def test_taking_back_again_changes_nothing(self, scene: Scene) -> None:
        """The answer may have been lost."""
        old, rotation = scene.token.secret or "", scene.product.rotation
        rotate(scene)
        taken = rotation.roll_back(scene.caller(), scene.bot.id, scene.token.token.id, old)
        again = rotation.roll_back(scene.product.authentication.caller_any_scope(old, origin()), "me", "current", old)
        assert again.token.revision == taken.token.revision == stored(scene).revision

    def test_with_an_earlier_secret_a_token_cannot_take_its_rotation_back(self, scene: Scene) -> None:
        """Who was rotated away would come back so."""
        old = scene.token.secret or ""
        new = rotate(scene)
        thief = scene.product.authentication.caller_any_scope(old, origin())
        with pytest.raises(Exception, match="Present the current secret"):
            scene.product.rotation.roll_back(thief, "me", "current", old)
        holder = scene.product.authentication.caller_any_scope(new, origin())
        assert scene.product.rotation.roll_back(holder, "me", "current", old).token.rotated is None

    @pytest.mark.parametrize("kept", ["", "ktp_nothing", "one that was rolled back"])
    def test_only_an_earlier_secret_that_is_good_can_be_kept(self, scene: Scene, kept: str) -> None:
        new = rotate(scene)
        scene.product.rotation.roll_back(scene.caller(), scene.bot.id, scene.token.token.id, scene.token.secret or "")
        with pytest.raises(Invalid, match="keep: must be a previous secret"):
            scene.product.rotation.roll_back(
                scene.caller(), scene.bot.id, scene.token.token.id, new if kept.startswith("one") else kept
            )


class TestLeaks:
    def report(self, scene: Scene, *texts: str | None) -> None:
        scene.product.lifecycle.leaks.report(
            [Found(text or "", "https://example.com/gist") for text in texts], origin()
        )

    def test_a_token_that_was_found_is_revoked_at_once(self, scene: Scene) -> None:
        self.report(scene, "nothing", scene.token.secret)
        assert not scene.is_good(scene.token.secret)
        assert events(scene) == ["created", "leaked", "revoked"]
        (details,) = records(scene, "permanent-token.leaked")
        assert details["place"] == "https://example.com/gist"

    def test_a_policy_may_leave_it_and_flag_it(self, scene: Scene) -> None:
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(leaked=Consequence.FLAG))
        self.report(scene, scene.token.secret)
        self.report(scene, scene.token.secret)
        assert scene.is_good(scene.token.secret)
        assert events(scene) == ["created", "leaked"]
        assert stored(scene).leaked is not None

    FLAG = Policy(leaked=Consequence.FLAG)

    def test_it_takes_every_service_of_the_scope_to_leave_it(self, scene: Scene) -> None:
        """Whoever manages one of them does not decide about the others."""
        by, policies = scene.caller(), scene.product.lifecycle.policies
        tokens = scene.product.permanent_tokens
        both = [tokens.create(by, scene.bot.id, f"both {number}", ["ci", "deploy"]) for number in range(3)]
        policies.set_for_service(by, "ci", self.FLAG)
        self.report(scene, both[0].secret)
        assert not scene.is_good(both[0].secret)
        policies.set_for_service(by, "deploy", self.FLAG)
        self.report(scene, both[1].secret)
        assert scene.is_good(both[1].secret)
        scene.product.services.delete(by, "deploy")  # so it says nothing
        self.report(scene, both[2].secret)
        assert not scene.is_good(both[2].secret)

    def test_a_group_does_not_leave_what_services_would_revoke(self, scene: Scene) -> None:
        by, groups = scene.caller(), scene.product.groups
        groups.create(by, GroupDescription("bots"))
        groups.add_member(by, "bots", scene.bot.id)
        scene.product.lifecycle.policies.set_for_group(by, "bots", self.FLAG)
        self.report(scene, scene.token.secret)
        assert not scene.is_good(scene.token.secret)

    def test_a_group_may_revoke_what_services_would_leave(self, scene: Scene) -> None:
        by, groups, policies = scene.caller(), scene.product.groups, scene.product.lifecycle.policies
        groups.create(by, GroupDescription("bots"))
        groups.add_member(by, "bots", scene.bot.id)
        policies.set_for_service(by, "ci", self.FLAG)
        policies.set_for_group(by, "bots", Policy(leaked=Consequence.REVOKE))
        self.report(scene, scene.token.secret)
        assert not scene.is_good(scene.token.secret)

    def test_an_earlier_secret_that_is_good_counts_and_one_that_ended_is_only_noted(self, scene: Scene) -> None:
        old = scene.token.secret
        new = rotate(scene, 0)
        self.report(scene, old)
        assert scene.is_good(new)
        assert events(scene) == ["created", "rotated", "leaked"]
        newest = rotate(scene)
        self.report(scene, new)
        assert not scene.is_good(newest)

    def test_guesses_and_what_is_not_ours_change_nothing(self, scene: Scene) -> None:
        invented = CredentialKind.PERMANENT_TOKEN.issue(scene.bot.id, scene.token.token.id)
        self.report(scene, invented, "ghp_" + "x" * 36, "", "kts_" + "0" * 61, invented[:-1])
        assert scene.is_good(scene.token.secret)
        assert events(scene) == ["created"]

    def test_other_credentials_end_too_and_a_services_secret_is_recorded(self, scene: Scene) -> None:
        jo = person(scene)
        jo.turn_on_2fa()
        jo.wait(STEP_MS)
        opened = jo.attempt(code=jo.code())
        caller = jo.caller(opened)
        password = scene.product.application_passwords.create(caller, "me", "mail")
        self.report(scene, password.secret, scene.ci.secret, opened.secret)
        authentication = scene.product.authentication
        with pytest.raises(Unauthenticated):
            authentication.caller_by_password(jo.user.login, password.secret or "", origin())
        with pytest.raises(Unauthenticated):
            authentication.caller(opened.secret, origin())
        assert scene.is_good(scene.token.secret)
        for kind in ("service.secret-leaked", "application-password.leaked", "session.leaked"):
            assert len(records(scene, kind)) == 1

    def test_a_services_secret_leaves_one_record_however_often_it_is_reported(self, scene: Scene) -> None:
        with patch(f"{__name__}.origin", return_value=origin()):  # all in one window
            for _ in range(3):
                self.report(scene, *[scene.ci.secret] * 100)
            self.report(scene, scene.deploy.secret)
        found = records(scene, "service.secret-leaked")
        assert sorted(each["times"] for each in found) == ["1", "3"]
        assert {each["place"] for each in found} == {"https://example.com/gist"}

    def test_each_string_of_a_report_is_answered(self, scene: Scene) -> None:
        found = [Found(text or "") for text in ("nothing", scene.ci.secret, "nothing", scene.ci.secret)]
        assert scene.product.lifecycle.leaks.ended(found, origin()) == [False, True, False, True]

    def test_reports_of_one_network_are_limited(self, scene: Scene) -> None:
        with patch(f"{__name__}.origin", return_value=origin()):  # all in one window
            for _ in range(LEAK_REPORTS):
                self.report(scene, "nothing")
            with pytest.raises(Throttled):
                self.report(scene, "nothing")

    @pytest.mark.parametrize("number", [0, 101])
    def test_a_report_has_its_bounds(self, scene: Scene, number: int) -> None:
        with pytest.raises(Invalid, match="found: must have 1 to 100"):
            self.report(scene, *["nothing"] * number)
