"""The rules of single days by answer: what notices and newspapers said, kept apart from the tables of the code."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pytest

from haetae.domain.market import Kind, Market
from haetae.domain.units import Instant, hhmmss_of
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours
from haetae.krx.nxt import NxtMarket

GOLDEN = Path(__file__).parents[2] / "golden/krx"
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (GOLDEN / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def place(row: Row) -> tuple[Kind, Market]:
    return Kind(row["kind"]), Market(row["market"])


def rules(row: Row) -> Rulebook:
    return Rulebook.on(dt.date.fromisoformat(row["day"]))


def label(row: Row) -> str:
    return " ".join(list(row.values())[:4])


@pytest.mark.parametrize("row", rows("ticks"), ids=label)
def test_ticks(row: Row) -> None:
    assert rules(row).tick_size(int(row["price"]), *place(row)) == int(row["tick"])


@pytest.mark.parametrize("row", rows("lots"), ids=label)
def test_lots(row: Row) -> None:
    assert rules(row).lot(int(row["base"]), *place(row)) == int(row["lot"])


@pytest.mark.parametrize("row", rows("sale_tax"), ids=label)
def test_sale_tax_of_a_hundred_million_won(row: Row) -> None:
    kind, market = place(row)
    won = 100_000_000 * round(float(row["percent"]) * 100) // 10_000
    ppb = rules(row).sale_tax_ppb(market, kind)
    assert 100_000_000 * ppb == won * 1_000_000_000


def span(windows: Iterable[tuple[Instant, Instant]]) -> str:
    return " ".join(f"{hhmmss_of(start)}-{hhmmss_of(end)}" for start, end in windows)


@pytest.mark.parametrize("row", rows("days"), ids=label)
def test_hours(row: Row) -> None:
    book = rules(row)
    session = book.session
    found = [hhmmss_of(at) for at in (session.orders_from, session.open_at, session.auction_from, session.close_at)]
    assert found == [int(row[name]) for name in ("orders", "opens", "auction", "closes")]
    off = {window.hours: span([(window.start, window.end)]) for window in book.off_hours()}
    assert off.pop(OffHours.BEFORE_OPEN) == row["before_open"]
    assert off.pop(OffHours.AFTER_CLOSE) == row["after_close"]
    evening = {OffHours.SINGLE_PRICE: "single", OffHours.AFTERMARKET: "after"}
    assert [f"{evening[hours]} {told}" for hours, told in off.items()] == [row["evening"]]
    nxt = {window.market: span([(window.start, window.end)]) for window in book.nxt()}
    assert nxt.get(NxtMarket.PRE, "") == row["nxt_pre"]
    assert nxt.get(NxtMarket.MAIN, "") == row["nxt_main"]
    assert nxt.get(NxtMarket.AFTER, "") == row["nxt_after"]
