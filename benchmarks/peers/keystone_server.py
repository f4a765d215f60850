"""Keystone's own WSGI application, which would take the server's arguments for its own."""

import sys

sys.argv = ["keystone"]

from keystone.wsgi.api import application  # noqa: E402

__all__ = ["application"]
