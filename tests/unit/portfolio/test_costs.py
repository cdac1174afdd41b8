"""Cost rates are those of the rules of the day; settings that mean nothing are refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.domain.errors import ConfigError
from haetae.domain.market import Instrument, Kind, Market
from haetae.krx import FeeSchedule, Rulebook
from haetae.portfolio import AllocationSettings, CostSettings, CovarianceSettings, Limits
from haetae.portfolio.costs import impact, rates

DAY = dt.date(2026, 11, 20)


def named(symbol: str, market: Market, kind: Kind) -> Instrument:
    return Instrument(symbol, symbol, market, kind, dt.date(2020, 1, 2), 10_000, 1_000_000)


def test_rates_are_fee_half_a_tick_and_slippage_and_the_tax_of_the_kind_on_sales() -> None:
    rules = Rulebook.on(DAY).with_fees(FeeSchedule(fee_ppb=100_000))
    listed = {"000010": named("000010", Market.KOSDAQ, Kind.COMMON), "000020": named("000020", Market.KOSPI, Kind.ETF)}
    last = np.array([100_000, 10_000, 1_000, 0])
    buy, sell = rates(rules, ("000010", "000020", "000030", "000040"), listed, last, CostSettings(slippage_bp=3.0))
    # Ticks: 100 won at 100,000; 5 of a fund; 1 at 1,000; none without a price.
    np.testing.assert_allclose(buy, 0.0001 + 0.0003 + np.array([0.0005, 0.00025, 0.0005, 0.0]))
    np.testing.assert_allclose(sell - buy, [0.002, 0.0, 0.002, 0.002])


def test_the_tax_is_that_of_the_day() -> None:
    last = np.array([100_000])
    spread = [np.subtract(*rates(Rulebook.on(day), ("000010",), {}, last)[::-1])[0]
              for day in (dt.date(2022, 6, 2), dt.date(2024, 6, 3), DAY)]  # fmt: skip
    np.testing.assert_allclose(spread, [0.0023, 0.0018, 0.002])


def test_impact_follows_the_square_root_law() -> None:
    found = impact(np.array([0.02, 0.02]), np.array([1e9, 4e9]), 100_000_000, CostSettings(impact=1.0))
    np.testing.assert_allclose(found, [0.02 * np.sqrt(0.1), 0.02 * np.sqrt(0.025)])
    # A trade of a tenth of equity is a hundredth of the first name's day: 0.02 * sqrt(0.01) of its amount.
    assert found[0] * 0.1**1.5 == pytest.approx(0.1 * 0.02 * np.sqrt(0.01))
    unknown = impact(np.array([0.02, 0.02]), np.array([1e9, np.nan]), 100_000_000, CostSettings(impact=1.0))
    assert unknown[0] == unknown[1]
    assert not impact(np.array([0.02]), np.array([1e9]), 10**8).any()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Limits(max_weight=1.2),
        lambda: Limits(cash_floor=-0.1),
        lambda: Limits(turnover_cap=float("nan")),
        lambda: Limits(invested_floor=0.99, cash_floor=0.02),
        lambda: CostSettings(slippage_bp=-1.0),
        lambda: CovarianceSettings(half_life_sessions=0),
        lambda: AllocationSettings(risk_aversion=0.0),
        lambda: AllocationSettings(information_coefficient=2.0),
        lambda: AllocationSettings(names=0),
    ],
)
def test_settings_without_meaning_are_refused_with_what_was_expected(build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as refused:
        build()
    assert refused.value.expected
    assert refused.value.found
