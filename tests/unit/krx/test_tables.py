"""Laws of every dated table, and what is said of a day, a market or a year that no table knows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Kind, Market
from haetae.domain.units import day_from
from haetae.krx import (
    FeeSchedule,
    Rulebook,
    afterhours,
    closures,
    costs,
    hours,
    interruptions,
    limits,
    lots,
    nxt,
    previous_trading_day,
    settlement,
    ticks,
    trading_days,
)
from haetae.krx.costs import TaxedMarket
from haetae.krx.dated import in_force, in_force_since

END = dt.date(2027, 12, 31)
TABLES: dict[str, tuple[Sequence[Any], Callable[[Any], Sequence[Hashable]]]] = {
    "ticks": (ticks.TICK_ROWS, lambda row: [(m, k) for m in row.markets for k in row.kinds]),
    "limits": (limits.LIMIT_ROWS, lambda row: list(row.markets)),
    "listing": (limits.LISTING_DAY_ROWS, lambda row: [0]),
    "lots": (lots.LOT_ROWS, lambda row: [(m, k) for m in row.markets for k in row.kinds]),
    "hours": (hours.HOURS_ROWS, lambda row: [0]),
    "nxt": (nxt.NXT_ROWS, lambda row: [row.market]),
    "caps": (nxt.NXT_CAP_ROWS, lambda row: [0]),
    "vi": (interruptions.VI_ROWS, lambda row: [0]),
    "breakers": (interruptions.BREAKER_ROWS, lambda row: [0]),
    "sidecars": (interruptions.SIDECAR_ROWS, lambda row: [row.market]),
    "reopening": (interruptions.REOPENING_ROWS, lambda row: [0]),
    "sale tax": (costs.SALE_TAX_ROWS, lambda row: [row.market]),
    "exempt": (costs.EXEMPT_ROWS, lambda row: [row.what]),
    "dividends": (costs.DIVIDEND_TAX_ROWS, lambda row: [0]),
    "fees": (costs.FEE_ROWS, lambda row: [row.channel]),
    "settlement": (settlement.SETTLEMENT_ROWS, lambda row: [0]),
}
"""Tables whose rows follow one another without a gap, and whom a row is about."""
MAY_END = {
    "off hours": (afterhours.OFF_HOURS_ROWS, lambda row: [row.hours]),
    "periodic": (interruptions.PERIODIC_ROWS, lambda row: [(row.flag, market) for market in row.markets]),
}
"""Tables of rules that came and went."""


@pytest.mark.parametrize("name", [*TABLES, *MAY_END])
def test_no_two_rows_of_a_table_hold_on_one_day_and_each_names_its_source(name: str) -> None:
    rows, about = {**TABLES, **MAY_END}[name]
    lines: dict[Hashable, list[Any]] = defaultdict(list)
    for row in rows:
        assert row.first_day <= row.last_day
        assert len(row.source) > 10, row
        for one in about(row):
            lines[one].append(row)
    for one, mine in lines.items():
        for before, after in pairwise(mine):
            assert before.last_day < after.first_day, (one, before, after)
            if name in TABLES:
                assert after.first_day - before.last_day == dt.timedelta(days=1), (one, before, after)
        if name in TABLES:
            assert mine[-1].last_day == END, one


@pytest.mark.parametrize("market", [Market.KOSPI, Market.KOSDAQ])
def test_every_trading_day_has_all_its_rules(market: Market) -> None:
    for day in trading_days(dt.date(2010, 1, 1), END)[:-2]:
        rules = Rulebook.on(day)
        assert rules.limit_bp_of(market) in (1_500, 3_000)
        assert rules.settle_on() > day
        for kind in Kind:
            assert rules.tick_table(kind, market)[1][0] in (1, 5)
            assert rules.lot(10_000, kind, market) in (1, 10)
            assert 0 <= rules.sale_tax_ppb(market, kind) <= 3_000_000
        starts = [window.start for window in (*rules.off_hours(), *rules.nxt())]
        assert starts
        assert rules.session.orders_from < rules.session.open_at < rules.session.auction_from < rules.session.close_at


YEAR_LATER = dt.date(2028, 1, 4)


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (lambda day: costs.sale_tax_ppb(day, Market.KOSDAQ, Kind.COMMON), ("KOSDAQ", "costs.py (SALE_TAX_ROWS)")),
        (lambda day: costs.sale_tax_ppb(day, Market.KOSPI, Kind.ETF), ("KOSPI", "costs.py (SALE_TAX_ROWS)")),
        (lambda day: costs.sale_tax_row(day, TaxedMarket.K_OTC), ("K-OTC", "costs.py (SALE_TAX_ROWS)")),
        (costs.dividend_tax_ppb, ("costs.py (DIVIDEND_TAX_ROWS)",)),
        (costs.public_fee_ppb, ("costs.py (FEE_ROWS)",)),
        (lambda day: ticks.tick_table(day, Kind.ETN, Market.KOSPI), ("KOSPI etn", "ticks.py (TICK_ROWS)")),
        (lambda day: limits.limit_bp(day, Market.KONEX), ("KONEX", "limits.py (LIMIT_ROWS)")),
        (limits.listing_day, ("limits.py (LISTING_DAY_ROWS)",)),
        (lambda day: lots.lot_of(day, Market.KOSPI, Kind.COMMON, 1), ("KOSPI common", "lots.py (LOT_ROWS)")),
        (hours.hours_on, ("hours.py (HOURS_ROWS)",)),
        (settlement.settlement_sessions, ("settlement.py (SETTLEMENT_ROWS)",)),
        (lambda day: afterhours.windows_on(day, 0, 0), ("afterhours.py (OFF_HOURS_ROWS)",)),
        (lambda day: nxt.windows_on(day, 0, 0, late=False), ("NXT", "nxt.py (NXT_ROWS)")),
        (interruptions.vi_on, ("interruptions.py (VI_ROWS)",)),
        (interruptions.breaker_on, ("interruptions.py (BREAKER_ROWS)",)),
        (lambda day: interruptions.sidecar_on(day, Market.KOSDAQ), ("KOSDAQ", "interruptions.py (SIDECAR_ROWS)")),
        (interruptions.reopening_min, ("interruptions.py (REOPENING_ROWS)",)),
        (lambda day: interruptions.periodic_min(day, frozenset()), ("interruptions.py (PERIODIC_ROWS)",)),
        (Rulebook.on, ("closures.py",)),
    ],
)
def test_a_year_without_a_row_is_an_error_that_names_day_market_and_table(ask: Any, names: tuple[str, ...]) -> None:
    with pytest.raises(MarketRuleError) as caught:
        ask(YEAR_LATER)
    fault = caught.value
    said = f"{fault.message} {fault.next_step}"
    assert str(YEAR_LATER) in said + fault.found
    for name in names:
        assert name in said
    assert fault.expected


@pytest.mark.parametrize(
    "ask",
    [
        lambda day: costs.sale_tax_ppb(day, Market.KONEX, Kind.COMMON),
        lambda day: ticks.tick_table(day, Kind.COMMON, Market.KONEX),
        lambda day: limits.limit_bp(day, Market.KONEX),
        lambda day: lots.lot_of(day, Market.KONEX, Kind.COMMON, 1),
    ],
)
def test_a_market_has_no_rules_before_it_opened(ask: Any) -> None:
    with pytest.raises(MarketRuleError, match="KONEX"):
        ask(dt.date(2013, 6, 28))
    ask(dt.date(2013, 7, 1))


def test_the_error_speaks_korean_and_says_what_to_do() -> None:
    with pytest.raises(MarketRuleError) as caught:
        costs.sale_tax_ppb(YEAR_LATER, Market.KOSDAQ, Kind.COMMON)
    assert caught.value.message.ko == (
        "KOSDAQ: 2028-01-04에 적용할 시장 규칙이 표에 없습니다 (haetae/krx/costs.py (SALE_TAX_ROWS))"
    )
    assert "출처와 함께 행을 더하세요" in caught.value.next_step.ko


@given(st.dates(dt.date(1999, 1, 1), dt.date(2035, 12, 31)))
def test_the_row_found_is_the_only_one_that_holds(day: dt.date) -> None:
    rows = [row for row in costs.SALE_TAX_ROWS if row.market is TaxedMarket.KOSPI]
    holding = [row for row in rows if row.first_day <= day <= row.last_day]
    if holding:
        assert [in_force(rows, day, table="t")] == holding == [in_force_since(rows, day, table="t")]
        return
    with pytest.raises(MarketRuleError):
        in_force(rows, day, table="t")
    if day < rows[0].first_day:
        assert in_force_since(rows, day, table="t") is None
    else:
        with pytest.raises(MarketRuleError):
            in_force_since(rows, day, table="t")


def test_the_rural_tax_is_fifteen_hundredths_of_a_percent_on_kospi_and_nothing_elsewhere() -> None:
    for row in costs.SALE_TAX_ROWS:
        assert row.rural_ppb == (1_500_000 if row.market is TaxedMarket.KOSPI else 0)
        assert row.total_ppb == row.transfer_ppb + row.rural_ppb


@pytest.mark.parametrize(
    ("day", "ppb"),
    [
        (dt.date(2014, 8, 25), 5_000_000), (dt.date(2017, 3, 29), 5_000_000), (dt.date(2017, 3, 30), 3_000_000),
        (dt.date(2019, 5, 30), 2_500_000), (dt.date(2024, 12, 27), 1_500_000), (dt.date(2026, 1, 2), 2_000_000),
    ],
)  # fmt: skip
def test_sale_tax_off_the_exchange(day: dt.date, ppb: int) -> None:
    assert costs.sale_tax_row(day, TaxedMarket.K_OTC).total_ppb == ppb


def test_the_public_rate_is_the_one_a_schedule_begins_with() -> None:
    assert FeeSchedule().fee_ppb == costs.public_fee_ppb(END) == Rulebook.on(dt.date(2026, 11, 23)).fee_ppb


def test_sidecars_differ_by_market_and_konex_has_none() -> None:
    kosdaq = interruptions.sidecar_on(dt.date(2026, 11, 23), Market.KOSDAQ)
    assert kosdaq is not None
    assert (kosdaq.move_bp, kosdaq.index_bp, kosdaq.wait_min) == (600, 300, 5)
    assert interruptions.sidecar_on(dt.date(2026, 11, 23), Market.KONEX) is None


def test_konex_traded_at_single_prices_until_june_2014() -> None:
    none: frozenset[str] = frozenset()
    assert interruptions.periodic_min(dt.date(2014, 6, 27), none, Market.KONEX) == 30
    assert interruptions.periodic_min(dt.date(2014, 6, 30), none, Market.KONEX) == 0
    assert interruptions.periodic_min(dt.date(2014, 6, 27), none, Market.KOSDAQ) == 0


@given(st.dates(dt.date(2010, 2, 1), dt.date(2027, 11, 30)))
@example(dt.date(2025, 12, 31))
def test_buyers_of_an_ex_day_settle_after_the_record_date_and_those_before_do_not(record: dt.date) -> None:
    ex = settlement.ex_day(record)
    assert Rulebook.on(ex).settle_on() > record
    assert Rulebook.on(previous_trading_day(ex)).settle_on() <= record


def test_the_ex_day_of_a_year_is_the_one_that_the_exchange_announced() -> None:
    assert settlement.ex_day(dt.date(2025, 12, 31)) == dt.date(2025, 12, 29)


def test_the_tables_end_with_the_calendar() -> None:
    assert END.year == closures.LAST_YEAR
    assert max(day_from(row.day) for row in closures.CLOSURES) == END


def test_nextrade_began_on_its_first_day_at_ten() -> None:
    first = {window.market: window for window in Rulebook.on(nxt.OPENED).nxt()}
    assert nxt.NxtMarket.PRE not in first
    main = first[nxt.NxtMarket.MAIN]
    assert (main.end - main.start) // 60_000_000_000 == 320
    assert main.holds(main.start)
    assert not main.holds(main.end)
    assert Rulebook.on(dt.date(2025, 2, 28)).nxt() == ()


def test_nextrade_rests_while_the_exchange_finds_its_prices() -> None:
    for day in trading_days(dt.date(2025, 3, 4), END)[:-1]:
        rules = Rulebook.on(day)
        windows = rules.nxt()
        assert [one.end <= two.start for one, two in pairwise(windows)] == [True] * (len(windows) - 1)
        main = next(window for window in windows if window.market is nxt.NxtMarket.MAIN)
        assert main.start > rules.session.open_at
        assert main.end == rules.session.auction_from
