"""The wide minute set beside plain definitions written out here, on bars with halts, holes and a late listing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from haetae.features.intraday import SET
from haetae.features.sets import Inputs
from minute_inputs import minute_inputs


class Plain:
    """One symbol's bars as plain float columns, flat where it did not trade, from its first trade on."""

    def __init__(self, inputs: Inputs, symbol: int) -> None:
        panel = inputs.panel
        traded = panel.traded[:, symbol]
        self.first = int(np.argmax(traded))
        rows = slice(self.first, None)
        self.traded = traded[rows]
        close = panel.close[rows, symbol].astype(float)
        last = np.maximum.accumulate(np.where(self.traded, np.arange(len(close)), 0))
        self.close = close[last]
        before = np.concatenate([[0.0], self.close[:-1]])
        self.open, self.high, self.low = (
            np.where(self.traded, block[rows, symbol], before) for block in (panel.open, panel.high, panel.low)
        )
        self.volume = np.where(self.traded, panel.volume[rows, symbol], 0).astype(float)
        self.days, self.minutes = panel.days[rows], inputs.minutes[rows]
        self.log = np.log(self.close)
        self.money = (self.high + self.low + self.close) / 3.0 * self.volume
        self.ret = np.concatenate([[0.0], np.diff(self.log)])
        self.index = np.log(inputs.index_close[rows])


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return minute_inputs(21)


@pytest.fixture(scope="module")
def values(inputs: Inputs) -> np.ndarray:
    return SET.batch(inputs)


ROWS = (-70, -45, -44, -20, -1)


def _told(values: np.ndarray, plain: Plain, symbol: int, name: str, row: int) -> float:
    return float(values[plain.first :, symbol, SET.names.index(name)][row])


def _expected(p: Plain, t: int) -> dict[str, float]:
    def last(column: np.ndarray, bars: int) -> np.ndarray:
        return column[t - bars + 1 : t + 1]

    def z(column: np.ndarray, bars: int) -> float:
        window = last(column, bars)
        return float((window[-1] - window.mean()) / window.std())

    def place(bars: int) -> float:
        top, bottom = last(p.high, bars).max(), last(p.low, bars).min()
        return (2 * p.close[t] - top - bottom) / (top - bottom)

    told = {f"ret_{bars}m": p.log[t] - p.log[t - bars] for bars in (1, 3, 5, 10, 15, 30, 60, 120)}
    reach, body = np.log(p.high / p.low), np.log(p.close / p.open)
    for bars in (30, 120):
        told[f"volatility_{bars}m"] = last(p.ret, bars).std()
        told[f"parkinson_{bars}m"] = np.sqrt((last(reach, bars) ** 2).mean() / (4 * np.log(2)))
        klass = 0.5 * last(reach, bars) ** 2 - (2 * np.log(2) - 1) * last(body, bars) ** 2
        told[f"garman_klass_{bars}m"] = np.sqrt(klass.mean())
    ratio = (told["volatility_30m"] + 1e-5) / (told["volatility_120m"] + 1e-5)
    told["volatility_ratio_30_120m"] = np.log(ratio)
    told["bollinger_z_20m"] = z(p.close, 20)
    told["bollinger_width_20m"] = 4 * last(p.close, 20).std() / last(p.close, 20).mean()
    told["range_position_20m"], told["range_position_60m"] = place(20), place(60)
    sign = np.sign(np.diff(p.close, prepend=p.close[0]))
    for bars in (20, 60):
        told[f"obv_{bars}m"] = last(sign * p.volume, bars).sum() / last(p.volume, bars).sum()
    told["vwap_distance_60m"] = np.log(p.close[t] * last(p.volume, 60).sum() / last(p.money, 60).sum())
    told["volume_z_60m"], told["turnover_z_60m"] = z(np.log1p(p.volume), 60), z(np.log1p(p.money), 60)
    active = last(p.volume, 60) > 0
    impact = np.abs(last(p.ret, 60)[active]) / (last(p.money, 60)[active] / 1e9)
    told["amihud_60m"] = np.log(impact.mean() + 1e-9)
    told["idle_60m"] = 1.0 - last(p.traded, 60).mean()
    market = np.diff(p.index, prepend=np.nan)
    for bars in (60, 120):
        both = np.cov(last(p.ret, bars), last(market, bars), bias=True)
        told[f"beta_{bars}m"] = both[0, 1] / both[1, 1]
        told[f"correlation_{bars}m"] = both[0, 1] / np.sqrt(both[0, 0] * both[1, 1])
    told["relative_30m"] = told["ret_30m"] - (p.index[t] - p.index[t - 30])
    told["time_of_day"] = p.minutes[t] / 380
    return {**told, **_of_the_session(p, t), **_of_the_season(p, t)}


def _of_the_session(p: Plain, t: int) -> dict[str, float]:
    own = np.flatnonzero(p.days == p.days[t])
    so_far = own[own <= t]
    top, bottom = p.high[so_far].max(), p.low[so_far].min()
    closed = p.close[own[0] - 1]
    dealt = so_far[p.traded[so_far]]
    began = p.open[dealt[0]] if len(dealt) else np.nan
    shares = p.volume[so_far].sum()
    vwap = p.money[so_far].sum() / shares if shares else p.close[t]
    return {
        "session_position": (2 * p.close[t] - top - bottom) / (top - bottom) if top > bottom else 0.0,
        "session_range": np.log(top / bottom),
        "gap": np.log(began / closed),
        "day_return": np.log(p.close[t] / closed),
        "session_return": np.log(p.close[t] / began),
        "vwap_distance": np.log(p.close[t] / vwap),
    }


def _of_the_season(p: Plain, t: int) -> dict[str, float]:
    past = np.flatnonzero(p.minutes[:t] == p.minutes[t])
    if len(past) < 5:
        return {"volume_season": np.nan, "move_season": np.nan}
    usual_move = np.abs(p.ret[past]).mean()
    return {
        "volume_season": np.log1p(p.volume[t]) - np.log1p(p.volume[past]).mean(),
        "move_season": np.log((abs(p.ret[t]) + 1e-5) / (usual_move + 1e-5)),
    }


@pytest.mark.parametrize("symbol", [0, 1, 2])
def test_values_equal_their_definitions(inputs: Inputs, values: np.ndarray, symbol: int) -> None:
    plain = Plain(inputs, symbol)
    seasons = 0
    for row in ROWS:
        t = row % len(plain.close)
        for name, expected in _expected(plain, t).items():
            told = _told(values, plain, symbol, name, t)
            assert told == pytest.approx(expected, rel=2e-5, abs=2e-6, nan_ok=True), (name, row)
            seasons += name == "volume_season" and np.isfinite(expected)
    assert seasons or symbol


def test_the_breadth_counts_those_that_have_bars(inputs: Inputs, values: np.ndarray) -> None:
    plains = [Plain(inputs, symbol) for symbol in range(4)]
    for t in (10, 60, 200, 320):
        rises, day, month = [], [], {}
        for symbol, p in enumerate(plains):
            row = t - p.first
            if row >= 1:
                rises.append(np.sign(p.close[row] - p.close[row - 1]))
            own = np.flatnonzero(p.days == p.days[row]) if row >= 0 else np.zeros(0, int)
            if len(own) and own[0] > 0:
                day.append(np.sign(p.close[row] - p.close[own[0] - 1]))
            if row >= 30:
                month[symbol] = p.log[row] - p.log[row - 30]
        said = dict(zip(SET.names, values[t, 0], strict=True))
        assert said["breadth_1m"] == pytest.approx(np.mean(rises), abs=1e-6)
        assert said["breadth_day"] == pytest.approx(np.mean(day) if day else np.nan, abs=1e-6, nan_ok=True)
        if month:
            over = month[0] - np.mean(list(month.values()))
            assert said["panel_relative_30m"] == pytest.approx(over, rel=1e-4, abs=1e-7)


def test_what_is_usual_forgets_after_twenty_sessions() -> None:
    inputs = minute_inputs(22, symbols=1, sessions=30, minutes=4, quiet=0.0)
    plain = Plain(inputs, 0)
    told = SET.batch(inputs)[:, 0, SET.names.index("volume_season")]
    usual, count = {}, {}
    for t, minute in enumerate(plain.minutes.tolist()):
        surprise = np.log1p(plain.volume[t]) - usual.get(minute, 0.0)
        expected = surprise if count.get(minute, 0) >= 5 else np.nan
        assert told[t] == pytest.approx(expected, rel=1e-4, abs=1e-5, nan_ok=True)
        count[minute] = count.get(minute, 0) + 1
        usual[minute] = usual.get(minute, 0.0) + surprise / min(count[minute], 20)


def test_the_order_book_is_told_as_it_stands(inputs: Inputs, values: np.ndarray) -> None:
    given = inputs.imbalance[:, 0].astype(np.float32)
    assert values[:, 0, SET.names.index("book_imbalance")].tobytes() == given.tobytes()
    mean = values[:, 0, SET.names.index("book_imbalance_20m")]
    for t in range(19, len(given)):
        expected = inputs.imbalance[t - 19 : t + 1, 0].mean()
        assert mean[t] == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_a_bar_before_the_open_or_after_the_close_knows_no_season() -> None:
    inputs = minute_inputs(23, sessions=9, minutes=20)
    late = dataclasses.replace(inputs, minutes=inputs.minutes + 375)
    told = SET.batch(late)[..., SET.names.index("volume_season")]
    outside = late.minutes > 380
    assert np.isnan(told[outside]).all()
    assert np.isfinite(told[~outside]).any()
