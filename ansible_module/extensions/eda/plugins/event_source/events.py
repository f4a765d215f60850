# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listens for the events of a Keyturn: a webhook, signed by Standard Webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import OrderedDict
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

from aiohttp import web

DOCUMENTATION = r"""
---
short_description: Listen for the events of a Keyturn
description:
  - Receives the events of permanent tokens (made, renewed, ending, leaked) as a webhook of Keyturn.
  - Only what is signed with the webhook's secret becomes an event, and each once, although Keyturn may send it twice.
options:
  secret:
    description:
      - The secret that Keyturn gave when the webhook was made (C(whsec_…)).
    type: str
    required: true
  host:
    description:
      - The address to listen at.
    type: str
    default: 127.0.0.1
  port:
    description:
      - The port to listen at.
    type: int
    default: 5000
  path:
    description:
      - The path of the webhook.
    type: str
    default: /
  certfile:
    description:
      - A file with a certificate, to listen with TLS.
    type: str
  keyfile:
    description:
      - A file with the certificate's key.
    type: str
"""

EXAMPLES = r"""
- keyturn.hub.events:
    port: 5000
    secret: "{{ keyturn_webhook_secret }}"
"""

TOLERANCE_SECONDS = 300  # of the standard
REMEMBERED = 10_000


class Receiver:
    """Turns signed messages into events on a queue."""

    def __init__(self, queue: asyncio.Queue[Any], secret: str) -> None:
        self._queue = queue
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 204 to what is signed, also if it was received before, and 401 to anything else."""
        body = await request.read()
        id, timestamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not self._is_signed(id, timestamp, request.headers.get("webhook-signature", ""), body):
            return web.Response(status=401)
        if id not in self._seen:
            await self._queue.put(dict(json.loads(body), meta={"id": id, "timestamp": int(timestamp)}))
            self._seen[id] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return web.Response(status=204)

    def _is_signed(self, id: str, timestamp: str, signatures: str, body: bytes) -> bool:
        if not id or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
            return False
        message = f"{id}.{timestamp}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(self._key, message, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(expected.encode(), each.encode()) for each in signatures.split())


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Listen until the rulebook ends. Raises ValueError without a secret."""
    if not args.get("secret"):
        raise ValueError("keyturn.hub.events needs the option secret.")
    application = web.Application()
    application.add_routes([web.post(args.get("path") or "/", Receiver(queue, args["secret"]).receive)])
    runner = web.AppRunner(application)
    await runner.setup()
    tls = None
    if args.get("certfile"):
        tls = SSLContext(PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(args["certfile"], args.get("keyfile"))
    await web.TCPSite(runner, args.get("host") or "127.0.0.1", int(args.get("port") or 5000), ssl_context=tls).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
