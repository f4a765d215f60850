"""What OAuth 2.0 keeps: each code, device and approval is used by one, and what depends on what is read together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.oauth.access_tokens import Source, SourceKind, SubjectState
from chalicelib.core.oauth.ports import Approving, CodeFound, DelegationFound
from chalicelib.core.stores import Stores
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import newer, record, stored_token, stored_user


class TestCodes:
    def test_one_is_found_with_its_owner_and_approval(self, stores: Stores) -> None:
        owner = stored_user(stores)
        approval = making.approval(owner)
        code = making.code(owner, client_id=approval.client_id, nonce="n")
        stores.approved_scopes.approve(None, approval, owner, record())
        stores.codes.create(code, owner, record())
        assert stores.codes.find(owner.id, code.id, code.client_id) == CodeFound(code, owner, approval)
        assert stores.codes.find("nobody", code.id, code.client_id) == CodeFound()

    def test_one_is_not_stored_for_an_owner_who_has_changed(self, stores: Stores) -> None:
        owner = stored_user(stores)
        stores.accounts.replace(owner, newer(owner), False, record())
        with refused(stores, StaleWrite):
            stores.codes.create(making.code(owner), owner, record())

    def test_one_buys_one_delegation_and_others_make_room(self, stores: Stores) -> None:
        owner = stored_user(stores)
        codes = [making.code(owner) for _ in range(3)]
        for code in codes:
            stores.codes.create(code, owner, record())
        first, second = making.delegation(owner), making.delegation(owner)
        stores.codes.redeem(codes[0], first, [], record())
        with refused(stores, StaleWrite):
            stores.codes.redeem(codes[0], second, [], record())
        stores.codes.redeem(codes[1], second, [first], record())
        assert stores.delegations.list(owner.id) == [second]
        with refused(stores, StaleWrite):
            stores.codes.redeem(codes[2], making.delegation(owner), [first], record())
        used = stores.codes.find(owner.id, codes[0].id, "client").code
        assert used == replace(codes[0], used=True)
        with refused(stores, StaleWrite):
            stores.codes.redeem(making.code(owner), making.delegation(owner), [], record())


class TestDelegations:
    def test_are_listed_oldest_first_of_all_services_or_of_one(self, stores: Stores) -> None:
        owner = stored_user(stores)
        made = [
            making.delegation(owner, client_id=client, created=age) for client, age in (("a", 3), ("b", 2), ("a", 1))
        ]
        for each in made:
            code = making.code(owner)
            stores.codes.create(code, owner, record())
            stores.codes.redeem(code, each, [], record())
        assert stores.delegations.list(owner.id) == [made[2], made[1], made[0]]
        assert stores.delegations.list(owner.id, "a") == [made[2], made[0]]
        assert stores.delegations.list("nobody") == []

    def test_one_changes_and_goes_only_while_it_is_there(self, stores: Stores) -> None:
        owner = stored_user(stores)
        code, delegation = making.code(owner), making.delegation(owner)
        stores.codes.create(code, owner, record())
        stores.codes.redeem(code, delegation, [], record())
        changed = newer(delegation, last_used=5, put_aside=6, secrets=())
        stores.delegations.replace(delegation, changed, record())
        with refused(stores, StaleWrite):
            stores.delegations.replace(delegation, newer(delegation), record())
        found = stores.delegations.find(owner.id, delegation.id, delegation.client_id)
        assert found == DelegationFound(changed, owner, None)
        stores.delegations.delete(changed, record())
        with refused(stores, StaleWrite):
            stores.delegations.delete(changed, record())
        with refused(stores, StaleWrite):
            stores.delegations.replace(changed, newer(changed), record())


class TestApprovedScopes:
    def test_one_for_each_service(self, stores: Stores) -> None:
        owner = stored_user(stores)
        approval = making.approval(owner)
        stores.approved_scopes.approve(None, approval, owner, record())
        with refused(stores, StaleWrite):
            stores.approved_scopes.approve(None, making.approval(owner, client_id=approval.client_id), owner, record())
        wider = newer(approval, scope=("a", "b"))
        stores.approved_scopes.approve(approval, wider, owner, record())
        with refused(stores, StaleWrite):
            stores.approved_scopes.approve(approval, newer(approval), owner, record())
        earlier = making.approval(owner, created=1)
        stores.approved_scopes.approve(None, earlier, owner, record())
        assert stores.approved_scopes.get(owner.id, approval.client_id) == wider
        assert stores.approved_scopes.list(owner.id) == [earlier, wider]

    def test_it_goes_by_itself_and_what_hung_on_it_is_swept(self, stores: Stores) -> None:
        owner = stored_user(stores)
        approval = making.approval(owner)
        stores.approved_scopes.approve(None, approval, owner, record())
        with refused(stores, StaleWrite):
            stores.approved_scopes.delete(newer(approval), record())
        hanging, other = [
            making.delegation(owner, client_id=approval.client_id, approval_id=id)
            for id in (approval.id, making.new_id())
        ]
        for delegation in (hanging, other):
            code = making.code(owner)
            stores.codes.create(code, owner, record())
            stores.codes.redeem(code, delegation, [], record())
        stores.approved_scopes.delete(approval, record())
        assert stores.approved_scopes.list(owner.id) == []
        assert len(stores.delegations.list(owner.id)) == 2
        with refused(stores, StaleWrite):
            stores.approved_scopes.delete(approval, record())
        for _ in range(2):
            stores.delegations.sweep(approval)
            assert stores.delegations.list(owner.id) == [other]

    def test_an_owner_who_has_changed_has_approved_nothing(self, stores: Stores) -> None:
        owner = stored_user(stores)
        stores.accounts.replace(owner, newer(owner), False, record())
        with refused(stores, StaleWrite):
            stores.approved_scopes.approve(None, making.approval(owner), owner, record())


class TestDevices:
    def test_one_is_found_by_the_code_that_its_user_types(self, stores: Stores) -> None:
        device = making.device()
        stores.devices.create(device)
        assert stores.devices.get(device.id) == stores.devices.find_by_user_code(device.user_code) == device
        assert stores.devices.find_by_user_code("nothing") is None
        with refused(stores, StaleWrite):
            stores.devices.create(making.device(user_code=device.user_code))

    def test_it_changes_only_while_it_is_as_it_was(self, stores: Stores) -> None:
        device = making.device()
        stores.devices.create(device)
        polled = newer(device, last_poll=5)
        stores.devices.poll(device, polled)
        for stale in (device, making.device()):
            with refused(stores, StaleWrite):
                stores.devices.poll(stale, newer(stale))
            with refused(stores, StaleWrite):
                stores.devices.decide(stale, newer(stale), None, record())
            with refused(stores, StaleWrite):
                stores.devices.redeem(stale, making.delegation(making.user()), [], record())
        decided = newer(polled, user_id="u", offline=True)
        stores.devices.decide(polled, decided, None, record())
        assert stores.devices.get(device.id) == decided

    def test_what_is_approved_with_it_is_stored_with_it_or_not_at_all(self, stores: Stores) -> None:
        owner, device = stored_user(stores), making.device()
        stores.devices.create(device)
        first = making.approval(owner, client_id=device.client_id)
        second, decided = newer(first, offline=True, shown=7), newer(device, user_id=owner.id)
        approving, audit = Approving(None, first, owner, record()), record()
        with refused(stores, StaleWrite):
            stores.devices.decide(newer(device), decided, approving, audit)
        with refused(stores, StaleWrite):
            stores.devices.decide(device, decided, replace(approving, owner=newer(owner)), audit)
        with refused(stores, StaleWrite):
            stores.devices.decide(device, decided, Approving(first, second, owner, record()), audit)
        assert stores.approved_scopes.list(owner.id) == []
        stores.devices.decide(device, decided, approving, audit)
        assert stores.approved_scopes.list(owner.id) == [first]
        for each in (audit, approving.audit):
            query = AuditQuery(target_id=each.target_id)
            assert [found.id for found in stores.audit.page(query, 10).records] == [each.id]
        again = making.device(client_id=device.client_id)
        stores.devices.create(again)
        with refused(stores, StaleWrite):
            stores.devices.decide(again, newer(again), Approving(None, first, owner, record()), record())
        stores.devices.decide(again, newer(again), Approving(first, second, owner, record()), record())
        assert stores.approved_scopes.list(owner.id) == [second]

    def test_it_buys_one_delegation_and_its_code_is_free(self, stores: Stores) -> None:
        owner, device = stored_user(stores), making.device()
        stores.devices.create(device)
        delegation = making.delegation(owner)
        stores.devices.redeem(device, delegation, [], record())
        assert stores.delegations.list(owner.id) == [delegation]
        assert stores.devices.get(device.id) is None
        with refused(stores, StaleWrite):
            stores.devices.redeem(device, making.delegation(owner), [], record())
        stores.devices.create(making.device(user_code=device.user_code))


class TestTrustRules:
    def test_names_are_unique_and_free_again(self, stores: Stores) -> None:
        owner = stored_user(stores)
        rule = making.trust_rule(owner, created=2)
        stores.trust_rules.create(rule, owner, None, record())
        with refused(stores, Conflict):
            stores.trust_rules.create(making.trust_rule(owner, name=rule.name), owner, None, record())
        stores.trust_rules.mark_used(rule, 7)
        earlier = making.trust_rule(owner, created=1)
        stores.trust_rules.create(earlier, owner, None, record())
        assert stores.trust_rules.list(owner.id) == [earlier, replace(rule, last_used=7)]
        stores.trust_rules.delete(rule, record())
        with refused(stores, StaleWrite):
            stores.trust_rules.delete(rule, record())
        with refused(stores, StaleWrite):
            stores.trust_rules.mark_used(rule, 8)
        stores.trust_rules.create(making.trust_rule(owner, name=rule.name), owner, None, record())

    def test_what_was_compared_has_to_be_as_it_was(self, stores: Stores) -> None:
        owner, role = stored_user(stores), making.stored_role(stores)
        seen = making.access_by(roles=(role,))
        stores.roles.replace(role, newer(role), record())
        with refused(stores, StaleWrite):
            stores.trust_rules.create(making.trust_rule(owner), owner, seen, record())
        stores.accounts.replace(owner, newer(owner), False, record())
        with refused(stores, StaleWrite):
            stores.trust_rules.create(making.trust_rule(owner), owner, None, record())
        changed = newer(owner)
        rule = making.trust_rule(owner)
        stores.trust_rules.create(rule, changed, None, record())
        for by, required_permissions in ((owner, None), (changed, seen)):
            with refused(stores, StaleWrite):
                stores.trust_rules.replace(rule, newer(rule), by, required_permissions, record())

    def test_one_is_changed_in_place(self, stores: Stores) -> None:
        owner = stored_user(stores)
        first, other = making.trust_rule(owner, created=1), making.trust_rule(owner, created=2)
        for each in (first, other):
            stores.trust_rules.create(each, owner, None, record())
        with refused(stores, Conflict):
            stores.trust_rules.replace(first, newer(first, name=other.name), owner, None, record())
        changed = newer(first, name="another", issuer="https://ci.example.org", scope=("cd",), since=5)
        stores.trust_rules.replace(first, changed, owner, None, record())
        assert stores.trust_rules.list(owner.id) == [changed, other]
        for stale in (
            lambda: stores.trust_rules.replace(first, newer(first), owner, None, record()),
            lambda: stores.trust_rules.delete(first, record()),  # or else the new name would stay taken
        ):
            with refused(stores, StaleWrite):
                stale()
        stores.trust_rules.create(making.trust_rule(owner, name=first.name), owner, None, record())
        again = newer(changed, conditions={"sub": ("c",)}, keys=({"kty": "EC", "kid": "k"},), lasting=True)
        stores.trust_rules.replace(changed, again, owner, None, record())
        assert again in stores.trust_rules.list(owner.id)
        stores.trust_rules.delete(again, record())
        stores.trust_rules.create(making.trust_rule(owner, name="another"), owner, None, record())


class TestAccessTokens:
    """What one depends on is read in one round trip."""

    def test_on_a_permanent_token(self, stores: Stores) -> None:
        owner, asking = stored_user(stores), making.service()
        stores.services.create(asking, record())
        source = stored_token(stores, owner)
        token = making.access_token(owner, Source(SourceKind.PERMANENT_TOKEN, source.id))
        assert stores.access_tokens.subject_state(token, asking.id) == SubjectState(
            subject=owner, services={asking.id: asking}, permanent_token=source
        )
        assert stores.access_tokens.subject_state(token, None).services == {}

    def test_on_a_delegation_with_its_approval_and_its_client(self, stores: Stores) -> None:
        owner, client = stored_user(stores), making.service()
        stores.services.create(client, record())
        approval = making.approval(owner, client_id=client.id)
        delegation, code = making.delegation(owner, client_id=client.id), making.code(owner)
        stores.approved_scopes.approve(None, approval, owner, record())
        stores.codes.create(code, owner, record())
        stores.codes.redeem(code, delegation, [], record())
        token = making.access_token(owner, Source(SourceKind.DELEGATION, delegation.id, client.id))
        assert stores.access_tokens.subject_state(token, client.id) == SubjectState(
            subject=owner, services={client.id: client}, delegation=delegation, approval=approval
        )

    def test_on_a_trust_rule_and_on_who_acts(self, stores: Stores) -> None:
        owner, actor = stored_user(stores), making.service()
        stores.services.create(actor, record())
        rule = making.trust_rule(owner)
        stores.trust_rules.create(rule, owner, None, record())
        token = making.access_token(
            owner, Source(SourceKind.TRUST_RULE, rule.id), client_id=actor.id, actors=(actor.id,)
        )
        assert stores.access_tokens.subject_state(token, None) == SubjectState(
            subject=owner, services={actor.id: actor}, trust_rule=rule
        )

    def test_on_a_service(self, stores: Stores) -> None:
        service = making.service()
        stores.services.create(service, record())
        token = making.access_token(making.user(id=service.id), Source(SourceKind.SERVICE, service.id))
        assert stores.access_tokens.subject_state(token, None) == SubjectState(services={service.id: service})

    @pytest.mark.parametrize("kind", SourceKind)
    def test_is_good_for_nothing_once_it_is_revoked(self, stores: Stores, kind: SourceKind) -> None:
        owner = stored_user(stores)
        token = making.access_token(owner, Source(kind, making.new_id(), making.new_id()))
        assert not stores.access_tokens.subject_state(token, None).revoked
        stores.access_tokens.revoke(token, record())
        assert stores.access_tokens.subject_state(token, None).revoked
        with refused(stores, StaleWrite):
            stores.access_tokens.revoke(token, record())

    def test_and_with_it_what_was_exchanged_from_it(self, stores: Stores) -> None:
        owner, first, second = stored_user(stores), making.new_id(), making.new_id()
        tokens = [
            making.access_token(owner, id=first),
            making.access_token(owner, id=second, exchanged_from=(first,)),
            making.access_token(owner, exchanged_from=(second, first)),
            making.access_token(owner, exchanged_from=(first,)),
        ]
        stores.access_tokens.revoke(tokens[1], record())
        assert [stores.access_tokens.subject_state(each, None).revoked for each in tokens] == [False, True, True, False]
        stores.access_tokens.revoke(tokens[0], record())
        assert all(stores.access_tokens.subject_state(each, None).revoked for each in tokens)
