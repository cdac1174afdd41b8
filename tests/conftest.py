"""Shared by all tests: how Hypothesis runs, and where compiled code and bytecode are kept.

Numba notices a change of the file a compiled loop stands in, not of the functions it calls from
other files. The folder of compiled code is therefore named by the content of every file with compiled code, so that
no test passes on yesterday's arithmetic.

Where the environment forbids bytecode beside the sources, every process of the suite would compile a thousand modules
anew, some seconds each; it is kept in a folder of its own then.

Modules that take a minute or more come first: one that begins last would leave every other worker idle.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import runpy
import sys
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).parents[1] / "src/haetae"
_COMPILED = [source for path in sorted(_SOURCE.rglob("*.py")) if b"njit" in (source := path.read_bytes())]
_STAMP = hashlib.sha256(b"".join(_COMPILED)).hexdigest()[:16]
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"haetae-compiled-{getpass.getuser()}-{_STAMP}")
)
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    os.environ["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / f"haetae-bytecode-{getpass.getuser()}")
    sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]

runpy.run_path(str(Path(__file__).parent / "loopback" / "sitecustomize.py"))  # no test speaks to the broker

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402 - numba reads its folder when it is first imported

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

LONGEST = (
    "e2e/test_demo.py",  # makes the demo that others wait for, while another worker takes what does without
    "e2e/test_collect.py",
    "e2e/test_live_soak.py",
    "e2e/test_documented_collecting.py",
    "e2e/test_sweep.py",
    "e2e/test_desk_life.py",
    "e2e/test_paper_week.py",
    "e2e/test_documented.py",
    "unit/wiring/test_drills_of_transport.py",
    "unit/wiring/test_drills_of_broker.py",
    "unit/wiring/test_drills_of_market.py",
    "unit/wiring/test_drills_of_machine.py",
    "unit/wiring/test_crashes.py",
    "property/test_planted_bugs.py",
    "property/test_planted_order_bugs.py",
    "property/test_window_sets.py",
    "unit/features/test_intraday.py",
    "unit/features/test_proofs.py",
    "zoo/test_zoo.py",
)
"""Modules of a minute or more in the order in which workers take them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest modules first and leave the others in their order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
