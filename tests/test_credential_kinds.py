"""A kind of credential is one entry of the registry, and is known to all that has to know kinds. How each behaves:
`core/verification/test_every_kind.py`."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from types import ModuleType

import pytest
from keyturn_cli import redaction

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.storage.engine import keys
from chalicelib.storage.items import STORED_KINDS
from deployment.restoration import KINDS, Treatment
from embedded.layout import PROJECT
from examples.scanning.keyturn_detector import KeyturnDetector
from tests.storage.contract import test_logins as contract

REFERENCE = PROJECT / "docs" / "reference"
PLUGINS = PROJECT / "ansible_module" / "plugins"
GITLEAKS = tomllib.loads((PROJECT / "examples" / "scanning" / "gitleaks.toml").read_text())["rules"][0]
ACCOUNT_PAGES = (PROJECT / "chalicelib" / "pages" / "templates" / "account").glob("*.html")
HEADINGS = {heading for page in ACCOUNT_PAGES for heading in re.findall(r"<h2[^>]*>([^<]+)</h2>", page.read_text())}


def said(page: str) -> str:
    return (REFERENCE / page).read_text()


def collections_wire_format() -> ModuleType:
    """The collection's own, which imports nothing of the collection."""
    path = PLUGINS / "module_utils" / "token_format.py"
    spec = importlib.util.spec_from_file_location("collections_wire_format", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", CredentialKind, ids=lambda kind: kind.value.audit_name)
class TestEveryKind:
    def test_its_form_is_documented(self, kind: CredentialKind) -> None:
        assert f"| `{kind.value.prefix}` | {kind.value.title} |" in said("token-format.md")
        pattern = said("token-format.md").split("```text")[1].partition("```")[0]
        assert re.fullmatch(re.sub(r"\s", "", pattern), kind.issue(new_id(), new_id()))

    def test_who_looks_for_secrets_finds_it(self, kind: CredentialKind) -> None:
        secret, token_format = kind.issue(new_id(), new_id()), collections_wire_format()
        assert re.search(GITLEAKS["regex"], secret)
        assert any(keyword in secret for keyword in GITLEAKS["keywords"])
        assert list(KeyturnDetector().analyze_string(f"token = '{secret}'")) == [secret]
        assert token_format.kind(secret) in (kind.value.title, token_format.NEWER)
        assert token_format.secrets_in(f"token = '{secret}'") == [secret]
        assert secret not in redaction.redacted(f"token = '{secret}'")

    def test_it_goes_with_its_account_and_an_import_knows_it(self, kind: CredentialKind) -> None:
        stored, user_id = STORED_KINDS[kind], new_id()
        assert stored.item_key(user_id, new_id())[0] == keys.user(user_id)[0]
        assert KINDS[stored.discriminator] is (Treatment.PASSING if kind.value.is_login else Treatment.LASTING)
        assert f"| {kind.value.title} | `USER#<user id>` |" in said("data-model.md")

    def test_both_kinds_of_stores_are_tried_with_it(self, kind: CredentialKind) -> None:
        assert kind in contract.KINDS

    def test_its_holder_sees_it_on_a_page(self, kind: CredentialKind) -> None:
        assert f"{kind.value.title.capitalize()}s" in HEADINGS

    def test_words_and_records_are_documented(self, kind: CredentialKind) -> None:
        assert f"| {kind.value.title} |" in said("glossary.md")
        assert f"`{kind.value.audit_name}.leaked`" in said("audit-log.md")


def test_nobody_else_tells_kinds_apart() -> None:
    classes = {stored.item.to_credential.__annotations__["return"] for stored in STORED_KINDS.values()}
    assert len(classes) == len(CredentialKind)
    told_apart = re.compile(rf"isinstance\([^)]*\b({'|'.join(classes)})\b")
    for path in (PROJECT / "chalicelib").rglob("*.py"):
        assert not told_apart.search(path.read_text()), path
