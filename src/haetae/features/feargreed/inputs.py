"""What a day of fear & greed is made from, aligned by day; all of a row is known after the close of its day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import day_from

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MoodInputs:
    """Rows of days; NaN marks what a day does not have, None what the lake does not have at all.

    Attributes
    ----------
    days : (n_days,) int32, yyyymmdd, ascending
    panel : Panel
        Daily bars of the symbols, of some or all of the days: an index has a longer history than the bars.
    index_close : (n_days,) float64, optional
        KOSPI; None takes the equal-weight market of the panel in its place.
    implied : (n_days,) float64, optional
        VKOSPI.
    foreign_won : (n_days,) float64, optional
        Net won bought by foreigners in the whole market.
    bond_close, dollar_close : (n_days,) float64, optional
        Prices of the havens as they were known at the close of the day.
    counted : (n_symbols,) bool, optional
        Symbols that belong to the market; None counts all. Funds do not: theirs is the market's return again.
    """

    days: NDArray[np.int32]
    panel: Panel
    index_close: Float64Array | None = None
    implied: Float64Array | None = None
    foreign_won: Float64Array | None = None
    bond_close: Float64Array | None = None
    dollar_close: Float64Array | None = None
    counted: BoolArray | None = None

    def __post_init__(self) -> None:
        """Refuse days that are not ascending, rows that do not fit and days of bars that stand in no row."""
        steps = np.diff(self.days)
        if len(steps) and steps.min() <= 0:
            row = int(np.argmin(steps > 0)) + 1
            raise _misfit(
                Text(ko="날짜가 겹치거나 거꾸로입니다", en="days repeat or run backward"),
                "every day once, ascending",
                f"{day_from(int(self.days[row]))} after {day_from(int(self.days[row - 1]))}",
            )
        for name in ("index_close", "implied", "foreign_won", "bond_close", "dollar_close"):
            block = getattr(self, name)
            if block is not None and block.shape != self.days.shape:
                raise _misfit(
                    Text(ko=f"'{name}'의 행 수가 날짜와 다릅니다", en=f"'{name}' does not fit the days"),
                    f"({len(self.days)},)",
                    str(block.shape),
                )
        if self.counted is not None and self.counted.shape != (len(self.panel.symbols),):
            raise _misfit(
                Text(ko="'counted'가 종목 수와 다릅니다", en="'counted' does not fit the symbols"),
                f"({len(self.panel.symbols)},)",
                str(self.counted.shape),
            )
        if not np.isin(self.panel.days, self.days).all() or len(np.unique(self.panel.days)) != len(self.panel.days):
            raise _misfit(
                Text(ko="봉의 날짜가 날짜 행과 맞지 않습니다", en="the bars' days do not fit the rows"),
                "each day of bars once, and among the days",
                f"{len(self.panel.days)} rows of bars over {len(np.unique(self.panel.days))} days",
            )

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.days)

    def bars(self) -> Int64Array:
        """Return the row of the panel that each day has, -1 for none, ``(n_days,)``."""
        place = np.searchsorted(self.panel.days, self.days)
        inside = np.minimum(place, max(len(self.panel.days) - 1, 0))
        here = self.panel.days[inside] == self.days if len(self.panel.days) else np.zeros(len(self.days), np.bool_)
        return np.where(here, place, -1).astype(np.int64)

    def rows(self, first: int, last: int) -> MoodInputs:
        """Return the days ``first <= row < last`` as views of the same memory."""

        def part(block: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if block is None else block[first:last]

        days = self.days[first:last]
        lowest, highest = (int(days[0]), int(days[-1])) if len(days) else (0, -1)
        begin = int(np.searchsorted(self.panel.days, lowest))
        end = int(np.searchsorted(self.panel.days, highest, side="right"))
        return MoodInputs(
            days,
            self.panel.rows(begin, max(begin, end)),
            part(self.index_close),
            part(self.implied),
            part(self.foreign_won),
            part(self.bond_close),
            part(self.dollar_close),
            self.counted,
        )


def of_panel(panel: Panel, index_close: Int64Array | None = None) -> MoodInputs:
    """Return the inputs that daily bars alone give.

    ``index_close`` is ``(n_days,)`` points x 100 on the panel's days with 0 for a missing day, as the lake
    keeps it.
    """
    points = None if index_close is None else np.where(index_close > 0, index_close / 100.0, np.nan)
    return MoodInputs(panel.days, panel, points)


def _misfit(message: Text, expected: str, found: str) -> DataError:
    return DataError(
        message,
        expected=expected,
        found=found,
        next_step=Text(ko="레이크를 점검하세요 (haetae lake check)", en="check the lake (haetae lake check)"),
    )
