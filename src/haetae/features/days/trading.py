"""How much is traded and what it costs to trade: volume, turnover, illiquidity. Windows, summed anew each day."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec
from haetae.features.days.tape import CLOSE, IMPACT, LOG_VOLUME, LOG_WON, SIGNED, VOLUME, deviation

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("turnover_20", "close volume", 20, "log of the mean won a day"),
    spec("turnover_z_60", "close volume", 60, "standard deviations of log turnover"),
    spec("volume_5_60", "volume", 60, "log of the 5-day over the 60-day mean volume"),
    spec("volume_z_20", "volume", 20, "standard deviations of log volume"),
    spec("money_flow_20", "close volume", 20, "-1..1, volume signed by the day's direction"),
    spec("obv_20", "close volume", 20, "on-balance volume over its 20-day mean, in mean daily volumes"),
    spec("amihud_20", "close volume", 20, "log of mean |return| per billion won"),
    spec("amihud_60", "close volume", 60, "log of mean |return| per billion won"),
    spec("idle_days_60", "volume", 60, "share of days without trade"),
)
(
    TURNOVER_20, TURNOVER_Z_60, VOLUME_5_60, VOLUME_Z_20, MONEY_FLOW_20, OBV_20, AMIHUD_20, AMIHUD_60, IDLE_DAYS_60,
) = range(9)  # fmt: skip

_LEAST_SPREAD = 1e-9


@njit(cache=True)
def fill(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    """Write the features of tape column ``t``, ``age`` days after the symbol's first bar."""
    if age >= 20:
        _month(tape, t, row)
    if age >= 60:
        _quarter(tape, t, row)


@njit(cache=True)
def _month(tape: NDArray[np.float64], t: int, row: NDArray[np.float32]) -> None:
    money, shares, signed, balance = 0.0, 0.0, 0.0, 0.0
    total, squares = 0.0, 0.0
    impact, active = 0.0, 0
    for j in range(20):
        k = t - j
        volume, moved = tape[VOLUME, k], tape[SIGNED, k]
        money += tape[CLOSE, k] * volume
        shares += volume
        signed += moved
        balance += moved * (19 - j)  # of the last 20 balances, 19 - j do not hold this day's volume yet
        total += tape[LOG_VOLUME, k]
        squares += tape[LOG_VOLUME, k] * tape[LOG_VOLUME, k]
        impact += tape[IMPACT, k]
        active += 1 if volume > 0.0 else 0
    row[TURNOVER_20] = math.log(money / 20.0 + 1.0)
    spread = deviation(total, squares, 20.0)
    row[VOLUME_Z_20] = (tape[LOG_VOLUME, t] - total / 20.0) / spread if spread > _LEAST_SPREAD else 0.0
    row[MONEY_FLOW_20] = signed / shares if shares > 0.0 else 0.0
    row[OBV_20] = balance / shares if shares > 0.0 else 0.0
    if active > 0:
        row[AMIHUD_20] = math.log(impact / active + 1e-9)


@njit(cache=True)
def _quarter(tape: NDArray[np.float64], t: int, row: NDArray[np.float32]) -> None:
    shares, recent = 0.0, 0.0
    total, squares = 0.0, 0.0
    impact, active = 0.0, 0
    for j in range(60):
        k = t - j
        volume = tape[VOLUME, k]
        shares += volume
        if j == 4:
            recent = shares
        total += tape[LOG_WON, k]
        squares += tape[LOG_WON, k] * tape[LOG_WON, k]
        impact += tape[IMPACT, k]
        active += 1 if volume > 0.0 else 0
    row[VOLUME_5_60] = math.log((recent / 5.0 + 1.0) / (shares / 60.0 + 1.0))
    spread = deviation(total, squares, 60.0)
    row[TURNOVER_Z_60] = (tape[LOG_WON, t] - total / 60.0) / spread if spread > _LEAST_SPREAD else 0.0
    if active > 0:
        row[AMIHUD_60] = math.log(impact / active + 1e-9)
    row[IDLE_DAYS_60] = (60 - active) / 60.0
