"""What a ranker learns to order: the return that could have been earned after the day.

A decision of day ``t`` is made after its close, so it can be filled at the open of ``t + 1`` at
the earliest. The label of ``t`` with horizon ``h`` is the return from the open of ``t + 1`` to the
open of ``t + 1 + h``; it ends, and is known, on row ``t + 1 + h``. Purging goes by that row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Forward returns and when each is known.

    Attributes
    ----------
    values : (n_days, n_symbols) float32
        Simple return, NaN where it cannot be bought at the next open or is not known yet.
    end_row : (n_days,) int64
        First row on which the label of a day is known; ``n_days`` or more if never.
    horizon : int
        Sessions held.
    """

    values: FloatArray
    end_row: Int64Array
    horizon: int


def forward_returns(panel: Panel, horizon: int) -> Labels:
    """Return the labels of a daily panel.

    A symbol that did not trade on the entry day has no label. One that does not trade on the exit
    day keeps the return to its last price: dropping it would hide exactly the worst outcomes.
    """
    if horizon < 1:
        raise ValueError(f"horizon {horizon} is not at least one session")
    days = len(panel)
    values = np.full((days, len(panel.symbols)), np.nan, dtype=np.float32)
    last = days - 1 - horizon
    if last > 0:
        entry = panel.open[1 : last + 1].astype(np.float64)
        leave = panel.open[1 + horizon :].astype(np.float64)
        bought = panel.traded[1 : last + 1] & (entry > 0)
        gains = np.divide(leave, entry, out=np.full_like(entry, np.nan), where=bought) - 1.0
        values[:last] = gains
    return Labels(values, np.arange(days, dtype=np.int64) + 1 + horizon, horizon)
