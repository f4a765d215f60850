"""What the collection says of itself, against what is so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.core.tokens.token import DETAILS
from embedded.layout import PROJECT
from embedded.stack import Stack
from tests.collection.conftest import Play, bot, token
from tests.collection.fragments import fragment
from tests.token_details import NAMES

from ansible_collections.keyturn.hub.plugins.module_utils import bots  # isort: skip
from ansible_collections.keyturn.hub.plugins.module_utils.tokens import OPTIONS  # isort: skip

PLUGINS = PROJECT / "ansible_module" / "plugins"
DOCUMENTED = sorted(path for kind in ("modules", "lookup", "filter", "test") for path in PLUGINS.glob(f"{kind}/*.py"))
MODULES = [path for path in DOCUMENTED if path.parent.name == "modules"]
ATTRIBUTES = {"check_mode", "diff_mode", "async", "action_group", "platform"}
PYTHONS = {"str": str, "int": int, "bool": bool, "dict": dict, "list": list}
# What is as it is in whatever the server is asked for, and not told of here: claims by their names.
FREE = {"conditions"}
UNSAYABLE = {"keys"}  # which validate-modules refuses, since Jinja has a method of this name: the text above says it


def texts(path: Path) -> dict[str, Any]:
    """The constants of a module or plugin, such as DOCUMENTATION, as YAML."""
    assigned = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    found: dict[str, Any] = {}
    for node in assigned:
        name = getattr(node.targets[0], "id", "")
        if name.isupper() and isinstance(node.value, ast.Constant):
            found[name] = yaml.safe_load(str(node.value.value))
    return found


def leaves(told: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that is said to be returned, by where."""
    for name, each in told.items():
        yield f"{path}{name}", each
        yield from leaves(each.get("contains", {}), f"{path}{name}.")


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_names_what_is_beside_it(path: Path) -> None:
    assert texts(path)["DOCUMENTATION"]["seealso"]


def test_each_module_has_an_action_plugin_of_its_name() -> None:
    """Without one, nothing hides what the module returns, and it knows no identity."""
    assert [path.name for path in sorted(PLUGINS.glob("action/*.py"))] == [path.name for path in MODULES]


def test_the_lookup_reaches_the_server_as_modules_do() -> None:
    said = texts(PLUGINS / "lookup" / "access_token.py")["DOCUMENTATION"]["options"]
    wanted = fragment("keyturn.hub.connection")["options"]
    names = ("validate_certs", "ca_path", "client_cert", "client_key", "use_proxy", "timeout")
    assert {name: said[name]["type"] for name in names} == {name: wanted[name]["type"] for name in names}
    assert {name: (said[name]["env"], said[name]["vars"]) for name in ("client_cert", "client_key")} == {
        "client_cert": ([{"name": "KEYTURN_CLIENT_CERT"}], [{"name": "keyturn_client_cert"}]),
        "client_key": ([{"name": "KEYTURN_CLIENT_KEY"}], [{"name": "keyturn_client_key"}]),
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_says_what_it_can_and_what_it_returns_to_the_last_field(path: Path) -> None:
    said = texts(path)
    fragments = [fragment(name) for name in said["DOCUMENTATION"]["extends_documentation_fragment"]]
    attributes = {name: each for given in fragments for name, each in given.get("attributes", {}).items()}
    for name, each in said["DOCUMENTATION"].get("attributes", {}).items():
        attributes[name] = {**attributes[name], **each}
    assert attributes.keys() == ATTRIBUTES
    assert [name for name, each in attributes.items() if "support" not in each] == []
    for where, each in leaves(said["RETURN"]):
        nested = each["type"] == "dict" or each.get("elements") == "dict"
        assert each.get("description"), where
        assert ("elements" in each) == (each["type"] == "list"), where
        assert not nested or "contains" in each or where.rpartition(".")[2] in FREE, where


@pytest.mark.parametrize("name", NAMES)
def test_a_detail_of_a_token_is_an_option_of_both_modules(name: str) -> None:
    kind = "list" if DETAILS[name].is_list else "str"
    tokens = bots.ARGUMENTS["bots"]["options"]["tokens"]["options"]
    assert (OPTIONS[name]["type"], tokens[name]["type"]) == (kind, kind)
    one = fragment("keyturn.hub.token")["options"]
    many = fragment("keyturn.hub.token.bots")["options"]["bots"]["suboptions"]["tokens"]["suboptions"]
    assert (one[name]["type"], many[name]["type"]) == (kind, kind)


RULE = {
    "audience": "keyturn",
    "issuer": "https://token.actions.githubusercontent.com",
    "conditions": {"repository": ["acme/documented"]},
    "scope": ["ci"],
}


@pytest.fixture
def told(perform: Play, stack: Stack) -> dict[str, Any]:
    """What each module that tells something tells of what is there."""
    service = {"key": "documented", "name": "Documented", "permissions": [{"key": "go"}], "visible_to": ["documented"]}
    roles = [{"role": "documented", "service": "documented"}]
    made = perform(
        {"keyturn.hub.group": {"name": "outer"}},
        {"keyturn.hub.role": {"key": "documented", "name": "D", "permissions": ["0-0-0-0-0:read-user"]}},
        {"keyturn.hub.group": {"name": "documented", "parent": "outer"}},
        {"keyturn.hub.service": {**service, "default_roles": ["documented"]}},
        {"keyturn.hub.group": {"name": "documented", "roles": roles}},
        bot("documented"),
        token("documented", "t", ["ci"], labels=["documented"], lifetime="30d"),
        {"keyturn.hub.trust_rule": {**RULE, "user": "documented", "name": "r"}},
        {"keyturn.hub.policy": {"service": "documented", "unused_days": 9}},
        {"keyturn.hub.webhook": {"name": "documented", "address": "https://hooks.example.com/"}},
    ).results
    asked = {
        "application_password_info": {},
        "current_token_info": {"token": made[6]["secret"]},
        "group_info": {"name": "documented"},
        "permanent_token_info": {"user": "documented"},
        "policy_info": {"service": "documented"},
        "role_info": {"key": "documented"},
        "service_info": {"key": "documented"},
        "token_health_info": {"within": "60d", "label": "documented"},
        "trust_rule_info": {"user": "documented"},
        "user_info": {"login": "documented"},
        "webhook_info": {"name": "documented"},
    }
    results = perform(*({f"keyturn.hub.{module}": options} for module, options in asked.items())).results
    assert asked.keys() == {path.stem for path in MODULES if path.stem.endswith("_info")}
    declared = {"service": made[3], "trust_rule": made[7], "policy": made[8], "webhook": made[9]}
    return {**dict(zip(asked, results, strict=True)), **declared}


def test_what_is_returned_is_what_is_said(told: dict[str, Any]) -> None:
    for module, result in told.items():
        assert not result.get("failed"), (module, result)
        said = texts(PLUGINS / "modules" / f"{module}.py")["RETURN"]
        assert result[next(iter(said))] or module == "application_password_info", module
        differing = list(differences({name: result.get(name) for name in said if name != "secret"}, said, module))
        assert differing == []


def differences(thing: dict[str, Any], said: dict[str, Any], where: str) -> Iterator[str]:
    """Fields that are not said, that are said and not there, or of another type."""
    said = {name: each for name, each in said.items() if name != "secret" or name in thing}
    for name in (thing.keys() ^ said.keys()) - UNSAYABLE:
        yield f"{where}.{name}: {'not said' if name in thing else 'not there'}"
    for name in thing.keys() & said.keys():
        value, each = thing[name], said[name]
        if value is None:
            continue
        if not isinstance(value, PYTHONS[each["type"]]):
            yield f"{where}.{name}: {type(value).__name__}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and name not in FREE:
                yield from differences(inner, each["contains"], f"{where}.{name}")
