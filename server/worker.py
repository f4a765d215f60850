"""One process that answers requests until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from chalicelib.composition.keyturn import keyturn
from chalicelib.routes import MIDDLEWARE, TABLE
from chalicelib.web.application import Application
from server.asgi import Worker
from server.bodies import Space
from server.options import address_of
from server.pool import Pool
from server.ready import Readiness

if TYPE_CHECKING:
    import socket

    from server.asgi import Observe
    from server.options import Options

QUIET_SECONDS = 0.3  # for the network, after the last answer
LOOK_SECONDS = 0.05
HEAD_BYTES = 64 * 1024


class Listener(Server):
    """Granian on a socket that is open already."""

    def __init__(self, target: Worker, options: Options, listening: socket.socket) -> None:
        super().__init__(
            target,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=options.backlog,
            backpressure=options.connections,
            http1_settings=HTTP1Settings(header_read_timeout=options.head_seconds * 1_000, max_buffer_size=HEAD_BYTES),
            log_enabled=False,
            ssl_cert=Path(options.certificate) if options.certificate else None,
            ssl_key=Path(options.key) if options.key else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        self._listening = listening

    def _init_shared_socket(self) -> None:
        self._listening.setblocking(False)
        self._shd: Any = SocketHolder(self._listening.detach(), False, self.backlog)  # type: ignore[call-arg]


def serve(options: Options, listening: socket.socket) -> int:
    """Answer what comes to this socket, which is bound. The exit code; what the settings lack is raised."""
    product = keyturn()
    product.warm_up()
    observe: Observe = _nobody
    if options.metrics:
        from server import metrics, metrics_address  # with prometheus_client

        metrics.begin()
        observe = metrics.observe
        if options.workers == 1:
            metrics_address.publish(*address_of(options.metrics))
    gc.collect()
    gc.freeze()  # what is there now stays
    code = asyncio.run(_serve(options, listening, observe))
    sys.stdout.flush()
    sys.stderr.flush()
    # What a view that nobody waits for any more is at ends with us, as with any other end of the process.
    os._exit(code)


async def _serve(options: Options, listening: socket.socket, observe: Observe) -> int:
    """The exit code: 0 if it was told to stop."""
    settings = keyturn().settings
    pool = Pool(options.threads, options.waiting)
    application = Application(TABLE, MIDDLEWARE)
    readiness, space = Readiness(settings.table), Space(options.bodies_bytes)
    worker = Worker(application, options, pool, readiness, settings.trusted_proxies, observe, space)
    listening.listen(options.backlog)
    listener = Listener(worker, options, listening)
    stop_requested = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    serving = asyncio.create_task(listener.serve())
    waiting = asyncio.create_task(stop_requested.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():  # by itself
        print(f"The web server has ended: {serving.exception() or 'no reason given'}.", file=sys.stderr)
        return 1
    listener.stop()  # type: ignore[no-untyped-call]  # no new connections; those that are idle are closed
    await _finish(worker, serving, options.stop_seconds)
    return 0


async def _finish(worker: Worker, serving: asyncio.Task[Any], seconds: float) -> None:
    """Until all that has come is answered. Who has sent no whole head by then has asked for nothing yet, and is not
    waited for."""
    loop = asyncio.get_running_loop()
    end, quiet_since = loop.time() + seconds, loop.time()
    while not serving.done() and loop.time() < min(end, quiet_since + QUIET_SECONDS):
        await asyncio.sleep(LOOK_SECONDS)
        if worker.in_flight:
            quiet_since = loop.time()


def _nobody(route: str | None, status: int, seconds: float) -> None:
    """Learns of answers where nobody wants metrics."""
