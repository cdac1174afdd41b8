"""What replacing a holding costs on a day: both fees, the sale tax in force, slippage each way.

The tax is dated (``krx.costs``), the fee the account's, slippage an assumption that is stated. Figures
are basis points of the amount; for judging scores only, fills are charged by the rules themselves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Kind, Market
from haetae.domain.units import day_from
from haetae.krx import Rulebook

_PPB_A_BP = 100_000


@dataclass(frozen=True, slots=True)
class CostTable:
    """Fee and slippage of one side; the sale tax follows the day."""

    fee_bp: float = 1.40527
    """The broker's online rate, 0.0140527 % (``krx.settings.FeeSchedule``)."""
    slippage_bp: float = 5.0
    """A tick of a name of 10,000 to 20,000 won, or half of one around 5,000."""

    def round_trip_bp(self, days: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the cost of a purchase and a sale on each day, ``(n_days,)``; days are yyyymmdd.

        Common shares pay the same total on KOSPI and KOSDAQ at every date of the table.
        """
        taxes = [Rulebook.on(day_from(int(day))).sale_tax_ppb(Market.KOSPI, Kind.COMMON) for day in days]
        return np.array(taxes, dtype=np.float64) / _PPB_A_BP + 2.0 * (self.fee_bp + self.slippage_bp)

    def as_json(self, days: NDArray[np.int32]) -> dict[str, float]:
        """Return the table with the sale taxes that were in force on the first and the last of some days."""
        whole = self.round_trip_bp(np.asarray([days[0], days[-1]], dtype=np.int32))
        tax = whole - 2.0 * (self.fee_bp + self.slippage_bp)
        return {
            **asdict(self),
            "sale_tax_first_bp": round(float(tax[0]), 4),
            "sale_tax_last_bp": round(float(tax[1]), 4),
        }
