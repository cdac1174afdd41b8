"""What the broker adapter remembers of each order it is following, and what a reading of the day's rows says.

Here: `Working`, and the fold of cumulative order rows into new events (fills exactly once, by differences of
cumulative quantity and amount; cancels, refusals, expiry; adoption of an order whose send ended unknown). Not here:
calls and timing (`broker`). Pure: the instant comes in, events go out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    Expired,
    Fill,
    Filled,
    OrderEvent,
    Rejected,
    Replaced,
    Side,
)
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Symbol, Won, instant_at
from haetae.kis.wire.calls import orders as calls
from haetae.kis.wire.envelope import Reply

_TR = "inquire-daily-ccld"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row of the day's orders, cumulative; ``number`` and ``original`` are order numbers as integers."""

    number: int
    original: int
    branch: str
    symbol: Symbol
    side: Side
    quantity: Shares
    limit_price: Won
    filled: Shares
    amount: Won
    left: Shares
    canceled: Shares
    refused: Shares
    clock: int
    is_cancel: bool

    def broker_order(self, day: dt.date) -> BrokerOrder:
        """Return the row in the words of the domain."""
        return BrokerOrder(
            order_id=BrokerOrderId(day, self.branch, str(self.number)),
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            filled=self.filled,
            amount=self.amount,
            open_quantity=self.left,
            limit_price=self.limit_price,
            at=instant_at(day, self.clock),
            original=BrokerOrderId(day, self.branch, str(self.original)) if self.original else None,
            canceled=self.canceled,
            refused=self.refused,
        )


class Rows:
    """The order rows of days as they were read last; a row that comes as it came before is not read again.

    A day's list is cumulative, and most of it has ended: of a hundred rows few change between two readings.
    """

    def __init__(self) -> None:
        """Know no row."""
        self._known: dict[dt.date, dict[str, tuple[Mapping[str, str], OrderRow, BrokerOrder]]] = {}

    def read(self, replies: list[Reply], day: dt.date) -> dict[int, OrderRow]:
        """Return the rows of all pages by order number; raises ``WireError`` where one does not parse."""
        before, now = self._known.get(day, {}), {}
        for reply in replies:
            for raw in reply.raw(calls.OrderRow):
                name = raw.get("odno", "?")
                known = before.get(name)
                if known is None or known[0] != raw:
                    row = _read_row(raw, name)
                    known = raw, row, row.broker_order(day)
                now[name] = known
        self._known = {old: rows for old, rows in self._known.items() if old >= day} | {day: now}
        return {row.number: row for _, row, _ in now.values()}

    def orders(self, day: dt.date) -> tuple[BrokerOrder, ...]:
        """Return the rows of a day as read last in the words of the domain, by number; cancels are no orders."""
        found = {row.number: (row, order) for _, row, order in self._known[day].values()}
        return tuple(order for _, (row, order) in sorted(found.items()) if not row.is_cancel)


def _read_row(raw: Mapping[str, str], name: str) -> OrderRow:
    row = calls.OrderRow.of(raw, tr=_TR, about=f"order {name} of {raw.get('pdno', '?')}")
    label = row.sll_buy_dvsn_cd_name
    return OrderRow(
        number=row.odno,
        original=row.orgn_odno,
        branch=row.ord_gno_brno.strip(),
        symbol=row.pdno,
        side=Side.SELL if row.sll_buy_dvsn_cd == "01" else Side.BUY,
        quantity=row.ord_qty,
        limit_price=row.ord_unpr,
        filled=row.tot_ccld_qty,
        amount=row.tot_ccld_amt,
        left=row.rmn_qty,
        canceled=row.cnc_cfrm_qty,
        refused=row.rjct_qty,
        clock=row.ord_tmd,
        is_cancel=bool(row.orgn_odno) and ("취소" in label or "CANCEL" in label.upper()),
    )


@dataclass(slots=True)
class Working:
    """One order under way. ``numbers`` are all its order numbers, the newest last (a change makes a new one).

    ``filled`` and ``amount`` are cumulative over all numbers and already told. ``known`` holds the order numbers
    that existed before the send, so that an unknown order is only found among new rows.
    """

    intent_id: str
    symbol: Symbol
    side: Side
    quantity: Shares
    limit_price: Won
    sent_at: Instant
    numbers: list[int] = field(default_factory=list)
    order_id: BrokerOrderId | None = None
    filled: Shares = 0
    amount: Won = 0
    unknown: bool = False
    known: frozenset[int] = frozenset()
    done: bool = False
    contradicted: bool = False

    @property
    def open(self) -> bool:
        """Whether anything more may be told about it."""
        return not self.done and (self.unknown or bool(self.numbers))

    def name(self, order_id: BrokerOrderId) -> None:
        """Take a number of the broker."""
        self.order_id = order_id
        number = int(order_id.number)
        if number not in self.numbers:  # a reading may have found it before the answer came
            self.numbers.append(number)
        self.unknown = False

    def adopt(
        self, found: Mapping[int, OrderRow], claimed: set[int], day: dt.date, *, skew_s: int, within_s: int
    ) -> OrderRow | None:
        """Return the one new row that can only be this order, None if there is none or more than one.

        Its time lies between ``skew_s`` before the send and ``within_s`` after it.
        """
        earliest = self.sent_at - skew_s * NS_PER_SECOND
        latest = self.sent_at + within_s * NS_PER_SECOND
        fits = [
            row
            for row in found.values()
            if row.number not in claimed
            and row.number not in self.known
            and not row.original
            and (row.symbol, row.side, row.quantity) == (self.symbol, self.side, self.quantity)
            and row.limit_price == self.limit_price
            and earliest < instant_at(day, row.clock) + NS_PER_SECOND
            and instant_at(day, row.clock) <= latest
        ]
        return fits[0] if len(fits) == 1 else None

    def tell(
        self, found: Mapping[int, OrderRow], now: Instant, filled_at: Instant, *, closed: bool
    ) -> list[OrderEvent]:
        """Return what a complete reading says that was not told yet.

        Parameters
        ----------
        found : mapping
            All rows of the day by number. A number of this order that is absent tells nothing.
        filled_at : instant
            Time of the newest notice of an execution, or ``now``.
        closed : bool
            Whether the session is over, so that what is left has expired.
        """
        if self.done or not self.numbers or self.order_id is None:
            return []
        before = self.order_id
        chain = self._chain(found)
        if not chain:
            return []
        filled, amount = sum(row.filled for row in chain), sum(row.amount for row in chain)
        if filled < self.filled or amount < self.amount:
            self.contradicted = True
            return []
        events: list[OrderEvent] = []
        if self.order_id != before:
            self.limit_price = chain[-1].limit_price
            events.append(Replaced(self.intent_id, now, self.order_id, self.limit_price))
        if filled > self.filled:
            quantity, paid = filled - self.filled, amount - self.amount
            fill = Fill(
                order_id=self.order_id,
                intent_id=self.intent_id,
                symbol=self.symbol,
                side=self.side,
                quantity=quantity,
                price=max(1, paid // quantity),
                amount=paid,
                cumulative=filled,
                at=filled_at,
                amount_before=self.amount,
            )
            events.append(Filled(self.intent_id, now, fill))
            self.filled, self.amount = filled, amount
        is_open = any(row.left > 0 for row in chain) and not closed  # a change of a part leaves the rest as it was
        ended = None if is_open else self._ended(chain[-1], now, closed=closed)
        if ended is not None:
            events.append(ended)
        self.done = ended is not None or filled >= self.quantity
        return events

    def _chain(self, found: Mapping[int, OrderRow]) -> list[OrderRow]:
        """Return the rows of all numbers, oldest first; empty where one is not visible yet.

        After a restart only the newest number is known; the older ones are followed through the originals.
        """
        first = found.get(self.numbers[0])
        while first is not None and first.original:
            self.numbers.insert(0, first.original)
            first = found.get(first.original)
        while self.order_id is not None and (following := self._changed_by_hand(found)) is not None:
            self.name(BrokerOrderId(self.order_id.day, following.branch, str(following.number)))
        chain = [found[number] for number in self.numbers if number in found]
        return chain if len(chain) == len(self.numbers) else []

    def _changed_by_hand(self, found: Mapping[int, OrderRow]) -> OrderRow | None:
        """Return the row under which somebody else's change let the newest number go on, None where nobody did."""
        newest = self.numbers[-1]
        return next(
            (
                row
                for row in found.values()
                if row.original == newest and not row.is_cancel and row.number not in self.numbers
            ),
            None,
        )

    def _ended(self, newest: OrderRow, now: Instant, *, closed: bool) -> OrderEvent | None:
        if self.filled >= self.quantity or (newest.left > 0 and not closed):
            return None
        said = newest.canceled > 0 or newest.refused > 0 or newest.filled >= newest.quantity
        if not said and not closed:
            return None  # it may live on under a number that the list does not show yet
        if newest.refused > 0 and newest.filled == 0:
            return Rejected(self.intent_id, now, "EXCHANGE", "refused by the exchange after the broker took it")
        if newest.canceled > 0:
            return Canceled(self.intent_id, now, self.filled)
        return Expired(self.intent_id, now, self.filled)

    def accepted(self, row: OrderRow, day: dt.date, now: Instant) -> Accepted:
        """Take a row as this order and return the event that says so."""
        self.name(BrokerOrderId(day, row.branch, str(row.number)))
        assert self.order_id is not None
        return Accepted(self.intent_id, now, self.order_id)
