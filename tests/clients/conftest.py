"""The clients' environment, once for a session of tests."""

from pathlib import Path

import pytest

from clients.environment import NoIndex, prepared


@pytest.fixture(scope="session")
def python() -> Path:
    """Interpreter with the third-party clients; skips where no package index can be reached."""
    try:
        return prepared()
    except NoIndex as fault:
        pytest.skip(f"the clients of locks/clients.txt cannot be installed here: {fault}")
