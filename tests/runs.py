"""Results made of given returns, for tests of statistics and reports."""

import dataclasses
import datetime as dt

import numpy as np

from haetae.backtest import index_result
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
