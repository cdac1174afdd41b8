"""Fear & greed: bounded, point in time, honest about what is missing, and low when markets fell."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.features import feargreed
from random_panels import daily_panel, perturbed_after
from real_bars import needs_real_bars, real_daily_panel, real_index


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(130, 318))
def test_the_future_moves_no_fear_and_greed(seed: int, row: int) -> None:
    panel = daily_panel(seed, symbols=24)
    original = feargreed.build(panel)
    changed = feargreed.build(perturbed_after(panel, row, seed + 1))
    assert original.value[: row + 1].tobytes() == changed.value[: row + 1].tobytes()
    assert original.raw[: row + 1].tobytes() == changed.raw[: row + 1].tobytes()
    assert original.raw[row + 1 :].tobytes() != changed.raw[row + 1 :].tobytes()


def test_the_value_lies_between_0_and_100_and_is_the_mean_of_what_is_present() -> None:
    mood = feargreed.build(daily_panel(1, symbols=24))
    value = mood.value[np.isfinite(mood.value)]
    assert len(value) > 200
    assert value.min() >= 0.0
    assert value.max() <= 100.0
    assert mood.value[-1] == pytest.approx(np.nanmean(mood.ranks[-1]))


def test_a_missing_component_is_flagged_and_reweighted_not_zero() -> None:
    panel = daily_panel(2, symbols=24)
    without = feargreed.build(panel)
    assert set(without.missing()) == {"foreign_flow", "safe_haven"}
    flow = np.linspace(-0.1, 0.1, len(panel))
    given_flow = feargreed.build(panel, foreign_share=flow)
    assert set(given_flow.missing()) == {"safe_haven"}
    assert given_flow.ranks[-1, 5] > 99.0
    parts = without.ranks[-1][np.isfinite(without.ranks[-1])]
    assert given_flow.value[-1] == pytest.approx((parts.sum() + given_flow.ranks[-1, 5]) / (len(parts) + 1))


def test_a_short_history_has_no_value_and_reads_as_neither() -> None:
    mood = feargreed.build(daily_panel(3, sessions=40))
    assert not np.isfinite(mood.value).any()
    assert mood.on(dt.date(2030, 1, 1)) == 50.0


def test_a_value_is_read_as_of_a_day() -> None:
    mood = feargreed.build(daily_panel(4, symbols=24))
    row = 300
    day = dt.date(*(int(part) for part in (str(mood.days[row])[:4], str(mood.days[row])[4:6], str(mood.days[row])[6:])))
    assert mood.on(day) == mood.value[row]
    assert mood.on(day - dt.timedelta(days=1)) == mood.value[row - 1]


def test_the_trailing_rank_counts_ties_half() -> None:
    ranks = feargreed.trailing_rank(np.array([1.0, 2.0, 2.0, 0.0, np.nan]), window=3, least=2)
    assert np.isnan(ranks[0])
    assert ranks[1] == pytest.approx(75.0)
    assert ranks[2] == pytest.approx(100.0 * 2.0 / 3.0)
    assert ranks[3] == pytest.approx(100.0 * 0.5 / 3.0)
    assert np.isnan(ranks[4])


def _fall(days: int, symbols: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    market = rng.normal(0.0006, 0.006, days)
    market[-25:] = rng.normal(-0.025, 0.03, 25)
    own = rng.normal(0, 0.01, (days, symbols)) * np.linspace(0.5, 2.0, symbols)
    beta = np.linspace(0.5, 1.8, symbols)
    return np.round(50_000 * np.exp(np.cumsum(market[:, None] * beta + own, axis=0))).astype(np.int64)


def test_a_crash_reads_as_fear() -> None:
    import dataclasses

    panel = daily_panel(6, symbols=30, sessions=400, halted=0.0)
    close = _fall(400, 30)
    opens = np.vstack([close[:1], close[:-1]])
    crash = dataclasses.replace(
        panel,
        open=opens,
        high=np.maximum(opens, close),
        low=np.minimum(opens, close),
        close=close,
        volume=np.full_like(close, 10_000),
        traded=np.ones_like(panel.traded),
    )
    mood = feargreed.build(crash)
    assert mood.value[-10:].mean() < 20.0 < mood.value[:-30][np.isfinite(mood.value[:-30])].mean()


@needs_real_bars
@pytest.mark.realdata
def test_the_real_crashes_of_2020_and_2022_read_as_fear() -> None:
    panel = real_daily_panel()
    mood = feargreed.build(panel, real_index(panel))

    def mean_over(first: int, last: int) -> float:
        return float(np.nanmean(mood.value[(panel.days >= first) & (panel.days <= last)]))

    assert mean_over(20200309, 20200323) < 20.0
    assert mean_over(20220613, 20220630) < 25.0
    assert mean_over(20201201, 20210115) > 55.0
