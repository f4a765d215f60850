"""A whole installation: database, HTTP servers, and an administrator, as `make run` starts them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded.main_job import register_services
from embedded.stack import Stack
from tests.conftest import NewStack


@pytest.fixture
def stack(new_stack: NewStack) -> Iterator[Stack]:
    """Running, with the services ci and deploy registered."""
    with new_stack("stack") as stack:
        register_services(stack, stack.administrator())
        yield stack


@pytest.fixture
def stack_on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The same with an engine of its own, which a test may kill, and whose files it may look into."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        register_services(stack, stack.administrator())
        yield stack
