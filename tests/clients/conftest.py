"""The clients' environment, once for a session of tests; an emulator with a raw client for the facts of the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from clients.driving import Emulated, emulated
from clients.environment import NoIndex, prepared
from clients.raw import Client
from haetae.emulator.settings import LimitSettings


@pytest.fixture(scope="session")
def python() -> Path:
    """Interpreter with the third-party clients; skips where no package index can be reached."""
    try:
        return prepared()
    except NoIndex as fault:
        pytest.skip(f"the clients of locks/clients.txt cannot be installed here: {fault}")


@pytest.fixture
async def emulator() -> AsyncIterator[Emulated]:
    """An emulator whose limits are out of the way."""
    async with emulated(limits=LimitSettings(real_calls_per_second=0, mock_calls_per_second=0)) as running:
        yield running


@pytest.fixture
async def client(emulator: Emulated) -> Client:
    """A client that is logged in to the real domain."""
    return await Client(emulator).log_in()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A session for sockets and the control port."""
    async with aiohttp.ClientSession() as session:
        yield session
