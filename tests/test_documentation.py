"""The documentation cannot lie about what a test can look up."""

import re
from pathlib import Path

import pytest

from benchmarks import costs
from benchmarks.capacity import table
from benchmarks.installation import install
from chalicelib import settings
from chalicelib.rest.routes import ROOT, ROUTES
from embedded.layout import PROJECT
from tests import rules_table
from tests.conftest import origin
from tests.engine import OwnDatabase

DOCS = PROJECT / "docs"


@pytest.mark.usefixtures("product")
def test_operations_cost_what_the_data_model_says(database: OwnDatabase, tmp_path: Path) -> None:
    documented = (DOCS / "reference" / "data-model.md").read_text()
    for row in table(install(database, tmp_path / "keys.json"), origin()):
        assert row in documented


def test_costs_are_what_the_measured_units_cost() -> None:
    documented = (DOCS / "how-to" / "deploy.md").read_text()
    for row in costs.table():
        assert row in documented


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
    documented = (DOCS / "reference" / "rest-api.md").read_text()
    for path in ROUTES:
        last = re.sub(r"\{\w+\}", "{", path.removeprefix(ROOT)).rsplit("/{", 1)[0].rsplit("/", 1)[-1]
        assert f"/{last}" in documented, path


def test_every_setting_is_documented() -> None:
    documented = (DOCS / "how-to" / "deploy.md").read_text()
    for name in re.findall(r'"(KEYTURN_\w+)"', Path(settings.__file__).read_text()):
        shortened = f"`_{name.removeprefix('KEYTURN_ARGON2_')}`"
        assert f"`{name}`" in documented or shortened in documented, name


@pytest.mark.parametrize("path", sorted([*DOCS.rglob("*.md"), PROJECT / "README.md"]), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_all_parts_have_one_version() -> None:
    import tomllib

    from chalicelib import __version__

    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert f"version: {__version__}" in (PROJECT / "ansible_module" / "galaxy.yml").read_text()
