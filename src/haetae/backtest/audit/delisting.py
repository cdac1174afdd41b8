"""Names that end: do the strategy and the accounting survive them, and what do they do to the figures.

A history of names that are still listed flatters whoever holds losers. Here names that fall by the limit and then trade
no more are added to the ground, and whether the data has any of its own is told. What is held of them stays at its last
price; the figures show what is left if it is worth nothing.
"""

from __future__ import annotations

import numpy as np

from haetae.backtest.audit.findings import Finding, failed, noted, passed
from haetae.backtest.audit.markets import Delisted, with_delisted
from haetae.backtest.audit.subject import Subject, place_text
from haetae.backtest.result import Result
from haetae.backtest.strategies import Ground

CHECK, SURVIVORSHIP = "delisted_names", "survivorship"
_SHARE = 8
"""One name in eight is added, at least two."""
_SILENT_SESSIONS = 10
"""A name without a trade for longer, up to the end, has ended or is halted for good."""


def delisted_names(subject: Subject, dice: np.random.Generator) -> Finding:
    """Return whether strategy and accounting survive names that trade no more."""
    ground = subject.ground
    plain = subject.run()
    added = with_delisted(ground, max(2, len(ground.panel.symbols) // _SHARE), dice)
    result = subject.on(added.ground).run()
    wrong = unbalanced(result, added.ground)
    held, worth = _held(added, result)
    numbers = {
        "added": len(added.symbols),
        "held_at_the_end": held,
        "dead_value_won": worth,
        "return_without": _ratio(int(plain.equity[-1]), plain),
        "return_with": _ratio(int(result.equity[-1]), result),
        "return_with_worth_nothing": _ratio(int(result.equity[-1]) - worth, result),
        "stale_value_won": result.stale_value,
    }
    if wrong:
        return failed(
            CHECK,
            f"거래가 끊긴 종목이 있으면 장부가 맞지 않습니다: {wrong}",
            f"with names that trade no more the books do not balance: {wrong}",
            numbers,
        )
    said = (
        f"{numbers['return_without']:+.1%} → {numbers['return_with']:+.1%}",
        f"{numbers['return_with_worth_nothing']:+.1%}",
    )
    return passed(
        CHECK,
        f"상장폐지 {len(added.symbols)}종목을 넣어도 장부가 맞습니다: "
        f"수익률 {said[0]}, 남은 {held}종목이 0원이면 {said[1]}",
        f"with {len(added.symbols)} names that end the books balance: return {said[0]}, "
        f"{said[1]} if the {held} still held are worth nothing",
        numbers,
    )


def survivorship(subject: Subject) -> Finding:
    """Return whether the data has names that ended; without any, figures are those of survivors."""
    ended = ended_names(subject.ground)
    numbers = {"symbols": len(subject.ground.panel.symbols), "ended": len(ended), "names": ended[:10]}
    if not ended:
        return noted(
            SURVIVORSHIP,
            "이 데이터에는 거래가 끝난 종목이 없습니다: 살아남은 종목만의 성과일 수 있습니다",
            "no name of this data stops trading: the figures may be those of survivors only",
            numbers,
        )
    return passed(
        SURVIVORSHIP,
        f"데이터에 거래가 끝난 종목이 {len(ended)}개 있습니다",
        f"{len(ended)} names of the data stop trading before its end",
        numbers,
    )


def ended_names(ground: Ground) -> list[str]:
    """Return the names without a trade in the last ten sessions of a ground, of those that ever traded."""
    panel = ground.panel
    sessions = np.unique(panel.days)
    if len(sessions) <= _SILENT_SESSIONS:
        return []
    recent = panel.days >= sessions[-_SILENT_SESSIONS]
    asleep = panel.traded.any(axis=0) & ~panel.traded[recent].any(axis=0)
    return [panel.symbols[column] for column in np.flatnonzero(asleep)]


def unbalanced(result: Result, ground: Ground) -> str:
    """Return the first thing that does not add up in a result, empty if all does.

    Cash is what was there, less what was bought, plus what was sold, less costs, in every bar and never negative; the
    last equity is cash plus shares at their marks.
    """
    cash = result.initial_cash - result.bought + result.sold - result.fees - result.taxes
    for name, wrong in (("cash", cash != result.cash), ("negative cash", result.cash < 0)):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            return f"{name} {int(result.cash[row]):,d} ({place_text(ground, row + ground.first)})"
    marks = int((result.shares * ground.panel.close[-1]).sum())
    if (result.shares < 0).any():
        return f"shares {int(result.shares.min())}"
    gap = int(result.equity[-1]) - int(result.cash[-1]) - marks
    return f"equity {gap:+,d}" if gap else ""


def _held(added: Delisted, result: Result) -> tuple[int, int]:
    columns = [result.symbols.index(name) for name in added.symbols]
    held = result.shares[columns]
    return int((held > 0).sum()), int((held * added.ground.panel.close[-1][columns]).sum())


def _ratio(equity: int, result: Result) -> float:
    return equity / result.initial_cash - 1.0
