"""Trust rules in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.storage.access import check_owner_unchanged
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.items import TrustRuleItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.oauth.trust_rules import TrustRule


@translate_database_errors
class DynamoTrustRules:
    """Implements `core.oauth.ports.TrustRuleStore`."""

    def list(self, user_id: str) -> list[TrustRule]:
        pk, _ = keys.user(user_id)
        prefix = TrustRuleItem.sk.startswith(keys.TRUST_RULE_PREFIX)
        found = (item.to_rule() for item in TrustRuleItem.query(pk, prefix, consistent_read=True))
        return sorted(found, key=lambda rule: (rule.created, rule.id))

    def create(self, rule: TrustRule, owner: User, required_permissions: Access | None, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, required_permissions)
        transaction.create(TrustRuleItem.of(rule), otherwise=StaleWrite())
        _take_name(transaction, rule)
        transaction.commit()

    def replace(
        self, old: TrustRule, new: TrustRule, owner: User, required_permissions: Access | None, audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, required_permissions)
        transaction.replace(TrustRuleItem.of(new), _unchanged(old), otherwise=StaleWrite())
        if old.name != new.name:
            transaction.free_name(keys.trust_rule_name(old.user_id, old.name))
            _take_name(transaction, new)
        transaction.commit()

    def delete(self, rule: TrustRule, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(TrustRuleItem.of(rule), _unchanged(rule), otherwise=StaleWrite())
        transaction.free_name(keys.trust_rule_name(rule.user_id, rule.name))
        transaction.commit()

    def mark_used(self, rule: TrustRule, now: int) -> None:
        item = TrustRuleItem(*keys.trust_rule(rule.user_id, rule.id))
        with stale_if_condition_failed():
            item.update(actions=[TrustRuleItem.last_used.set(now)], condition=TrustRuleItem.pk.exists())


def _unchanged(rule: TrustRule) -> Condition:
    """It is there as it was read; a rule of before there were revisions has none."""
    revision = TrustRuleItem.revision
    same = revision == rule.revision if rule.revision else revision.does_not_exist()
    unchanged: Condition = TrustRuleItem.pk.exists() & same
    return unchanged


def _take_name(transaction: Transaction, rule: TrustRule) -> None:
    taken = Conflict(f"The account has a trust rule named {rule.name!r} already.", "name")
    transaction.take_name(keys.trust_rule_name(rule.user_id, rule.name), rule.id, otherwise=taken)
