"""The address on which Prometheus finds the metrics of one worker, or of all."""

from __future__ import annotations

import prometheus_client
from prometheus_client.multiprocess import MultiProcessCollector

from server.options import OptionsError


def publish(host: str, port: int, folder: str | None = None) -> None:
    """Serve what this process counts, or what the workers keep in their folder. Raises OptionsError."""
    registry = prometheus_client.REGISTRY
    if folder:
        registry = prometheus_client.CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    try:
        prometheus_client.start_http_server(port, host, registry)
    except OSError as error:
        raise OptionsError(f"--metrics: cannot listen on {host}, port {port}: {error.strerror}.") from None
