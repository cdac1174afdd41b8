"""Fear & greed: bounded, point in time, one fold, honest about what is missing, and low when markets fell."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.features import feargreed
from haetae.features.feargreed import NAMES, FearGreedSettings, MoodInputs, MoodState
from moods import BEFORE, mood_inputs, with_future
from random_panels import daily_panel, perturbed_after

PLACE = {name: place for place, name in enumerate(NAMES)}


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(200, 370))
def test_the_future_moves_no_component_and_no_index(seed: int, row: int) -> None:
    inputs = mood_inputs(seed)
    future = with_future(inputs, row, perturbed_after(inputs.panel, row - BEFORE, seed + 1), seed + 2)
    original, changed = feargreed.build(inputs), feargreed.build(future)
    for name, place in PLACE.items():
        for told in ("raw", "ranks", "last_known"):
            before, after = getattr(original, told)[:, place], getattr(changed, told)[:, place]
            assert before[: row + 1].tobytes() == after[: row + 1].tobytes(), name
        assert original.raw[row + 1 :, place].tobytes() != changed.raw[row + 1 :, place].tobytes(), name
    assert original.value[: row + 1].tobytes() == changed.value[: row + 1].tobytes()


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1_000), cuts=st.lists(st.integers(1, 379), max_size=3, unique=True))
def test_days_cut_anywhere_and_a_saved_state_give_the_same_bits(seed: int, cuts: list[int]) -> None:
    inputs = mood_inputs(seed)
    whole = feargreed.build(inputs)
    state, pieces = feargreed.start(24), []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(inputs)], strict=True):
        state, piece = feargreed.fold(_saved(state), inputs.rows(first, last))
        pieces.append(piece)
    for told in ("value", "raw", "ranks", "last_known", "implied"):
        assert np.concatenate([getattr(piece, told) for piece in pieces]).tobytes() == getattr(whole, told).tobytes()


def _saved(state: MoodState) -> MoodState:
    file = io.BytesIO()
    np.savez(file, crowd=state.crowd, market=state.market)
    file.seek(0)
    read = np.load(file)
    return MoodState(read["crowd"], read["market"])


def test_one_day_at_a_time_is_the_same_fold_and_changes_no_state_it_was_given() -> None:
    inputs = mood_inputs(7, index_close=None)
    whole = feargreed.build(inputs)
    state, _ = feargreed.fold(feargreed.start(24), inputs.rows(0, 340))
    kept = state.market.tobytes() + state.crowd.tobytes()
    for row in range(340, len(inputs)):
        after, mood = feargreed.fold(state, inputs.rows(row, row + 1))
        assert mood.value.tobytes() == whole.value[row : row + 1].tobytes()
        assert kept == state.market.tobytes() + state.crowd.tobytes()
        state, kept = after, after.market.tobytes() + after.crowd.tobytes()
    assert whole.stands_in


def test_the_value_is_the_weighted_mean_of_what_is_present() -> None:
    weights = FearGreedSettings(momentum_weight=3.0, calm_weight=0.0, least_weight=0.2)
    mood = feargreed.build(mood_inputs(1), weights)
    value = mood.value[np.isfinite(mood.value)]
    assert len(value) > 200
    assert 0.0 <= value.min() <= value.max() <= 100.0
    for row in (150, 260, -1):
        here = np.isfinite(mood.ranks[row])
        shares = np.array(weights.weights)[here]
        assert mood.value[row] == pytest.approx((mood.ranks[row][here] * shares).sum() / shares.sum())
        assert mood.shares(row).sum() == pytest.approx(1.0)
        assert mood.shares(row)[PLACE["calm"]] == 0.0


def test_each_component_is_its_formula() -> None:
    inputs = mood_inputs(11, implied=None)
    mood = feargreed.build(inputs)
    row = 330
    t = row - BEFORE
    level = inputs.index_close[: row + 1]  # type: ignore[index]
    level = level[np.isfinite(level)] if math.isfinite(level[-1]) else level
    moves = np.diff(np.log(level))
    spreads = np.sqrt(np.lib.stride_tricks.sliding_window_view(moves, 20)[-125:].__pow__(2).mean(axis=1))
    raw = mood.raw[row]
    assert raw[PLACE["momentum"]] == pytest.approx(math.log(level[-1] / level[-125:].mean()))
    assert raw[PLACE["calm"]] == pytest.approx(-math.log(spreads[-1] / spreads.mean()))
    steps, counted = _moves(inputs.panel), inputs.counted
    levels = np.cumsum(steps, axis=0)
    close, traded = inputs.panel.close, inputs.panel.traded & counted
    listed = (close > 0).argmax(axis=0)
    old = traded[t] & (t - listed >= 251)
    top, bottom = levels[t - 251 : t].max(axis=0), levels[t - 251 : t].min(axis=0)
    high, low = (levels[t] > top + 1e-9) & old, (levels[t] < bottom - 1e-9) & old
    assert raw[PLACE["strength"]] == pytest.approx((high.sum() - low.sum()) / old.sum())
    won = close * inputs.panel.volume * traded
    shares = [(won[k] * np.sign(steps[k])).sum() / won[k].sum() for k in range(t - 9, t + 1)]
    assert raw[PLACE["breadth"]] == pytest.approx(np.mean(shares))
    known = np.flatnonzero(traded[t] & (t - listed >= 60))
    order = known[np.argsort(steps[t - 59 : t + 1, known].std(axis=0), kind="stable")]
    gain = levels[t] - levels[t - 20]
    third = len(known) // 3
    assert raw[PLACE["appetite"]] == pytest.approx(gain[order[-third:]].mean() - gain[order[:third]].mean())
    foreign = inputs.foreign_won[BEFORE : row + 1]  # type: ignore[index]
    both = np.flatnonzero(np.isfinite(foreign))[-20:]
    if math.isfinite(foreign[-1]):
        assert raw[PLACE["foreign_flow"]] == pytest.approx(foreign[both].sum() / won[both].sum())
    for name, haven in (("bond_haven", inputs.bond_close), ("dollar_haven", inputs.dollar_close)):
        ratio = np.log(inputs.index_close[: row + 1] / haven[: row + 1])  # type: ignore[index, operator]
        ratio = ratio[np.isfinite(ratio)]
        assert raw[PLACE[name]] == pytest.approx(ratio[-1] - ratio[-21])
    assert np.isfinite(raw).all()


def test_a_high_is_forgotten_after_a_year() -> None:
    panel = daily_panel(12, symbols=20, sessions=620)
    wave = 1.0 + 0.5 * np.sin(np.arange(620) / 620 * 6 * np.pi)[:, None]
    panel = _bars(
        panel, np.maximum(np.round(panel.close[:1] * wave + panel.close % 97), 1).astype(np.int64), panel.volume
    )
    found = feargreed.build(feargreed.of_panel(panel)).raw[:, PLACE["strength"]]
    levels = np.cumsum(_moves(panel), axis=0)
    seen = []
    for t in range(251, 620):
        old = panel.traded[t] & (t - (panel.close > 0).argmax(axis=0) >= 251)
        window = levels[t - 251 : t]
        high, low = levels[t] > window.max(axis=0) + 1e-9, levels[t] < window.min(axis=0) - 1e-9
        wanted = ((high & old).sum() - (low & old).sum()) / old.sum() if old.sum() >= 15 else np.nan
        assert found[t] == pytest.approx(wanted, nan_ok=True)
        seen.append(wanted)
    assert np.nanmax(seen) > 0.2
    assert np.nanmin(seen) < -0.2


def _moves(panel: Panel) -> np.ndarray:
    close = panel.close.astype(np.float64)
    both = (close[1:] > 0) & (close[:-1] > 0)
    change = np.log(np.where(both, close[1:], 1) / np.where(both, close[:-1], 1))
    inside = (change >= math.log(0.7) - 1e-3) & (change <= math.log(1.3) + 1e-3)
    return np.vstack([np.zeros(close.shape[1]), np.where(inside, change, 0.0)])


def test_implied_volatility_stands_before_realised_where_it_is_known() -> None:
    both, without = feargreed.build(mood_inputs(3)), feargreed.build(mood_inputs(3, implied=None))
    assert both.implied[-1]
    assert not both.implied[:200].any()
    calm = PLACE["calm"]
    assert both.raw[-1, calm] != without.raw[-1, calm]
    early = slice(0, 200)
    assert both.raw[early].tobytes() == without.raw[early].tobytes()


def test_a_missing_component_is_flagged_with_the_day_it_was_last_known_and_never_zero() -> None:
    inputs = mood_inputs(2)
    bond = inputs.bond_close.copy()  # type: ignore[union-attr]
    bond[300:] = np.nan
    cut = feargreed.build(dataclasses.replace(inputs, bond_close=bond, foreign_won=None))
    flags = {flag.component: flag.since for flag in cut.flags()}
    assert flags["foreign_flow"] is None
    last = max(row for row in range(300) if np.isfinite(cut.ranks[row, PLACE["bond_haven"]]))
    assert flags["bond_haven"] == _date(cut.days[last])
    assert set(cut.missing()) == set(flags)
    rest = np.isfinite(cut.ranks[-1])
    weights = np.array(FearGreedSettings().weights)[rest]
    assert cut.value[-1] == pytest.approx((cut.ranks[-1][rest] * weights).sum() / weights.sum())


def _date(number: int) -> dt.date:
    text = str(number)
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))


def test_a_day_without_one_input_costs_its_components_that_day_only() -> None:
    inputs = mood_inputs(5, implied=None)
    index = np.where(np.isnan(inputs.index_close), 2_500.0, inputs.index_close)  # type: ignore[arg-type]
    index[350] = np.nan
    mood = feargreed.build(dataclasses.replace(inputs, index_close=index))
    gone = {"momentum", "calm", "bond_haven", "dollar_haven"}
    assert gone <= set(mood.missing(350))
    assert not {"momentum", "calm"} & set(mood.missing(351))
    assert not {"momentum", "calm"} & set(mood.missing(349))


def test_too_little_weight_has_no_value_and_reads_as_neither() -> None:
    alone = mood_inputs(4, foreign_won=None, bond_close=None, dollar_close=None, implied=None)
    young = feargreed.build(alone.rows(0, 180))
    assert np.isfinite(young.ranks).any()
    assert not np.isfinite(young.value).any()
    assert young.on(dt.date(2030, 1, 1)) == 50.0
    assert young.row_of(dt.date(2030, 1, 1)) is None
    easy = feargreed.build(alone.rows(0, 180), FearGreedSettings(least_weight=0.1))
    assert np.isfinite(easy.value).any()


def test_a_value_is_read_as_of_a_day() -> None:
    mood = feargreed.build(feargreed.of_panel(daily_panel(4, symbols=24)))
    row = 300
    day = _date(int(mood.days[row]))
    assert mood.on(day) == mood.value[row]
    assert mood.on(day - dt.timedelta(days=1)) == mood.value[row - 1]


def test_the_trailing_rank_counts_ties_half() -> None:
    ranks = feargreed.trailing_rank(np.array([1.0, 2.0, 2.0, 0.0, np.nan]), window=3, least=2)
    assert np.isnan(ranks[0])
    assert ranks[1] == pytest.approx(75.0)
    assert ranks[2] == pytest.approx(100.0 * 2.0 / 3.0)
    assert ranks[3] == pytest.approx(100.0 * 0.5 / 3.0)
    assert np.isnan(ranks[4])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.just(float("nan")), st.integers(-3, 3).map(float)), max_size=60), st.integers(2, 12))
def test_ranks_are_those_of_a_plain_count(values: list[float], window: int) -> None:
    found = feargreed.trailing_rank(np.array(values), window=window, least=2)
    for t, value in enumerate(values):
        past = [each for each in values[max(0, t - window + 1) : t + 1] if each == each]
        if value != value or len(past) < 2:
            assert math.isnan(found[t])
        else:
            below = sum(each < value for each in past) + 0.5 * sum(each == value for each in past)
            assert found[t] == pytest.approx(100.0 * below / len(past))


def test_a_split_moves_nothing_and_funds_count_nothing() -> None:
    inputs = dataclasses.replace(mood_inputs(8), foreign_won=None)
    plain = feargreed.build(inputs)
    close = inputs.panel.close.copy()
    steps = _moves(inputs.panel)
    row = next(t for t in range(300, 320) if steps[t, 5] == 0.0 or inputs.panel.traded[t, 5])
    close[row:, 5] *= 50
    volume = inputs.panel.volume.copy()
    volume[row:, 5] //= 50
    split = feargreed.build(dataclasses.replace(inputs, panel=_bars(inputs.panel, close, volume)))
    for name in ("strength", "appetite"):
        before, after = plain.raw[: row + BEFORE, PLACE[name]], split.raw[: row + BEFORE, PLACE[name]]
        assert before.tobytes() == after.tobytes()
        assert np.nanmax(np.abs(plain.raw[:, PLACE[name]] - split.raw[:, PLACE[name]])) < 0.12
    wild = inputs.panel.close.copy()
    wild[:, 3] = wild[::-1, 3]
    fund = feargreed.build(dataclasses.replace(inputs, panel=_bars(inputs.panel, wild, inputs.panel.volume)))
    assert fund.raw.tobytes() == plain.raw.tobytes()


def _bars(panel: Panel, close: np.ndarray, volume: np.ndarray) -> Panel:
    return dataclasses.replace(
        panel, open=close, high=close.copy(), low=close.copy(), close=close.copy(), volume=volume
    )


def test_a_crash_reads_as_fear() -> None:
    rng = np.random.default_rng(5)
    market = rng.normal(0.0006, 0.006, 400)
    market[-25:] = rng.normal(-0.025, 0.03, 25)
    own = rng.normal(0, 0.01, (400, 30)) * np.linspace(0.5, 2.0, 30)
    path = np.cumsum(market[:, None] * np.linspace(0.5, 1.8, 30) + own, axis=0)
    close = np.round(50_000 * np.exp(path)).astype(np.int64)
    panel = daily_panel(6, symbols=30, sessions=400, halted=0.0)
    crash = _bars(dataclasses.replace(panel, traded=np.ones_like(panel.traded)), close, np.full_like(close, 10_000))
    mood = feargreed.build(feargreed.of_panel(crash))
    assert mood.value[-10:].mean() < 20.0 < mood.value[:-30][np.isfinite(mood.value[:-30])].mean()
    assert str(feargreed.word_of(mood.value[-1])) == "extreme fear"


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (lambda i: {"days": i.days[::-1].copy()}, "backward"),
        (lambda i: {"days": np.concatenate([i.days[:5], i.days[4:-1]])}, "repeat"),
        (lambda i: {"bond_close": i.bond_close[1:]}, "bond_close"),
        (lambda i: {"counted": np.ones(2, np.bool_)}, "counted"),
        (lambda i: {"days": i.days[:-1], "index_close": None, "implied": None, "foreign_won": None,
                    "bond_close": None, "dollar_close": None}, "bars"),
    ],
    ids=["backward", "repeated", "short", "counted", "stray-bars"],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused_by_name(change, sign: str) -> None:
    inputs = mood_inputs(1)
    with pytest.raises(DataError) as caught:
        dataclasses.replace(inputs, **change(inputs))
    assert sign in str(caught.value.message)
    assert caught.value.expected
    assert caught.value.found
    assert caught.value.next_step


@pytest.mark.parametrize(
    "wrong",
    [{"momentum_weight": -1.0}, {"calm_weight": math.nan}, {"window_days": 30}, {"least_weight": 0.0},
     {"least_days": 1},
     dict.fromkeys(feargreed.settings.WEIGHTS, 0.0), {"window_days": 5_000}],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        FearGreedSettings(**wrong)  # type: ignore[arg-type]


def test_a_short_window_of_ranks_is_honoured() -> None:
    inputs = mood_inputs(9)
    short = feargreed.build(inputs, FearGreedSettings(window_days=80, least_days=40))
    momentum = short.raw[:, 0]
    assert short.ranks[:, 0].tobytes() == feargreed.trailing_rank(momentum, window=80, least=40).tobytes()


def test_empty_rows_leave_the_state_alone() -> None:
    inputs = mood_inputs(1)
    state, _ = feargreed.fold(feargreed.start(24), inputs)
    after, mood = feargreed.fold(state, inputs.rows(5, 5))
    assert len(mood.days) == 0
    assert after.market.tobytes() == state.market.tobytes()
    assert mood.last_day() is None


def test_the_inputs_of_a_panel_take_the_lake_s_points() -> None:
    panel = daily_panel(2, symbols=20)
    points = np.full(len(panel), 250_000, np.int64)
    points[4] = 0
    inputs = feargreed.of_panel(panel, points)
    assert isinstance(inputs, MoodInputs)
    assert inputs.index_close is not None
    assert (inputs.index_close[3], math.isnan(inputs.index_close[4])) == (2_500.0, True)
