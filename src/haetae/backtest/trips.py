"""Closed round trips: from no shares of a name to no shares again, with what each left in won.

A trip may hold many buys and sales; it counts once, when the last share is sold. A portfolio that
only ever adjusts its weights closes none, and says so. Money is exact: profit is what was received
less what was paid, fees and taxes of both sides included. Not here: open positions (``breakdown``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.result import Result
from haetae.domain.market import Int64Array

TRIP = np.dtype([(name, np.int64) for name in ("symbol", "opened", "closed", "shares", "profit", "costs")])
"""``symbol`` is a column, ``opened`` and ``closed`` are rows of the result; ``shares`` bought in all."""


@dataclass(frozen=True, slots=True)
class TripFigures:
    """Closed trips in figures; won per trip, holding in sessions, NaN where there are none.

    ``profit_factor`` is everything won over everything lost, after costs. A trip that comes out at
    exactly 0 is closed but neither won nor lost.
    """

    closed: int
    won: int
    lost: int
    hit_rate: float
    average_win: float
    average_loss: float
    payoff: float
    profit_factor: float
    holding_sessions: float


def round_trips(result: Result) -> NDArray[np.void]:
    """Return the closed trips of a run as ``TRIP`` rows, by name and then by time."""
    fills = result.fills[np.argsort(result.fills["symbol"], kind="stable")]
    if not len(fills):
        return np.zeros(0, TRIP)
    symbol, quantity = fills["symbol"], fills["quantity"]
    turns = np.flatnonzero(np.diff(symbol, prepend=symbol[0] - 1))
    running = np.cumsum(quantity)
    before = np.concatenate([[0], running])[turns]
    held = running - np.repeat(before, np.diff(turns, append=len(fills)))
    first = np.zeros(len(fills), bool)
    first[turns] = True
    first[1:] |= held[:-1] == 0
    begins = np.flatnonzero(first)
    ends = np.append(begins[1:], len(fills)) - 1
    costs = fills["fee"] + fills["tax"]

    def total(values: Int64Array) -> Int64Array:
        return np.add.reduceat(values, begins)

    trips = np.empty(len(begins), TRIP)
    trips["symbol"] = symbol[begins]
    trips["opened"], trips["closed"] = fills["row"][begins], fills["row"][ends]
    trips["shares"] = total(np.maximum(quantity, 0))
    trips["costs"] = total(costs)
    trips["profit"] = total(-quantity * fills["price"] - costs)
    return trips[held[ends] == 0]


def trip_figures(result: Result, trips: NDArray[np.void]) -> TripFigures:
    """Return closed trips in figures."""
    profit = trips["profit"]
    won, lost = profit[profit > 0], profit[profit < 0]
    session = np.searchsorted(result.session_rows(), np.arange(len(result.days)))
    held = session[trips["closed"]] - session[trips["opened"]]
    average_win = float(won.mean()) if len(won) else math.nan
    average_loss = float(lost.mean()) if len(lost) else math.nan
    return TripFigures(
        closed=len(trips),
        won=len(won),
        lost=len(lost),
        hit_rate=len(won) / len(trips) if len(trips) else math.nan,
        average_win=average_win,
        average_loss=average_loss,
        payoff=average_win / -average_loss if len(won) and len(lost) else math.nan,
        profit_factor=int(won.sum()) / -int(lost.sum()) if len(lost) else math.nan,
        holding_sessions=float(held.mean()) if len(trips) else math.nan,
    )
