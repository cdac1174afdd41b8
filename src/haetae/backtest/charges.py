"""A market whose costs are a multiple of the real ones, to see what a result owes to them.

Here: fees, dated taxes and slippage scaled before a walk, so that the exchange charges them like any
others. Not here: the rates themselves (``krx``), charging (``sim.batch``), the sweep (``stress``).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from haetae.sim import FillModel
from haetae.sim.batch import BatchMarket

ONCE_PPM = 1_000_000


def scaled_costs(market: BatchMarket, multiple_ppm: int) -> BatchMarket:
    """Return the market with fee and sale taxes times ``multiple_ppm`` / 10**6, floored to whole ppb."""
    if multiple_ppm == ONCE_PPM:
        return market
    taxes = np.ascontiguousarray(market.frame.tax_ppb * multiple_ppm // ONCE_PPM)
    taxes.flags.writeable = False
    return dataclasses.replace(
        market,
        frame=market.frame._replace(tax_ppb=taxes),
        fee_ppb=market.fee_ppb * multiple_ppm // ONCE_PPM,
    )


def scaled_model(model: FillModel, multiple_ppm: int) -> FillModel:
    """Return the fill model with its slippage scaled; ticks are whole, so a part of one counts as one."""
    if multiple_ppm == ONCE_PPM:
        return model
    return dataclasses.replace(model, slippage_ticks=-(-model.slippage_ticks * multiple_ppm // ONCE_PPM))
