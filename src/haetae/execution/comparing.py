"""The parts of a comparison with the broker: its rows beside our orders, holdings beside holdings, cash beside cash.

The broker's order list is cumulative, so what it shows of *our* orders (matched by its own order id) is a fact and
comes back as order events. Everything else that differs is classed; a difference counts as unexplained only after
several equal readings that lie some time apart, since lists lag behind acceptance.

Not here: how an order of unknown fate is looked for (``unknowns``), the whole (``reconcile``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from haetae.domain.account import Book
from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import (
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    Expired,
    Fill,
    Filled,
    Order,
    OrderEvent,
    Rejected,
    Replaced,
    Side,
)
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Symbol, Won
from haetae.execution.settings import ReconcileSettings

_PPM = 1_000_000

Seen = tuple[int, Instant]
"""How many successive readings said the same, and when the first of them was."""


class DifferenceKind(Enum):
    """Class of a difference; ``UNEXPLAINED`` halts the desk, ``LAGGING`` settles itself, the others need a person."""

    LAGGING = "lagging"
    EXTERNAL = "external"
    CORPORATE_ACTION = "corporate_action"
    FEE = "fee"
    STUCK = "stuck"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference with both sides; ``symbol`` is empty for cash."""

    kind: DifferenceKind
    what: str
    symbol: Symbol
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the readings before said: counts of equal ones, and every order number that was ever shown."""

    readings: Mapping[str, Seen]
    shown: frozenset[BrokerOrderId]


NOTHING_KNOWN = Known({}, frozenset())
"""Before the first reading."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A snapshot beside our orders: which rows are ours, what they tell, and which rows are nobody's.

    ``whole`` says that the list shows every order that it showed before: one that does not proves nothing.
    """

    events: tuple[OrderEvent, ...]
    differences: tuple[Difference, ...]
    unclaimed: tuple[BrokerOrder, ...]
    whole: bool


def compare_orders(
    orders: Sequence[Order],
    snapshot: AccountSnapshot,
    known: Known,
    seen: dict[str, Seen],
    settings: ReconcileSettings,
    *,
    over: frozenset[dt.date],
) -> Comparison:
    """Return what the broker's rows say about the orders it has named.

    Parameters
    ----------
    orders : every order of the day, terminal ones too, and those of a day before that are not settled.
    known : what the readings before said.
    seen : counts of this reading, added to.
    over : days that have ended: what is left of their orders has expired.
    """
    rows = {row.order_id: row for row in snapshot.orders}
    followers = {row.original: row for row in snapshot.orders if row.original is not None}
    claimed: set[BrokerOrderId] = set()
    whole = True
    events: list[OrderEvent] = []
    differences: list[Difference] = []
    for order in orders:
        if order.order_id is None:
            continue
        row = rows.get(order.order_id)
        if row is not None and row.original is None and order.order_id not in followers:
            chain = [row]  # of most orders the only one
            claimed.add(row.order_id)
        else:
            newest = _newest(order.order_id, followers)
            chain = _chain(newest, rows)
            claimed.update((order.order_id, *_links(newest, rows)))
        if chain:
            over_now = chain[-1].order_id.day in over
            unsaid = not over_now and not order.status.terminal and ended_unsaid(chain[-1])
            believed = unsaid and _long_unsaid(order, snapshot.at, known, seen, settings)
            found, fault = facts(order, chain, snapshot.at, over=over_now, believed=believed)
            events += found
            differences += fault
        elif was_read(order.order_id.day, snapshot):
            whole = False
            if not order.status.terminal:
                differences.append(_hidden(order, snapshot.at, known, seen, settings))
    unclaimed = tuple(row for row in snapshot.orders if row.order_id not in claimed)
    whole = whole and all(number in rows for number in known.shown if was_read(number.day, snapshot))
    return Comparison(tuple(events), tuple(differences), unclaimed, whole)


def was_read(day: dt.date, snapshot: AccountSnapshot) -> bool:
    """Whether a snapshot holds the orders of a day."""
    return not snapshot.days or day in snapshot.days


def _newest(number: BrokerOrderId, followers: Mapping[BrokerOrderId, BrokerOrder]) -> BrokerOrderId:
    """Return the number an order has now: a changed price makes a new one that names the old as its original."""
    passed: set[BrokerOrderId] = set()
    while number in followers and number not in passed:
        passed.add(number)
        number = followers[number].order_id
    return number


def _links(number: BrokerOrderId, rows: Mapping[BrokerOrderId, BrokerOrder]) -> list[BrokerOrderId]:
    """Return the numbers an order has had, newest first, as far as the rows tell."""
    found = [number]
    while (row := rows.get(found[-1])) is not None and row.original is not None and row.original not in found:
        found.append(row.original)
    return found


def _chain(number: BrokerOrderId, rows: Mapping[BrokerOrderId, BrokerOrder]) -> list[BrokerOrder]:
    """Return the rows of all numbers of an order, oldest first; none where one of them is not shown."""
    links = _links(number, rows)
    return [rows[link] for link in reversed(links)] if all(link in rows for link in links) else []


def continued(first: BrokerOrder, rows: Sequence[BrokerOrder]) -> list[BrokerOrder]:
    """Return an order's first row and those it went on as at other prices, oldest first."""
    followers = {row.original: row for row in rows if row.original is not None}
    chain = [first]
    while (row := followers.pop(chain[-1].order_id, None)) is not None:
        chain.append(row)
    return chain


def facts(
    order: Order, chain: Sequence[BrokerOrder], at: Instant, *, over: bool, believed: bool = False
) -> tuple[list[OrderEvent], list[Difference]]:
    """Return what the rows of one order say that it has not been told: its number, executions, its end.

    A row with nothing open that says neither that it was cancelled nor refused may live on under a number that the list
    does not show yet: that is no end until the day is over, or it is ``believed`` for having stayed so.

    A cumulative quantity that fell, or an amount that cannot be paid for it, is a difference and tells nothing else.
    """
    intent, newest = order.intent, chain[-1]
    events: list[OrderEvent] = []
    filled, amount = sum(row.filled for row in chain), sum(row.amount for row in chain)
    if filled < order.filled:
        return [], [Difference(DifferenceKind.UNEXPLAINED, "filled", intent.symbol, order.filled, filled)]
    if amount - order.amount < filled - order.filled:
        return [], [Difference(DifferenceKind.UNEXPLAINED, "amount", intent.symbol, order.amount, amount)]
    if order.order_id is not None and newest.order_id != order.order_id and not order.status.terminal:
        events.append(Replaced(intent.intent_id, at, newest.order_id, newest.limit_price))
    if filled > order.filled:
        quantity, paid = filled - order.filled, amount - order.amount
        fill = Fill(
            order_id=newest.order_id,
            intent_id=intent.intent_id,
            symbol=intent.symbol,
            side=intent.side,
            quantity=quantity,
            price=paid // quantity,
            amount=paid,
            cumulative=filled,
            at=at,
            amount_before=order.amount,
        )
        events.append(Filled(intent.intent_id, at, fill))
    ended = over or (newest.open_quantity == 0 and (believed or not ended_unsaid(newest)))
    if ended and filled < order.quantity and not order.status.terminal:
        events.append(_end(order, newest, filled, at, over=over))
    return events, []


def ended_unsaid(newest: BrokerOrder) -> bool:
    """Whether nothing of a row is open, not all of it was executed, and it does not say how it ended."""
    left = newest.quantity - newest.filled
    return newest.open_quantity == 0 and left > 0 and newest.canceled == 0 and newest.refused == 0


def _long_unsaid(order: Order, at: Instant, known: Known, seen: dict[str, Seen], settings: ReconcileSettings) -> bool:
    """Whether an end was left unsaid for longer than a list may hide the number that an order goes on under."""
    _, since = counted(f"unsaid:{order.intent.intent_id}", at, known, seen)
    return at - since >= settings.hidden_s * NS_PER_SECOND


def _end(order: Order, newest: BrokerOrder, filled: Shares, at: Instant, *, over: bool) -> OrderEvent:
    intent_id = order.intent.intent_id
    if newest.refused > 0 and filled == 0:
        return Rejected(intent_id, at, "EXCHANGE", "refused by the exchange after the broker took it")
    if over and newest.canceled == 0:
        return Expired(intent_id, at, filled)
    return Canceled(intent_id, at, filled)


def _hidden(order: Order, at: Instant, known: Known, seen: dict[str, Seen], settings: ReconcileSettings) -> Difference:
    """Return the class of an order that the broker named and does not list: it lags, and then it needs a person."""
    count = counted(f"hidden:{order.intent.intent_id}", at, known, seen)
    lost = at - count[1] >= settings.hidden_s * NS_PER_SECOND
    kind = DifferenceKind.STUCK if lost else DifferenceKind.LAGGING
    return Difference(kind, "order_list", order.intent.symbol, 1, 0)


def counted(key: str, at: Instant, known: Known, seen: dict[str, Seen]) -> Seen:
    """Count one more reading that says the same, and return the count."""
    count, since = known.readings.get(key, (0, at))
    seen[key] = count + 1, since
    return seen[key]


def _believed(key: str, at: Instant, known: Known, seen: dict[str, Seen], settings: ReconcileSettings) -> bool:
    count, since = counted(key, at, known, seen)
    return count >= settings.lag_reads and at - since >= settings.lag_s * NS_PER_SECOND


def compare_positions(
    book: Book,
    orders: Sequence[Order],
    snapshot: AccountSnapshot,
    events: Sequence[OrderEvent],
    external: frozenset[Symbol],
    known: Known,
    seen: dict[str, Seen],
    settings: ReconcileSettings,
) -> tuple[Difference, ...]:
    """Return where holdings differ, after the executions this very reading told.

    Parameters
    ----------
    external : symbols of which the list shows orders that are not ours.
    """
    expected: dict[Symbol, Shares] = {symbol: book.quantity(symbol) for symbol in book.positions}
    for event in events:
        if isinstance(event, Filled):
            signed = event.fill.quantity if event.fill.side is Side.BUY else -event.fill.quantity
            expected[event.fill.symbol] = expected.get(event.fill.symbol, 0) + signed
    found: list[Difference] = []
    for symbol in sorted({*expected, *snapshot.positions}):
        mine, theirs = expected.get(symbol, 0), snapshot.positions.get(symbol, 0)
        if mine == theirs:
            continue
        mine_today = [order for order in orders if order.intent.symbol == symbol]
        key = f"position:{symbol}:{mine}:{theirs}"
        if symbol in external:
            kind = DifferenceKind.EXTERNAL
        elif not mine_today and mine > 0 and theirs > 0 and (theirs % mine == 0 or mine % theirs == 0):
            kind = DifferenceKind.CORPORATE_ACTION
        elif _believed(key, snapshot.at, known, seen, settings) and not _on_its_way(mine_today, mine, theirs):
            kind = DifferenceKind.UNEXPLAINED
        else:
            kind = DifferenceKind.LAGGING
        found.append(Difference(kind, "position", symbol, mine, theirs))
    return tuple(found)


def _on_its_way(orders: Sequence[Order], mine: Shares, theirs: Shares) -> bool:
    """Whether orders of unknown fate can explain the difference; what the broker named, its list would tell."""
    side = Side.BUY if theirs > mine else Side.SELL
    doubtful = (o.open_quantity for o in orders if o.intent.side is side and o.order_id is None)
    return abs(theirs - mine) <= sum(doubtful)


def compare_cash(
    book: Book,
    snapshot: AccountSnapshot,
    turnover: Won,
    external: frozenset[Symbol],
    known: Known,
    seen: dict[str, Seen],
    settings: ReconcileSettings,
) -> tuple[Difference, ...]:
    """Return how the broker's cash differs from ours, if it does.

    Parameters
    ----------
    turnover : won
        What was bought and sold since the two last agreed: fees and taxes of that much may have been rounded.
    """
    gap = abs(book.cash - snapshot.cash)
    if gap == 0:
        return ()
    tolerance = max(settings.fee_tolerance_won, turnover * settings.fee_tolerance_ppm // _PPM)
    if external:
        kind = DifferenceKind.EXTERNAL
    elif gap <= tolerance:
        kind = DifferenceKind.FEE
    elif _believed(f"cash:{book.cash}:{snapshot.cash}", snapshot.at, known, seen, settings):
        kind = DifferenceKind.UNEXPLAINED
    else:
        kind = DifferenceKind.LAGGING
    return (Difference(kind, "cash", "", book.cash, snapshot.cash),)
