"""`/health`: whether this process can answer, for load balancers and people."""

from chalice.app import Request, Response

from chalicelib import __version__
from chalicelib.rest.refusals import answer


def get_health(request: Request) -> Response:
    return answer({"status": "ok", "version": __version__})
