"""Kinds of orders: where the price comes from, which market an order is for, when it is taken.

Here: ``Terms``, what an order says beyond side, price and life; which phase takes which order; the price an
order without one goes out with. Not here: codes of a broker (ORD_DVSN stands in the room that speaks its wire),
price and cash (`admission`), what the day does to waiting orders (`waiting`). Prices are won.

Source: KRX business rules (호가의 종류, 단일가매매 호가의 제한): call auctions take limit and market orders that
rest, conditional limits until the closing auction begins, and neither best-price orders nor IOC and FOK.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from haetae.domain.market import Phase
from haetae.domain.orders import OrderKind, Side, TimeInForce
from haetae.domain.units import Instant, Won
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours
from haetae.sim.admission import RejectCode


class Pricing(Enum):
    """Where the price of an order comes from."""

    LIMIT = "limit"
    MARKET = "market"
    CONDITIONAL = "conditional"
    """조건부지정가: a limit that joins the closing auction as a market order."""
    OPPOSITE = "opposite"
    """최유리지정가: the best price of the other side when it is entered."""
    SAME = "same"
    """최우선지정가: the best price of its own side when it is entered."""
    CLOSE = "close"
    """장전·장후 시간외 종가: the close of the market it is for."""
    STOP = "stop"
    """스톱지정가: a limit that is live once a print reaches its trigger."""

    __hash__ = object.__hash__  # one object each; phases and pricings are looked up for every order

    @property
    def priced(self) -> bool:
        """Whether the client gives a price."""
        return self in (Pricing.LIMIT, Pricing.CONDITIONAL, Pricing.STOP)

    @property
    def kind(self) -> OrderKind:
        """The price type while the order rests: all but market orders rest at a limit."""
        return OrderKind.MARKET if self is Pricing.MARKET else OrderKind.LIMIT


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order says beyond side, quantity, price and time in force.

    ``hours`` is the market outside the regular session it is for, none for the regular one; ``trigger`` (won) is
    the condition of a stop order, 0 for all others.
    """

    pricing: Pricing
    hours: OffHours | None = None
    trigger: Won = 0

    def __post_init__(self) -> None:
        """Refuse a stop without a trigger and a trigger without a stop."""
        if (self.pricing is Pricing.STOP) != (self.trigger > 0):
            raise ValueError(f"trigger {self.trigger} does not fit a {self.pricing.value} order")

    @property
    def waits(self) -> bool:
        """Whether the day may change the order while it rests (see `waiting`)."""
        return self.pricing in (Pricing.CONDITIONAL, Pricing.STOP)


PLAIN = {OrderKind.LIMIT: Terms(Pricing.LIMIT), OrderKind.MARKET: Terms(Pricing.MARKET)}
"""Terms of an order that says nothing more."""

_AUCTION = frozenset({Pricing.LIMIT, Pricing.MARKET})
_AUCTION_BEFORE_CLOSING = _AUCTION | {Pricing.CONDITIONAL}
_EVENING = frozenset({Pricing.LIMIT, Pricing.OPPOSITE, Pricing.SAME})
"""KIS notices 2026-09: 애프터마켓 takes limit and best-price orders only."""
_REGULAR = frozenset({Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION})


def takes(
    pricing: Pricing, force: TimeInForce, phase: Phase, *, hours: OffHours | None = None, in_call: bool = False
) -> RejectCode | None:
    """Return why a phase does not take an order; none where it does.

    Parameters
    ----------
    hours : OffHours, optional
        The market outside the regular session it is for. Those at a fixed price have windows of their own
        (``window_takes``), which phases do not show.
    in_call : bool
        The name is in a call auction of its own: a volatility interruption, or after a halt.
    """
    if hours is OffHours.AFTERMARKET:
        if phase is not Phase.AFTERMARKET or pricing not in _EVENING:
            return RejectCode.MARKET_CLOSED
        waits = pricing is Pricing.LIMIT and force is TimeInForce.DAY
        return RejectCode.NOT_IN_AUCTION if in_call and not waits else None
    if hours is not None:
        return None
    if phase not in _REGULAR:
        return RejectCode.MARKET_CLOSED
    if phase is Phase.CONTINUOUS and not in_call:
        return None
    taken = _AUCTION if phase is Phase.CLOSING_AUCTION else _AUCTION_BEFORE_CLOSING
    return None if pricing in taken and force is TimeInForce.DAY else RejectCode.NOT_IN_AUCTION


def window_takes(terms: Terms, rules: Rulebook, at: Instant) -> RejectCode | None:
    """Return why an order for a market at a fixed price is not taken at an instant; none for all other orders."""
    if terms.hours is None or terms.hours is OffHours.AFTERMARKET:
        return None
    open_now = any(window.hours is terms.hours and window.holds(at) for window in rules.off_hours())
    return None if open_now else RejectCode.MARKET_CLOSED


def entry_price(pricing: Pricing, side: Side, asked: Won, *, ask: Won = 0, bid: Won = 0, close: Won = 0) -> Won:
    """Return the limit an order goes out with: its own, or the one found for it; 0 where there is none.

    ``ask`` and ``bid`` are the best prices when it is entered (0 for none), ``close`` that of the market it is for.
    """
    match pricing:
        case Pricing.OPPOSITE:
            return ask if side is Side.BUY else bid
        case Pricing.SAME:
            return bid if side is Side.BUY else ask
        case Pricing.CLOSE:
            return close
        case Pricing.MARKET:
            return 0
        case Pricing.LIMIT | Pricing.CONDITIONAL | Pricing.STOP:
            return asked


def at_forbidden_limit(terms: Terms, side: Side, limit: Won, edges: tuple[Won, Won]) -> bool:
    """Return whether a conditional order buys at the upper limit or sells at the lower, which KRX refuses."""
    lower, upper = edges
    return terms.pricing is Pricing.CONDITIONAL and limit == (upper if side is Side.BUY else lower)
