"""What runs, as one hash; and what was promoted to run, by two people.

``running`` is made of the package's own source, the desk's settings and the schema of journalled records: a file that
was edited, a limit that was moved, another release give another hash. For real money ``promoted.json`` in the desk's
folder must name the same hash; it is written by ``haetae trade promote`` with two different names. The first trading
day after a promotion trades small (RELIABILITY G03, G27). Play money needs no promotion.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import haetae
from haetae import __version__
from haetae.desk import DeskSettings
from haetae.domain.errors import ConfigError, Text
from haetae.journal.layout import SCHEMA_VERSION
from haetae.wiring.desks import settings_record
from haetae.wiring.records import write_json

FILE = "promoted.json"
PEOPLE = 2


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was promoted, on which day, by whom."""

    running: str
    day: dt.date
    people: tuple[str, ...]


@cache
def code_hash() -> str:
    """Return a hash of every source file of the package, by name and content."""
    root = Path(haetae.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def running(settings: DeskSettings) -> str:
    """Return the hash of what runs with these settings."""
    told = {
        "version": __version__,
        "code": code_hash(),
        "schema": str(SCHEMA_VERSION),
        "settings": settings_record(settings),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def promote(folder: Path, settings: DeskSettings, day: dt.date, people: Sequence[str]) -> Promotion:
    """Write what runs as promoted; raises ``ConfigError`` unless two different people say so."""
    names = tuple(dict.fromkeys(name.strip().casefold() for name in people if name.strip()))
    if len(names) < PEOPLE:
        raise ConfigError(
            Text(ko="두 사람이 승인해야 합니다", en="two people must approve"),
            expected="--by KIM --by LEE",
            found=", ".join(names) or "-",
            next_step="haetae trade promote --by KIM --by LEE",
        )
    found = Promotion(running(settings), day, names)
    write_json(folder / FILE, {"running": found.running, "day": day.isoformat(), "people": list(names)})
    return found


def promoted(folder: Path) -> Promotion | None:
    """Return what was promoted in a folder, None where nothing was or the record does not read."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        people = tuple(dict.fromkeys(str(name) for name in told["people"]))
        found = Promotion(str(told["running"]), dt.date.fromisoformat(told["day"]), people)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if len(found.people) >= PEOPLE else None
