"""The names that the collection takes for the same are the same here: both are tried on one list of examples."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chalicelib.core.common import validation
from chalicelib.storage.engine import keys
from embedded.layout import PROJECT

EXAMPLES = json.loads((PROJECT / "ansible_module/tests/unit/plugins/module_utils/names.json").read_text())
UNIQUE: dict[str, Callable[[str], object]] = {
    "name": validation.name,
    "group": lambda text: keys.group_name(validation.name(text)),
    "webhook": lambda text: keys.webhook_name(validation.name(text)),
    "login": lambda text: validation.login_key(validation.login(text)),
}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_names_are_the_same_as_the_collection_has_it(example: dict[str, str]) -> None:
    form = UNIQUE[example["kind"]]
    one, other = (form(example[text].strip("\n\t")) for text in ("one", "other"))  # which only clients take away
    assert (one == other) is example["same"]
