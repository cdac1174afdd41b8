"""Fear & greed of a running day: known at the minute's end, light to step, and the daily index at its close."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.features import feargreed
from haetae.features.feargreed import NAMES, MoodInputs, MoodState, intraday
from haetae.features.feargreed.intraday import IntradayMood, Quotes, Running
from moods import minutes_of, mood_inputs, with_future
from random_panels import perturbed_after

CALM = NAMES.index("calm")
LAST = 6
"""Sessions at the end whose running day is measured."""


@functools.lru_cache(maxsize=4)
def market(seed: int) -> tuple[MoodInputs, Panel]:
    """Return a daily market without implied volatility, and its minutes."""
    inputs = mood_inputs(seed, implied=None)
    return inputs, minutes_of(inputs.panel, seed)


def session(minutes: Panel, row: int) -> Panel:
    """Return the minutes of one row of the daily panel."""
    _, first, last = minutes.sessions()[row]
    return minutes.rows(first, last)


def quotes_at(inputs: MoodInputs, row: int) -> Quotes:
    def told(series: np.ndarray | None) -> float:
        return float("nan") if series is None else float(series[row])

    return Quotes(
        index=told(inputs.index_close),
        foreign_won=told(inputs.foreign_won),
        bond=told(inputs.bond_close),
        dollar=told(inputs.dollar_close),
    )


def opened(inputs: MoodInputs, minutes: Panel, row: int) -> Running:
    """Return the day of a row of the inputs before its first minute."""
    yesterday = feargreed.fold(feargreed.start(len(inputs.panel.symbols)), inputs.rows(0, row))[0]
    place = row - (len(inputs) - len(inputs.panel))
    _, first, _ = minutes.sessions()[place]
    usual = intraday.usual_curve(intraday.variance_curves(minutes.rows(0, first), inputs.counted)[-60:])
    stands_in = inputs.index_close is None
    return intraday.begin(yesterday, int(inputs.days[row]), usual=usual, counted=inputs.counted, stands_in=stands_in)


def day_of(inputs: MoodInputs, minutes: Panel, row: int) -> IntradayMood:
    bars = session(minutes, row - (len(inputs) - len(inputs.panel)))
    told = quotes_at(inputs, row)
    return intraday.fold_day(opened(inputs, minutes, row), bars, {int(end): told for end in bars.end})


@pytest.mark.parametrize("index", ["KOSPI", "stand-in"])
def test_the_close_is_the_daily_row_in_every_component_but_calm(index: str) -> None:
    inputs, minutes = market(21)
    if index == "stand-in":
        inputs = dataclasses.replace(inputs, index_close=None)
    daily = feargreed.build(inputs)
    for row in range(len(inputs) - LAST, len(inputs)):
        running = day_of(inputs, minutes, row)
        for told in ("raw", "ranks"):
            now, then = getattr(running.rows, told)[-1].copy(), getattr(daily, told)[row].copy()
            now[CALM] = then[CALM] = 0.0
            assert now.tobytes() == then.tobytes()
        assert running.rows.stands_in == (index == "stand-in")


def test_the_close_agrees_with_the_daily_index_in_direction() -> None:
    inputs, minutes = market(22)
    inputs = dataclasses.replace(inputs, index_close=None)  # minutes and days tell of one market
    daily = feargreed.build(inputs)
    rows = range(len(inputs) - 30, len(inputs))
    closing = np.array([day_of(inputs, minutes, row).rows.value[-1] for row in rows])
    wanted = daily.value[rows.start : rows.stop]
    assert np.corrcoef(np.diff(closing), np.diff(wanted))[0, 1] > 0.85
    assert np.abs(closing - wanted).max() < 12.0


def test_a_falling_day_is_more_fearful_at_noon_than_a_rising_one() -> None:
    inputs, minutes = market(23)
    inputs = dataclasses.replace(inputs, index_close=None)
    row = len(inputs) - 1
    start = opened(inputs, minutes, row)
    bars = session(minutes, len(inputs.panel) - 1)
    tilt = np.linspace(0.0, 0.06, len(bars))[:, None]

    def noon(sign: float) -> float:
        close = np.round(start.closes * np.exp(sign * tilt)).astype(np.int64)
        moved = dataclasses.replace(bars, close=close, open=close, high=close.copy(), low=close.copy())
        return float(intraday.fold_day(start, moved).rows.value[len(bars) // 2])

    assert noon(-1.0) < noon(1.0) - 10.0


def test_later_minutes_move_no_earlier_value() -> None:
    inputs, minutes = market(21)
    row = len(inputs) - 1
    start = opened(inputs, minutes, row)
    bars = session(minutes, len(inputs.panel) - 1)
    cut = 25
    told = {int(bars.end[0]): quotes_at(inputs, row)}
    before = intraday.fold_day(start, bars, told)
    after = intraday.fold_day(start, perturbed_after(bars, cut, 3), told)
    for name in ("value", "raw", "ranks"):
        first, second = getattr(before.rows, name), getattr(after.rows, name)
        assert first[: cut + 1].tobytes() == second[: cut + 1].tobytes()
        assert first[cut + 1 :].tobytes() != second[cut + 1 :].tobytes()
    assert before.ends.tolist() == bars.end.tolist()


def test_tomorrow_s_days_move_no_minute_of_today() -> None:
    inputs, minutes = market(21)
    row = len(inputs) - 4
    place = row - (len(inputs) - len(inputs.panel))
    future = with_future(inputs, row - 1, perturbed_after(inputs.panel, place - 1, 5), 6)
    bars = session(minutes, place)
    now, then = (intraday.fold_day(opened(each, minutes, row), bars) for each in (inputs, future))
    assert now.rows.raw.tobytes() == then.rows.raw.tobytes()


def test_a_minute_changes_neither_yesterday_nor_the_day_it_was_given() -> None:
    inputs, minutes = market(21)
    start = opened(inputs, minutes, len(inputs) - 1)
    bars = session(minutes, len(inputs.panel) - 1)

    def bits(running: Running) -> bytes:
        state: MoodState = running.yesterday
        blocks = (state.crowd, state.market, running.closes, running.volumes, running.seen)
        return b"".join(block.tobytes() for block in blocks) + repr(running.variance).encode()

    kept = bits(start)
    told = Quotes(index=2_400.0, bond=60_000.0)
    first = intraday.step(start, bars.close[0], bars.volume[0], 0, told)
    assert kept == bits(start)
    again = intraday.step(start, bars.close[0], bars.volume[0], 0, told)
    assert kept == bits(start)
    assert bits(first[0]) == bits(again[0]) != kept
    assert first[1].raw.tobytes() == again[1].raw.tobytes()


def test_what_is_not_seen_today_is_flagged_and_what_was_seen_stays() -> None:
    inputs, minutes = market(24)
    row = len(inputs) - 1
    bars = session(minutes, len(inputs.panel) - 1)
    running, silent = intraday.step(opened(inputs, minutes, row), bars.close[0], bars.volume[0], 0)
    unseen = {"momentum", "calm", "foreign_flow", "bond_haven", "dollar_haven"}
    assert unseen <= set(silent.missing())
    heard = [NAMES.index(name) for name in NAMES if name not in silent.missing()]
    assert len(heard) == 3
    shares = silent.weights[heard]
    assert silent.value[0] == pytest.approx(silent.ranks[0, heard] @ shares / shares.sum())
    yesterday = feargreed.build(inputs.rows(0, row))
    assert {flag.component: flag.since for flag in silent.flags()}["momentum"] == yesterday.last_day()
    running, told = intraday.step(running, bars.close[1], bars.volume[1], 1, Quotes(index=2_400.0, bond=60_000.0))
    assert {"foreign_flow", "dollar_haven"} <= set(told.missing())
    assert not {"momentum", "bond_haven"} & set(told.missing())
    _, later = intraday.step(running, bars.close[2], bars.volume[2], 2)
    assert later.raw[0, 0] == told.raw[0, 0]


def test_without_earlier_sessions_of_minutes_calm_is_missing() -> None:
    inputs, minutes = market(21)
    assert intraday.usual_curve(intraday.variance_curves(minutes.rows(0, 60 * 19))) is None
    start = dataclasses.replace(opened(inputs, minutes, len(inputs) - 1), usual=None)
    bars = session(minutes, len(inputs.panel) - 1)
    _, row = intraday.step(start, bars.close[0], bars.volume[0], 0, quotes_at(inputs, len(inputs) - 1))
    assert "calm" in row.missing()


def test_the_usual_is_the_median_of_earlier_sessions_at_the_same_minute() -> None:
    _, minutes = market(21)
    curves = intraday.variance_curves(minutes)
    usual = intraday.usual_curve(curves)
    assert usual is not None
    place, minute = 200, 30
    bars = session(minutes, place)
    before = session(minutes, place - 1).close[-1]
    closes = np.vstack([before, bars.close[: minute + 1]]).astype(float)
    known = (closes > 0).all(axis=0)
    steps = np.diff(np.log(closes[:, known]), axis=0)
    steps[np.abs(steps) > 0.35] = 0.0
    assert curves[place, minute] == pytest.approx((steps.mean(axis=1) ** 2).sum(), rel=1e-9)
    assert (np.diff(curves, axis=1) >= 0).all()
    assert usual[minute] == np.median(curves[:, minute])
    assert curves[place, 380] == curves[place, 59]


def test_a_wilder_day_than_usual_lowers_calm() -> None:
    inputs, minutes = market(21)
    row = len(inputs) - 1
    start = opened(inputs, minutes, row)
    bars = session(minutes, len(inputs.panel) - 1)
    told = quotes_at(inputs, row)
    still = dataclasses.replace(start, variance=0.0)
    wild = dataclasses.replace(start, variance=1e-2)
    calm = [intraday.step(each, bars.close[0], bars.volume[0], 0, told)[1].raw[0, CALM] for each in (still, wild)]
    assert calm[1] < calm[0]


def test_the_day_s_volatility_counts_as_a_multiple_of_what_is_usual_at_its_minute() -> None:
    inputs, minutes = market(21)
    row = len(inputs) - 1
    start = opened(inputs, minutes, row)
    bars = session(minutes, len(inputs.panel) - 1)
    assert start.usual is not None
    minute, multiple = 17, 2.5
    run = dataclasses.replace(start, variance=multiple * start.usual[minute], closes=bars.close[0].astype(float))
    level = inputs.index_close[: row + 1]  # type: ignore[index]
    squares = np.diff(np.log(level[np.isfinite(level)])) ** 2
    spreads = np.sqrt(np.lib.stride_tricks.sliding_window_view(squares, 20).mean(axis=1))
    usual = spreads[-125:-1].mean()
    spread = np.sqrt((squares[-20:-1].sum() + multiple * usual**2) / 20)
    mean = (spreads[-125:-1].sum() + spread) / 125
    _, told = intraday.step(run, bars.close[0], bars.volume[0], minute, quotes_at(inputs, row))
    assert np.isfinite(level[-1])
    assert told.raw[0, CALM] == pytest.approx(-np.log(spread / mean), rel=1e-9)


def test_minutes_of_other_symbols_are_refused() -> None:
    inputs, minutes = market(21)
    start = opened(inputs, minutes, len(inputs) - 1)
    with pytest.raises(DataError) as caught:
        intraday.step(start, np.ones(3, np.int64), np.ones(3, np.int64), 0)
    assert caught.value.expected == "24"
    with pytest.raises(ValueError, match="usual"):
        intraday.begin(start.yesterday, 20260101, usual=np.zeros(5))
