"""Who bought: net purchases of foreigners, institutions and individuals over what was traded. Windows.

A window with a day whose flows are unknown gives NaN, one in which nothing traded gives 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import PUBLISHED, spec
from haetae.features.days.tape import CLOSE, FOREIGN, VOLUME

_WHO = ("foreign", "institution", "individual")
_DAYS = (1, 5, 20)

SPECS: Final[tuple[FeatureSpec, ...]] = tuple(
    spec(
        f"{who}_flow_{days}",
        f"{who}_won close volume",
        days,
        "net won bought over won traded",
        known_at=PUBLISHED,
    )
    for who in _WHO
    for days in _DAYS
)


@njit(cache=True)
def fill(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    """Write the features of tape column ``t``, ``age`` days after the symbol's first bar."""
    for who in range(3):
        net, money = 0.0, 0.0
        for j in range(min(20, age)):
            net += tape[FOREIGN + who, t - j]
            money += tape[CLOSE, t - j] * tape[VOLUME, t - j]
            if j == 0 or j == 4 or j == 19:
                value = net / money if money > 0.0 else net * 0.0
                row[3 * who + (0 if j == 0 else (1 if j == 4 else 2))] = value
