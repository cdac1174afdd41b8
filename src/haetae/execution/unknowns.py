"""Orders of unknown fate: found again when exactly one row can be theirs, absent only on proof, else a person's matter.

Nothing is concluded from time alone. A row can be ours when nobody claims it, it was not there before we sent, and
name, side, quantity, price and time agree. Absence needs all of: ``settle_s`` since the outcome became unknown,
``lag_reads`` successive complete readings of a list that still shows everything it showed before, holdings of the
name and cash as expected, and no money reserved at the broker that the open buys it shows do not explain. An empty list
outside trading hours proves nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import Accepted, BrokerOrder, Order, OrderEvent, OrderStatus, Side
from haetae.domain.units import NS_PER_SECOND, Shares, Symbol, Won, day_of
from haetae.execution.comparing import (
    Comparison,
    Difference,
    DifferenceKind,
    Known,
    Seen,
    continued,
    counted,
    ended_unsaid,
    facts,
    was_read,
)
from haetae.execution.settings import ReconcileSettings

_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Grounds:
    """What else of a reading may prove an absence.

    ``moved`` are names whose holdings differ; ``cash_agrees`` says that cash does but for rounding, ``listing`` that
    it is a time at which an empty list can be believed.
    """

    moved: frozenset[Symbol]
    cash_agrees: bool
    listing: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What became of the unknown orders: events of those found, intent ids of the others, rows nobody claims."""

    events: tuple[OrderEvent, ...]
    absent: tuple[str, ...]
    stuck: tuple[str, ...]
    missing: tuple[str, ...]
    differences: tuple[Difference, ...]
    unclaimed: tuple[BrokerOrder, ...]


def adopt_unknowns(
    orders: Sequence[Order], compared: Comparison, snapshot: AccountSnapshot, settings: ReconcileSettings, *,
    over: frozenset[dt.date],
) -> Search:  # fmt: skip
    """Return the unknown orders that rows can be found for; an order that was given up for absent may turn up late."""
    unclaimed = list(compared.unclaimed)
    events: list[OrderEvent] = []
    stuck: list[str] = []
    missing: list[str] = []
    differences: list[Difference] = []
    for order in sorted(orders, key=lambda each: each.status is OrderStatus.ABSENT):
        lost = order.status is OrderStatus.ABSENT and order.order_id is None
        if not (order.status.doubtful or lost):
            continue
        name = order.intent.intent_id
        fitting = [row for row in unclaimed if fits(order, row, settings)]
        ends = {_end(row, snapshot.orders, over) for row in fitting} if len(fitting) > 1 else set()
        if len(ends) == 1 and None not in ends:
            fitting = fitting[:1]  # whichever it was: each has ended, and they traded the same
        if len(fitting) == 1:
            number = fitting[0].order_id
            chain = continued(fitting[0], snapshot.orders)
            unclaimed = [row for row in unclaimed if row not in chain]
            events.append(Accepted(name, snapshot.at, number))
            events += facts(replace(order, order_id=number), chain, snapshot.at, over=number.day in over)[0]
        elif fitting:
            differences.append(Difference(DifferenceKind.STUCK, "order", order.intent.symbol, 1, len(fitting)))
            if order.status is OrderStatus.UNKNOWN:
                stuck.append(name)
        elif not lost:
            missing.append(name)
    return Search(tuple(events), (), tuple(stuck), tuple(missing), tuple(differences), tuple(unclaimed))


def fits(order: Order, row: BrokerOrder, settings: ReconcileSettings) -> bool:
    """Whether a row nobody claims can be this order of unknown fate."""
    intent = order.intent
    same = (row.symbol, row.side, row.quantity) == (intent.symbol, intent.side, order.quantity)
    priced = intent.limit_price == 0 or row.limit_price == intent.limit_price
    earliest = intent.at - settings.adopt_before_s * NS_PER_SECOND
    latest = order.updated_at + settings.adopt_after_s * NS_PER_SECOND
    fresh = row.original is None and row.order_id not in order.known
    return same and priced and fresh and earliest <= row.at <= latest and day_of(intent.at) == row.order_id.day


def _end(row: BrokerOrder, rows: Sequence[BrokerOrder], over: frozenset[dt.date]) -> tuple[Shares, Won] | None:
    """Return what an order traded that can trade no more, ``None`` of one that still can."""
    chain = continued(row, rows)
    if (chain[-1].open_quantity or ended_unsaid(chain[-1])) and row.order_id.day not in over:
        return None
    return sum(each.filled for each in chain), sum(each.amount for each in chain)


def absences(
    orders: Sequence[Order],
    compared: Comparison,
    searched: Search,
    snapshot: AccountSnapshot,
    grounds: Grounds,
    known: Known,
    seen: dict[str, Seen],
    settings: ReconcileSettings,
) -> tuple[str, ...]:
    """Return the intents of which this reading completes the proof that the broker never took them."""
    by_name = {order.intent.intent_id: order for order in orders}
    proven: list[str] = []
    for name in searched.missing:
        order = by_name[name]
        if not (compared.whole and _is_ground(order, snapshot, grounds, settings)):
            continue  # the count begins anew
        count, _ = counted(f"missing:{name}", snapshot.at, known, seen)
        old = snapshot.at - order.updated_at >= settings.settle_s * NS_PER_SECOND
        if old and count >= settings.lag_reads:
            proven.append(name)
    return tuple(proven)


def _is_ground(order: Order, snapshot: AccountSnapshot, grounds: Grounds, settings: ReconcileSettings) -> bool:
    day = day_of(order.intent.at)
    if not was_read(day, snapshot) or not grounds.cash_agrees or order.intent.symbol in grounds.moved:
        return False
    listed = any(row.order_id.day == day for row in snapshot.orders)
    if not listed and not grounds.listing:
        return False
    unexplained = snapshot.cash - _reserved(snapshot) - snapshot.orderable
    allowed = max(settings.fee_tolerance_won, snapshot.cash * settings.orderable_ppm // _PPM)
    value = order.open_quantity * order.intent.limit_price
    return unexplained <= (min(allowed, value // 2) if order.intent.side is Side.BUY and value else allowed)


def _reserved(snapshot: AccountSnapshot) -> Won:
    """Return what the buys that a reading itself shows open hold, whosever they are.

    Not what our orders say: this very reading may have found one of them, or its end. Of a day before nothing holds.
    """
    today = (row for row in snapshot.orders if row.order_id.day == day_of(snapshot.at))
    return sum(row.open_quantity * row.limit_price for row in today if row.side is Side.BUY)
