"""Results made of given returns, for tests of statistics and reports."""

import dataclasses
import datetime as dt

import numpy as np

from haetae.backtest import FILLS, index_result
from haetae.domain.units import yyyymmdd
from haetae.krx.calendar import trading_days

DAYS = np.array([yyyymmdd(d) for d in trading_days(dt.date(2025, 1, 2), dt.date(2026, 12, 30))], np.int32)


def run_of(returns, name="run"):
    """A result that starts flat on the first session and then makes the given daily returns."""
    path = np.cumprod(1.0 + np.concatenate([[0.0], returns]))
    return index_result(name, DAYS[: len(path)], path, 10**13)


def costly(run):
    """The same path with orders, fees of 1,234,567 won and taxes, as a traded strategy has."""
    rows = len(run.days)
    paid = np.linspace(0, 1_234_567, rows).astype(np.int64)
    return dataclasses.replace(
        run, fees=paid, taxes=paid * 2, bought=paid * 1000, sold=paid * 900, orders=9, ordered=100, filled=80
    )


def filled(fills, volume=10_000):
    """A flat path of ten million won with these fills: row, name, quantity, price, fee, tax and perhaps volume."""
    rows = [tuple(fill) if len(fill) == 7 else (*fill, volume) for fill in fills]
    days = 1 + max(row[0] for row in rows)
    run = index_result("filled", DAYS[: max(days, 10)], np.ones(max(days, 10)), 10**7)
    names = 1 + max(row[1] for row in rows)
    log = np.array(rows, FILLS)
    held = np.bincount(log["symbol"], weights=log["quantity"], minlength=names).astype(np.int64)
    marks = np.full(names, 100, np.int64)
    symbols = tuple(f"{place:06d}" for place in range(names))
    return dataclasses.replace(run, symbols=symbols, fills=log, shares=held, marks=marks)
