"""Devices that wait for their users, in the table until their codes end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.storage.collection import read_one
from chalicelib.storage.delegations import approve, begin
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.items import DeviceItem, NameItem, moment
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.oauth.delegations import Delegation, DeviceAuthorization
    from chalicelib.core.oauth.ports import Approving


@translate_database_errors
class DynamoDevices:
    """Implements `core.oauth.ports.DeviceStore`."""

    def get(self, device_id: str) -> DeviceAuthorization | None:
        item = read_one(DeviceItem, keys.device(device_id))
        return item.to_device() if item else None

    def find_by_user_code(self, user_code: str) -> DeviceAuthorization | None:
        name = read_one(NameItem, keys.user_code(user_code))
        return self.get(name.holder_id) if name else None

    def create(self, device: DeviceAuthorization) -> None:
        name = NameItem(*keys.user_code(device.user_code), holder_id=device.id, expires=moment(device.expires))
        with stale_if_condition_failed():
            name.save(condition=NameItem.pk.does_not_exist())
            DeviceItem.of(device).save(condition=DeviceItem.pk.does_not_exist())

    def poll(self, old: DeviceAuthorization, new: DeviceAuthorization) -> None:
        with stale_if_condition_failed():
            DeviceItem.of(new).save(condition=DeviceItem.revision == old.revision)

    def decide(
        self, old: DeviceAuthorization, new: DeviceAuthorization, approving: Approving | None, audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        if approving:
            transaction.record(approving.audit)
            approve(transaction, approving)
        transaction.replace(DeviceItem.of(new), DeviceItem.revision == old.revision, otherwise=StaleWrite())
        transaction.commit()

    def redeem(
        self, device: DeviceAuthorization, delegation: Delegation, evicted: Sequence[Delegation], audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        transaction.delete(DeviceItem.of(device), DeviceItem.revision == device.revision, otherwise=StaleWrite())
        transaction.free_name(keys.user_code(device.user_code))
        begin(transaction, delegation, evicted)
        transaction.commit()
