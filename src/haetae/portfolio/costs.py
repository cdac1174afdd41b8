"""What trades cost, as shares of their amount: the rates that the optimiser weighs against benefit.

Here: fee, sale tax, spread and impact of each name from the rules of the day. Not here: the won of a
single trade, which ``krx`` floors (``lots`` asks it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from haetae.domain.market import Instrument, Int64Array, Kind, Market
from haetae.domain.units import Symbol, Won
from haetae.krx import Rulebook
from haetae.krx.scalar import BP, PPB
from haetae.portfolio.request import FloatArray
from haetae.portfolio.settings import CostSettings


def listed_as(instruments: Mapping[Symbol, Instrument], symbol: Symbol) -> tuple[Market, Kind]:
    """Return market and kind of a symbol; a common share of the KOSPI where it is not known."""
    known = instruments.get(symbol)
    return (known.market, known.kind) if known else (Market.KOSPI, Kind.COMMON)


def rates(
    rules: Rulebook,
    symbols: Sequence[Symbol],
    instruments: Mapping[Symbol, Instrument],
    last: Int64Array,
    settings: CostSettings | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return what a buy and what a sale of each name costs, ``(n,)`` each.

    Both pay the fee, half the spread and slippage, a sale the tax of the day as well. A name
    without a price (``last`` 0) has no spread.

    Parameters
    ----------
    last : (n,) int64, won
        Its tick is the unit of the spread.
    """
    terms = settings or CostSettings()
    buy, sell = np.zeros(len(symbols)), np.zeros(len(symbols))
    for k, symbol in enumerate(symbols):
        market, kind = listed_as(instruments, symbol)
        price = int(last[k])
        spread = terms.half_spread_ticks * rules.tick_size(price, kind, market) / price if price > 0 else 0.0
        buy[k] = rules.fee_ppb / PPB + spread + terms.slippage_bp / BP
        sell[k] = buy[k] + rules.sale_tax_ppb(market, kind) / PPB
    return buy, sell


def impact(
    daily_deviation: FloatArray, turnover_won: FloatArray, equity: Won, settings: CostSettings | None = None
) -> FloatArray:
    """Return the coefficient of ``|weight| ** 1.5`` by the square-root law, ``(n,)``.

    Parameters
    ----------
    daily_deviation : (n,) float64
        Standard deviation of daily returns.
    turnover_won : (n,) float64
        Won traded on a usual day; the quietest known name stands in where it is 0 or NaN.
    """
    factor = (settings or CostSettings()).impact
    known = np.isfinite(turnover_won) & (turnover_won > 0.0)
    if factor == 0.0 or not known.any():
        return np.zeros(len(daily_deviation))
    depth = np.where(known, turnover_won, float(np.min(turnover_won[known])))
    return np.asarray(factor * daily_deviation * np.sqrt(max(equity, 0) / depth), dtype=np.float64)
