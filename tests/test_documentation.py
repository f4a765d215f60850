"""The documentation cannot lie about what a test can look up."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks import costs
from benchmarks.capacity import table
from benchmarks.installation import install
from chalicelib.core.tokens.event import EventKind
from chalicelib.rest.directory.audit_shapes import AUDIT_RECORD
from chalicelib.rest.routes import ROOT, ROUTES
from chalicelib.settings import Settings
from chalicelib.storage.engine import keys
from chalicelib.web import errors
from embedded.layout import PROJECT
from server.options import PREFIX, Options, variable
from tests import cli_reference, markdown, rules_table
from tests.conftest import origin
from tests.engine import OwnDatabase

DOCS = PROJECT / "docs"
REFERENCE = DOCS / "reference"
ADRS = sorted((DOCS / "explanation" / "adr").glob("*.md"))
ADRS_INDEX = DOCS / "explanation" / "adr" / "README.md"
COLLECTION = PROJECT / "ansible_module"
OTHERS = [PROJECT / "cli" / "README.md", COLLECTION / "README.md", *(COLLECTION / "docs").glob("*.md")]
PAGES = sorted([*DOCS.rglob("*.md"), *PROJECT.glob("*.md"), *OTHERS])
SETTING = re.compile(r'"(KEYTURN_[A-Z0-9_]+)"')
OF = "user|group|role|service|permanent-token|trust-rule|webhook|session|password|application-password|second-factor"
KIND = re.compile(rf'"((?:{OF}|passkey|approved-scope|authorization-code|device|refresh-token|access-token)\.[a-z-]+)"')


@pytest.mark.usefixtures("product")
def test_operations_cost_what_the_page_on_capacity_says(database: OwnDatabase, tmp_path: Path) -> None:
    documented = (REFERENCE / "capacity.md").read_text()
    for row in table(install(database, tmp_path / "keys.json"), origin()):
        assert row in documented


def test_costs_are_what_the_measured_units_cost() -> None:
    documented = (REFERENCE / "costs.md").read_text()
    for row in costs.table():
        assert row in documented


def test_every_kind_of_item_is_in_the_data_model() -> None:
    documented = (REFERENCE / "data-model.md").read_text()
    prefixes = re.findall(r'"([A-Z][A-Z_]+)(?:#|"|\{)', Path(keys.__file__).read_text())
    assert len(set(prefixes)) > 35
    for prefix in prefixes:
        assert f"`{prefix}" in documented, prefix


def test_the_rules_are_those_of_the_table() -> None:
    assert rules_table.PAGE.read_text() == rules_table.page(), "Run python -m tests.rules_table."


def test_every_defence_of_the_threat_model_is_held_by_a_test() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", (DOCS / "explanation" / "security.md").read_text())
    assert len(named) > 70
    for file, test in named:
        assert f"def {test or 'test_'}" in (PROJECT / "tests" / file).read_text(), f"{file}::{test}"


def test_every_flow_is_looked_at_from_several_sides() -> None:
    for flow in (DOCS / "explanation" / "security.md").read_text().split("\n## ")[1:-1]:
        assert len(set(re.findall(r"^\| (\w+) \|", flow, re.MULTILINE))) >= 2, flow.splitlines()[0]


def test_every_route_is_documented() -> None:
    documented = (REFERENCE / "rest-api.md").read_text()
    for path in ROUTES:
        last = re.sub(r"\{\w+\}", "{", path.removeprefix(ROOT)).rsplit("/{", 1)[0].rsplit("/", 1)[-1]
        assert f"/{last}" in documented, path


def test_every_error_is_documented() -> None:
    documented = (REFERENCE / "rest-api.md").read_text()
    for _, status, code in errors._STATUS:
        assert re.search(rf"^\| {status} \|[^|]*`{code}`", documented, re.MULTILINE), code


def test_every_kind_and_field_of_audit_records_is_documented() -> None:
    documented = (REFERENCE / "audit-log.md").read_text()
    kinds = {
        kind for path in (PROJECT / "chalicelib" / "core").rglob("*.py") for kind in KIND.findall(path.read_text())
    }
    assert len(kinds) > 70
    for kind in kinds - {EventKind.REVOKED.value}:
        assert f"`{kind}`" in documented, kind
    for name in AUDIT_RECORD.fields.keys() - {"type"}:
        assert f"`{name}`" in documented, name


def test_every_event_is_documented() -> None:
    documented = (REFERENCE / "events.md").read_text()
    for kind in EventKind:
        assert f"`{kind.value}`" in documented or f"`.{kind.value.partition('.')[2]}`" in documented, kind


def test_settings_are_those_that_are_read() -> None:
    read = {name for path in (PROJECT / "chalicelib").rglob("*.py") for name in SETTING.findall(path.read_text())}
    assert read == set(documented_settings()) - {"AWS_REGION"} - set(options_of_the_server())


def test_options_of_the_server_have_the_documented_defaults() -> None:
    documented = {name: default for name, default in documented_settings().items() if name.startswith(PREFIX)}
    defaults = options_of_the_server().items()
    assert documented == {name: f"`{default}`" if default != "" else "" for name, default in defaults}


def options_of_the_server() -> dict[str, object]:
    """Their variables, with their defaults."""
    return {variable(each.name): each.default for each in fields(Options)}


def test_settings_have_the_documented_defaults() -> None:
    chosen = documented_settings().items() - {
        (name, f"`{default}`") for name, default in options_of_the_server().items()
    }
    stated = {name: default for name, default in chosen if default.startswith("`")}
    assert len(stated) > 6
    required = {"KEYTURN_TAG_KEYS": "k:" + "A" * 44}
    defaults = {name: default.strip("`") for name, default in stated.items()}
    assert Settings.from_environment(required | defaults) == Settings.from_environment(required)
    for name, value in defaults.items():
        other = {name: value[:-1] + "9"}
        assert Settings.from_environment(required | other) != Settings.from_environment(required), name


def documented_settings() -> dict[str, str]:
    """The variables of the page, each with what is said of its default."""
    rows = re.findall(r"^\| `(\w+)` \| .+ \| ?(.*?) ?\|$", (REFERENCE / "settings.md").read_text(), re.MULTILINE)
    return dict(rows)


def test_the_command_line_is_that_of_the_reference() -> None:
    assert cli_reference.PAGE.read_text() == cli_reference.page(), "Run python -m tests.cli_reference."


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in markdown.links(path):
        if link.startswith(("http:", "https:")):
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), link
        if anchor and found.suffix == ".md":
            assert anchor in markdown.anchors(found), link


def test_every_page_is_in_the_index() -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in markdown.links(index)}
    for path in {ADRS_INDEX, *DOCS.rglob("*.md")} - {index, *ADRS[:-1]}:
        assert path in listed, path
    assert {ADRS_INDEX.parent / link for link in markdown.links(ADRS_INDEX)} >= set(ADRS) - {ADRS_INDEX}


@pytest.mark.parametrize("path", sorted(set(ADRS) - {ADRS_INDEX}), ids=lambda path: path.stem)
def test_every_decision_says_when_and_whether_it_holds(path: Path) -> None:
    title, _, status, date = path.read_text().splitlines()[:4]
    assert title.startswith(f"# ADR {int(path.name[:4])}: ")
    assert re.fullmatch(r"- \*\*Status:\*\* (accepted|superseded by \[ADR \d+\]\([\w-]+\.md\))", status)
    assert re.fullmatch(r"- \*\*Date:\*\* 20\d\d-\d\d-\d\d", date)


def test_the_code_map_names_what_there_is() -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", (REFERENCE / "code-map.md").read_text())
    assert len(named) > 80
    roots = PROJECT, PROJECT / "chalicelib", COLLECTION, PROJECT / "cli" / "keyturn_cli"
    for path in named:
        assert any((folder / path).exists() for folder in roots), path


def test_the_readme_fits_on_two_screens() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= 80


def test_all_parts_have_one_version() -> None:
    import tomllib

    from chalicelib import __version__

    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert f"version: {__version__}" in (PROJECT / "ansible_module" / "galaxy.yml").read_text()
