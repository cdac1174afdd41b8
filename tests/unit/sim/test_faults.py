"""Bars that cannot have happened end in an error that names symbol, time and values."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.krx import Rulebook
from haetae.sim import batch, check_bars, open_venue, step
from markets import random_market

DAY = dt.date(2026, 3, 4)
WRONG = {
    "high below low": ({"high": 900, "low": 1_000, "open": 950, "close": 950}, "the high is below the low"),
    "open above high": ({"open": 1_100, "high": 1_050, "low": 1_000, "close": 1_020}, "the open lies outside"),
    "open below low": ({"open": 990, "high": 1_050, "low": 1_000, "close": 1_020}, "the open lies outside"),
    "close above high": ({"open": 1_020, "high": 1_050, "low": 1_000, "close": 1_060}, "the close lies outside"),
    "close below low": ({"open": 1_020, "high": 1_050, "low": 1_000, "close": 995}, "the close lies outside"),
    "volume below nothing": ({"volume": -1}, "the volume is negative"),
    "traded at nothing": ({"open": 0, "high": 0, "low": 0, "close": 0}, "0 where the bar traded"),
}


def market(*, traded: bool = True, **values: int) -> Panel:
    panel, _, _ = random_market(np.random.default_rng(3), [DAY], 12)
    blocks = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close", "volume", "traded")}
    blocks["traded"][7, 2] = traded
    for name, value in values.items():
        blocks[name][7, 2] = value
    return Panel(panel.symbols, panel.days, panel.start, panel.end, **blocks)


@pytest.mark.parametrize(("values", "said"), WRONG.values(), ids=WRONG)
def test_a_corrupt_bar_is_named_and_nothing_goes_on(values: dict[str, int], said: str) -> None:
    panel = market(**values)
    with pytest.raises(DataError) as caught:
        batch.prepare(panel)
    told = str(caught.value)
    assert said in told
    assert panel.symbols[2] in told
    assert "2026-03-04 90700" in told
    assert all(f"{name} {value}" in caught.value.found for name, value in values.items())
    assert "haetae collect" in str(caught.value.next_step)
    listed = random_market(np.random.default_rng(3), [DAY], 12)[1]
    with pytest.raises(DataError, match=said):
        step(open_venue(Rulebook.on(DAY), listed, 10**9), panel.slice_at(7))


def test_a_bar_without_trade_may_have_no_price_yet_but_no_negative_one() -> None:
    check_bars(market(traded=False, open=0, high=0, low=0, close=0, volume=0))
    with pytest.raises(DataError, match="negative"):
        check_bars(market(traded=False, close=-5))
    with pytest.raises(DataError, match="volume"):
        check_bars(market(traded=False, volume=-5))


def test_the_first_of_several_is_named_and_all_are_counted() -> None:
    panel = market()
    volume = panel.volume.copy()
    volume[4, 1] = volume[9, 0] = volume[9, 3] = -3
    with pytest.raises(DataError) as caught:
        check_bars(replace(panel, volume=volume))
    assert "3 corrupt bars" in caught.value.found
    assert panel.symbols[1] in str(caught.value)


def test_bars_out_of_order_are_refused() -> None:
    panel = market()
    late = panel.start.copy()
    late[5] = panel.start[4]
    with pytest.raises(DataError, match="out of order"):
        check_bars(replace(panel, start=late))
    with pytest.raises(DataError, match="out of order"):
        check_bars(replace(panel, end=panel.start.copy()))


def test_columns_of_any_layout_are_judged_alike() -> None:
    panel = market(volume=-1)
    turned = replace(panel, close=np.asfortranarray(panel.close), volume=np.asfortranarray(panel.volume))
    with pytest.raises(DataError, match="the volume is negative"):
        check_bars(turned)
