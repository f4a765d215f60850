"""Every route of Keyturn, and what stands between a front and the views: the same on Lambda and in the server."""

from __future__ import annotations

from chalicelib import telemetry
from chalicelib.oauth.routes import ROUTES as OAUTH
from chalicelib.pages.routes import ROUTES as PAGES
from chalicelib.rest.routes import ROUTES as REST
from chalicelib.web.middleware import in_our_form, within
from chalicelib.web.routing import RouteTable, View

TABLE = RouteTable((REST, "chalicelib.rest"), (OAUTH, "chalicelib"), (PAGES, "chalicelib.pages"))
MIDDLEWARE = (telemetry.log_request, in_our_form, within(TABLE, View("chalicelib.pages", "frame.not_found.show")))
