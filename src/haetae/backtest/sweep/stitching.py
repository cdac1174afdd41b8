"""Test windows one behind the other as one path of one account.

Between two windows the choice may change. What is held at the end of one is taken as sold there: at its last closes,
a market order's slippage worse, with fee and tax. The next window begins with the cash. That is dear where the same
names are bought again, and never too kind. Not here: the windows (`folds`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.result import FILLS, Result
from haetae.backtest.strategies import Ground
from haetae.domain.market import Int64Array
from haetae.krx.scalar import charge, ticks_down
from haetae.sim import FillModel


def sold_out(result: Result, ground: Ground, model: FillModel | None = None) -> Result:
    """Return a run whose last row has sold everything.

    Parameters
    ----------
    ground : Ground
        The window the run traded; the rules of its last session hold.
    """
    model = model or FillModel()
    panel = ground.traded
    held = np.flatnonzero(result.shares)
    if not len(held):
        return result
    last = panel.rows(int(np.searchsorted(panel.days, panel.days[-1])), len(panel))
    market = dataclasses.replace(ground.listing, base_prices=None).prepare(last)
    frame = market.frame
    proceeds = fees = taxes = 0
    fills = []
    for place in held.tolist():
        close = int(panel.close[-1, place])
        price = ticks_down(close, model.slippage_ticks, frame.bounds, frame.sizes, int(frame.table[-1, place]))
        amount = int(result.shares[place]) * int(price)
        fee, tax = int(charge(amount, market.fee_ppb)), int(charge(amount, int(frame.tax_ppb[-1, place])))
        proceeds, fees, taxes = proceeds + amount, fees + fee, taxes + tax
        volume = int(panel.volume[-1, place])
        fills.append((len(panel) - 1, place, -int(result.shares[place]), int(price), fee, tax, volume))
    cash = int(result.cash[-1]) + proceeds - fees - taxes
    return dataclasses.replace(
        result,
        equity=_ending(result.equity, cash),
        cash=_ending(result.cash, cash),
        fees=_ending(result.fees, int(result.fees[-1]) + fees),
        taxes=_ending(result.taxes, int(result.taxes[-1]) + taxes),
        sold=_ending(result.sold, int(result.sold[-1]) + proceeds),
        shares=np.zeros_like(result.shares),
        stale_value=0,
        orders=result.orders + len(held),
        ordered=result.ordered + int(result.shares[held].sum()),
        filled=result.filled + int(result.shares[held].sum()),
        fills=np.concatenate([result.fills, np.array(fills, FILLS)]),
    )


def stitch(parts: Sequence[Result], name: str) -> Result:
    """Return runs one behind the other as one; each must begin with the equity the one before ended with.

    Raises ``ValueError`` where one does not, or where days do not ascend.
    """
    for before, after in pairwise(parts):
        if after.initial_cash != int(before.equity[-1]) or before.shares.any():
            raise ValueError(f"{after.name} begins with {after.initial_cash} won after {int(before.equity[-1])}")
        if int(after.days[0]) <= int(before.days[-1]):
            raise ValueError(
                f"{after.name} begins on {int(after.days[0])}, the run before ended {int(before.days[-1])}"
            )

    def chained(column: str) -> Int64Array:
        offset, found = 0, []
        for part in parts:
            values = getattr(part, column) + offset
            offset = int(values[-1])
            found.append(values)
        return np.concatenate(found)

    return dataclasses.replace(
        parts[-1],
        name=name,
        days=np.concatenate([part.days for part in parts]),
        initial_cash=parts[0].initial_cash,
        equity=np.concatenate([part.equity for part in parts]),
        cash=np.concatenate([part.cash for part in parts]),
        fees=chained("fees"),
        taxes=chained("taxes"),
        bought=chained("bought"),
        sold=chained("sold"),
        orders=sum(part.orders for part in parts),
        ordered=sum(part.ordered for part in parts),
        filled=sum(part.filled for part in parts),
        fills=_joined_fills(parts),
    )


def _joined_fills(parts: Sequence[Result]) -> NDArray[np.void]:
    """Return the fills of all parts, their rows counted along the whole path."""
    found, offset = [], 0
    for part in parts:
        moved = part.fills.copy()
        moved["row"] += offset
        found.append(moved)
        offset += len(part.days)
    return np.concatenate(found)


def _ending(column: Int64Array, value: int) -> Int64Array:
    changed = column.copy()
    changed[-1] = value
    return changed
