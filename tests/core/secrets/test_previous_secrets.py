"""An earlier secret is for services, and for the client whose answer got lost; what came of it ends with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.core.access.caller import Caller
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, Forbidden, Unavailable
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.access_tokens import Source, SourceKind
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.secrets.previous_secrets import MAX_PREVIOUS
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import PermanentToken
from chalicelib.core.verification.last_use import LAST_USED_WINDOW_MS
from chalicelib.core.verification.leaks import Found
from tests.conftest import Scene, now, origin
from tests.core.tokens.test_rotation import hashed, is_good

MINUTE = 60_000
HOUR = 60 * MINUTE


def renew(scene: Scene, secret: str | None, grace_ms: int = HOUR, supplied: str | None = None) -> str:
    """The next secret, by somebody who has only this one."""
    holder = scene.product.authentication.caller_any_scope(secret or "", origin())
    return scene.product.rotation.rotate(holder, "me", "current", grace_ms, supplied).secret or ""


def good(scene: Scene, *secrets: str | None) -> list[bool]:
    return [scene.is_good(each) for each in secrets]


class TestRenewingItself:
    def test_without_grace_it_ends_neither_a_later_secret_nor_locks_its_owner_out(self, scene: Scene) -> None:
        old = scene.token.secret
        lost = renew(scene, old)
        renewed = renew(scene, old, 0)
        assert good(scene, renewed, old) == [True, False]
        tonight = now() + DAY_MS - MINUTE
        assert is_good(scene, lost, tonight)

    @pytest.mark.parametrize(("first", "second", "expected"), [(HOUR, 0, DAY_MS), (3 * DAY_MS, HOUR, 3 * DAY_MS)])
    def test_the_later_one_has_a_day_at_least_and_as_long_as_the_one_that_is_presented(
        self, scene: Scene, first: int, second: int, expected: int
    ) -> None:
        lost = renew(scene, scene.token.secret, first)
        began = now()
        renew(scene, scene.token.secret, second)
        assert is_good(scene, lost, began + expected - MINUTE)
        assert not is_good(scene, lost, began + expected + MINUTE)

    def test_it_does_until_a_later_one_is_used(self, scene: Scene) -> None:
        old = scene.token.secret
        second = renew(scene, old)
        third = renew(scene, old)
        assert scene.is_good(second)
        with pytest.raises(Forbidden, match="A newer secret of this token is in use"):
            renew(scene, old)
        fourth = renew(scene, second)
        assert good(scene, old, second, third, fourth) == [True] * 4

    def test_a_later_one_was_used_even_if_it_has_ended(self, scene: Scene) -> None:
        old = scene.token.secret
        second = renew(scene, old, 10 * DAY_MS)
        renew(scene, second, 1)
        later = Origin(now() + HOUR, "192.0.2.1")
        holder = scene.product.authentication.caller_any_scope(old or "", later)
        with pytest.raises(Forbidden, match="in use"):
            scene.product.rotation.rotate(holder, "me", "current", HOUR)

    def test_any_use_counts_and_is_stored_once(self, scene: Scene) -> None:
        credentials = scene.product.stores.credentials
        token = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "all", ["keyturn", "ci"])
        with patch.object(credentials, "settle", wraps=credentials.settle) as settle:
            for use in (
                lambda secret: scene.is_good(secret),
                lambda secret: scene.caller(secret),
                lambda secret: scene.product.oauth.token_exchange.exchange(Exchange(secret, audience=["ci"]), origin()),
            ):
                renewed = renew(scene, token.secret)
                before = settle.call_count
                for _ in range(3):
                    use(renewed)
                assert settle.call_count == before + 1
                assert scene.is_good(token.secret)
                assert settle.call_count == before + 1
                token = replace(token, secret=renewed)

    def test_a_use_that_could_not_be_stored_is_a_use_and_stored_by_a_later_one(self, scene: Scene) -> None:
        renewed = renew(scene, scene.token.secret)
        with patch.object(scene.product.stores.credentials, "settle", side_effect=Unavailable("down")) as attempted:
            assert good(scene, renewed, renewed) == [True, True]
        assert attempted.call_count == 1
        assert is_good(scene, renewed, now() + LAST_USED_WINDOW_MS)
        with pytest.raises(Forbidden, match="in use"):
            renew(scene, scene.token.secret)

    def test_of_two_at_the_same_time_the_second_does_not_end_what_the_first_made(self, scene: Scene) -> None:
        """Both presented the current secret; when the second is written, it is an earlier one."""
        holders = [scene.product.authentication.caller_any_scope(scene.token.secret or "", origin()) for _ in range(3)]
        rotate = scene.product.rotation.rotate
        made = [
            rotate(holder, "me", "current", grace).secret for holder, grace in zip(holders, (HOUR, 0), strict=False)
        ]
        assert good(scene, *made) == [True, True]
        with pytest.raises(Forbidden, match="The secret that you present has ended"):
            rotate(holders[2], "me", "current", HOUR)

    def test_however_often_answers_get_lost_it_ends_none_but_itself(self, scene: Scene) -> None:
        lost = [renew(scene, scene.token.secret) for _ in range(MAX_PREVIOUS)]
        with pytest.raises(Conflict, match="This token has 10 valid secrets"):
            renew(scene, scene.token.secret)
        last = renew(scene, scene.token.secret, 0)
        assert good(scene, scene.token.secret, last, *lost) == [False] + [True] * (MAX_PREVIOUS + 1)

    def test_bringing_the_current_one_again_is_answered_though_it_is_in_use(self, scene: Scene) -> None:
        supplied = "Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB"
        renewed = renew(scene, scene.token.secret, HOUR, supplied)
        assert renew(scene, scene.token.secret, HOUR, supplied) == renewed
        assert scene.is_good(renewed)
        assert renew(scene, scene.token.secret, HOUR, supplied) == renewed

    def test_bringing_one_without_grace_is_repeated_with_itself(self, scene: Scene) -> None:
        supplied = "Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB"
        renewed = renew(scene, scene.token.secret, 0, supplied)
        assert not scene.is_good(scene.token.secret)
        assert renew(scene, renewed, 0, supplied) == renewed

    def test_after_a_rotation_was_taken_back_a_lost_answer_is_asked_for_again(self, scene: Scene) -> None:
        old = scene.token.secret
        holder = scene.product.authentication.caller_any_scope(renew(scene, old), origin())
        scene.product.rotation.roll_back(holder, "me", "current", old or "")
        lost = renew(scene, old)
        assert good(scene, renew(scene, old), lost, old) == [True, True, True]

    def test_the_record_says_what_was_presented(self, scene: Scene) -> None:
        for _ in range(2):
            renew(scene, scene.token.secret)
        query = AuditQuery(target_id=scene.bot.id, kind="permanent-token.rotated")
        records = scene.product.audit_trail.page(scene.caller(), query, 10).records
        assert [record.details.get("presented") for record in records] == ["a previous secret", None]


def test_secrets_of_one_moment_are_told_apart() -> None:
    token = PermanentToken("t", "u", "n", ("a",), "u", "U", 5, hashed(0))
    for number in range(1, 5):
        token = token.rotated_to(hashed(number), 100, now=5)
    assert [each.since for each in token.previous_secrets] + [token.secret_created_at] == [5, 6, 7, 8, 9]


@pytest.fixture
def manager(scene: Scene) -> OwnedToken:
    """Another token of the administrator, which may do everything."""
    return scene.product.permanent_tokens.create(scene.caller(), "me", "manager", ["keyturn", "ci"])


def by_itself(scene: Scene, secret: str) -> Caller:
    return scene.caller(secret)


def exchanged(scene: Scene, secret: str) -> Caller:
    issued = scene.product.oauth.token_exchange.exchange(Exchange(secret, audience=["keyturn"]), origin())
    return scene.caller(issued.access_token)


@pytest.mark.parametrize("presented", [by_itself, exchanged])
class TestAtKeyturnItself:
    """With an earlier secret, or an access token that was exchanged for one."""

    def test_it_reads(self, scene: Scene, manager: OwnedToken, presented: Callable[[Scene, str], Caller]) -> None:
        renew(scene, manager.secret)
        caller = presented(scene, manager.secret or "")
        assert caller.secret_ends
        assert scene.product.permanent_tokens.get(caller, "me", manager.token.id)
        assert scene.product.services.get(caller, "ci")

    def test_it_changes_nothing(
        self, scene: Scene, manager: OwnedToken, presented: Callable[[Scene, str], Caller]
    ) -> None:
        current = renew(scene, manager.secret)
        caller, product, id = presented(scene, manager.secret or ""), scene.product, manager.token.id
        tokens = product.permanent_tokens
        for attempt in (
            lambda: tokens.create(caller, "me", "another", ["keyturn"]),
            lambda: tokens.update(caller, "me", id, None, None, now() + MINUTE),
            lambda: tokens.delete(caller, "me", id),
            lambda: product.rotation.rotate(caller, "me", scene.administrator.token.id, 0),
            lambda: product.accounts.update(caller, "me", AccountChange(banned=True)),
            lambda: product.accounts.delete(caller, "me"),
            lambda: product.services.register(caller, ServiceDescription(key="evil", name="Evil")),
            lambda: product.passwords.set(caller, "me", "correct horse battery staple", None),
        ):
            with pytest.raises(Forbidden, match="A previous secret can only read"):
                attempt()
        assert scene.is_good(current)

    def test_exactly_these_operations_are_left(
        self, scene: Scene, manager: OwnedToken, presented: Callable[[Scene, str], Caller]
    ) -> None:
        renew(scene, manager.secret)
        caller = presented(scene, manager.secret or "")
        left = {
            each.name
            for each in Operation
            if caller.is_allowed(each, caller.user.id) or caller.is_allowed(each, "another")
        }
        reads = {each.name for each in Operation if each.name.startswith(("READ", "LIST", "EXPLAIN"))}
        assert left == (reads - {"READ_WEBHOOKS"}) | {"ROTATE_CURRENT_TOKEN"}


class TestWhatWasExchanged:
    """An access token ends with the secret that it was exchanged for (RFC 8693)."""

    def exchange(self, scene: Scene, secret: str | None) -> str:
        exchange = scene.product.oauth.token_exchange.exchange
        return exchange(Exchange(secret or "", audience=["ci"]), origin()).access_token

    def is_good(self, scene: Scene, access_token: str, at: int | None = None) -> bool:
        return scene.product.oauth.access_token_check.verify(access_token, at or now()) is not None

    def test_with_the_grace(self, scene: Scene) -> None:
        issued = self.exchange(scene, scene.token.secret)
        renewed = renew(scene, scene.token.secret, MINUTE)
        kept = self.exchange(scene, renewed)
        began = now()
        assert self.is_good(scene, issued, began + MINUTE - 1_000)
        assert not self.is_good(scene, issued, began + MINUTE)
        assert self.is_good(scene, kept, began + MINUTE)

    def test_at_once_without_grace_and_so_does_what_was_narrowed_from_it(self, scene: Scene) -> None:
        issued = self.exchange(scene, scene.token.secret)
        narrowed = self.exchange(scene, issued)
        renew(scene, scene.token.secret, 0)
        assert [self.is_good(scene, each) for each in (issued, narrowed)] == [False, False]

    def test_when_it_is_taken_back(self, scene: Scene) -> None:
        first = self.exchange(scene, scene.token.secret)
        renewed = renew(scene, scene.token.secret)
        second = self.exchange(scene, renewed)
        holder = scene.product.authentication.caller_any_scope(renewed, origin())
        scene.product.rotation.roll_back(holder, "me", "current", scene.token.secret or "")
        assert [self.is_good(scene, each) for each in (first, second)] == [True, False]

    def test_when_it_is_found_in_public(self, scene: Scene) -> None:
        issued = self.exchange(scene, scene.token.secret)
        scene.product.lifecycle.leaks.report([Found(scene.token.secret or "")], origin())
        assert not self.is_good(scene, issued)

    def test_what_was_issued_before_secrets_were_named_goes_on_for_its_minutes(self, scene: Scene) -> None:
        oauth, source = scene.product.oauth, Source(SourceKind.PERMANENT_TOKEN, scene.token.token.id)
        service = scene.ci.service.id
        issued = oauth._issuance.issue(scene.bot.id, "0-0-0-0-0", (service,), source, now())
        assert self.is_good(scene, issued.access_token)
        scene.product.permanent_tokens.delete(scene.caller(), scene.bot.id, scene.token.token.id)
        assert not self.is_good(scene, issued.access_token)

    @pytest.mark.parametrize(
        "source",
        [
            Source(SourceKind.PERMANENT_TOKEN, "t", since=1_700_000_000_000),
            Source(SourceKind.PERMANENT_TOKEN, "t"),
            Source(SourceKind.DELEGATION, "d", "c"),
            Source(SourceKind.TRUST_RULE, "r"),
        ],
    )
    def test_a_source_reads_as_it_was_written(self, source: Source) -> None:
        assert Source.parse(str(source)) == source


def test_a_list_of_tokens_is_no_use_of_a_later_secret(scene: Scene) -> None:
    renew(scene, scene.token.secret)
    scene.product.permanent_tokens.page(scene.caller(), scene.bot.id, Window())
    assert scene.is_good(renew(scene, scene.token.secret))
