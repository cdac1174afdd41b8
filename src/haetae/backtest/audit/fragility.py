"""What a result owes to its costs, and whether the live form of an array strategy decides the same.

Both are notes: dear trading and a short memory are no cheating, but who follows the figures should know of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from haetae.backtest.audit.findings import Finding, noted, passed
from haetae.backtest.audit.noise import hold_all
from haetae.backtest.audit.subject import Seat, Subject, place_text, proposed
from haetae.backtest.result import Result
from haetae.domain.errors import DataError
from haetae.policies import SignalStrategy
from haetae.sim import FillModel

COSTS, LIVE_FORM = "costs", "live_form"
COSTS_PPM = (0, 1_000_000, 1_500_000, 2_000_000)
"""Multiples of fees and taxes in parts per million."""
_ONCE, _DEARER = 1_000_000, 1_500_000
_VIEWS = 60
_SLACK = 1e-9

Rerun = Callable[[int], Result]
"""A cost multiple in parts per million to the result of a whole run."""


def costs(subject: Subject, rerun: Rerun | None = None) -> Finding:
    """Return the figures at 0, 1, 1.5 and 2 times the costs, beside buy and hold at the costs as they are.

    Parameters
    ----------
    rerun : callable, optional
        Runs the strategy with fees, taxes and slippage scaled. Without it the trades of one run are charged anew:
        exact for fees and taxes as long as the trades stay, and slippage is left at its one tick.
    """
    once = subject.run()
    theirs = _return(hold_all(subject, subject.ground, FillModel()), 0)
    figures: dict[str, float] = {}
    for multiple in COSTS_PPM:
        if rerun is not None:
            figures[f"{multiple / _ONCE:g}x"] = _return(rerun(multiple), 0)
        else:
            paid = int(once.fees[-1]) + int(once.taxes[-1])
            figures[f"{multiple / _ONCE:g}x"] = _return(once, -paid * (multiple - _ONCE) // _ONCE)
    excess, dearer = figures["1x"] - theirs, figures["1.5x"] - theirs
    numbers = {"return": figures, "buy_and_hold": theirs, "rerun": rerun is not None}
    told = ", ".join(f"{name} {value:+.1%}" for name, value in figures.items())
    if excess > 0 >= dearer:
        return noted(
            COSTS,
            f"깨지기 쉽습니다: 비용이 1.5배면 초과수익이 사라집니다 ({told}; 매수 후 보유 {theirs:+.1%})",
            f"fragile: at 1.5 times the costs nothing is left of the excess ({told}; buy and hold {theirs:+.1%})",
            numbers,
        )
    return passed(
        COSTS, f"비용 배수별 수익률 {told} (매수 후 보유 {theirs:+.1%})",
        f"return by multiple of costs: {told} (buy and hold {theirs:+.1%})", numbers,
    )  # fmt: skip


def live_form(subject: Subject) -> Finding:
    """Return whether an array form, asked with a view as a live day asks it, decides what its arrays say.

    A view carries as many bars as ``sessions_back`` and ``minutes_back`` say. Signals are compared for an account
    that holds nothing.
    """
    rows = subject.asked_rows()
    some = rows[np.unique(np.linspace(0, len(rows) - 1, _VIEWS).astype(np.int64))]
    strategy = subject.make()
    none = np.zeros(len(subject.ground.panel.symbols), np.int64)
    views = subject.views([Seat(row, none, subject.settings.cash) for row in some.tolist()])
    try:
        found = proposed(strategy, views)
    except DataError as fault:
        return noted(
            LIVE_FORM,
            f"장면으로는 물을 수 없습니다, 실거래에 쓸 수 없습니다: {fault.message}",
            f"it cannot be asked by views, so no live day can use it: {fault.message}",
            {"views": 0, "differ": 0},
        )
    known = subject.grid(rows, strategy)[some]
    if isinstance(strategy, SignalStrategy):
        entering = np.array([view.tradable for view in views]) & (known > 0)
        differs = ~np.isnan(found) != entering
    else:
        same = (np.isnan(found) & np.isnan(known)) | (np.abs(found - known) <= _SLACK)
        differs = ~same
    rows_apart = np.flatnonzero(differs.any(axis=1))
    numbers = {"views": len(some), "differ": len(rows_apart)}
    if not len(rows_apart):
        return passed(
            LIVE_FORM,
            f"장면으로 물어도({len(some)}번) 배열과 같은 결정을 합니다",
            f"asked by views ({len(some)}) it decides what its arrays say",
            numbers,
        )
    row = int(rows_apart[0])
    where = place_text(subject.ground, int(some[row]), int(np.flatnonzero(differs[row])[0]))
    return noted(
        LIVE_FORM,
        f"장면으로 물으면 {len(some)}번 중 {len(rows_apart)}번 배열과 다르게 결정합니다 (처음: {where}). "
        "실거래는 장면으로 묻습니다",
        f"asked by views it decides otherwise than its arrays in {len(rows_apart)} of {len(some)} (first: {where}); "
        "a live day asks by views",
        numbers,
    )


def _return(result: Result, saved: int) -> float:
    return (int(result.equity[-1]) + saved) / result.initial_cash - 1.0
