# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run says that fails while nobody knows whether the server has the secret that it made.

Services, webhooks and application passwords have no labels, so a later run finds them as declared and cannot tell that
their secret went with this one (ADR 21). So this one says it, and what to do.
"""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused


def with_remedy(refusal, client, thing, remedy):
    """The refusal of making a thing, with its `remedy` where a request of the client's may have made it."""
    if refusal.outrun or not client.changes:
        return refusal
    message = f"{refusal} It is not known whether {thing} was made. If it is there, nobody has its secret: {remedy}"
    return RequestRefused(refusal.status, message, refusal.field, unknown=True)
