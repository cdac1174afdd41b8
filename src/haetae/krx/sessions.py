"""Phases of one KRX trading day as instants.

Here: when orders may be entered, when trading is continuous, when the closing call auction runs,
when the aftermarket is open; the edges of the minute bars. Not here: which days trade (`calendar`), the
rows of ordinary hours (`hours`), the markets beside the regular session (`afterhours`, `nxt`).
All instants are UTC nanoseconds; wall-clock sources are KST.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from haetae.domain.market import Int64Array, Phase
from haetae.domain.units import NS_PER_MINUTE, Instant, instant_at
from haetae.krx import afterhours
from haetae.krx.afterhours import OffHours
from haetae.krx.calendar import closes_at, opens_at
from haetae.krx.hours import hours_on


@dataclass(frozen=True, slots=True)
class Session:
    """The instants that divide a trading day; half-open intervals.

    ``orders_from <= t < open_at`` is the opening call auction, ``open_at <= t < auction_from``
    continuous trading, ``auction_from <= t < close_at`` the closing call auction. Aftermarket
    instants are 0 where there is none. That a late session shifts the aftermarket's start but not
    its end is an assumption; the desk does not trade there.
    """

    day: dt.date
    orders_from: Instant
    open_at: Instant
    auction_from: Instant
    close_at: Instant
    aftermarket_from: Instant = 0
    aftermarket_to: Instant = 0

    def phase_at(self, at: Instant) -> Phase:
        """Return the phase of an instant; ``CLOSED`` outside the day's sessions."""
        if self.orders_from <= at < self.open_at:
            return Phase.OPENING_AUCTION
        if self.open_at <= at < self.auction_from:
            return Phase.CONTINUOUS
        if self.auction_from <= at < self.close_at:
            return Phase.CLOSING_AUCTION
        if self.aftermarket_from <= at < self.aftermarket_to:
            return Phase.AFTERMARKET
        return Phase.CLOSED

    def changes(self) -> tuple[tuple[Instant, Phase], ...]:
        """Return when each phase of the day begins, ascending."""
        rows = [
            (self.orders_from, Phase.OPENING_AUCTION),
            (self.open_at, Phase.CONTINUOUS),
            (self.auction_from, Phase.CLOSING_AUCTION),
            (self.close_at, Phase.CLOSED),
        ]
        if self.aftermarket_to:
            rows += [(self.aftermarket_from, Phase.AFTERMARKET), (self.aftermarket_to, Phase.CLOSED)]
        return tuple(rows)

    def minute_edges(self) -> tuple[Int64Array, Int64Array]:
        """Return starts and ends of the minute bars: one a minute, then one closing-auction bar.

        A regular day has 381 bars: 380 from 09:00 to 15:20 and ``[15:20, 15:30)``.
        """
        starts = np.arange(self.open_at, self.auction_from, NS_PER_MINUTE, dtype=np.int64)
        edges = np.append(starts, np.int64(self.auction_from))
        return edges, np.append(edges[1:], np.int64(self.close_at))


def session_on(day: dt.date) -> Session:
    """Return the session of a trading day; raises ``MarketRuleError`` on a closed day."""
    open_at = instant_at(day, opens_at(day))
    close_at = instant_at(day, closes_at(day))
    ordinary = hours_on(day)
    evening = [w for w in afterhours.windows_on(day, open_at, close_at) if w.hours is OffHours.AFTERMARKET]
    return Session(
        day=day,
        orders_from=open_at - ordinary.entry_min * NS_PER_MINUTE,
        open_at=open_at,
        auction_from=close_at - ordinary.call_min * NS_PER_MINUTE,
        close_at=close_at,
        aftermarket_from=evening[0].start if evening else 0,
        aftermarket_to=evening[0].end if evening else 0,
    )
