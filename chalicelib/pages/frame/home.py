"""`/`: whoever is logged in begins with their own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.pages.frame.render import redirect
from chalicelib.pages.frame.views import for_users

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import FormRequest


@for_users
def open_home(request: FormRequest, caller: Caller) -> Response:
    """On to the tab *Account Security*."""
    return redirect(request, "users", caller.user.id, "security", done=request.value("done"))
