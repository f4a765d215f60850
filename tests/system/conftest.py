"""A whole installation: database, HTTP servers, and an administrator, as `make run` starts them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded.main_job import register_services
from embedded.stack import Stack


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running, with the services ci and deploy registered."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        register_services(stack, stack.administrator())
        yield stack
