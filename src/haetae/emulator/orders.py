"""Records of an emulated account: order numbers, executions, corporate lines, notices.

Not here: what makes them (``accounts``, ``entitlements``). Figures are shares and won.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

from haetae.domain.orders import Fill, Side
from haetae.domain.units import Instant, Shares, Symbol, Won, hhmmss_of
from haetae.kis.wire.records import NoticeRecord


@dataclass(slots=True)
class OrderRow:
    """One order number of a day as the broker shows it.

    A modified order lives on in a new row (``original`` names the old one) that counts executions from 0; a part
    that is modified or cancelled leaves the rest under the old number. A cancel request has a row of its own with
    ``change`` "2". ``trigger`` is the condition of a stop order.
    """

    day: dt.date
    number: int
    branch: str
    symbol: Symbol
    side: Side
    quantity: Shares
    price: Won
    kind: str
    at: Instant
    app_key: str
    intent_id: str
    original: int = 0
    change: str = "0"
    filled: Shares = 0
    amount: Won = 0
    charges: Won = 0
    canceled: Shares = 0
    moved: Shares = 0
    rejected: Shares = 0
    working: bool = True
    trigger: Won = 0
    shown: tuple[tuple[object, ...], str] = field(default=((), ""), repr=False, compare=False)
    """Its text in the list of a day, and the state that this is the text of."""

    @property
    def state(self) -> tuple[object, ...]:
        """Everything about it that can change."""
        return (
            self.quantity, self.price, self.original, self.change, self.filled, self.amount, self.canceled,
            self.moved, self.rejected, self.working,
        )  # fmt: skip

    @property
    def remaining(self) -> Shares:
        """Shares that may still be executed under this number."""
        return self.quantity - self.filled - self.canceled - self.moved if self.working else 0


@dataclass(frozen=True, slots=True)
class Execution:
    """One line of the ledger.

    ``realized`` is the profit of a sale after all costs, 0 for a purchase; ``held`` are the shares held after it.
    """

    day: dt.date
    number: int
    branch: str
    symbol: Symbol
    side: Side
    quantity: Shares
    price: Won
    fee: Won
    tax: Won
    at: Instant
    cash_after: Won
    realized: Won
    held: Shares


@dataclass(frozen=True, slots=True)
class CorporateLine:
    """One line of the ledger without a trade: shares and money that a corporate action or a transfer moved.

    ``shares`` are those of ``symbol`` that came (negative: left), ``amount`` is net of ``tax``.
    """

    day: dt.date
    symbol: Symbol
    kind: str
    shares: Shares
    amount: Won
    tax: Won
    cash_after: Won


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice for the WebSocket sessions of the app key that placed the order."""

    app_key: str
    record: NoticeRecord


def notice_of(
    row: OrderRow, account: str, name: str, at: Instant, *, quantity: Shares, price: Won = 0, executed: bool = False,
    refused: bool = False, acceptance: str = "",
) -> NoticeRecord:  # fmt: skip
    """Return the notice of what happened to an order row; ``quantity`` is the order's in receipts."""
    return NoticeRecord(
        customer=row.app_key[:8],
        account=account,
        number=row.number,
        original=row.original,
        side=row.side,
        symbol=row.symbol,
        quantity=quantity,
        price=price,
        clock=hhmmss_of(at),
        executed=executed,
        order_quantity=row.quantity,
        order_price=row.price,
        change=row.change,
        kind=row.kind,
        refused=refused,
        acceptance=acceptance or ("2" if executed or row.change != "0" else "1"),
        branch=row.branch,
        name=name,
    )


def parts_of(fill: Fill, sizes: tuple[Shares, ...]) -> list[Fill]:
    """Return a fill in parts of these sizes, the rest last; their charges add up to those of the whole."""
    wanted = [size for size in sizes if size > 0]
    if not wanted or sum(wanted) >= fill.quantity:
        return [fill]
    found, done, before = [], fill.cumulative - fill.quantity, fill.amount_before
    for size in [*wanted, fill.quantity - sum(wanted)]:
        done += size
        amount = size * fill.price
        found.append(replace(fill, quantity=size, amount=amount, cumulative=done, amount_before=before))
        before += amount
    return found
