"""Ours beside the broker's: observe, compare, class, never invent a trade.

Here: the order of a comparison. Not here: its parts (``comparing``), the search for orders of unknown fate
(``unknowns``), what the desk does about a difference (``desk``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from haetae.domain.account import Book
from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import Filled, Order, OrderEvent
from haetae.domain.units import Won, day_of
from haetae.execution.comparing import (
    NOTHING_KNOWN,
    Difference,
    DifferenceKind,
    Known,
    Seen,
    compare_cash,
    compare_orders,
    compare_positions,
)
from haetae.execution.settings import ReconcileSettings
from haetae.execution.unknowns import Grounds, absences, adopt_unknowns


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a comparison is made.

    Attributes
    ----------
    turnover : won
        What was bought and sold since the broker's cash and ours last agreed.
    over : days of orders that have ended: what is left of them has expired.
    listing : whether an empty list of orders can be believed: in trading hours, or the next morning.
    """

    turnover: Won = 0
    over: frozenset[dt.date] = frozenset()
    listing: bool = True


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison found.

    ``events`` are facts about our own orders to be recorded, ``absent`` the intents proven absent, ``stuck`` those
    that several rows fit, ``missing`` the unknown intents the list does not show (yet), ``known`` what the next
    comparison is to be given.
    """

    events: tuple[OrderEvent, ...]
    absent: tuple[str, ...]
    stuck: tuple[str, ...]
    missing: tuple[str, ...]
    differences: tuple[Difference, ...]
    known: Known

    @property
    def clean(self) -> bool:
        """Whether nothing is left that a person must explain."""
        return not any(d.kind in (DifferenceKind.UNEXPLAINED, DifferenceKind.STUCK) for d in self.differences)


def reconcile(
    book: Book,
    orders: Sequence[Order],
    snapshot: AccountSnapshot,
    known: Known,
    settings: ReconcileSettings,
    occasion: Occasion | None = None,
) -> Reconciliation:
    """Compare orders, holdings and cash with a snapshot of the broker.

    Parameters
    ----------
    orders : every order of the day, terminal ones too, and those of days before that are not settled.
    known : ``Reconciliation.known`` of the previous comparison, ``NOTHING_KNOWN`` at first.
    """
    when = occasion or Occasion()
    seen: dict[str, Seen] = {}
    compared = compare_orders(orders, snapshot, known, seen, settings, over=when.over)
    searched = adopt_unknowns(orders, compared, snapshot, settings, over=when.over)
    events = (*compared.events, *searched.events)

    foreign = [row for row in searched.unclaimed if row.order_id.day == day_of(snapshot.at)]
    external = frozenset(row.symbol for row in foreign)
    differences = [*compared.differences, *searched.differences]
    differences += [Difference(DifferenceKind.EXTERNAL, "order", row.symbol, 0, row.quantity) for row in foreign]
    positions = compare_positions(book, orders, snapshot, events, external, known, seen, settings)
    differences += positions
    moving = any(isinstance(event, Filled) for event in events)  # its fees are not in the books yet
    cash = () if moving else compare_cash(book, snapshot, when.turnover, external, known, seen, settings)
    differences += cash

    grounds = Grounds(
        moved=frozenset(difference.symbol for difference in positions),
        cash_agrees=not moving and all(each.kind is DifferenceKind.FEE for each in cash),
        listing=when.listing,
    )
    absent = absences(orders, compared, searched, snapshot, grounds, known, seen, settings)
    shown = known.shown | {row.order_id for row in snapshot.orders}
    return Reconciliation(
        events, absent, searched.stuck, searched.missing, tuple(differences), Known(seen, frozenset(shown))
    )


__all__ = [
    "NOTHING_KNOWN",
    "Difference",
    "DifferenceKind",
    "Known",
    "Occasion",
    "Reconciliation",
    "reconcile",
]
