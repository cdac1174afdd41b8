"""The two unions that ``desk.step`` maps between: events in, commands out.

What is slow or uncertain (a policy net, a language model, the broker, a person) is asked by a
command and answers as an event. Events and commands are journalled by the driver, in order.
"""
# long: the two unions and all their members; a reader compares them side by side.

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from haetae.domain.decisions import AgentReply, Brief, Proposal, View
from haetae.domain.market import HaltChange, Int64Array, PhaseChange, Quote, Slice
from haetae.domain.orders import BrokerOrder, BrokerOrderId, ClearedOrder, OrderEvent, Side
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won


class OperatorState(Enum):
    """Kill switch: everything, only what lowers risk, nothing but cancels."""

    ACTIVE = "active"
    REDUCE_ONLY = "reduce_only"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """A person changed the state of the kill switch."""

    at: Instant
    state: OperatorState
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A person wants what is open of an order cancelled; ``request_id`` names the wish."""

    at: Instant
    request_id: str
    intent_id: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class ManualOrder:
    """A person's own limit order; it passes the guards like any other and is known by ``request_id``."""

    at: Instant
    request_id: str
    symbol: Symbol
    side: Side
    quantity: Shares
    limit_price: Won
    who: str
    why: str

    def __post_init__(self) -> None:
        """Refuse what no order can be."""
        if self.quantity <= 0 or self.limit_price <= 0:
            raise ValueError(f"request {self.request_id}: {self.quantity} sh at {self.limit_price} won is no order")


@dataclass(frozen=True, slots=True)
class ManualAdoption:
    """A person takes a difference in a holding into the books: they traded by hand, or shares came or went.

    ``shares`` is signed: what the broker holds more than the books do. ``paid`` is what the shares cost, fees included,
    in won; for shares that went it is what they brought, as a negative number. ``signature`` proves who signed; it was
    checked before this became an event. The desk takes it only where the newest reading shows exactly this difference.
    """

    at: Instant
    request_id: str
    symbol: Symbol
    shares: Shares
    paid: Won
    who: str
    why: str
    signature: str

    def __post_init__(self) -> None:
        """Refuse what no trade can have been."""
        if self.shares == 0 or self.paid * self.shares < 0:
            raise ValueError(f"request {self.request_id}: {self.shares} sh for {self.paid} won is no trade")
        if not (self.who and self.signature):
            raise ValueError(f"request {self.request_id}: an adoption is signed")


@dataclass(frozen=True, slots=True)
class OrderClaim:
    """A person says which order of the broker is the desk's order of an intent, or that the broker never had it.

    ``order_id`` is any number that the order has had, with a blank branch where that is not known; none says that the
    broker never had the order, and then ``why`` says how they know. ``signature`` proves who signed; it was checked
    before this became an event. The desk takes it only for an order of unknown fate, and only where its newest reading
    leaves open what the person decides.
    """

    at: Instant
    request_id: str
    intent_id: str
    order_id: BrokerOrderId | None
    who: str
    why: str
    signature: str

    def __post_init__(self) -> None:
        """Refuse what nobody signed, and an absence without a reason."""
        if not (self.who and self.signature):
            raise ValueError(f"request {self.request_id}: a claim is signed")
        if self.order_id is None and not self.why:
            raise ValueError(f"request {self.request_id}: it says that an order was never there, and not why")


@dataclass(frozen=True, slots=True)
class CostCorrection:
    """A person says that the broker's fees and taxes are right and ours were not; ``amount`` won are added to cash."""

    at: Instant
    request_id: str
    amount: Won
    who: str
    why: str

    def __post_init__(self) -> None:
        """Refuse what corrects nothing."""
        if self.amount == 0:
            raise ValueError(f"request {self.request_id}: a correction of 0 won is none")


OperatorEvent: TypeAlias = OperatorCommand | CancelRequest | ManualOrder | ManualAdoption | OrderClaim | CostCorrection
"""What a person may tell the desk."""


@dataclass(frozen=True, slots=True, eq=False)
class UsualMoves:
    """How much prices usually move at each minute of a session: medians over the sessions before, in ppm.

    A move is the mean absolute one-minute return over the last ``window`` minutes; known at the close before. Read from
    the lake's minutes; 0 stands where too few sessions tell.

    Attributes
    ----------
    sessions : how many sessions the medians are of.
    market : (n_minutes,) int64, ppm
        Of the mean over all names.
    names : (n_minutes, n_symbols) int64, ppm
        Of each name, columns as ``symbols``.
    """

    symbols: tuple[Symbol, ...]
    sessions: int
    window: int
    market: Int64Array
    names: Int64Array

    def __post_init__(self) -> None:
        """Refuse tables that do not fit one another, and make them read-only."""
        if self.names.shape != (len(self.market), len(self.symbols)):
            raise ValueError(
                f"usual moves of {self.names.shape} for {len(self.market)} minutes, {len(self.symbols)} names"
            )
        self.market.flags.writeable = self.names.flags.writeable = False


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How often decisions of a confidence turned out right lately: from ``confidence`` up to the next record's.

    ``right`` of ``count`` decisions brought a gain after cost; known at the close of the session before.
    """

    confidence: float
    right: int
    count: int


@dataclass(frozen=True, slots=True)
class SessionStart:
    """A trading day begins for the desk: what it may trade and what it knows from before the open.

    ``base_prices`` are today's 기준가 (limits come from them), ``scores`` the models' rank scores,
    ``tradable`` the symbols not halted or flagged, ``fear_greed`` the index 0-100 of the last close.
    ``kinds`` are values of ``market.Kind`` (a missing symbol is a common share); they decide tick and
    tax. ``volatility`` is each symbol's usual realised volatility (standard deviation of one-minute
    returns, median of the sessions before); where it is missing the desk learns it during the day. ``usual`` says the
    same minute by minute; where it is missing the escape goes by ``volatility``. ``account`` names the account as a
    hash, never by its number: it is part of every intent's name.

    The rest is what guards ask before an entry, empty or 0 where nobody knows it. ``universe`` is the closed list of
    names that may be bought (empty: every tradable one), ``flags`` the status words of the master file by symbol
    (``market.Instrument``), ``unadjusted`` names whose split, dividend or merger took effect and is not in our levels
    yet, ``previous_closes`` the closes before. ``week_equity`` is the equity at the first opening of the week,
    ``peak_equity`` the highest at any opening or close so far. ``decider`` is the one agent whose approval counts
    today, ``record`` what its confidence was worth, ascending.
    """

    at: Instant
    symbols: tuple[Symbol, ...]
    base_prices: Mapping[Symbol, Won]
    scores: Mapping[Symbol, float]
    tradable: frozenset[Symbol]
    fear_greed: float
    markets: Mapping[Symbol, str]
    sectors: Mapping[Symbol, str] = field(default_factory=dict)
    average_turnover: Mapping[Symbol, Won] = field(default_factory=dict)
    kinds: Mapping[Symbol, str] = field(default_factory=dict)
    volatility: Mapping[Symbol, float] = field(default_factory=dict)
    usual: UsualMoves | None = None
    universe: frozenset[Symbol] = frozenset()
    flags: Mapping[Symbol, frozenset[str]] = field(default_factory=dict)
    unadjusted: frozenset[Symbol] = frozenset()
    previous_closes: Mapping[Symbol, Won] = field(default_factory=dict)
    week_equity: Won = 0
    peak_equity: Won = 0
    decider: str = ""
    record: tuple[TrackRecord, ...] = ()
    account: str = ""


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What the broker says we own, all pages of everything; compared, never copied into the book silently.

    ``days`` are the days whose orders were read; none means the session's own. ``first`` is the reading a run starts
    with, before which nothing is sent. ``sellable`` are the shares the broker would let us sell now (holdings less what
    is on sale there), empty where the adapter cannot tell.
    """

    at: Instant
    cash: Won
    orderable: Won
    positions: Mapping[Symbol, Shares]
    orders: tuple[BrokerOrder, ...]
    days: tuple[dt.date, ...] = ()
    first: bool = False
    sellable: Mapping[Symbol, Shares] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mandate:
    """Whose money the desk trades, as its driver proved it before the open and again while it runs.

    ``account`` and ``host`` are those the broker's adapter really uses, ``signed_account`` and ``signed_host`` those of
    the day's signed token (all as hashes or addresses, never an account number); ``tr_prefix`` is the first letter of
    the TR ids that orders carry. Play money has no token: the signed fields are empty and ``expires_at`` is 0.
    """

    live: bool
    build: bool
    account: str
    host: str
    tr_prefix: str
    signed_account: str = ""
    signed_host: str = ""
    expires_at: Instant = 0


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the machinery around the desk is doing, measured by its driver; guards read it and fail closed without it.

    Attributes
    ----------
    skew_ms : our clock less the broker's, None where it is not known.
    lease_epoch : number of the single-writer lease this process holds, 0 where it holds none.
    journal_ok : whether the last append reached the disk in time.
    budget_used_ppm : share of the broker's rate budget under way.
    error_ppm : share of the last minute's calls without a readable answer.
    token_left_s : remaining life of the broker's token.
    running, promoted : what runs (code, settings, schema) and what was promoted to run, each one hash; ``promoted`` is
        empty where nothing must be promoted (play money).
    full_size : False on the first day of a promoted change, which trades small.
    price_gaps_bp : how far the newest prices of two sources (stream and query) are apart, in basis points of the
        lower, for names that both told of within seconds.
    """

    at: Instant
    mandate: Mandate
    skew_ms: int | None
    lease_epoch: int
    journal_ok: bool
    budget_used_ppm: int
    error_ppm: int
    token_left_s: int
    running: str = ""
    promoted: str = ""
    full_size: bool = True
    price_gaps_bp: Mapping[Symbol, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MarketReading:
    """The market as a whole at an instant; what is not known is 0, fear & greed None.

    ``index_x100`` is the KOSPI in hundredths of a point, ``vkospi_x100`` its implied volatility likewise,
    ``fear_greed`` the running index 0-100.
    """

    at: Instant
    index_x100: int
    vkospi_x100: int = 0
    fear_greed: float | None = None


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """Prices between two minutes, told because they may move the escape; single prints are not told.

    ``at`` is when the newest of them arrived. The arrays are read-only, won, in the order of ``symbols``.

    Attributes
    ----------
    last : (n_symbols,) int64
        Newest print, 0 where there was none today.
    before : (n_symbols,) int64
        The print before it, 0 where there was one alone: a price counts for an exit once both say it.
    ago : (n_symbols,) int64
        The lower of the two newest prints of a minute before ``at``, 0 where that is not known.
    """

    at: Instant
    symbols: tuple[Symbol, ...]
    last: Int64Array
    before: Int64Array
    ago: Int64Array

    def __post_init__(self) -> None:
        """Make the arrays read-only and check their shape."""
        for column in (self.last, self.before, self.ago):
            if column.shape != (len(self.symbols),):
                raise ValueError(f"glance column has shape {column.shape}, expected ({len(self.symbols)},)")
            column.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer set by the desk fired."""

    at: Instant
    name: str


DeskEvent: TypeAlias = (
    SessionStart
    | Slice
    | Quote
    | PhaseChange
    | HaltChange
    | OrderEvent
    | Proposal
    | AgentReply
    | AccountSnapshot
    | Vitals
    | MarketReading
    | Glance
    | Timer
    | OperatorEvent
)


@dataclass(frozen=True, slots=True)
class AskPolicy:
    """Ask the policy for a proposal."""

    view: View


@dataclass(frozen=True, slots=True)
class AskAgent:
    """Ask the agent to review one leg."""

    brief: Brief


@dataclass(frozen=True, slots=True)
class Submit:
    """Send a cleared order; the journal has it before the first byte leaves.

    ``known`` are the broker's order numbers of this symbol and side that a reading showed before: should the send end
    unknown, the order is none of them.
    """

    order: ClearedOrder
    known: tuple[BrokerOrderId, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel what is open of an order."""

    intent_id: str
    at: Instant
    why: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Move the limit price of an order."""

    intent_id: str
    at: Instant
    limit_price: Won


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ask the driver for a ``Timer`` event at an instant."""

    at: Instant
    name: str


@made_often
@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling; becomes a journal entry and a log line, never an action.

    ``kind`` is ``noun.past_verb``: ``decision.made``, ``intent.denied``, ``escape.raised``,
    ``reconcile.differed``… ``data`` holds JSON values only.
    """

    at: Instant
    kind: str
    data: Mapping[str, object]


Command: TypeAlias = AskPolicy | AskAgent | Submit | Cancel | Replace | SetTimer | Note
