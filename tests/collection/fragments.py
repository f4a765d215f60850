"""What several modules of the collection document together."""

from __future__ import annotations

import runpy
from typing import Any

import yaml

from embedded.layout import PROJECT

FRAGMENTS = PROJECT / "ansible_module" / "plugins" / "doc_fragments"


def fragment(name: str) -> dict[str, Any]:
    """What several modules say, such as `keyturn.hub.connection.info`."""
    module, constant = [*name.split("."), "documentation"][2:4]
    inside = runpy.run_path(str(FRAGMENTS / f"{module}.py"))["ModuleDocFragment"]
    told: dict[str, Any] = yaml.safe_load(getattr(inside, constant.upper()))
    return told
