"""`/health`: whether this process can answer, for load balancers and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import __version__
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Request, Response


def get_health(request: Request) -> Response:
    return answer({"status": "ok", "version": __version__})
