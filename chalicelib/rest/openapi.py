"""`/openapi.json`: the API described (OpenAPI 3.1), from the definitions that check and render requests."""

from __future__ import annotations

import functools
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib import __version__
from chalicelib.core.audit.records import LAST_MOMENT
from chalicelib.core.common.search import MAX_QUERY
from chalicelib.core.tokens.token import LABEL_FORM
from chalicelib.rest.contract.bodies import NAMED, Reference
from chalicelib.rest.contract.contracts import SEARCH, Contract
from chalicelib.rest.contract.endpoint import MAX_SKIP, MAX_TOP
from chalicelib.rest.contract.fields import MAX_LENGTH, Kind, Shape
from chalicelib.rest.routes import ROOT, ROUTES
from chalicelib.web.checked_parameters import KIND_FORM, POSITION_FORM, REFERENCE_FORM
from chalicelib.web.errors import answer
from chalicelib.web.routing import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Request, Response

INTROSPECTION = f"{ROOT}/oauth2/introspect"
REFERENCE_PAGE = f"{ROOT}/reference"
UNREFUSED = frozenset({"/health", f"{ROOT}/openapi.json", REFERENCE_PAGE})
GITHUB = f"{ROOT}/leaks/github"  # by GitHub's own contract, and signed by it
OPEN = UNREFUSED | {f"{ROOT}/login", f"{ROOT}/login/passkey", f"{ROOT}/leaks", GITHUB}  # to everybody

_VALUES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.MAYBE_TEXT: {"type": ["string", "null"]},
    Kind.TIME: {"type": "integer", "description": Kind.TIME.value},
    Kind.MAYBE_TIME: {"type": ["integer", "null"], "description": Kind.MAYBE_TIME.value},
    Kind.NUMBER: {"type": "integer"},
    Kind.MAYBE_NUMBER: {"type": ["integer", "null"]},
    Kind.FLAG: {"type": "boolean"},
    Kind.LINES: {"type": "array", "items": {"type": "string"}},
    Kind.OBJECT: {"type": ["object", "null"]},
    Kind.OBJECTS: {"type": "array", "items": {"type": "object"}},
    Kind.TEXTS: {"type": "object", "additionalProperties": {"type": "string"}},
}
_WHOLE_NUMBER = {"type": "integer", "minimum": 0}
_QUERY: dict[str, dict[str, Any]] = {
    "fields": {
        "type": "string",
        "maxLength": MAX_LENGTH,
        "format": "fields",
        "description": "fields of the answer: id,name,…",
    },
    "query": {"type": "string", "maxLength": MAX_QUERY, "format": "query"},
    "orderBy": {"type": "string", "format": "order"},
    "$skip": {**_WHOLE_NUMBER, "maximum": MAX_SKIP},
    "$top": {**_WHOLE_NUMBER, "maximum": 10**9, "description": f"larger values are reduced to {MAX_TOP}"},
    "dryRun": {
        "type": "string",
        "enum": ["true", "false"],
        "description": "true: answers as the change would be, without secrets and new ids, and changes nothing",
    },
    "from": {**_WHOLE_NUMBER, "maximum": LAST_MOMENT},
    "to": {**_WHOLE_NUMBER, "maximum": LAST_MOMENT},
    "actor": {"type": "string", "pattern": f"^{REFERENCE_FORM}$"},
    "target": {"type": "string", "pattern": f"^{REFERENCE_FORM}$"},
    "kind": {"type": "string", "pattern": f"^{KIND_FORM}$"},
    "label": {"type": "string", "pattern": f"^{LABEL_FORM}$"},
    "after": {"type": "string", "pattern": f"^{POSITION_FORM}$"},
}
_NOTES = {
    HTTPStatus.BAD_REQUEST: "A parameter or field breaks a rule; `error_field` names it.",
    HTTPStatus.UNAUTHORIZED: "No valid credential.",
    HTTPStatus.FORBIDDEN: "The caller lacks a permission, or the token is not for Keyturn.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The path does not have this method.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many wrong secrets; see Retry-After.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database did not answer; see Retry-After.",
}
_NOTES_ON_CHANGES = {
    HTTPStatus.CONFLICT: "It conflicts with what is stored.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body has another media type.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The Idempotency-Key was used for another request.",
}


def get_openapi(request: Request) -> Response:
    return answer(description())


@functools.cache
def description() -> dict[str, Any]:
    """The whole document, as JSON values."""
    views = [
        (path, method, load("chalicelib.rest", name))
        for path, methods in ROUTES.items()
        for method, name in methods.items()
    ]
    bodies = {body for _, _, view in views if (body := _contract(view).body)}
    _, schemas = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    shapes: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for path, method, view in views:
        paths.setdefault(path, {})[method.lower()] = _operation(path, method, view, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Keyturn", "version": __version__, "description": "A token authority for bots."},
        "paths": paths,
        "components": {
            "schemas": {**schemas, **shapes, "Error": _ERROR},
            "responses": _refusals(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "applicationPassword": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A login, and an application password in place of the password.",
                },
                "service": {"type": "http", "scheme": "basic", "description": "A service's id or key, and its secret."},
            },
        },
        "security": [{"token": []}, {"applicationPassword": []}],
    }


def _contract(view: Callable[..., Response]) -> Contract:
    contract: Contract = getattr(view, "contract", Contract())
    return contract


def _operation(path: str, method: str, view: Callable[..., Response], shapes: dict[str, Any]) -> dict[str, Any]:
    contract = _contract(view)
    described: dict[str, Any] = {
        "operationId": view.__name__,
        "summary": view.__name__.replace("_", " ").capitalize(),
        "parameters": [*_path_parameters(path), *_query_parameters(method, contract)],
        "responses": _responses(path, method, contract, shapes),
    }
    if contract.body:
        schema: dict[str, Any] = {"$ref": f"#/components/schemas/{contract.body.__name__}"}
        if contract.body is Reference:
            schema["anyOf"] = NAMED
        content = {"application/json": {"schema": schema}}
        described["requestBody"] = {"required": not contract.bare, "content": content}
    if contract.creates:
        described["parameters"].append(_IDEMPOTENCY_KEY)
    if path == GITHUB:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _GITHUB_REPORT}}}
        described["parameters"] += [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in SIGNED
        ]
    if path == INTROSPECTION:
        described["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": _INTROSPECTION_FORM}},
        }
        described["security"] = [{"service": []}]
    if path in OPEN:
        described["security"] = []
    return described


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query_parameters(method: str, contract: Contract) -> list[dict[str, Any]]:
    names = contract.parameters(method)
    return [{"name": name, "in": "query", "schema": _parameter(name, contract)} for name in names]


def _parameter(name: str, contract: Contract) -> dict[str, Any]:
    """The schema of a query parameter; for `query` and `orderBy`, with what the collection can do."""
    allowed = contract.search
    if name not in SEARCH:
        return _QUERY[name]
    if not allowed.supports(name):
        return {"type": "string", "maxLength": 0, "description": "not supported here, but may be sent empty"}
    if name == "query":
        terms = [f"{field}: …" for field in allowed.fields] + [f"is: {trait}" for trait in allowed.traits]
        return {**_QUERY[name], "description": f"terms joined by and: {', '.join(terms)}"}
    return {**_QUERY[name], "description": f"{', '.join(allowed.sortable)}; each with :asc or :desc"}


def _responses(path: str, method: str, contract: Contract, shapes: dict[str, Any]) -> dict[str, Any]:
    done = {"description": "Done.", "content": {"application/json": {"schema": _answer(contract, shapes)}}}
    if path == REFERENCE_PAGE:
        return {"200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}}
    if path in UNREFUSED:
        return {"200": done}
    statuses = [*_NOTES, *(_NOTES_ON_CHANGES if method != "GET" else {})]
    refused = {str(int(status)): {"$ref": f"#/components/responses/{int(status)}"} for status in statuses}
    return {"200": done, **refused}


def _refusals() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    notes = {**_NOTES, **_NOTES_ON_CHANGES}
    return {str(int(status)): {"description": note, "content": content} for status, note in notes.items()}


def _answer(contract: Contract, shapes: dict[str, Any]) -> dict[str, Any]:
    if contract.shape is None:
        return {"type": ["object", "array"]}
    member = _reference(contract.shape, shapes)
    if contract.cursor_list:
        envelope = {"top": _WHOLE_NUMBER, "after": {"type": ["string", "null"]}, contract.cursor_list: _list_of(member)}
        return {"type": "object", "properties": envelope, "required": [*envelope]}
    if contract.collection is None:
        return member
    envelope = {**dict.fromkeys(("skip", "top", "total"), _WHOLE_NUMBER), contract.collection: _list_of(member)}
    return {"type": "object", "properties": envelope, "required": [*envelope]}


def _reference(shape: Shape, shapes: dict[str, Any]) -> dict[str, Any]:
    """A reference to the shape's schema. No property is required: `fields` may leave any of them out."""
    if shape.name not in shapes:
        shapes[shape.name] = {}  # before its fields, which may refer to it
        properties = {name: _property(field.kind, field.shape, shapes) for name, field in shape.fields.items()}
        shapes[shape.name] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"$ref": f"#/components/schemas/{shape.name}"}


def _property(kind: Kind, shape: Shape | None, shapes: dict[str, Any]) -> dict[str, Any]:
    if shape is None:
        return _VALUES[kind]
    inner = _reference(shape, shapes)
    if kind is Kind.MANY:
        return _list_of(inner)
    return {"anyOf": [inner, {"type": "null"}]} if kind is Kind.MAYBE_ONE else inner


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "error_code": {"type": "integer"},
        "error_description": {"type": "string"},
        "error_field": {"type": "string"},
        "methods": {"type": "array", "items": {"type": "string"}, "description": "second factors that are accepted"},
    },
    "required": ["error", "error_code", "error_description"],
    "additionalProperties": False,
}
_INTROSPECTION_FORM = {
    "type": "object",
    "properties": {
        "token": {"type": "string"},
        "client_address": {
            "type": "string",
            "format": "ip",
            "description": "the address that presented the token to the service",
        },
        "user_agent": {"type": "string", "description": "the program that presented it"},
    },
    "required": ["token"],
}
_GITHUB_REPORT = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("token", "type", "url", "source")},
        "required": ["token"],
    },
}
SIGNED = ("Github-Public-Key-Identifier", "Github-Public-Key-Signature")
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}
