"""Order types of the broker (ORD_DVSN): which kind of order of the exchange each is.

Here: the table with its source, and which states of a name take which type. Not here: what the kinds mean and when
the exchange takes them (``sim.kinds``), what happens to an order (``accounts``), the codes of refusals (``trading``).

Not served, and refused: mid-price orders (21, 23, 24), which would trade half a tick off the grid that this
market's prints stand on; the single-price session (07), abolished on 2026-09-14 and not emulated before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from haetae.domain.market import Phase
from haetae.domain.orders import OrderKind, TimeInForce
from haetae.domain.units import Won
from haetae.emulator.session import Standing
from haetae.krx.afterhours import OffHours
from haetae.sim import Pricing, Terms, takes


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
        return self.pricing.kind

    def terms(self, trigger: Won = 0) -> Terms:
        """Return what an order of this type says to the exchange; ``trigger`` is the condition of a stop."""
        return Terms(self.pricing, self.hours, trigger)


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

_PHASES: Mapping[Standing, tuple[Phase, bool]] = {
    Standing.OPENING_AUCTION: (Phase.OPENING_AUCTION, False),
    Standing.CONTINUOUS: (Phase.CONTINUOUS, False),
    Standing.VI: (Phase.CONTINUOUS, True),
    Standing.CALL: (Phase.CONTINUOUS, True),
    Standing.CLOSING_AUCTION: (Phase.CLOSING_AUCTION, False),
    Standing.AFTERMARKET: (Phase.AFTERMARKET, False),
}


def is_taken(kind: OrderType, standing: Standing) -> bool:
    """Return whether a state of a name takes an order of a type; a market at a fixed price always does."""
    phase, in_call = _PHASES.get(standing, (Phase.CLOSED, False))
    if standing is Standing.VI and kind.hours is OffHours.AFTERMARKET:
        phase = Phase.AFTERMARKET
    return takes(kind.pricing, kind.force, phase, hours=kind.hours, in_call=in_call) is None
