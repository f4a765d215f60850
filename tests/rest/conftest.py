"""The REST API on a scene of its own."""

import pytest

from tests.conftest import Scene
from tests.rest.calling import Client


@pytest.fixture
def administrator(scene: Scene) -> Client:
    """An administrator's client."""
    return Client(scene.administrator.secret or "")
