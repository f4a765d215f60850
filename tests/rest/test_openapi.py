"""The API's description; that answers keep to it is checked for every answer that any test gets."""

import json

import jsonschema_rs

from chalicelib.rest.openapi import description
from chalicelib.rest.routes import ROUTES
from tests.rest.calling import send


def test_the_description_is_served_to_everybody() -> None:
    answer = send("GET", "/api/rest/openapi.json")
    assert answer.status == 200
    assert answer.json == json.loads(json.dumps(description()))
    assert answer.json["openapi"] == "3.1.0"


def test_it_names_every_operation_once() -> None:
    described = {(path, method.upper()) for path, methods in description()["paths"].items() for method in methods}
    assert described == {(path, method) for path, methods in ROUTES.items() for method in methods}
    ids = [each["operationId"] for methods in description()["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    components = description()["components"]
    for schema in components["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "components": components})
    for reference in references(description()):
        place = description()
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_what_holds_a_secret_is_described_for_creation_alone() -> None:
    holding = {name for name, schema in description()["components"]["schemas"].items() if holds_secret(name, schema)}
    assert holding == {
        "createdapplicationpassword",
        "createdpermanenttoken",
        "rotatedpermanenttoken",
        "createdservice",
        "createdwebhook",
        "renewedwebhook",
        "openedsession",
        "pairedtwofactorauthentication",
    }


def holds_secret(name: str, schema: dict[str, object]) -> bool:
    """Of the answers' schemas; those of requests begin with a capital."""
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    return name.islower() and bool({"token", "secret", "password", "recoveryCodes"} & properties.keys())


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for inner in value.values() for found in references(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in references(inner)]
    return []
