"""A window of minute bars as training sees it: rules, scaled features, decision rows.

Here: what is prepared once and shared by all accounts, read-only. Not here: the accounts
(``accounts``), how the window was chosen (``learn``). A feature of row ``t`` is known at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haetae.backtest import Listing
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.policies.baselines import minute_rows
from haetae.policies.observe import Scaler, session_progress
from haetae.rl.settings import EnvSettings
from haetae.sim.batch import BatchMarket


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A prepared window.

    Attributes
    ----------
    scaled : (n_bars, n_symbols, n_features) float32
    scores : (n_bars, n_symbols) or (1, n_symbols) float32
    progress : (n_bars,) float32
        Elapsed part of the session; filled at decision rows and last rows only.
    rows : (n_decisions,) int64
        Rows at whose end accounts decide.
    session_of : (n_decisions,) int64
        Session index of each decision row.
    last_rows : (n_sessions,) int64
        Last row of each session.
    move : float
        Typical absolute return of a symbol between decisions; rewards are measured in it.
    """

    panel: Panel
    market: BatchMarket
    scaled: NDArray[np.float32]
    scores: NDArray[np.float32]
    progress: NDArray[np.float32]
    rows: Int64Array
    session_of: Int64Array
    last_rows: Int64Array
    move: float

    @property
    def sessions(self) -> int:
        """Number of sessions in the window."""
        return len(self.last_rows)


def prepare_window(
    panel: Panel,
    features: NDArray[np.float32],
    scaler: Scaler,
    settings: EnvSettings,
    *,
    scores: NDArray[np.float32] | None = None,
    listing: Listing | None = None,
) -> Window:
    """Return a window of whole sessions ready for training.

    Parameters
    ----------
    features : (n_bars, n_symbols, n_features) float32
        Unscaled, NaN where unknown.
    scaler : Scaler
        Fitted on the training window, also when this is another one.
    scores : (n_bars, n_symbols) or (1, n_symbols) float32, optional
    """
    rows = decision_rows(panel, settings)
    last_rows = np.array([last - 1 for _day, _first, last in panel.sessions()], dtype=np.int64)
    progress = np.zeros(len(panel), np.float32)
    for row in (*rows.tolist(), *last_rows.tolist()):
        progress[row] = session_progress(int(panel.end[row]))
    closes = panel.close[rows].astype(np.float64)
    returns = np.diff(np.log(np.maximum(closes, 1.0)), axis=0)
    returns = returns[np.isfinite(returns) & (closes[:-1] > 0)]
    return Window(
        panel=panel,
        market=(listing or Listing()).prepare(panel),
        scaled=scaler.apply(features),
        scores=np.zeros((1, len(panel.symbols)), np.float32) if scores is None else np.asarray(scores, np.float32),
        progress=progress,
        rows=rows,
        session_of=np.searchsorted(last_rows, rows),
        last_rows=last_rows,
        move=float(np.abs(returns).mean()) if len(returns) else 1.0,
    )


def decision_rows(panel: Panel, settings: EnvSettings) -> Int64Array:
    """Return the rows at whose end an account decides, by the settings' clock."""
    return minute_rows(
        panel, every_minutes=settings.decision_minutes, begin=settings.begin_minute, end=settings.end_minute
    )


def split_sessions(panel: Panel, parts: Sequence[float]) -> tuple[tuple[int, int], ...]:
    """Return ``(first row, last row + 1)`` of consecutive parts of whole sessions.

    Parameters
    ----------
    parts : sequence of float
        Shares that sum to 1, for example 0.6, 0.2, 0.2 for train, validation, test. Every part gets
        at least one session; raises ``ValueError`` when there are fewer sessions than parts.
    """
    edges = panel.sessions()
    if len(edges) < len(parts):
        raise ValueError(f"{len(edges)} sessions cannot be split into {len(parts)} parts")
    cuts = [0]
    for place, share in enumerate(parts[:-1]):
        latest = len(edges) - (len(parts) - 1 - place)
        cuts.append(min(latest, max(cuts[-1] + 1, cuts[-1] + round(share * len(edges)))))
    cuts.append(len(edges))
    return tuple((edges[a][1], edges[b - 1][2]) for a, b in pairwise(cuts))
