"""What several tests of the embedded stack look at."""

import pytest


@pytest.fixture
def other_address() -> str:
    """One at which this machine is reached besides 127.0.0.1: what listens to the whole network listens there too."""
    return "127.0.0.2"
