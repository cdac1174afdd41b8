"""A place for files whose tests make many durable writes, and the local AWS."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import aws, aws_server

__all__ = ["aws", "aws_server"]


@pytest.fixture(scope="session")
def in_memory() -> Iterator[Path]:
    """A directory on a memory file system where there is one: a killed process does not lose it."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as place:
        yield Path(place)


@pytest.fixture(scope="session")
def fresh(in_memory: Path):
    """Make a new directory at each call."""
    return lambda: Path(tempfile.mkdtemp(dir=in_memory))
