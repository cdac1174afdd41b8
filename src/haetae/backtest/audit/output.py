"""What a strategy returns: nothing on the ground, nor in odd views, that cannot be meant; and such things are refused.

The second half proves the simulator, not the strategy: its own proposals are spoiled one by one, and each must stop the
run. Otherwise a backtest could go on with a weight that is no number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from haetae.backtest.audit.findings import Finding, failed, passed
from haetae.backtest.audit.subject import Seat, Subject, place_text
from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import StrategyError
from haetae.domain.panel import empty_panel
from haetae.policies.strategy import check

CHECK = "output"

Spoil = Callable[[View], dict[str, float]]
SPOILT: dict[str, Spoil] = {
    "nan": lambda view: {view.symbols[0]: float("nan")},
    "infinite": lambda view: {view.symbols[0]: float("inf")},
    "negative": lambda view: {view.symbols[0]: -0.1},
    "sum_above_one": lambda view: {view.symbols[0]: 0.7, view.symbols[-1]: 0.7},
    "unknown_symbol": lambda _view: {"NOSUCH": 0.1},
}


def output(subject: Subject) -> Finding:
    """Return whether everything it returns can be meant, and whether what cannot is refused."""
    rows = subject.asked_rows()
    seats, _result = subject.seats()
    if subject.by_arrays:
        subject.grid(rows)
    strategy = subject.make()
    odd = _odd_views(subject, int(rows[0]))
    for how, view in odd.items():
        try:
            if not subject.by_arrays:
                check(strategy.propose(view), view)
        except StrategyError as fault:
            where = place_text(subject.ground, int(rows[0]))
            return failed(
                CHECK,
                f"드문 장면({how}, {where})에서 뜻을 알 수 없는 제안을 냅니다: {fault.found}",
                f"in an odd view ({how}, {where}) it proposes what cannot be meant: {fault.found}",
                {"view": how, "found": fault.found},
            )
    taken = [name for name, spoil in SPOILT.items() if not _refuses(odd["as it is"], spoil)]
    numbers = {"decisions": len(seats) or len(rows), "odd_views": len(odd), "refused": sorted(set(SPOILT) - set(taken))}
    if taken:
        return failed(CHECK, f"거부되지 않는 제안: {taken}", f"proposals that are not refused: {taken}", numbers)
    return passed(
        CHECK,
        f"결정 {numbers['decisions']}개가 모두 올바르고, 망가뜨린 제안 {len(SPOILT)}가지는 모두 거부됩니다",
        f"all {numbers['decisions']} decisions can be meant, and {len(SPOILT)} spoilt ones are each refused",
        numbers,
    )


def _refuses(view: View, spoil: Spoil) -> bool:
    try:
        check(Proposal("spoilt", view.at, "spoilt", spoil(view)), view)
    except StrategyError:
        return True
    return False


def _odd_views(subject: Subject, row: int) -> dict[str, View]:
    """Return views of a first day: as it is, without history, with one bar of it, with nothing tradable, and broke."""
    symbols = subject.ground.panel.symbols
    (view,) = subject.views([Seat(row, np.zeros(len(symbols), np.int64), subject.settings.cash)])
    nothing = empty_panel(symbols)
    return {
        "as it is": view,
        "no history": dataclasses.replace(view, daily=nothing, minutes=nothing),
        "one bar of history": dataclasses.replace(
            view,
            daily=view.daily.rows(max(len(view.daily) - 1, 0), len(view.daily)),
            minutes=view.minutes.rows(max(len(view.minutes) - 1, 0), len(view.minutes)),
        ),
        "nothing tradable": dataclasses.replace(view, tradable=np.zeros(len(symbols), np.bool_)),
        "no cash": dataclasses.replace(view, cash=0, equity=0),
    }
