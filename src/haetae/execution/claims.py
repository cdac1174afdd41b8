"""What a person may say of an order of unknown fate: which row is it, or that none is.

A word decides what a reading leaves open and never against it. A row that is named must be one that a reading could
take; only that it be the single one is left to the person. An absence needs a list that lost nothing; rows that fit
are then said to be other people's, and where one alone fits, the next reading takes it.

Here: what may be said. Not here: the search without a person (``unknowns``), what the desk does (``desk.claiming``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import BrokerOrder, BrokerOrderId, Order, OrderStatus
from haetae.domain.units import day_of
from haetae.execution.comparing import Known, compare_orders, continued, was_read
from haetae.execution.settings import ReconcileSettings
from haetae.execution.unknowns import fits


@dataclass(frozen=True, slots=True)
class Unclaimable:
    """A person's word cannot be taken; why."""

    why: str


def rows_claimed(
    order: Order,
    number: BrokerOrderId,
    orders: Sequence[Order],
    snapshot: AccountSnapshot,
    known: Known,
    settings: ReconcileSettings,
) -> tuple[BrokerOrder, ...] | Unclaimable:
    """Return the rows, oldest first, of the broker's order that a person names as the desk's.

    Parameters
    ----------
    order : of unknown fate.
    number : any number that the broker's order has had; a blank branch is any branch.
    orders : every order of the desk, as ``reconcile`` takes them.
    snapshot, known : the newest reading, and what the readings up to it said.
    """
    named = [row for row in snapshot.orders if _is_called(row, number)]
    if len(named) != 1:
        return Unclaimable(f"the newest reading shows {len(named)} orders of this number")
    free = compare_orders(orders, snapshot, known, {}, settings, over=frozenset()).unclaimed
    if named[0] not in free:
        return Unclaimable("the broker's order is another order's")
    chains = [continued(row, snapshot.orders) for row in free if row.original is None]
    chain = next((each for each in chains if named[0] in each), None)
    if chain is None:
        return Unclaimable("the newest reading does not show what the broker's order began as")
    if chain[0].order_id in order.known:
        return Unclaimable("the broker's order was there before ours was sent")
    if not fits(order, chain[0], settings):
        return Unclaimable("name, side, quantity, price or time of the broker's order are not those of ours")
    return tuple(chain)


def _is_called(row: BrokerOrder, number: BrokerOrderId) -> bool:
    own = row.order_id
    return (own.day, own.number) == (number.day, number.number) and number.branch in ("", own.branch)


def others_rows(
    order: Order, orders: Sequence[Order], snapshot: AccountSnapshot, known: Known, settings: ReconcileSettings
) -> tuple[BrokerOrderId, ...] | Unclaimable:
    """Return the numbers of rows that fit an order which, as a person says, the broker never had.

    Parameters are those of ``rows_claimed``.
    """
    if order.status is not OrderStatus.STUCK:
        return Unclaimable("a reading may still find the order")
    compared = compare_orders(orders, snapshot, known, {}, settings, over=frozenset())
    if not compared.whole or not was_read(day_of(order.intent.at), snapshot):
        return Unclaimable("the newest reading does not show every order of the day")
    fitting = tuple(row.order_id for row in compared.unclaimed if fits(order, row, settings))
    if len(fitting) == 1:
        return Unclaimable("one order of the broker alone can be ours: the next reading takes it")
    return fitting
