"""A callback that writes down everything that any callback is told, as JSON, as a log collector would."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: dump
type: notification
short_description: writes down what it is told
description: [writes down what it is told]
"""


class CallbackModule(CallbackBase):
    """Every event with a result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "dump"

    def v2_on_any(self, *arguments: Any, **more: Any) -> None:
        """All events come here, too."""
        with open(os.environ["KEYTURN_TEST_DUMP"], "a") as file:
            for argument in arguments:
                told = getattr(argument, "_result", None) or getattr(argument, "result", None)
                if told is not None:
                    file.write(json.dumps(told, default=str) + "\n")
