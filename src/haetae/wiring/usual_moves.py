"""How much names usually move at each minute of a session, from the lake's minutes: the escape's yardstick of a day.

Not here: what the escape makes of it (``guards``), other facts of a morning (``desks``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from haetae.domain.events import UsualMoves
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol
from haetae.store.lake import Lake

SESSION_MINUTES = 381
USUAL_SESSIONS, FEWEST_SESSIONS, USUAL_WINDOW = 20, 5, 5
"""The escape compares a minute with the same minute of the last twenty sessions, of five at least."""


def usual_moves(lake: Lake, day: dt.date, symbols: Sequence[Symbol], version: int | None = None) -> UsualMoves | None:
    """Return how much names usually move at each minute of a session, None where the lake knows too few sessions.

    Only sessions of 381 minutes count; a name of which fewer than five are known is 0. Known at the close before
    ``day``.

    Parameters
    ----------
    version : of the lake's minutes; the newest by default.
    """
    ordered = tuple(sorted(symbols))
    if "minute" not in lake.versions():
        return None
    rows = lake.read("minute", symbols=ordered[:1], version=version, end=day - dt.timedelta(days=1))
    days = sorted(set(rows.column("day").to_pylist()))[-USUAL_SESSIONS:]
    if len(days) < FEWEST_SESSIONS:
        return None
    panel = lake.panel("minute", ordered, days[0], days[-1], version=version)
    return moves_of(panel)


def moves_of(panel: Panel) -> UsualMoves | None:
    """Return the medians of a panel of minutes; see ``usual_moves``."""
    sessions = [(first, last) for _, first, last in panel.sessions() if last - first == SESSION_MINUTES]
    if len(sessions) < FEWEST_SESSIONS:
        return None
    found = np.full((len(sessions), SESSION_MINUTES, len(panel.symbols)), np.nan)
    for row, (first, last) in enumerate(sessions):
        close = panel.close[first:last].astype(np.float64)
        known = close[:-1] > 0
        change = np.abs(np.divide(close[1:], close[:-1], out=np.full_like(close[1:], np.nan), where=known) - 1.0)
        for minute in range(1, SESSION_MINUTES):
            found[row, minute] = change[max(0, minute - USUAL_WINDOW) : minute].mean(axis=0)
    told = np.isfinite(found)
    market = np.divide(
        np.where(told, found, 0.0).sum(axis=2), told.sum(axis=2), out=np.zeros(found.shape[:2]), where=told.any(axis=2)
    )
    names = np.nanmedian(np.where(told.sum(axis=0) >= FEWEST_SESSIONS, found, 0.0), axis=0)
    ppm = [np.rint(1e6 * part).astype(np.int64) for part in (np.median(market, axis=0), names)]
    return UsualMoves(panel.symbols, len(sessions), USUAL_WINDOW, ppm[0], ppm[1])
