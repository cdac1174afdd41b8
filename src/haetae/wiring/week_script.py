"""The script of a week: the emulator's faults, and beside them strikes at the desk's process and shocks of the market.

The file is the emulator's own (``[[fault]]``, ``seed``) with two kinds of tables more. ``[[process]]`` names a fault of
the process: ``P01`` kill -9, ``P05`` a stopped machine (``seconds``, real), ``P08`` a second desk in the same folder.
``[[shock]]`` moves the whole market. ``day`` counts trading days from 1, ``at`` is the market's time of day.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import ConfigError, Text
from haetae.emulator.faults.script import check_script

STRIKES = {"P01": "kill -9", "P05": "SIGSTOP, SIGCONT", "P08": "a second desk"}
_TABLE = re.compile(r"(?m)^(?=\[\[)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?$")


@dataclass(frozen=True, slots=True)
class Strike:
    """One strike at the process; ``at`` is hhmmss, ``seconds`` real."""

    id: str
    day: int
    at: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Shock:
    """One move of the whole market."""

    day: int
    at: int
    minutes: int
    return_bp: int


@dataclass(frozen=True, slots=True)
class Week:
    """A script in its three parts; ``emulator`` is the text of the emulator's own."""

    emulator: str
    has_faults: bool
    strikes: tuple[Strike, ...]
    shocks: tuple[Shock, ...]


def read_week(path: Path) -> Week:
    """Return the script of a file; raises ``ConfigError`` that lists every mistake."""
    try:
        content = path.read_text(encoding="utf-8")
        tree = tomllib.loads(content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise _unusable(path, [str(fault)]) from fault
    mistakes = [f"{name}: seed, [[fault]], [[process]], [[shock]]" for name in tree if name not in _NAMES]
    parts = _TABLE.split(content)
    own = "".join(part for part in parts if not part.startswith(("[[process]]", "[[shock]]")))
    if tree.get("fault"):
        mistakes += [str(mistake) for mistake in check_script(own)[1]]
    strikes = [found for table in tree.get("process", []) if (found := _strike(table, mistakes))]
    shocks = [shock for table in tree.get("shock", []) if (shock := _shock(table, mistakes))]
    if not (tree.get("fault") or strikes or shocks) and not mistakes:
        mistakes.append("no fault at all")
    if mistakes:
        raise _unusable(path, mistakes)
    return Week(own, bool(tree.get("fault")), tuple(strikes), tuple(shocks))


_NAMES = ("seed", "fault", "process", "shock")


def _strike(table: dict[str, Any], mistakes: list[str]) -> Strike | None:
    name, at = str(table.get("id", "")), _time(table.get("at"))
    day, seconds = table.get("day", 0), table.get("seconds", 3.0)
    faults = _strange(table, ("id", "day", "at", "seconds"), "process")
    faults += [] if name in STRIKES else [f"process.id: {', '.join(STRIKES)}, found {name!r}"]
    faults += [] if isinstance(day, int) and day >= 1 else [f"process.day: from 1, found {day!r}"]
    faults += [] if at is not None else [f"process.at: hh:mm:ss, found {table.get('at')!r}"]
    faults += [] if isinstance(seconds, int | float) and 0 < seconds <= 60 else [f"process.seconds: {seconds!r}"]
    mistakes += faults
    return Strike(name, day, at or 0, float(seconds)) if not faults else None


def _shock(table: dict[str, Any], mistakes: list[str]) -> Shock | None:
    at, day = _time(table.get("at")), table.get("day", 0)
    minutes, move = table.get("minutes", 5), table.get("return_bp")
    faults = _strange(table, ("day", "at", "minutes", "return_bp"), "shock")
    faults += [] if isinstance(day, int) and day >= 1 else [f"shock.day: from 1, found {day!r}"]
    faults += [] if at is not None else [f"shock.at: hh:mm:ss, found {table.get('at')!r}"]
    faults += [] if isinstance(minutes, int) and minutes >= 1 else [f"shock.minutes: {minutes!r}"]
    faults += [] if isinstance(move, int) and move else [f"shock.return_bp: {move!r}"]
    mistakes += faults
    return Shock(day, at or 0, minutes, int(move or 0)) if not faults else None


def _strange(table: dict[str, Any], known: tuple[str, ...], label: str) -> list[str]:
    return [f"{label}.{name}: {', '.join(known)}" for name in table if name not in known]


def _time(value: Any) -> int | None:
    match = _CLOCK.match(str(value))
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    return hour * 10_000 + minute * 100 + second if hour < 24 and minute < 60 and second < 60 else None


def _unusable(path: Path, mistakes: list[str]) -> ConfigError:
    return ConfigError(
        Text(ko=f"장애 스크립트를 쓸 수 없습니다: {path}", en=f"the fault script cannot be used: {path}"),
        expected=Text(ko="configs/faults/paper-week.toml 같은 파일", en="a file like configs/faults/paper-week.toml"),
        found="\n    - ".join(["", *mistakes]),
        next_step="haetae emulator faults list",
    )
