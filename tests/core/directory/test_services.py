"""Connected services, and Keyturn's own."""

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from tests.conftest import Scene


def test_a_service_is_found_by_id_and_key(scene: Scene) -> None:
    for reference in ("ci", scene.ci.service.id):
        assert scene.product.services.get(scene.caller(), reference).id == scene.ci.service.id
    with pytest.raises(NotFound):
        scene.product.services.get(scene.caller(), "nothing")


def test_services_come_by_key(scene: Scene) -> None:
    page = scene.product.services.page(scene.caller(), Window())
    assert [service.key for service in page.items] == ["ci", "deploy", "keyturn"]
    assert page.total == 3


def test_who_may_read_no_service_sees_keyturn_alone(scene: Scene) -> None:
    user = scene.product.accounts.create(scene.caller(), "user", "User", AccountType.USER)
    own = scene.product.permanent_tokens.create(scene.caller(), user.id, "own", ["keyturn"])
    caller = scene.caller(own.secret)
    assert [service.id for service in scene.product.services.page(caller, Window()).items] == [KEYTURN]
    for reference in ("ci", "nothing"):
        with pytest.raises(Forbidden):
            scene.product.services.get(caller, reference)


def test_a_key_is_unique(scene: Scene) -> None:
    with pytest.raises(Conflict) as refusal:
        scene.product.services.register(scene.caller(), ServiceDescription(key="ci", name="Other"))
    assert refusal.value.field == "key"
    with pytest.raises(Conflict):
        scene.product.services.update(scene.caller(), "ci", ServiceDescription(key="deploy"))
    scene.product.services.update(scene.caller(), "ci", ServiceDescription(key="build"))
    assert scene.is_good(scene.token.secret)
    scene.product.services.register(scene.caller(), ServiceDescription(key="ci", name="Other"))


def test_keyturns_own_service_cannot_be_changed_or_deleted(scene: Scene) -> None:
    services = scene.product.services
    for refused in (
        lambda: services.update(scene.caller(), "keyturn", ServiceDescription(name="x")),
        lambda: scene.product.service_secrets.renew(scene.caller(), KEYTURN),
        lambda: services.delete(scene.caller(), KEYTURN),
    ):
        with pytest.raises(Conflict, match="built in"):
            refused()


def test_a_service_declares_permissions(scene: Scene) -> None:
    declared = [PermissionDeclaration("run", "Run a build")]
    updated = scene.product.services.update(scene.caller(), "ci", ServiceDescription(permissions=declared))
    assert [permission.id for permission in updated.permissions] == [f"{scene.ci.service.id}:run"]
    with pytest.raises(Invalid, match="is listed twice"):
        scene.product.services.update(scene.caller(), "ci", ServiceDescription(permissions=declared * 2))


@pytest.mark.parametrize(
    ("description", "field"),
    [
        (ServiceDescription(name="x"), "key"),
        (ServiceDescription(key="x"), "name"),
        (ServiceDescription(key="a b", name="x"), "key"),
        (ServiceDescription(key="x", name="x", home_url="javascript:1"), "homeUrl"),
    ],
)
def test_bad_descriptions_are_refused_by_name(scene: Scene, description: ServiceDescription, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        scene.product.services.register(scene.caller(), description)
    assert refusal.value.field == field
