"""Daily bars of all names of a market, as arrays.

Not here: where they come from (``market``, ``replay``), what a script makes of them (``retelling``).
"""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.market import Int64Array
from haetae.emulator.bridge import DayBars

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, eq=False)
class DailyTable:
    """Daily bars ``(n_days, n_symbols)`` int64 won and shares; 0 while a name is not listed.

    ``base`` is the price the day's limits are taken from: the last close before it, adjusted for a corporate
    action, or the offering price on the first day.
    """

    base: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array

    def copy(self) -> DailyTable:
        """Return a table whose arrays may be changed without touching this one."""
        return DailyTable(*(part.copy() for part in self.columns().values()))

    def columns(self) -> dict[str, Int64Array]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in DailyTable.__slots__}

    def day(self, row: int) -> DayBars:
        """Return one session."""
        return DayBars(self.open[row], self.high[row], self.low[row], self.close[row], self.volume[row], self.base[row])

    def copy_of(self, row: int) -> DayBars:
        """Return one session in arrays of its own."""
        return DayBars(*(getattr(self.day(row), name).copy() for name in DayBars.__slots__))
