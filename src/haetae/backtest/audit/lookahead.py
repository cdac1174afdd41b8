"""Proof that nothing decided or earned up to a row depends on a bar after it.

For several rows the future is exchanged (`futures.perturbed_after`) and cut away (`truncated_after`); what was decided
at or before the row, and the account's path up to it, must stay. Array forms are compared over all earlier rows. A
strategy that is asked view by view is asked again from the same seats, the newest ones before the row and some
earlier; and a strategy that looked through a view into later bars is found as well, for the memory behind the view is
another one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.backtest.audit.findings import Finding, failed, passed
from haetae.backtest.audit.futures import perturbed_after, truncated_after
from haetae.backtest.audit.subject import (
    Grid,
    Seat,
    Subject,
    first_difference,
    first_path_difference,
    place_text,
    proposed,
)
from haetae.backtest.result import Result
from haetae.backtest.strategies import Ground
from haetae.domain.market import Int64Array

CHECK = "look_ahead"
TILTS = (0.5, -0.5)
"""The later prices once 65 % higher, once 40 % lower in the mean."""
RANDOM_ROWS = 9
"""Beside the first, the middle and the last decision: twelve rows in all."""
_NEWEST, _EARLIER = 6, 4
"""Seats asked again before each row: a strategy that peeks, peeks from the newest."""
_CUT_SLACK = 1e-9
"""What a shorter array may move a sum of floats by; a perturbed one keeps its shape and must move nothing."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The first thing that moved though only later bars had changed."""

    after: int
    row: int
    column: int | None
    what: str
    how: str


def look_ahead(subject: Subject, dice: np.random.Generator) -> Finding:
    """Return whether a strategy sees beyond its row."""
    asked = subject.asked_rows()
    rows = chosen_rows(asked, dice)
    moved = _moved_arrays(subject, asked, rows, dice) if subject.by_arrays else None
    seats, result = subject.seats()
    if moved is None and not subject.by_arrays:
        moved = _moved_proposals(subject, seats, rows, dice)
    paths = _session_ends(subject.ground, rows)
    moved = moved or _moved_path(subject, result, paths, dice)
    numbers = {
        "rows_perturbed": [int(row) for row in rows],
        "futures_per_row": len(TILTS),
        "decisions_asked": len(asked),
        "paths_compared_to": [int(row) for row in paths],
    }
    if moved is None:
        return passed(
            CHECK,
            f"{len(rows)}개 시점 이후의 모든 봉을 바꾸고 잘라도, 그때까지의 결정과 계좌는 그대로입니다",
            f"every bar after {len(rows)} rows was changed and cut away; "
            "no decision and no won of the account before them moved",
            numbers,
        )
    where = place_text(subject.ground, moved.row, moved.column)
    after = place_text(subject.ground, moved.after)
    symbol = "" if moved.column is None else subject.ground.panel.symbols[moved.column]
    first = {"row": moved.row, "day": int(subject.ground.panel.days[moved.row]), "symbol": symbol, "what": moved.what}
    return failed(
        CHECK,
        f"미래를 봅니다: {after} 이후의 봉만 바꿨는데({moved.how}) {where}의 {moved.what} 값이 달라졌습니다",
        f"it sees the future: only bars after {after} were changed ({moved.how}), and {moved.what} moved at {where}",
        numbers | {"moved": first | {"changed_after_row": moved.after}},
    )


def chosen_rows(asked: Int64Array, dice: np.random.Generator) -> Int64Array:
    """Return the first, the middle, the last and some random rows among those asked, ascending."""
    fixed = asked[[0, len(asked) // 2, -1]]
    return np.unique(np.append(fixed, dice.choice(asked, min(RANDOM_ROWS, len(asked)), replace=False)))


def _futures(ground: Ground, row: int, dice: np.random.Generator) -> list[tuple[str, Ground, float]]:
    """Return the grounds that agree up to a row, with a word for each and the slack of its comparison."""
    found = [("changed", perturbed_after(ground, row, dice, tilt), 0.0) for tilt in TILTS]
    cut = truncated_after(ground, row)
    return found if cut is None else [*found, ("cut away", cut, _CUT_SLACK)]


def _moved_arrays(subject: Subject, asked: Int64Array, rows: Int64Array, dice: np.random.Generator) -> Moved | None:
    whole = subject.grid(asked)
    for row in rows.tolist():
        for how, ground, slack in _futures(subject.ground, row, dice):
            other = subject.on(ground).grid(asked[asked <= row] if how == "cut away" else asked)
            place = first_difference(whole[: row + 1], other[: row + 1], slack)
            if place is not None:
                return Moved(row, place[0], place[1], "decision", how)
    return None


def _moved_proposals(subject: Subject, seats: list[Seat], rows: Int64Array, dice: np.random.Generator) -> Moved | None:
    for row in rows.tolist():
        before = [seat for seat in seats if seat.row <= row]
        earlier = before[:-_NEWEST]
        places = np.sort(dice.choice(len(earlier), min(_EARLIER, len(earlier)), replace=False)).tolist()
        again = [*(earlier[place] for place in places), *before[-_NEWEST:]]
        if not again:
            continue
        known = _asked(subject, again)
        for how, ground, slack in _futures(subject.ground, row, dice):
            place = first_difference(known, _asked(subject.on(ground), again), slack)
            if place is not None:
                return Moved(row, again[place[0]].row, place[1], "proposal", how)
    return None


def _asked(subject: Subject, seats: list[Seat]) -> Grid:
    return proposed(subject.make(), subject.views(seats))


def _moved_path(subject: Subject, result: Result, rows: Int64Array, dice: np.random.Generator) -> Moved | None:
    first = subject.ground.first
    for row in rows.tolist():
        other = subject.on(perturbed_after(subject.ground, row, dice, TILTS[0])).run()
        place = first_path_difference(result, other, row - first + 1)
        if place is not None:
            return Moved(row, place[0] + first, None, place[1], "changed")
    return None


def _session_ends(ground: Ground, rows: Int64Array) -> Int64Array:
    """Return the ends of the sessions of the first, the middle and the last row.

    Inside a session the day's limits may stand on its whole range (see ``sim.batch.prepare``), so paths are compared
    where sessions end.
    """
    ends = np.append(np.flatnonzero(np.diff(ground.panel.days)), len(ground.panel) - 1)
    found = ends[np.searchsorted(ends, rows[[0, len(rows) // 2, -1]])]
    return np.unique(found[found < len(ground.panel) - 1]).astype(np.int64)
