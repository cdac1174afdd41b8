"""Which code made a stage: a hash over the source it runs through.

So stored outputs never outlive the code that made them, and no version number has to be remembered. Whole rooms where
a stage runs through a room; single files of this one, so that a new sentence in the report fits no model again.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import haetae

_GROUND = ("domain", "krx", "research/market.py", "research/beside.py", "research/shelf.py")
_FITS = (*_GROUND, "features", "ml", "research/fits.py", "research/eligible.py")
_MODELS = (*_FITS, "research/models.py", "research/judging.py")
_WALKS = (*_GROUND, "portfolio", "sim", "backtest", "policies", "research/portfolios.py")
SOURCES: dict[str, tuple[str, ...]] = {
    "universe": (*_GROUND, "universe", "research/universes.py"),
    "features": (*_GROUND, "features"),
    "fits": _FITS,
    "models": _MODELS,
    "portfolio": _WALKS,
    "backtest": (*_WALKS, "research/tested.py", "research/notes.py"),
    "report": (*_WALKS, "research"),
}
"""Rooms and files whose source decides what a stage makes; ``fits`` are the pieces of ``models``."""


@functools.cache
def _source_hash(named: str) -> str:
    whole = hashlib.sha256()
    root = Path(haetae.__file__).parent
    place = root / named
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if path.suffix in (".py", ".j2"):
            whole.update(f"{path.relative_to(root).as_posix()}\0".encode())
            whole.update(path.read_bytes())
    return whole.hexdigest()


def code_hash(stage: str) -> str:
    """Return sixteen hex digits naming the source of a stage."""
    return hashlib.sha256("".join(_source_hash(named) for named in SOURCES[stage]).encode()).hexdigest()[:16]
