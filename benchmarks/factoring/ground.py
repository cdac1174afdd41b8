"""Who takes part in the ranking contest, as the peer's store wants it told, and its scores as ours are laid out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from factoring.bins import Spans
from haetae.domain.panel import Panel


def spans(panel: Panel, who: NDArray[np.bool_]) -> Spans:
    """Return each name's runs of membership as first and last row; ``who`` is ``(n_days, n_symbols)``."""
    edges = np.diff(np.pad(who.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    return {
        symbol: list(
            zip(
                np.flatnonzero(edges[:, column] == 1).tolist(),
                (np.flatnonzero(edges[:, column] == -1) - 1).tolist(),
                strict=True,
            )
        )
        for column, symbol in enumerate(panel.symbols)
    }


def grid(
    panel: Panel, day: NDArray[np.int64], symbol: NDArray[np.str_], score: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return scores by day (yyyymmdd) and symbol as ``(n_days, n_symbols)`` with NaN elsewhere."""
    values = np.full(panel.close.shape, np.nan, dtype=np.float32)
    values[np.searchsorted(panel.days, day), np.searchsorted(np.array(panel.symbols), symbol)] = score
    return values
