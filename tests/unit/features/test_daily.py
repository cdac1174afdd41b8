"""Daily features: a short panel gives the same newest row, and the future moves nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.features import daily
from haetae.features.days import flows, market, peers, prices, recursive, relations, trading, volatility
from haetae.features.sets import Flows, Inputs
from random_panels import daily_panel, perturbed_after

FAMILIES = (prices, volatility, trading, relations, flows, recursive, market, peers)
WINDOWED = [daily.NAMES.index(name) for name in daily.windowed()]


def _inputs(seed: int, symbols: int = 7, *, index: bool = True, context: bool = True) -> Inputs:
    """Return a market with holes: halts, a late listing, a missing index day, flows unknown on some days."""
    rng = np.random.default_rng(seed)
    panel = daily_panel(seed, symbols=symbols, halted=0.05)
    points = np.where(rng.random(len(panel)) < 0.003, np.nan, _index(len(panel), seed) / 100.0)
    net = [np.where(rng.random(panel.close.shape) < 0.002, np.nan, rng.normal(0, 1e9, panel.close.shape))] * 3
    sectors = np.array([0, 1, 0, 0, -1, 1, 1, 0][:symbols])
    return Inputs(
        panel,
        index_close=points if index else None,
        flows=Flows(*net) if context else None,
        sectors=sectors if context else None,
    )


def _index(days: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(250_000 * np.exp(np.cumsum(rng.normal(0, 0.01, days)))).astype(np.int64)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(0, 318), with_index=st.booleans())
def test_the_future_moves_no_daily_feature(seed: int, row: int, with_index: bool) -> None:
    panel = daily_panel(seed, symbols=6)
    index = _index(len(panel), seed) if with_index else None
    later = None if index is None else np.concatenate([index[: row + 1], index[row + 1 :] * 2])
    sectors = np.arange(6) % 2
    original = daily.build(panel, index, sectors=sectors)
    changed = daily.build(perturbed_after(panel, row, seed + 1), later, sectors=sectors)
    assert original[: row + 1].tobytes() == changed[: row + 1].tobytes()
    assert original[row + 1 :].tobytes() != changed[row + 1 :].tobytes()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(daily.LOOK_BACK + 1, 319))
def test_a_year_of_bars_gives_the_newest_row_of_a_long_history(seed: int, row: int) -> None:
    panel = daily_panel(seed, symbols=6)
    index = _index(len(panel), seed)
    first = row - daily.LOOK_BACK
    short = daily.build(panel.rows(first, row + 1), index[first : row + 1])[-1][:, WINDOWED]
    whole = daily.build(panel, index)[row][:, WINDOWED]
    listed_before = panel.close[first] > 0
    assert short[listed_before].tobytes() == whole[listed_before].tobytes()


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    cuts=st.lists(st.integers(0, 320), max_size=4),
    index=st.booleans(),
    context=st.booleans(),
)
def test_rows_cut_anywhere_give_the_same_bits_from_a_saved_state(
    seed: int, cuts: list[int], index: bool, context: bool
) -> None:
    inputs = _inputs(seed, index=index, context=context)
    whole = daily.SET.batch(inputs)
    state, pieces = daily.SET.start(len(inputs.panel.symbols)), []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(inputs)], strict=True):
        before = state.tobytes()
        after, values = daily.SET.fold(state, inputs.rows(first, last))
        assert state.tobytes() == before
        state = np.frombuffer(after.tobytes()).reshape(after.shape).copy()
        pieces.append(values)
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_a_day_at_a_time_gives_the_bits_of_the_batch() -> None:
    inputs = _inputs(4)
    whole = daily.SET.batch(inputs)
    state = daily.SET.start(len(inputs.panel.symbols))
    for row in range(len(inputs)):
        state, values = daily.SET.step(state, inputs.rows(row, row + 1))
        assert values.tobytes() == whole[row].tobytes(), row


def test_a_name_that_joins_an_old_state_is_as_if_it_had_been_there_before_its_first_bar() -> None:
    inputs = _inputs(5)
    joins = int(np.flatnonzero(inputs.panel.close[:, 1] > 0)[0])
    whole = daily.SET.batch(inputs)
    kept = np.array([0, 2, 3, 4, 5, 6])
    early = Inputs(inputs.panel.columns(kept).rows(0, joins), index_close=inputs.index_close[:joins])
    state, _ = daily.SET.fold(daily.SET.start(6), early)
    wide = daily.SET.start(7)
    wide[kept] = state
    plain = Inputs(inputs.panel, index_close=inputs.index_close)
    _, values = daily.SET.fold(wide, plain.rows(joins, len(plain)))
    assert values.tobytes() == daily.SET.batch(plain)[joins:].tobytes()
    assert whole.shape[2] == len(daily.SPECS)


def test_each_family_writes_the_columns_it_declares() -> None:
    for family in FAMILIES:
        for place, spec in enumerate(family.SPECS):
            if family not in (flows, peers):
                assert getattr(family, spec.name.upper()) == place, spec.name
    assert tuple(spec for family in FAMILIES for spec in family.SPECS) == daily.SPECS


def test_daily_columns_equal_their_definitions() -> None:
    panel = daily_panel(11, symbols=3, halted=0.0)
    index = _index(len(panel), 5)
    values = dict(zip(daily.NAMES, daily.build(panel, index)[300, 0], strict=True))
    log_close = np.log(panel.close[:, 0].astype(float))
    ret = np.diff(log_close)[:300]
    market = np.diff(np.log(index.astype(float)))[:300]
    volume = panel.volume[:301, 0].astype(float)
    won = (panel.close[:301, 0] * panel.volume[:301, 0]).astype(float)
    expected = {
        "ret_20": log_close[300] - log_close[280],
        "momentum_12_1": log_close[279] - log_close[48],
        "volatility_60": ret[-60:].std(),
        "skew_60": ((ret[-60:] - ret[-60:].mean()) ** 3).mean() / ret[-60:].std() ** 3,
        "max_ret_20": ret[-20:].max(),
        "beta_120": np.cov(ret[-120:], market[-120:], bias=True)[0, 1] / market[-120:].var(),
        "correlation_60": np.corrcoef(ret[-60:], market[-60:])[0, 1],
        "relative_20": ret[-20:].sum() - market[-20:].sum(),
        "turnover_20": math.log(won[-20:].mean() + 1),
        "volume_5_60": math.log((volume[-5:].mean() + 1) / (volume[-60:].mean() + 1)),
        "high_252": log_close[300] - math.log(panel.high[49:301, 0].max()),
        "low_252": log_close[300] - math.log(panel.low[49:301, 0].min()),
        "bollinger_z_20": (log_close[300] - log_close[281:301].mean()) / log_close[281:301].std(),
    }
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, rel=2e-4, abs=1e-6), name


def test_the_wider_columns_equal_their_definitions() -> None:
    inputs = _inputs(21, context=True)
    panel, row = inputs.panel, 310
    opens, high, low, close, volume = (
        block[: row + 1, 0].astype(float) for block in (panel.open, panel.high, panel.low, panel.close, panel.volume)
    )
    ret, night = np.diff(np.log(close)), np.log(opens[1:] / close[:-1])
    won = close * volume
    direction = np.concatenate([[0.0], np.sign(np.diff(close))])
    balance = np.cumsum(direction * volume)
    slow = [
        2 * (close[t] - low[t - 13 : t + 1].min()) / np.ptp(_span(high, low, t)) - 1 for t in (row - 2, row - 1, row)
    ]
    up = np.sign(np.diff(panel.close[: row + 1], axis=0)) * panel.traded[1 : row + 1] * (panel.close[:row] > 0)
    counted = (panel.traded[1 : row + 1] & (panel.close[:row] > 0)).sum(axis=1)
    net = inputs.flows.foreign[row - 4 : row + 1, 0]
    values = dict(zip(daily.NAMES, daily.SET.batch(inputs)[row, 0], strict=True))
    expected = {
        "kurtosis_60": ((ret[-60:] - ret[-60:].mean()) ** 4).mean() / ret[-60:].std() ** 4 - 3,
        "gap_z_20": (night[-1] - night[-20:].mean()) / night[-20:].std(),
        "volatility_20_120": math.log((ret[-20:].std() + 1e-4) / (ret[-120:].std() + 1e-4)),
        "position_252": (2 * close[-1] - high[-252:].max() - low[-252:].min()) / (high[-252:].max() - low[-252:].min()),
        "range_position_20": (2 * close[-1] - high[-20:].max() - low[-20:].min())
        / (high[-20:].max() - low[-20:].min()),
        "drawdown_60": math.log(close[-1] / close[-60:].max()),
        "stochastic_slow_14": np.mean(slow),
        "obv_20": (balance[-1] - balance[-20:].mean()) / volume[-20:].mean(),
        "turnover_z_60": (np.log1p(won[-1]) - np.log1p(won[-60:]).mean()) / np.log1p(won[-60:]).std(),
        "breadth_1": up[-1].sum() / counted[-1],
        "breadth_20": np.mean(up[-20:].sum(axis=1) / counted[-20:]),
        "foreign_flow_5": net.sum() / won[-5:].sum(),
        "macd_12_26": (_exponential(close, 12) - _exponential(close, 26)) / close[-1],
    }
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, rel=2e-4, abs=1e-6), name


def _span(high: np.ndarray, low: np.ndarray, row: int) -> np.ndarray:
    return np.array([high[row - 13 : row + 1].max(), low[row - 13 : row + 1].min()])


def _exponential(values: np.ndarray, days: int) -> float:
    mean = values[:days].mean()
    for value in values[days:]:
        mean += (value - mean) * 2 / (days + 1)
    return float(mean)


def _mean(values: np.ndarray, memory: int, alpha: float) -> np.ndarray:
    """Return the mean so far, exponential once more than ``memory`` values were seen."""
    means = [values[0]]
    for seen, value in enumerate(values[1:], start=2):
        means.append(means[-1] + (value - means[-1]) * (1 / seen if seen <= memory else alpha))
    return np.array(means)


def test_averages_begin_with_the_plain_mean_of_what_was_seen() -> None:
    panel = daily_panel(32, symbols=1, sessions=80, halted=0.0)
    high, low, close = (block[:, 0].astype(float) for block in (panel.high, panel.low, panel.close))
    up, down, change = np.diff(high), -np.diff(low), np.diff(close)
    plus = _mean(np.where((up > down) & (up > 0), up, 0.0), 14, 1 / 14)
    minus = _mean(np.where((down > up) & (down > 0), down, 0.0), 14, 1 / 14)
    direction = ((plus - minus) / (plus + minus))[13:]  # from age 14 on
    gain, loss = _mean(np.maximum(change, 0), 14, 1 / 14), _mean(np.maximum(-change, 0), 14, 1 / 14)
    macd = _mean(close, 12, 2 / 13) - _mean(close, 26, 2 / 27)
    signal = _mean(macd[26:], 9, 2 / 10)
    values = daily.build(panel)[:, 0]
    for row in (27, 34, 40, 79):
        expected = {
            "adx_14": _mean(np.abs(direction), 14, 1 / 14)[row - 14],
            "directional_14": direction[row - 14],
            "rsi_wilder_14": (gain - loss)[row - 1] / (gain + loss)[row - 1],
            "macd_12_26": macd[row] / close[row],
        }
        if row >= 34:
            expected["macd_signal_9"] = signal[row - 26] / close[row]
        for name, value in expected.items():
            assert values[row, daily.NAMES.index(name)] == pytest.approx(value, rel=1e-5, abs=1e-7), (name, row)


def test_talib_is_the_oracle_of_wilders_averages_once_the_start_is_forgotten() -> None:
    talib = pytest.importorskip("talib")
    panel = daily_panel(31, symbols=2, sessions=600, halted=0.0)
    high, low, close = (block[:, 0].astype(float) for block in (panel.high, panel.low, panel.close))
    values = daily.build(panel)[-1, 0]
    plus, minus = talib.PLUS_DI(high, low, close, 14)[-1], talib.MINUS_DI(high, low, close, 14)[-1]
    expected = {
        "adx_14": talib.ADX(high, low, close, 14)[-1] / 100,
        "directional_14": (plus - minus) / (plus + minus),
        "rsi_wilder_14": talib.RSI(close, 14)[-1] / 50 - 1,
        "macd_hist_9": talib.MACD(close)[2][-1] / close[-1],
    }
    for name, value in expected.items():
        assert values[daily.NAMES.index(name)] == pytest.approx(value, rel=1e-5, abs=1e-7), name


def test_ranks_stand_inside_the_sector_and_ties_share_the_middle() -> None:
    inputs = _inputs(8, symbols=8)
    values = daily.SET.batch(inputs)[300]
    rank, ret = (values[:, daily.NAMES.index(name)] for name in ("sector_ret_20", "ret_20"))
    for sector in (0, 1):
        inside = inputs.sectors == sector
        assert rank[inside][np.argsort(ret[inside])] == pytest.approx(np.linspace(0, 1, inside.sum()))
    assert np.isnan(rank[inputs.sectors == -1]).all()
    out = np.full(4, np.nan, np.float32)
    tied = np.array([2.0, 2.0, 1.0, 3.0], np.float32)
    peers.rank_row(tied, np.ones(4, np.bool_), *peers.order_by_sector(np.zeros(4, np.int64)), out)
    assert out == pytest.approx([0.5, 0.5, 0.0, 1.0])


def test_what_is_missing_makes_only_its_own_features_nan() -> None:
    full, bare = _inputs(9), _inputs(9, context=False)
    a, b = daily.SET.batch(full), daily.SET.batch(bare)
    lost = {k for k in range(len(daily.NAMES)) if a[:, :, k].tobytes() != b[:, :, k].tobytes()}
    needs = {
        k
        for k, spec in enumerate(daily.SPECS)
        if {"sector", "foreign_won", "institution_won", "individual_won"} & {*spec.inputs}
    }
    assert lost == needs
    assert np.isnan(b[:, :, sorted(lost)]).all()


def test_a_new_listing_has_no_value_before_its_look_back() -> None:
    panel = daily_panel(12, halted=0.0)
    net = np.zeros(panel.close.shape)
    values = daily.build(panel, flows=Flows(net, net, net), sectors=np.arange(len(panel.symbols)) % 4)
    listed = int(np.flatnonzero(panel.close[:, 1] > 0)[0])
    for k, spec in enumerate(daily.SPECS):
        if spec in market.SPECS:  # the market's own past, which began before this name's
            assert np.isnan(values[: spec.look_back, 0, k]).all(), spec.name
            assert np.isnan(values[: listed + 1, 1, k]).all(), spec.name
            assert np.isfinite(values[max(listed + 1, spec.look_back), 1, k]), spec.name
            continue
        assert np.isnan(values[: listed + spec.look_back, 1, k]).all(), spec.name
        if spec.look_back <= 120:
            assert np.isfinite(values[listed + spec.look_back, 1, k]), spec.name
    assert np.isfinite(values[daily.LOOK_BACK + 1, 0]).all()


def test_a_later_split_changes_no_value() -> None:
    panel = daily_panel(13, symbols=2, halted=0.0)
    import dataclasses

    adjusted = dataclasses.replace(
        panel,
        open=panel.open * 50,
        high=panel.high * 50,
        low=panel.low * 50,
        close=panel.close * 50,
        volume=panel.volume * 20,
    )
    volume_scale = {"turnover_20", "amihud_20", "amihud_60", "volume_z_20", "volume_5_60"}
    keep = [k for k, name in enumerate(daily.NAMES) if name not in volume_scale]
    before, after = daily.build(panel)[-1][:, keep], daily.build(adjusted)[-1][:, keep]
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


def test_without_index_the_market_is_the_mean_of_its_symbols() -> None:
    panel = daily_panel(14, symbols=20, halted=0.0)
    values = daily.build(panel)
    assert 0.2 < float(np.nanmean(values[-1, :, daily.NAMES.index("beta_120")])) < 3.0


def test_there_are_at_least_70_declared_features() -> None:
    assert len(daily.NAMES) == len(set(daily.NAMES)) >= 70
    assert max(spec.look_back for spec in daily.specs()) == daily.LOOK_BACK
