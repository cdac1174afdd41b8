"""Nouns of orders: intent, cleared order, order life events, fills.

An ``OrderIntent`` becomes a ``ClearedOrder`` only through ``guards.review``; drivers send cleared
orders only. A timeout is never a rejection: ``OutcomeUnknown`` keeps the order in flight until
reconciliation says otherwise. Prices are won, quantities are shares, instants are UTC nanoseconds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won


class Side(Enum):
    """Buy or sell; long-only cash account, so a sell never opens a position."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(Enum):
    """Price type of an order."""

    LIMIT = "limit"
    MARKET = "market"

    __hash__ = object.__hash__  # one object each, as with `OrderStatus`


class TimeInForce(Enum):
    """How long an order rests."""

    DAY = "day"
    IOC = "ioc"
    FOK = "fok"


_TERMINAL = frozenset({"denied", "refused", "rejected", "filled", "canceled", "expired", "absent"})
_RESTING = frozenset({"working", "partial"})
_DOUBTFUL = frozenset({"unknown", "stuck"})


class OrderStatus(Enum):
    """State of an order's life; the last seven are terminal: no further event is expected.

    ``WORKING`` and ``PARTIAL`` (some of it is executed) rest at the broker. ``UNKNOWN`` may or may not have reached
    it, ``STUCK`` is an unknown that only a person or the next morning's figures can settle. ``LATE_FILL`` was ended
    and was then told of again: it lives or has traded after all, and is open until the broker says what is left.
    """

    NEW = "new"
    GUARDED = "guarded"
    SENDING = "sending"
    UNKNOWN = "unknown"
    STUCK = "stuck"
    WORKING = "working"
    PARTIAL = "partial"
    CANCEL_PENDING = "cancel_pending"
    LATE_FILL = "late_fill"
    DENIED = "denied"
    REFUSED = "refused"
    REJECTED = "rejected"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    ABSENT = "absent"

    def __init__(self, state: str) -> None:
        """Know from the start what kind of state it is: everything that looks at an order asks."""
        self.terminal = state in _TERMINAL
        self.resting = state in _RESTING
        self.doubtful = state in _DOUBTFUL

    __hash__ = object.__hash__  # each state is one object; hashing its name is what lookups by state would pay for


@made_often
@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What the desk wants done, before the guards.

    ``intent_id`` is a hash of account, session date, decision, symbol, side and leg, so the same
    decision retried gives the same id. ``limit_price`` is 0 for market orders. ``escape`` marks orders of
    the volatility escape, which skip the guards that protect entries only.
    """

    intent_id: str
    decision_id: str
    symbol: Symbol
    side: Side
    quantity: Shares
    kind: OrderKind
    limit_price: Won
    at: Instant
    time_in_force: TimeInForce = TimeInForce.DAY
    escape: bool = False

    def __post_init__(self) -> None:
        """Refuse what no order can be."""
        if self.quantity <= 0:
            raise ValueError(f"intent {self.intent_id}: quantity {self.quantity} is not positive")
        if (self.kind is OrderKind.LIMIT) != (self.limit_price > 0):
            raise ValueError(f"intent {self.intent_id}: limit price {self.limit_price} does not fit {self.kind}")


@made_often
@dataclass(frozen=True, slots=True)
class ClearedOrder:
    """An intent the guards let through, with the quantity they left; made by ``guards`` only."""

    intent: OrderIntent
    quantity: Shares
    cleared_at: Instant
    guard_codes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Nothing after the guards enlarges an order."""
        if not 0 < self.quantity <= self.intent.quantity:
            raise ValueError(f"cleared quantity {self.quantity} of intent {self.intent.intent_id} is out of range")


@made_often
@dataclass(frozen=True, slots=True)
class BrokerOrderId:
    """The broker's name of an order: unique per business day and branch (KIS reuses numbers daily)."""

    day: dt.date
    branch: str
    number: str


@made_often
@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, or the merged executions between two cumulative readings.

    ``cumulative`` is the filled quantity of the order after this fill; with ``order_id`` it is the
    key that makes fills exactly-once. ``price`` is the average price of this fill in won.
    ``amount_before`` is what the order had executed before, in won: fee and tax are floored on the
    order's whole amount, so it makes no difference whether two executions are told as one.
    """

    order_id: BrokerOrderId
    intent_id: str
    symbol: Symbol
    side: Side
    quantity: Shares
    price: Won
    amount: Won
    cumulative: Shares
    at: Instant
    amount_before: Won = 0

    def __post_init__(self) -> None:
        """Refuse an empty or negative execution."""
        if self.quantity <= 0 or self.price <= 0 or self.amount <= 0 or self.cumulative < self.quantity:
            raise ValueError(f"fill of {self.intent_id}: {self.quantity} sh at {self.price} won is not an execution")


@dataclass(frozen=True, slots=True)
class Denied:
    """Ours: the guards refused the intent."""

    intent_id: str
    at: Instant
    codes: tuple[str, ...]


@made_often
@dataclass(frozen=True, slots=True)
class Submitted:
    """The first byte may leave now; journalled before it does."""

    intent_id: str
    at: Instant


@made_often
@dataclass(frozen=True, slots=True)
class Accepted:
    """Theirs: the broker took the order and named it."""

    intent_id: str
    at: Instant
    order_id: BrokerOrderId


@dataclass(frozen=True, slots=True)
class Rejected:
    """Theirs: proven not accepted, or accepted and then refused by the exchange.

    With ``change`` only a cancel or a new price was refused: the order itself lives on as it was.
    """

    intent_id: str
    at: Instant
    code: str
    message: str
    change: bool = False


@made_often
@dataclass(frozen=True, slots=True)
class Filled:
    """An execution of one of our orders."""

    intent_id: str
    at: Instant
    fill: Fill


@dataclass(frozen=True, slots=True)
class Replaced:
    """The broker gave a modified order a new number."""

    intent_id: str
    at: Instant
    order_id: BrokerOrderId
    limit_price: Won


@dataclass(frozen=True, slots=True)
class Canceled:
    """The rest of the order was cancelled; ``filled`` shares had been executed."""

    intent_id: str
    at: Instant
    filled: Shares


@dataclass(frozen=True, slots=True)
class Expired:
    """A day order ended with the session; ``filled`` shares had been executed."""

    intent_id: str
    at: Instant
    filled: Shares


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The request left and no proof of its fate came back; nothing is concluded from time alone."""

    intent_id: str
    at: Instant
    why: str


OrderEvent: TypeAlias = (
    Denied | Submitted | Accepted | Rejected | Filled | Replaced | Canceled | Expired | OutcomeUnknown
)


@made_often
@dataclass(frozen=True, slots=True)
class Order:
    """State of one order: a fold of its events by ``execution.advance``.

    ``known`` are the broker's numbers of this symbol and side that were seen before it was sent: none of them can be
    this order. ``updated_at`` never goes back, though a clock may: no loss lies before its send.
    """

    intent: OrderIntent
    quantity: Shares
    status: OrderStatus
    order_id: BrokerOrderId | None = None
    filled: Shares = 0
    amount: Won = 0
    updated_at: Instant = 0
    known: tuple[BrokerOrderId, ...] = ()

    @property
    def open_quantity(self) -> Shares:
        """Shares that may still be executed; 0 in a terminal state."""
        return 0 if self.status.terminal else self.quantity - self.filled


@made_often
@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """What the broker reports about one order of a day; cumulative figures.

    ``original`` is the order this one continues at a new price; each counts its own executions. ``canceled`` and
    ``refused`` say how it ended, where the broker tells.
    """

    order_id: BrokerOrderId
    symbol: Symbol
    side: Side
    quantity: Shares
    filled: Shares
    amount: Won
    open_quantity: Shares
    limit_price: Won
    at: Instant
    original: BrokerOrderId | None = None
    canceled: Shares = 0
    refused: Shares = 0
