"""Every change leaves a record: who, what, to whom, when, from where, and never a secret."""

from dataclasses import replace

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.role import REGISTERED_USER
from chalicelib.core.audit.records import Hand
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import AuditItem
from tests.conftest import Scene


def test_each_operation_that_changes_something_leaves_one_record(scene: Scene) -> None:
    product, caller = scene.product, scene.caller()
    already = {item.id for item in records()}
    user = product.accounts.create(caller, "user", "User", AccountType.USER)
    product.accounts.update(caller, "user", AccountChange(name="New"))
    token = product.permanent_tokens.create(caller, "user", "token", ["ci"])
    product.permanent_tokens.update(caller, "user", token.token.id, "renamed", None)
    product.permanent_tokens.delete(caller, "user", token.token.id)
    role = product.roles.create(caller, "role", "Role", ["0-0-0-0-0:read-user"])
    grant, _ = product.roles.grant(caller, "user", "role", "ci")
    product.roles.revoke(caller, "user", grant.id)
    service = product.services.register(caller, ServiceDescription(key="new", name="New"))
    product.services.update(caller, "new", ServiceDescription(name="Newer"))
    product.service_secrets.renew(caller, "new")
    product.services.delete(caller, "new")
    product.accounts.delete(caller, "user")

    written = [item for item in records() if item.id not in already]
    assert sorted((item.audit_kind, item.target_id) for item in written) == sorted(
        [
            ("user.created", user.id),
            ("user.updated", user.id),
            ("permanent-token.created", token.token.id),
            ("permanent-token.updated", token.token.id),
            ("permanent-token.deleted", token.token.id),
            ("role.created", role.id),
            ("role.granted", user.id),
            ("role.revoked", user.id),
            ("service.created", service.service.id),
            ("service.updated", service.service.id),
            ("service.secret-renewed", service.service.id),
            ("service.deleted", service.service.id),
            ("user.deleted", user.id),
        ]
    )
    for item in written:
        assert item.actor_id == caller.user.id
        assert item.credential_id == scene.administrator.token.id
        assert item.address == caller.address
        assert item.at == caller.now


def test_a_change_that_is_none_leaves_none(scene: Scene) -> None:
    before = len(records())
    scene.product.accounts.update(scene.caller(), scene.bot.id, AccountChange(name=scene.bot.name))
    scene.product.permanent_tokens.update(scene.caller(), scene.bot.id, scene.token.token.id, "build", ["ci"])
    scene.product.services.update(scene.caller(), "ci", ServiceDescription(name="Build server"))
    assert len(records()) == before


def test_no_secret_and_no_hash_is_in_any_item(scene: Scene) -> None:
    everything = [item.to_simple_dict(force=True) for item in Item.scan(consistent_read=True)]
    for secret in (scene.token.secret, scene.administrator.secret, scene.ci.secret):
        assert str(secret) not in str(everything)
    assert not any("argon2" in str(item.details) for item in records())


def test_a_new_account_is_a_registered_user(scene: Scene) -> None:
    assert [role.id for _, role in scene.product.roles.grants(scene.caller(), scene.bot.id)] == [REGISTERED_USER]


def records() -> list[AuditItem]:
    return [item for item in Item.scan(consistent_read=True) if isinstance(item, AuditItem)]


def test_a_record_that_a_later_version_wrote_is_read(scene: Scene) -> None:
    item = records()[0]
    item.hand, item.workload = {"kind": "trust-rule", "of a later version": "x"}, "job"
    assert item.to_record().hand == Hand("trust-rule", workload="job")


def test_a_hand_is_stored_as_versions_read_it_that_know_of_no_workload(scene: Scene) -> None:
    """They read a record while the new version runs already, and refuse what they do not know of a hand."""
    record = replace(records()[0].to_record(), hand=Hand("trust-rule", services=("ci",), workload="job"))
    item = AuditItem.of(record)
    assert (item.hand, item.to_record()) == ({"kind": "trust-rule", "services": ("ci",)}, record)
