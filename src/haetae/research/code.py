"""Which code made a stage: a hash over the source of the rooms it runs through.

So stored outputs never outlive the code that made them, and no version number has to be remembered.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import haetae

_GROUND = ("domain", "krx", "research")
ROOMS: dict[str, tuple[str, ...]] = {
    "universe": (*_GROUND, "universe"),
    "features": (*_GROUND, "features"),
    "models": (*_GROUND, "features", "ml"),
    "portfolio": (*_GROUND, "portfolio", "sim", "backtest"),
    "backtest": (*_GROUND, "portfolio", "sim", "backtest", "policies"),
    "report": _GROUND,
}
"""Rooms whose source decides what a stage makes."""


@functools.cache
def _room_hash(room: str) -> str:
    whole = hashlib.sha256()
    folder = Path(haetae.__file__).parent / room
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".j2"):
            whole.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            whole.update(path.read_bytes())
    return whole.hexdigest()


def code_hash(stage: str) -> str:
    """Return sixteen hex digits naming the source of a stage."""
    return hashlib.sha256("".join(_room_hash(room) for room in ROOMS[stage]).encode()).hexdigest()[:16]
