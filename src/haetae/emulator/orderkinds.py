"""Order types of the broker (ORD_DVSN): what each means, where and when it is taken.

Here: the table with its source, and which states of a name take which type. Not here: what happens to an order
(``accounts``), the codes of refusals (``trading``).

Not served, and refused: mid-price orders (21, 23, 24), which would trade half a tick off the grid that this
market's prints stand on; the single-price session (07), abolished on 2026-09-14 and not emulated before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from haetae.domain.market import Phase
from haetae.domain.orders import OrderKind, TimeInForce
from haetae.emulator.session import AUCTIONS, Standing
from haetae.krx.afterhours import OffHours
from haetae.sim.entry import REGULAR


class Pricing(Enum):
    """Where the price of an order comes from."""

    LIMIT = "limit"
    MARKET = "market"
    CONDITIONAL = "conditional"
    """A limit that joins the closing auction as a market order."""
    OPPOSITE = "opposite"
    """The best price of the other side when it is entered."""
    SAME = "same"
    """The best price of its own side when it is entered."""
    CLOSE = "close"
    """The close of the market it is for."""
    STOP = "stop"
    """A limit that is live once a print reaches its condition."""

    @property
    def priced(self) -> bool:
        """Whether the client gives a price."""
        return self in (Pricing.LIMIT, Pricing.CONDITIONAL, Pricing.STOP)


@dataclass(frozen=True, slots=True)
class OrderType:
    """One ORD_DVSN. ``hours`` is the market outside the regular session it is for, ``on_mock`` whether mock has it."""

    code: str
    name: str
    pricing: Pricing
    force: TimeInForce
    hours: OffHours | None = None
    on_mock: bool = True
    first_day: dt.date = dt.date.min

    @property
    def kind(self) -> OrderKind:
        """The price type at the exchange."""
        return OrderKind.MARKET if self.pricing is Pricing.MARKET else OrderKind.LIMIT


_DAY, _IOC, _FOK = TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK
_EVENING, _STOPS_FROM = OffHours.AFTERMARKET, dt.date(2025, 3, 4)
_ROWS = (
    OrderType("00", "지정가", Pricing.LIMIT, _DAY),
    OrderType("01", "시장가", Pricing.MARKET, _DAY),
    OrderType("02", "조건부지정가", Pricing.CONDITIONAL, _DAY),
    OrderType("03", "최유리지정가", Pricing.OPPOSITE, _DAY),
    OrderType("04", "최우선지정가", Pricing.SAME, _DAY),
    OrderType("05", "장전시간외", Pricing.CLOSE, _DAY, OffHours.BEFORE_OPEN, on_mock=False),
    OrderType("06", "장후시간외", Pricing.CLOSE, _DAY, OffHours.AFTER_CLOSE, on_mock=False),
    OrderType("11", "IOC지정가", Pricing.LIMIT, _IOC),
    OrderType("12", "FOK지정가", Pricing.LIMIT, _FOK),
    OrderType("13", "IOC시장가", Pricing.MARKET, _IOC),
    OrderType("14", "FOK시장가", Pricing.MARKET, _FOK),
    OrderType("15", "IOC최유리", Pricing.OPPOSITE, _IOC),
    OrderType("16", "FOK최유리", Pricing.OPPOSITE, _FOK),
    OrderType("22", "스톱지정가", Pricing.STOP, _DAY, on_mock=False, first_day=_STOPS_FROM),
    OrderType("41", "애프터지정가", Pricing.LIMIT, _DAY, _EVENING, on_mock=False),
    OrderType("42", "애프터IOC지정가", Pricing.LIMIT, _IOC, _EVENING, on_mock=False),
    OrderType("43", "애프터FOK지정가", Pricing.LIMIT, _FOK, _EVENING, on_mock=False),
    OrderType("44", "애프터최유리", Pricing.OPPOSITE, _DAY, _EVENING, on_mock=False),
    OrderType("45", "애프터IOC최유리", Pricing.OPPOSITE, _IOC, _EVENING, on_mock=False),
    OrderType("46", "애프터FOK최유리", Pricing.OPPOSITE, _FOK, _EVENING, on_mock=False),
    OrderType("47", "애프터최우선", Pricing.SAME, _DAY, _EVENING, on_mock=False),
)
"""KIS workbook 2026-06 and notices 2026-09; that mock has the regular types only: the same workbook."""
ORDER_TYPES: Mapping[str, OrderType] = {row.code: row for row in _ROWS}

_ANY_PHASE = frozenset(Phase)
_OPENING, _CALL = frozenset({"00", "01", "02"}), frozenset({"00", "01"})
"""Auctions take limit and market orders; conditional ones until the closing auction begins (KRX)."""


def is_taken(kind: OrderType, standing: Standing) -> bool:
    """Return whether a state of a name takes an order of a type of the regular session or the aftermarket."""
    if kind.hours is OffHours.AFTERMARKET:
        return standing is Standing.AFTERMARKET or (standing is Standing.VI and kind.code == "41")
    if kind.hours is not None:
        return True
    if standing is Standing.CLOSING_AUCTION:
        return kind.code in _CALL
    if standing in AUCTIONS:
        return kind.code in _OPENING
    return standing is Standing.CONTINUOUS


def phases_of(kind: OrderType) -> Collection[Phase]:
    """Return when the exchange takes a type; whoever asks knows the hours of a market at a fixed price."""
    if kind.hours is None:
        return REGULAR
    return frozenset({Phase.AFTERMARKET}) if kind.hours is OffHours.AFTERMARKET else _ANY_PHASE
