"""The REST face, by Hub's contract: it parses, asks the core, renders; it decides nothing."""

from collections.abc import Callable

from chalice.app import Chalice, Request, Response

from chalicelib.rest import refusals
from chalicelib.rest.health import health
from chalicelib.rest.introspection import introspection
from chalicelib.rest.permanent_tokens import permanent_tokens
from chalicelib.rest.roles import roles
from chalicelib.rest.services import services
from chalicelib.rest.users import users


def register(app: Chalice) -> None:
    """Add every resource to the app."""
    app.register_middleware(_in_our_form, "http")
    for blueprint in (health, introspection, permanent_tokens, roles, services, users):
        app.register_blueprint(blueprint)


def _in_our_form(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Chalice's own refusals have another form; turn them into ours."""
    response = get_response(request)
    if isinstance(response.body, dict) and "Code" in response.body:
        headers = response.headers
        response = refusals.from_framework(response.status_code, response.body["Message"])
        response.headers.update(headers)
    return response
