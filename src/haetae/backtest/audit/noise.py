"""What a strategy earns where nothing can be earned: on noise its excess over buy and hold has no mean.

A price that cannot be foreseen gives every honest strategy, and buy and hold, the same mean before costs. So over many
markets of chance the mean excess is nought within its error, and after costs it is never clearly above it. A profit on
noise is a view of the future, or a simulator that gives money away. Not here: how the markets are drawn (`chance`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from haetae.backtest.audit.chance import Null
from haetae.backtest.audit.findings import Finding, failed, passed
from haetae.backtest.audit.markets import of_chance
from haetae.backtest.audit.subject import Subject
from haetae.backtest.engine import run
from haetae.backtest.result import Result
from haetae.backtest.strategies import Ground
from haetae.sim import FillModel

CHECK = "noise"
SESSIONS, MINUTE_SESSIONS = 252, 3
"""Traded sessions of a market of chance: a year of days, or some days of minutes."""
MOST_T = 3.0
"""Beyond this many standard errors a second sample is drawn, and only if that one agrees it is a finding."""
_SECOND_LOOK = 2
_NOTHING = 1e-6
"""Excess ratios below this are rounding of whole shares."""
_FAIR = FillModel(slippage_ticks=0)
"""Market orders fill at the open itself: a tick of slippage is a cost, and costs are counted apart."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Excess:
    """Excess over buy and hold on markets of chance; ratios of the whole period, ``t`` in standard errors."""

    runs: int
    mean_before_costs: float
    t_before_costs: float
    mean_after_costs: float
    t_after_costs: float

    @property
    def suspicious(self) -> bool:
        """Whether it can be told from nought before costs, or is clearly positive after them."""
        return abs(self.t_before_costs) > MOST_T or self.t_after_costs > MOST_T

    def as_json(self) -> dict[str, float | int | None]:
        """Return the figures as JSON values."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value if math.isfinite(value) else None for name, value in found.items()}


def noise(subject: Subject, dice: np.random.Generator, runs: int = 20, tell: Tell | None = None) -> Finding:
    """Return whether a strategy earns on markets of chance.

    Parameters
    ----------
    runs : int
        Markets of each of the three kinds, at least 5.
    tell : callable, optional
        Called with how many markets are done of how many.
    """
    tell = tell or (lambda _done, _total: None)
    total = runs * len(Null)
    numbers: dict[str, object] = {"sessions": _traded(subject.ground)}
    found: Null | None = None
    ts: dict[Null, list[str]] = {}
    for place, null in enumerate(Null):
        first = _excess(subject, null, runs, dice)
        tell((place + 1) * runs, total)
        numbers[null.value] = first.as_json()
        ts[null] = [f"{first.t_before_costs:+.1f}"]
        if first.suspicious:
            again = _excess(subject, null, runs * _SECOND_LOOK, dice)
            numbers[f"{null.value}_again"] = again.as_json()
            ts[null].append(f"×{_SECOND_LOOK} {again.t_before_costs:+.1f}")
            if again.suspicious and again.mean_before_costs * first.mean_before_costs > 0:
                found = found or null
    if found is not None:
        told = numbers[f"{found.value}_again"]
        assert isinstance(told, dict)
        mean, t = told["mean_before_costs"], told["t_before_costs"]
        return failed(
            CHECK,
            f"벌 수 없는 시장({found.value})에서 비용 전 초과수익 {mean:+.2%} (t {t:+.1f}): "
            "미래를 보거나 체결이 후합니다",
            f"on noise ({found.value}) it makes {mean:+.2%} over buy and hold before costs (t {t:+.1f}): "
            "it sees the future, or fills are too kind",
            numbers,
        )
    shown = [f"{null.value} {', '.join(ts[null])}" for null in Null]
    return passed(
        CHECK,
        f"벌 수 없는 시장 {total}개에서 비용 전 초과수익이 0과 구별되지 않습니다 (t: {', '.join(shown)})",
        f"on {total} markets of chance the excess before costs cannot be told from nought (t: {', '.join(shown)})",
        numbers,
    )


def _traded(ground: Ground) -> int:
    return min(len(ground.traded.sessions()), SESSIONS if ground.is_daily else MINUTE_SESSIONS)


def _excess(subject: Subject, null: Null, runs: int, dice: np.random.Generator) -> Excess:
    ground = subject.ground
    rows = ground.first + ground.traded.sessions()[_traded(ground) - 1][2]
    before, after = np.empty(runs), np.empty(runs)
    for place in range(runs):
        market = of_chance(ground, null, rows, dice)
        mine, theirs = subject.on(market).run(_FAIR), hold_all(subject, market)
        before[place] = _return(mine, with_costs=False) - _return(theirs, with_costs=False)
        after[place] = _return(mine, with_costs=True) - _return(theirs, with_costs=True)
    return Excess(runs, float(before.mean()), _t(before), float(after.mean()), _t(after))


def hold_all(subject: Subject, ground: Ground, model: FillModel = _FAIR) -> Result:
    """Return what buying every eligible name once in equal parts gives on a ground."""
    targets = np.full(ground.traded.close.shape, np.nan)
    may = ground.eligible[ground.first]
    if may.any():
        targets[0] = may / may.sum()
    return run(
        ground.traded, targets, name="buy_and_hold", listing=ground.listing, model=model, settings=subject.settings
    )


def _return(result: Result, *, with_costs: bool) -> float:
    paid = 0 if with_costs else int(result.fees[-1]) + int(result.taxes[-1])
    return (int(result.equity[-1]) + paid) / result.initial_cash - 1.0


def _t(values: np.ndarray) -> float:
    spread = float(values.std(ddof=1))
    if float(np.abs(values).max()) < _NOTHING or spread == 0.0:
        return 0.0
    return float(values.mean()) / (spread / math.sqrt(len(values)))
