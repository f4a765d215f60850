"""schemathesis, which we did not write, reads the served description and tries everything that it knows."""

from __future__ import annotations

import json
import os
import string
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from chalicelib.rest.routes import ROOT
from tests.budgets import budget
from tests.conftest import Install, Scene, set_scene
from tests.rest.calling import basic
from tests.rest.wsgi import application

# More at once: KEYTURN_EXAMPLES=1000 pytest tests/rest/test_schemathesis.py
EXAMPLES = int(os.environ.get("KEYTURN_EXAMPLES", budget(gate=5, long=50)))

# What no schema can tell: a reference may be well-formed and lead nowhere, a password easy to guess, a search
# in words that only other collections know; conditions may say nothing, and an assertion be no token.
REFERENCES = {
    "scope",
    "permissions",
    "groups",
    "parent",
    "role",
    "project",
    "owner",
    "defaultRoles",
    "password",
    "login",
    "credential",
    "query",
    "secret",
    "conditions",
    "keys",  # public, and real ones
    "assertion",
    "expiresOn",  # in the future
    "grace",
    *("longestLifeDays", "rotationDueDays", "unusedDays"),  # to JSON Schema, 1.0 is a whole number
    "networks",
    "keep",
    "url",  # https
    "client_address",
    "found",  # too many reports
    "changes",  # a path of a change of an account or token
}

load_all_checks()
schemathesis.openapi.format("name", st.text(string.ascii_letters + "äß漢", min_size=1, max_size=200))
schemathesis.openapi.format("query", st.sampled_from(["", "a", "name: a", "is: bot and a", "role: {a b}"]))
schemathesis.openapi.format("order", st.sampled_from(["", "name:asc", "name", "name:desc,name"]))
schemathesis.openapi.format("fields", st.sampled_from(["id", "id,type", "type , id"]))


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """One installation for all cases: what they manage to create may stay. In memory in the gate: what is tried here is
    how requests are read and answers written."""
    install: Install = request.getfixturevalue(budget(gate="install_in_memory", long="install"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        for product in install(monkeypatch):
            yield set_scene(product)


@pytest.fixture
def described(scene: Scene, request: pytest.FixtureRequest) -> schemathesis.BaseSchema:
    """What is served. Cases are made as they are tried, and not by every worker that only looks for tests."""
    request.node._nodeid = request.node.nodeid  # the name that schemathesis 4 knows, and pytest 9.2 no longer has
    schema = schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", application)
    token, service = f"Bearer {scene.administrator.secret}", basic("ci", scene.ci.secret)

    @schema.auth()
    class Credentials:
        """The administrator's token, or the service's secret where a service asks."""

        def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> str:
            return service if case.path.endswith("/introspect") else token

        def set(self, case: schemathesis.Case, data: str, context: schemathesis.AuthContext) -> None:
            case.headers["Authorization"] = data

    return schema


@schemathesis.pytest.from_fixture("described").parametrize()
@settings(max_examples=EXAMPLES)
def test_the_api_is_as_it_says(case: schemathesis.Case) -> None:
    response = case.call_and_validate(excluded_checks=[positive_data_acceptance])
    if response.status_code == 400 and case.meta and case.meta.generation.mode.is_positive:
        field = json.loads(response.content)["error_field"]
        assert field.partition("[")[0].partition(".")[0] in REFERENCES, response.text
