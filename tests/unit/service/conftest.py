"""A folder made once, a copy of it for each test that writes, and clients with tokens of every role."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from haetae.service.app import create_app
from haetae.service.tokens import FILE, Role, TokenBook
from haetae.wiring.clocks import SystemClock
from haetae.wiring.views.views import Views
from rigs.desk_folder import Folder, make_folder

ADDRESS = "http://127.0.0.1:8710"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return make_folder(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def folder(made: Folder, tmp_path: Path) -> Path:
    shutil.copytree(made.path, tmp_path / "desk")
    return tmp_path / "desk"


@pytest.fixture
def book(folder: Path) -> TokenBook:
    return TokenBook(folder / FILE, SystemClock())


@pytest.fixture
def client(folder: Path, book: TokenBook) -> Iterator[TestClient]:
    app = create_app(Views(folder), book)
    with TestClient(app, base_url=ADDRESS, client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.fixture
def bearer(book: TokenBook) -> Callable[[Role], dict[str, str]]:
    """Headers of a fresh token of a role."""
    return lambda role: {"Authorization": f"Bearer {book.new(role, label=role.word)[0]}"}
