"""`/health`: whether this process can answer, for load balancers and people."""

from chalice.app import Blueprint, Response

from chalicelib import __version__
from chalicelib.rest.refusals import answer

health = Blueprint(__name__)


@health.route("/health", methods=["GET"])
def get_health() -> Response:
    return answer({"status": "ok", "version": __version__})
