"""Bars that cannot have happened: found before anything trades on them.

Here: what makes a bar corrupt, as one compiled function for arrays of any number of bars, and the error that names
the first. Used by ``sim.batch.prepare`` (so by every backtest, sweep and learning run) and by ``sim.step``. Not here:
bars that leave the day's limits, which corporate actions cause too: they fill nothing (`matching`). Prices are won.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array, Slice
from haetae.domain.panel import Panel
from haetae.domain.units import Instant, Symbol, day_of, hhmmss_of

FAULTS: tuple[Text, ...] = (
    Text(ko="거래량이 음수입니다", en="the volume is negative"),
    Text(ko="가격이 음수이거나, 거래가 있는데 0입니다", en="a price is negative, or 0 where the bar traded"),
    Text(ko="고가가 저가보다 낮습니다", en="the high is below the low"),
    Text(ko="시가가 저가와 고가 사이에 없습니다", en="the open lies outside low and high"),
    Text(ko="종가가 저가와 고가 사이에 없습니다", en="the close lies outside low and high"),
)
"""What each bit of ``fault_of`` says, the lowest first."""


@njit(cache=True, error_model="numpy")
def fault_of(open_: int, high: int, low: int, close: int, volume: int, traded: bool) -> int:  # noqa: FBT001 - compiled
    """Return what is wrong with a bar as bits (see ``FAULTS``), 0 if nothing is.

    A bar without trade repeats the last close and may be 0 before the first one; only its volume and its sign count.
    Without a branch, so that a loop over it is as fast as the memory.
    """
    return (
        (volume < 0)
        | (((close < 0) | (traded & (low <= 0))) << 1)
        | ((traded & (high < low)) << 2)
        | ((traded & ((open_ < low) | (open_ > high))) << 3)
        | ((traded & ((close < low) | (close > high))) << 4)
    )


@njit(cache=True, error_model="numpy")
def faults(
    open_: Int64Array, high: Int64Array, low: Int64Array, close: Int64Array, volume: Int64Array, traded: BoolArray
) -> tuple[int, int]:
    """Return how many bars are corrupt and the place of the first, -1 if there is none; arrays ``(n,)``."""
    count = 0
    for place in range(len(close)):
        count += fault_of(open_[place], high[place], low[place], close[place], volume[place], traded[place]) != 0
    if count == 0:
        return 0, -1
    first = 0
    while fault_of(open_[first], high[first], low[first], close[first], volume[first], traded[first]) == 0:
        first += 1
    return count, first


def check_bars(panel: Panel) -> None:
    """Refuse a panel with corrupt bars, or with bars out of order.

    Raises
    ------
    DataError
        It names the first corrupt bar's symbol, time and values, and how many there are.
    """
    count, place, values = _judged(panel)
    if count:
        row, column = divmod(place, len(panel.symbols))
        traded = bool(panel.traded[row, column])
        raise _corrupt(panel.symbols[column], int(panel.start[row]), values, traded=traded, count=count)
    late = panel.end <= panel.start
    late[:-1] |= panel.end[:-1] > panel.start[1:]
    if late.any():
        row = int(late.argmax())
        raise _disordered(int(panel.start[row]), int(panel.end[row]))


def check_slice(piece: Slice) -> None:
    """Refuse a slice with corrupt bars, as ``check_bars`` does."""
    count, place, values = _judged(piece)
    if count:
        traded = bool(piece.traded[place])
        raise _corrupt(piece.symbols[place], piece.start, values, traded=traded, count=count)


def _judged(bars: Panel | Slice) -> tuple[int, int, list[int]]:
    """Return how many bars are corrupt, the flat place of the first, and its values."""
    open_, high, low, close = _flat(bars.open), _flat(bars.high), _flat(bars.low), _flat(bars.close)
    volume, traded = _flat(bars.volume), _flat(bars.traded)
    count, place = faults(open_, high, low, close, volume, traded)
    return count, place, [int(column[place]) for column in (open_, high, low, close, volume)] if count else []


def _flat(block: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only flat view, so that one compiled version serves slices and panels."""
    flags = block.flags
    if block.ndim == 1 and flags.c_contiguous and not flags.writeable:
        return block
    flat = np.ascontiguousarray(block).reshape(-1)
    flat.flags.writeable = False
    return flat


def _corrupt(symbol: Symbol, start: Instant, values: list[int], *, traded: bool, count: int) -> DataError:
    open_, high, low, close, volume = values
    bits = fault_of(open_, high, low, close, volume, traded)
    what = FAULTS[(bits & -bits).bit_length() - 1]
    at = f"{day_of(start)} {hhmmss_of(start)}"
    four = dict(zip(("open", "high", "low", "close", "volume"), values, strict=True))
    return DataError(
        Text(ko=f"{symbol} {at} 봉이 손상되었습니다: {what.ko}", en=f"bar of {symbol} at {at} is corrupt: {what.en}"),
        expected="0 < low <= open, close <= high and volume >= 0 where the bar traded",
        found=", ".join(f"{name} {value}" for name, value in four.items()) + f" ({count} corrupt bars in all)",
        next_step=Text(
            ko="그 구간을 다시 수집하거나(haetae collect) 가져온 파일을 고친 뒤 다시 실행하세요",
            en="collect that span again (haetae collect) or mend the imported file, then run again",
        ),
    )


def _disordered(start: Instant, end: Instant) -> DataError:
    at = f"{day_of(start)} {hhmmss_of(start)}"
    return DataError(
        Text(ko=f"{at} 봉의 시간 순서가 어긋납니다", en=f"the bar at {at} is out of order"),
        expected="bars that end after they begin, each at or before the next one begins",
        found=f"[{start}, {end})",
        next_step=Text(ko="시간순으로 정렬된 겹치지 않는 봉을 주세요", en="give bars in time order, without overlap"),
    )
