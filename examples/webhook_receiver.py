"""An example of what receives Keyturn's events: it believes only what is signed, and does nothing twice.

pip install flask standardwebhooks
KEYTURN_WEBHOOK_SECRET=whsec_… flask --app examples/webhook_receiver run
"""

from __future__ import annotations

import os
from collections import OrderedDict

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
REMEMBERED = 10_000
handled: OrderedDict[str, None] = OrderedDict()  # in a program that must not forget: a table, by the event's id


@app.post("/events")
def take() -> tuple[str, int]:
    """An event may come again: its id says so. Of one token or service they come in order."""
    webhook = Webhook(os.environ["KEYTURN_WEBHOOK_SECRET"])
    try:
        message = webhook.verify(request.get_data(), dict(request.headers.items()))
    except WebhookVerificationError:
        return "not signed by Keyturn", 401
    event = message["data"]
    if event["id"] not in handled:
        subject = event.get("token") or event["service"]
        app.logger.warning("%s: %s of %s", message["type"], subject["name"], event.get("owner", "nobody"))
        handled[event["id"]] = None
        if len(handled) > REMEMBERED:
            handled.popitem(last=False)
    return "", 204
