"""Ours beside the broker's: observe, compare, class, never invent a trade.

The broker's order list is cumulative, so what it shows of *our* orders (matched by its own order id)
is a fact and comes back as order events. An UNKNOWN order is adopted only when exactly one unclaimed
row fits it, and called absent only after ``settle_s``, several complete readings without a row, and
unchanged holdings. Everything else that differs is classed and reported; a difference counts as
unexplained only after several equal readings, since lists lag behind acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from haetae.domain.account import Book
from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    Fill,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Side,
)
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Symbol
from haetae.execution.settings import ReconcileSettings

_PPM = 1_000_000


class DifferenceKind(Enum):
    """Class of a difference; only ``UNEXPLAINED`` and ``STUCK`` freeze anything."""

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
class Reconciliation:
    """What a comparison found.

    ``events`` are facts about our own orders to be recorded, ``absent`` the intents proven absent,
    ``missing`` the unknown intents the list does not show (yet), ``readings`` the count of
    successive equal readings, to be handed to the next call.
    """

    events: tuple[OrderEvent, ...]
    absent: tuple[str, ...]
    missing: tuple[str, ...]
    differences: tuple[Difference, ...]
    readings: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Whether nothing is left that a person must explain."""
        return not any(d.kind in (DifferenceKind.UNEXPLAINED, DifferenceKind.STUCK) for d in self.differences)


def reconcile(
    book: Book,
    orders: Sequence[Order],
    snapshot: AccountSnapshot,
    readings: Mapping[str, int],
    settings: ReconcileSettings,
) -> Reconciliation:
    """Compare today's orders, holdings and cash with a snapshot of the broker.

    Parameters
    ----------
    orders : every order of the day, terminal ones too.
    readings : ``Reconciliation.readings`` of the previous comparison, empty at first.
    """
    rows = {row.order_id: row for row in snapshot.orders}
    ours = {order.order_id: order for order in orders if order.order_id is not None}
    unclaimed = [row for order_id, row in sorted(rows.items(), key=_by_id) if order_id not in ours]
    events: list[OrderEvent] = []
    differences: list[Difference] = []
    for order_id, order in ours.items():
        row = rows.get(order_id)
        if row is not None:
            found, fault = _facts(order, row, snapshot.at)
            events += found
            differences += fault
        elif not order.status.terminal:
            differences.append(Difference(DifferenceKind.LAGGING, "order_list", order.intent.symbol, 1, 0))

    missing: list[str] = []
    for order in orders:
        if order.status is not OrderStatus.UNKNOWN:
            continue
        fitting = [row for row in unclaimed if _fits(order, row, settings)]
        if len(fitting) == 1:
            unclaimed.remove(fitting[0])
            intent_id = order.intent.intent_id
            events.append(Accepted(intent_id, snapshot.at, fitting[0].order_id))
            events += _facts(order, fitting[0], snapshot.at)[0]
        elif fitting:
            differences.append(Difference(DifferenceKind.STUCK, "order", order.intent.symbol, 1, len(fitting)))
        else:
            missing.append(order.intent.intent_id)

    external = {row.symbol for row in unclaimed}
    differences += [Difference(DifferenceKind.EXTERNAL, "order", row.symbol, 0, row.quantity) for row in unclaimed]
    seen: dict[str, int] = {}
    positions = _positions(book, orders, snapshot, events, external, readings, seen, settings)
    differences += positions
    if not any(isinstance(event, Filled) for event in events):
        differences += _cash(book, snapshot, bool(external), readings, seen, settings)

    moved = {difference.symbol for difference in positions}
    absent: list[str] = []
    by_id = {order.intent.intent_id: order for order in orders}
    for intent_id in missing:
        key = f"missing:{intent_id}"
        seen[key] = readings.get(key, 0) + 1
        intent = by_id[intent_id].intent
        old = snapshot.at - intent.at >= settings.settle_s * NS_PER_SECOND
        if old and seen[key] >= settings.lag_reads and intent.symbol not in moved:
            absent.append(intent_id)
    return Reconciliation(tuple(events), tuple(absent), tuple(missing), tuple(differences), seen)


def _by_id(item: tuple[BrokerOrderId, BrokerOrder]) -> tuple[str, str, str]:
    order_id = item[0]
    return order_id.day.isoformat(), order_id.branch, order_id.number


def _facts(order: Order, row: BrokerOrder, at: Instant) -> tuple[list[OrderEvent], list[Difference]]:
    intent = order.intent
    events: list[OrderEvent] = []
    if row.filled < order.filled:
        return [], [Difference(DifferenceKind.UNEXPLAINED, "filled", intent.symbol, order.filled, row.filled)]
    if row.filled > order.filled:
        quantity, amount = row.filled - order.filled, row.amount - order.amount
        if amount < quantity:
            return [], [Difference(DifferenceKind.UNEXPLAINED, "amount", intent.symbol, order.amount, row.amount)]
        fill = Fill(
            row.order_id,
            intent.intent_id,
            intent.symbol,
            intent.side,
            quantity,
            amount // quantity,
            amount,
            row.filled,
            at,
            order.amount,
        )
        events.append(Filled(intent.intent_id, at, fill))
    if row.open_quantity == 0 and row.filled < order.quantity and not order.status.terminal:
        events.append(Canceled(intent.intent_id, at, row.filled))
    return events, []


def _fits(order: Order, row: BrokerOrder, settings: ReconcileSettings) -> bool:
    intent = order.intent
    same = (row.symbol, row.side, row.quantity) == (intent.symbol, intent.side, order.quantity)
    priced = intent.limit_price == 0 or row.limit_price == intent.limit_price
    earliest = intent.at - settings.adopt_before_s * NS_PER_SECOND
    latest = order.updated_at + settings.adopt_after_s * NS_PER_SECOND
    return same and priced and earliest <= row.at <= latest


def _believed(key: str, readings: Mapping[str, int], seen: dict[str, int], settings: ReconcileSettings) -> bool:
    seen[key] = readings.get(key, 0) + 1
    return seen[key] >= settings.lag_reads


def _positions(
    book: Book,
    orders: Sequence[Order],
    snapshot: AccountSnapshot,
    events: Sequence[OrderEvent],
    external: set[Symbol],
    readings: Mapping[str, int],
    seen: dict[str, int],
    settings: ReconcileSettings,
) -> list[Difference]:
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
        in_flight = sum(order.open_quantity for order in mine_today)
        if symbol in external:
            kind = DifferenceKind.EXTERNAL
        elif abs(mine - theirs) <= in_flight:
            kind = DifferenceKind.LAGGING
        elif not mine_today and mine > 0 and theirs > 0 and (theirs % mine == 0 or mine % theirs == 0):
            kind = DifferenceKind.CORPORATE_ACTION
        elif _believed(f"position:{symbol}:{mine}:{theirs}", readings, seen, settings):
            kind = DifferenceKind.UNEXPLAINED
        else:
            kind = DifferenceKind.LAGGING
        found.append(Difference(kind, "position", symbol, mine, theirs))
    return found


def _cash(
    book: Book,
    snapshot: AccountSnapshot,
    external: bool,  # noqa: FBT001 - private, one caller
    readings: Mapping[str, int],
    seen: dict[str, int],
    settings: ReconcileSettings,
) -> list[Difference]:
    gap = abs(book.cash - snapshot.cash)
    if gap == 0:
        return []
    turnover = book.bought + book.sold
    tolerance = max(settings.fee_tolerance_won, turnover * settings.fee_tolerance_ppm // _PPM)
    if external:
        kind = DifferenceKind.EXTERNAL
    elif gap <= tolerance:
        kind = DifferenceKind.FEE
    elif _believed(f"cash:{book.cash}:{snapshot.cash}", readings, seen, settings):
        kind = DifferenceKind.UNEXPLAINED
    else:
        kind = DifferenceKind.LAGGING
    return [Difference(kind, "cash", "", book.cash, snapshot.cash)]
