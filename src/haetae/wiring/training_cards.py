"""What outlives a training: a line in the book of trials for each setting tried, a candidate for each model.

A card carries what a promotion asks for: the figures of the test window, those of the best one-line score and of the
shuffled controls, how many settings were tried and how their ratios spread, the probability of overfitting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np

from haetae.backtest.overfitting import overfitting
from haetae.backtest.sharpe import deflated_sharpe, moments
from haetae.domain.learning import Trial
from haetae.domain.units import day_from
from haetae.ml.judge import Judge
from haetae.ml.settings import RankerSettings
from haetae.ml.training import FloatArray
from haetae.registry.trials import TrialBook
from haetae.research.code import code_hash
from haetae.wiring.clocks import SystemClock
from haetae.wiring.training_ground import Ground

_BLOCKS: Final = 8
"""Of the overfitting test: a year of weekly periods gives six periods a block, 70 ways to take half."""
_LEAST_PERIODS: Final = 2 * _BLOCKS


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One setting that was tried, with the net returns of its best tenth on one window, a period each."""

    settings: RankerSettings
    horizon: int
    returns: np.ndarray
    first: int
    last: int
    why: str

    def daily_sharpe(self) -> float:
        """Return the daily ratio; NaN where it cannot be told."""
        return moments(self.returns).ratio / math.sqrt(self.horizon)


def attempt(settings: RankerSettings, judge: Judge, scores: FloatArray, why: str) -> Attempt:
    """Return the record of scores on a judge's window."""
    days = judge.days[judge.rows]
    returns = judge.periods(scores).long_net
    return Attempt(settings, judge.labels.horizon, returns, int(days[0]), int(days[-1]), why)


def family(horizon: int) -> str:
    """Return under which name the book counts the settings of a horizon."""
    return f"ranker-h{horizon}"


def write_down(book: Path, attempts: Sequence[Attempt], ground: Ground, names: Mapping[str, Any]) -> int:
    """Append the settings that the book does not hold yet; return how many were new."""
    kept = TrialBook(book)
    code, data = code_hash("models"), ground.market.digest
    known = {_key(trial) for trial in kept.trials()}
    fresh = []
    for each in attempts:
        trial = Trial(
            family=family(each.horizon),
            parameters={**_plain(each.settings), **names},
            code=code,
            data=data,
            first=day_from(each.first),
            last=day_from(each.last),
            sessions=len(each.returns) * each.horizon,
            sharpe=each.daily_sharpe(),
            why=each.why,
            at=SystemClock().now(),
        )
        if _key(trial) not in known:
            known.add(_key(trial))
            fresh.append(trial)
    if fresh:
        kept.append(fresh)
    return len(fresh)


def _key(trial: Trial) -> tuple[object, ...]:
    return (
        trial.family,
        trial.code,
        trial.data,
        trial.first,
        trial.last,
        json.dumps(dict(trial.parameters), sort_keys=True),
    )


def _plain(settings: RankerSettings) -> dict[str, int | float | str | bool]:
    told = {name: value.value if isinstance(value, Enum) else value for name, value in asdict(settings).items()}
    return {name: value for name, value in told.items() if name not in ("n_threads", "seed", "device")}


@dataclass(frozen=True, slots=True)
class Luck:
    """How much was tried for a horizon: settings, the spread of their daily ratios, the chance of overfitting."""

    trials: int
    spread: float
    overfitting: float

    def as_json(self) -> dict[str, float | None]:
        """Return the figures with NaN as null."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def luck_of(attempts: Sequence[Attempt]) -> Luck:
    """Return the luck behind the settings that were tried on one window; those with equal settings count once."""
    distinct = {json.dumps(_plain(each.settings), sort_keys=True): each for each in attempts}
    ratios = np.array([each.daily_sharpe() for each in distinct.values()])
    ratios = ratios[np.isfinite(ratios)]
    periods = min((len(each.returns) for each in distinct.values()), default=0)
    chance = math.nan
    if len(distinct) > 1 and periods >= _LEAST_PERIODS:
        grid = np.stack([each.returns[-periods:] for each in distinct.values()], axis=1)
        chance = overfitting(grid, blocks=_BLOCKS).probability
    spread = float(ratios.std(ddof=1)) if len(ratios) > 1 else math.nan
    return Luck(len(distinct), spread, chance)


def metrics_of(
    judge: Judge, scores: FloatArray, luck: Luck, valid_rank_ic: float | None, *, one_line_bp: float, control_t: float
) -> dict[str, float]:
    """Return the figures of a card; what is not finite is left out."""
    quality, brief, periods = judge.quality(scores), judge.brief(scores), judge.periods(scores)
    horizon = judge.labels.horizon
    found = moments(periods.long_net)
    spread = luck.spread * math.sqrt(horizon) if math.isfinite(luck.spread) else 0.0
    figures = {
        "test_rank_ic": quality.mean,
        "test_rank_ic_t": quality.t,
        "test_icir": quality.icir,
        "test_rank_ic_neutral": quality.neutral_mean,
        "test_rank_ic_neutral_t": quality.neutral_t,
        "valid_rank_ic": math.nan if valid_rank_ic is None else valid_rank_ic,
        "test_net_bp": brief["spread"]["long_net_bp"],
        "test_spread_net_bp": brief["spread"]["net_bp"],
        "test_one_line_net_bp": one_line_bp,
        "test_control_t": control_t,
        "sharpe": found.ratio / math.sqrt(horizon),
        "sharpe_spread": found.spread,
        "sharpe_sessions": float(len(periods.rows) * horizon),
        "trials": float(luck.trials),
        "trials_spread": luck.spread,
        "pbo": luck.overfitting,
        "dsr": deflated_sharpe(periods.long_net, max(luck.trials, 1), spread),
    }
    return {name: float(value) for name, value in figures.items() if value is not None and math.isfinite(value)}
