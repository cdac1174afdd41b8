"""Rows for the tests of the store: bars that all carry one price, so a mixture of two versions shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

KEYS = ("symbol", "day")
DAYS = (dt.date(2025, 11, 20), dt.date(2026, 11, 20))


def bars(price: int, symbols: Sequence[str] = ("000660", "005930"), days: Sequence[dt.date] = DAYS) -> pa.Table:
    """Return a daily row per symbol and day."""
    prices = pa.array([price] * (len(symbols) * len(days)), pa.int64())
    return pa.table(
        {
            "symbol": pa.array([symbol for _ in days for symbol in symbols], pa.string()),
            "day": pa.array([day for day in days for _ in symbols], pa.date32()),
            **dict.fromkeys(("open", "high", "low", "close", "volume"), prices),
        }
    )


def minutes(price: int, days: Sequence[dt.date], symbols: Sequence[str] = ("000660", "005930")) -> pa.Table:
    """Return three minute rows per symbol and day."""
    rows = [(symbol, day, at) for day in days for symbol in symbols for at in range(3)]
    prices = pa.array([price] * len(rows), pa.int64())
    return pa.table(
        {
            "symbol": pa.array([symbol for symbol, _, _ in rows], pa.string()),
            "day": pa.array([day for _, day, _ in rows], pa.date32()),
            "start": pa.array([day.toordinal() * 1_000 + at for _, day, at in rows], pa.int64()),
            **dict.fromkeys(("open", "high", "low", "close", "volume"), prices),
        }
    )
