"""Query parameters that have a form, where several API layers or capabilities read the same ones."""

from __future__ import annotations

import re

from chalicelib.core.common.errors import Invalid

REFERENCE_FORM = "[A-Za-z0-9.:/-]{1,64}"  # an id, `operator` or `anybody`, or a network
KIND_FORM = "[a-z.-]{1,64}"
POSITION_FORM = "[0-9]{15}#[A-Za-z0-9]{0,12}"


def checked(text: str | None, name: str, form: str) -> str | None:
    """The text, if it has the form. Raises Invalid."""
    if text is not None and not re.fullmatch(form, text, re.ASCII):
        raise Invalid(name, f"must have the form {form}.")
    return text
