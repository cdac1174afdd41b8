"""Real prices of the exchange obey ticks and limits: every one of them, on every market."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from haetae.domain.market import Kind, Market
from haetae.krx import Rulebook

FILE = Path(__file__).parents[4] / "shared/data/kr_marcap_windows/marcap_2021_2023_janfeb.parquet"
IN_LIQUIDATION = {"241510", "036260", "221610", "050540", "007630", "064510"}
"""Names in their last days before they left the list, which have no limits."""

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    if not FILE.exists():
        pytest.skip(f"{FILE} is not beside the checkout")
    import pyarrow.parquet as pq

    columns = ["symbol", "date", "open", "high", "low", "close", "change", "volume", "market"]
    return [row for row in pq.read_table(FILE, columns=columns).to_pylist() if row["open"] and row["volume"]]


def market_of(row: dict[str, Any]) -> Market:
    return Market(row["market"].split()[0])


def test_every_price_of_the_exchange_lies_on_the_grid_of_its_day(rows: list[dict[str, Any]]) -> None:
    off = [
        (row["symbol"], row["date"], row[name])
        for row in rows
        for name in ("open", "high", "low", "close")
        if not Rulebook.on(row["date"]).on_grid(row[name], Kind.COMMON, market_of(row))
    ]
    assert len(rows) > 190_000
    assert off == []


def test_no_price_leaves_the_limits_of_its_day_and_many_stand_on_them(rows: list[dict[str, Any]]) -> None:
    beyond, standing = set(), 0
    for row in rows:
        base = row["close"] - row["change"]
        lower, upper = Rulebook.on(row["date"]).price_limits(base, Kind.COMMON, market_of(row))
        standing += row["low"] == lower or row["high"] == upper
        if row["low"] < lower or row["high"] > upper:
            beyond.add(row["symbol"])
    assert beyond == IN_LIQUIDATION
    assert standing > 1_500
