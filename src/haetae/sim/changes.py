"""Changes of a part of an order: shares taken back, shares that go on at another price or kind.

Here: what the broker's 정정 and 취소 do with a quantity. Not here: moving the price of all that is open
(``Replace`` in `entry`), numbers a broker shows its clients. Quantities are shares.
"""

from __future__ import annotations

from dataclasses import replace

from haetae.domain.events import Submit
from haetae.domain.orders import Canceled, OrderEvent, OrderStatus, Rejected, Side
from haetae.domain.units import Instant, Shares
from haetae.sim.admission import RejectCode
from haetae.sim.book import VenueOrder
from haetae.sim.entry import refuse, submit
from haetae.sim.kinds import Terms
from haetae.sim.venue import Venue
from haetae.sim.waiting import join_closing


def cancel_part(venue: Venue, intent_id: str, quantity: Shares, at: Instant) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after some of what is open of an order was taken back, all of it ends the order.

    What is left keeps its price and its turn, and no event tells of it; the end of the order is ``Canceled``.
    """
    venue = join_closing(venue, at)
    found = _open_part(venue, intent_id, quantity, at)
    if isinstance(found, Rejected):
        return venue, (found,)
    venue = venue.with_order(_without(found, quantity))
    return venue, () if quantity < found.open_quantity else (Canceled(intent_id, at, found.filled),)


def reissue(
    venue: Venue, intent_id: str, command: Submit, at: Instant, terms: Terms | None = None
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after some of what is open of an order went on as the new order of ``command``.

    The new order has a turn of its own; what is left of the old one keeps its price and turn, and ends where
    nothing is left. Nothing changes where the new order is refused: the answer is then its ``Rejected``.
    """
    venue = join_closing(venue, at)
    intent, quantity = command.order.intent, command.order.quantity
    if intent.intent_id in venue.orders:
        return submit(venue, command, at, terms)
    found = _open_part(venue, intent_id, quantity, at)
    if isinstance(found, Rejected):
        return venue, (replace(found, intent_id=intent.intent_id, change=False),)
    if (found.symbol, found.side) != (intent.symbol, intent.side):
        return refuse(venue, intent.intent_id, at, RejectCode.UNKNOWN_ORDER, f"{intent_id} is another order")
    left = _without(found, quantity)
    freed = found.held - venue.reservation(left)
    after, (answer,) = submit(
        venue, command, at, terms, cash=freed, shares=quantity if found.side is Side.SELL else 0
    )  # fmt: skip
    if isinstance(answer, Rejected):
        return venue, (answer,)
    return after.with_order(left), (answer,)


def _open_part(venue: Venue, intent_id: str, quantity: Shares, at: Instant) -> VenueOrder | Rejected:
    order = venue.orders.get(intent_id)
    if order is None:
        return Rejected(intent_id, at, RejectCode.UNKNOWN_ORDER.value, intent_id, change=True)
    if not order.is_open:
        return Rejected(intent_id, at, RejectCode.NOT_OPEN.value, f"the order is {order.status.value}", change=True)
    if not 0 < quantity <= order.open_quantity:
        message = f"{quantity} of {order.open_quantity} shares that are open"
        return Rejected(intent_id, at, RejectCode.TOO_MANY.value, message, change=True)
    return order


def _without(order: VenueOrder, quantity: Shares) -> VenueOrder:
    ended = quantity == order.open_quantity
    return replace(
        order, quantity=order.quantity - quantity, status=OrderStatus.CANCELED if ended else order.status
    )  # fmt: skip
