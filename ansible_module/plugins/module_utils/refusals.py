# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How requests fail: by what the server says, or because nobody answers."""

from __future__ import annotations

import json

BUSY = (429, 503)  # with 503 it may have done something: the database did not answer, or did not in time
UNAUTHORIZED = 401
CONFLICT = 409
FAULT = 500  # from here on the server, or something in between, says that it does not know
NO_SUCH_PATH = "no_such_path"
GATEWAY = (502, 504)


class RequestRefused(Exception):
    """The server's refusal, or the lack of an answer; `status` is 0 where there was none.

    `unknown`: nobody can say whether the change was made. `outrun`: what was to be changed may have been changed by
    somebody else since it was read. `wait`: after how many seconds the server would be asked again, or None.
    """

    def __init__(self, status, message, field=None, unknown=False):
        super().__init__(message)
        self.status = status
        self.field = field
        self.unknown = unknown
        self.outrun = False
        self.wait = None


def outrun(message, field):
    """The refusal of a run that somebody else was faster than, which therefore reads again."""
    refusal = RequestRefused(409, message, field)
    refusal.outrun = True
    return refusal


class Passing(Exception):
    """Something that may be over soon."""

    def __init__(self, refusal):
        super().__init__(str(refusal))
        self.refusal = refusal


def refused(answer, option):
    """The refusal that an answer is; `option` names the option that the token came from."""
    try:
        body = json.loads(answer.body)
        message, field = body["error_description"], body.get("error_field")
        if body.get("error") == NO_SUCH_PATH:  # not the thing is missing, but the API
            return RequestRefused(0, message + " Check the option url.")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, field = f"the server answers {answer.status}.", None
    if answer.status == UNAUTHORIZED:
        message += f" Check the option {option}."
    return RequestRefused(answer.status, message, field, unknown=answer.status >= FAULT)
