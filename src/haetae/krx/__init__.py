"""Rules of the Korea Exchange, valid on a date: ticks, limits, hours, calendar, costs, settlement.

Every rule is a row of a dated table with its source; ``Rulebook.on(day)`` selects the rows. Prices
and amounts are integers in won, rates parts per billion, instants UTC nanoseconds. Pure: no clock.
"""

from haetae.krx.calendar import (
    closes_at,
    is_trading_day,
    next_trading_day,
    opens_at,
    previous_trading_day,
    trading_days,
)
from haetae.krx.costs import Charge
from haetae.krx.rulebook import Rulebook
from haetae.krx.sessions import Session
from haetae.krx.settings import FeeSchedule

__all__ = [
    "Charge",
    "FeeSchedule",
    "Rulebook",
    "Session",
    "closes_at",
    "is_trading_day",
    "next_trading_day",
    "opens_at",
    "previous_trading_day",
    "trading_days",
]
