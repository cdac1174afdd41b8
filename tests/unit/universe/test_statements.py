"""Statements of a day: the newest that was known, one period a group, never a figure before it was filed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.universe import NO_STATEMENTS, Statements, UniverseSettings
from haetae.universe.figures import of_books

A = "000010"
Row = tuple[str, int, bool, float, int]


def statements(*rows: Row, symbol: str = A) -> Statements:
    """Return rows of (item, period, yearly, value, known on) of one symbol."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    items, periods, yearly, values, known = columns
    return Statements.of([symbol] * len(rows), items, periods, yearly, values, known)


def flow(told: Statements, day: dt.date, item: str = "net_income_won") -> float:
    return float(told.on(day, [A]).flows[item][0])


def test_a_figure_counts_from_the_day_it_was_filed() -> None:
    told = statements(("net_income_won", 202112, True, 5.0, 20220315), ("net_income_won", 202212, True, 7.0, 20230320))
    assert np.isnan(flow(told, dt.date(2022, 3, 14)))
    assert flow(told, dt.date(2022, 3, 15)) == 5.0
    assert flow(told, dt.date(2023, 3, 19)) == 5.0
    assert flow(told, dt.date(2023, 3, 20)) == 7.0


def test_a_restated_figure_replaces_the_first_from_its_own_day() -> None:
    told = statements(("net_income_won", 202112, True, 5.0, 20220315), ("net_income_won", 202112, True, -9.0, 20220901))
    assert flow(told, dt.date(2022, 8, 31)) == 5.0
    assert flow(told, dt.date(2022, 9, 1)) == -9.0


def test_what_the_newest_period_lacks_is_missing_and_not_taken_from_an_older_one() -> None:
    told = statements(
        ("net_income_won", 202012, True, 3.0, 20210315),
        ("sales_won", 202012, True, 30.0, 20210315),
        ("sales_won", 202112, True, 40.0, 20220315),
    )
    known = told.on(dt.date(2022, 6, 1), [A])
    assert known.flows["sales_won"][0] == 40.0
    assert np.isnan(known.flows["net_income_won"][0])
    assert known.flow_period[0] == 202112


def test_the_running_year_in_a_list_of_years_is_no_whole_year() -> None:
    told = statements(
        ("net_income_won", 202012, True, 3.0, 20210315),
        ("net_income_won", 202112, True, 4.0, 20220315),
        ("net_income_won", 202209, True, 2.0, 20221114),
    )
    assert flow(told, dt.date(2022, 12, 1)) == 4.0


def test_a_quarter_moves_what_stands_but_not_what_flows() -> None:
    told = statements(
        ("equity_won", 202112, True, 100.0, 20220315),
        ("net_income_won", 202112, True, 10.0, 20220315),
        ("equity_won", 202203, False, 110.0, 20220515),
        ("net_income_won", 202203, False, 3.0, 20220515),
    )
    known = told.on(dt.date(2022, 6, 1), [A])
    assert (known.states["equity_won"][0], known.state_period[0]) == (110.0, 202203)
    assert (known.flows["net_income_won"][0], known.flow_period[0]) == (10.0, 202112)


def test_symbols_without_a_row_are_unknown_and_the_order_asked_for_is_kept() -> None:
    told = statements(("equity_won", 202112, True, 100.0, 20220315))
    known = told.on(dt.date(2022, 6, 1), ["999990", A, "000020"])
    assert known.states["equity_won"][1] == 100.0
    assert np.isnan(known.states["equity_won"][[0, 2]]).all()
    assert NO_STATEMENTS.on(dt.date(2022, 6, 1), [A]).flow_period.tolist() == [0]


def ratios(*rows: Row, cap: float = 1_000.0, day: dt.date = dt.date(2022, 6, 1)) -> dict[str, float]:
    told = of_books(statements(*rows), [A], np.array([cap]), day, UniverseSettings())
    names = ("earnings_yield", "book_to_price", "return_on_equity", "debt", "operating_margin", "stale", "negative")
    return {name: float(getattr(told, name)[0]) for name in names}


def whole(**items: float) -> list[Row]:
    return [(item, 202112, True, value, 20220315) for item, value in items.items()]


def test_ratios_are_made_of_amounts() -> None:
    found = ratios(
        *whole(net_income_won=50.0, equity_won=500.0, liabilities_won=300.0, assets_won=800.0),
        *whole(sales_won=400.0, operating_profit_won=40.0, roe_pct=99.0),
    )
    assert found["earnings_yield"] == 0.05
    assert found["book_to_price"] == 0.5
    assert found["return_on_equity"] == 0.1  # the amounts go before the ratio that a source gives
    assert found["debt"] == 0.375
    assert found["operating_margin"] == 0.1


def test_ratios_of_a_source_serve_where_amounts_are_missing() -> None:
    found = ratios(*whole(roe_pct=12.0, debt_to_equity_pct=150.0))
    assert found["return_on_equity"] == pytest.approx(0.12)
    assert found["debt"] == pytest.approx(0.6)


def test_a_negative_book_value_cannot_turn_a_loss_into_a_return() -> None:
    found = ratios(*whole(net_income_won=-50.0, equity_won=-100.0, liabilities_won=300.0))
    assert found["return_on_equity"] == -np.inf
    assert found["book_to_price"] == -0.1
    assert found["debt"] == 1.5
    assert found["negative"]
    assert ratios(*whole(debt_to_equity_pct=-400.0))["debt"] == np.inf


def test_sales_of_nothing_have_no_margin_and_an_unknown_cap_no_value() -> None:
    assert np.isnan(ratios(*whole(sales_won=0.0, operating_profit_won=-5.0))["operating_margin"])
    found = ratios(*whole(net_income_won=50.0, equity_won=500.0), cap=np.nan)
    assert np.isnan(found["earnings_yield"])
    assert np.isnan(found["book_to_price"])
    assert found["return_on_equity"] == 0.1


def test_an_old_statement_counts_as_missing() -> None:
    rows = whole(net_income_won=50.0, equity_won=500.0)
    assert ratios(*rows, day=dt.date(2023, 7, 4))["earnings_yield"] == 0.05  # 550 days after 2021-12-31
    found = ratios(*rows, day=dt.date(2023, 7, 5))
    assert np.isnan(found["earnings_yield"])
    assert np.isnan(found["return_on_equity"])
    assert found["stale"]
