"""The account as the broker tells it: facts about our own orders are recorded, the rest is classed.

Nothing is taken into the books from a reading alone: a difference freezes its name, an unexplained one halts the
desk, and a person adopts what was traded by hand (``corrections``). A difference is told when it appears, not again
with each reading that shows it; ``reconcile.lagged`` is one that should settle itself, ``reconcile.differed`` one
that a person should see, ``reconcile.agreed`` the end of either.
"""

from __future__ import annotations

import datetime as dt

from haetae.desk.corrections import correct_by_policy
from haetae.desk.ordering import (
    cancel_open,
    doubted,
    free_cash,
    look_again,
    look_again_ms,
    on_order_event,
    reading_every_s,
)
from haetae.desk.turn import Turn
from haetae.domain.events import AccountSnapshot, OperatorState
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    Expired,
    Order,
    OrderEvent,
    OrderStatus,
    Rejected,
)
from haetae.domain.units import NS_PER_SECOND, Shares, Symbol, day_of
from haetae.execution import (
    Difference,
    DifferenceKind,
    Occasion,
    Reconciliation,
    conclude_absent,
    enter,
    give_up,
    reconcile,
)

_PPM = 1_000_000
_FREEZING = frozenset(
    {
        DifferenceKind.UNEXPLAINED,
        DifferenceKind.STUCK,
        DifferenceKind.EXTERNAL,
        DifferenceKind.CORPORATE_ACTION,
    }
)
_OF_THE_DESK = frozenset({DifferenceKind.UNEXPLAINED, DifferenceKind.LAGGING})
"""Classes that leave the whole account in question; the others concern one name, or a few won."""
_OVER_S = 60
"""The last readings of a session may lag its close."""


def on_snapshot(turn: Turn, snapshot: AccountSnapshot) -> None:
    """Compare, adopt what is proven, freeze what is not explained, read again while anything is open."""
    state = turn.state
    before, known = state.account.differences, state.account.known
    found = reconcile(
        state.book,
        tuple(state.blotter.orders.values()),
        snapshot,
        known,
        state.settings.reconcile,
        occasion(turn),
    )
    for event in found.events:
        on_order_event(turn, event)
        tell_fact(turn, event)
    _conclude(turn, found)
    _tell(turn, before, found.differences)
    turn.account(differences=found.differences, known=found.known, last=snapshot)
    if snapshot.first:
        correct_by_policy(turn)
    _freeze(turn, found.differences)
    _gate(turn, found.differences)
    _open(turn, found)
    _plan(turn, snapshot, found)


def tell_fact(turn: Turn, event: OrderEvent) -> None:
    """Note what a reading settled: it is an event nobody else tells, and the next day starts from these notes."""
    match event:
        case Accepted(intent_id=intent_id, order_id=order_id):
            turn.note("order.adopted", intent_id=intent_id, order=spelled(order_id))
        case Canceled(intent_id=intent_id, filled=filled) | Expired(intent_id=intent_id, filled=filled):
            turn.note("order.found_ended", intent_id=intent_id, how=type(event).__name__, filled=filled)
        case Rejected(intent_id=intent_id):
            turn.note("order.found_ended", intent_id=intent_id, how="Rejected", filled=0)
        case _:
            pass  # a fill is noted where it is booked, a new number with its next event


def spelled(order_id: BrokerOrderId) -> list[str]:
    """Return a number of the broker as notes hold it."""
    return [order_id.day.isoformat(), order_id.branch, order_id.number]


def occasion(turn: Turn) -> Occasion:
    """Return when the turn is, for a comparison: which days of orders are over, what traded since cash agreed."""
    state, hours = turn.state, turn.rules.session
    closed = turn.at >= hours.close_at + _OVER_S * NS_PER_SECOND
    past = {day_of(order.intent.at) for order in state.blotter.open_orders()} - {turn.rules.day}
    over: set[dt.date] = past | ({turn.rules.day} if closed else set())
    turnover = state.book.bought + state.book.sold - state.account.agreed_turnover
    return Occasion(turnover, frozenset(over), listing=bool(past) or hours.open_at <= turn.at < hours.close_at)


def _conclude(turn: Turn, found: Reconciliation) -> None:
    """Settle what the reading proves of unknown orders, and hand to a person what nothing will prove today."""
    for intent_id in found.absent:
        end_absent(turn, turn.state.blotter.orders[intent_id])
    for intent_id in found.stuck:
        _give_up(turn, turn.state.blotter.orders[intent_id], "several orders of the broker fit")
    last = turn.rules.session.close_at + turn.state.settings.settle_after_close_s * NS_PER_SECOND
    if turn.at >= last:
        for order in turn.state.blotter.open_orders():
            if order.status is OrderStatus.UNKNOWN:
                _give_up(turn, order, "the session ended without proof")


def end_absent(turn: Turn, order: Order) -> None:
    """End an order of unknown fate that the broker never had; who calls this has the proof, or a person's word."""
    turn.change(blotter=enter(turn.state.blotter, conclude_absent(order, turn.at)))
    turn.note("order.found_absent", intent_id=order.intent.intent_id, symbol=order.intent.symbol)


def _give_up(turn: Turn, order: Order, why: str) -> None:
    turn.change(blotter=enter(turn.state.blotter, give_up(order, turn.at)))
    turn.account(shut=turn.state.account.shut | {order.intent.symbol})
    turn.note("order.became_stuck", intent_id=order.intent.intent_id, symbol=order.intent.symbol, why=why)


def _tell(turn: Turn, before: tuple[Difference, ...], now: tuple[Difference, ...]) -> None:
    for item in now:
        if item in before:
            continue
        lagging = item.kind is DifferenceKind.LAGGING
        _note(turn, "reconcile.lagged" if lagging else "reconcile.differed", item)
    still = {(item.what, item.symbol) for item in now}
    for item in before:
        if (item.what, item.symbol) not in still:
            _note(turn, "reconcile.agreed", item)


def _note(turn: Turn, kind: str, item: Difference) -> None:
    turn.note(
        kind,
        difference=item.kind.value,
        what=item.what,
        symbol=item.symbol,
        ours=item.ours,
        theirs=item.theirs,
    )


def _freeze(turn: Turn, differences: tuple[Difference, ...]) -> None:
    account, session = turn.state.account, turn.state.session
    differing: set[Symbol] = {d.symbol for d in differences if d.kind in _FREEZING and d.symbol}
    frozen = account.shut | differing | doubted(turn.state.blotter, session.at if session is not None else 0)
    for symbol in sorted(frozen - account.frozen):
        turn.note("symbol.frozen", symbol=symbol)
    turn.account(frozen=frozen)


def _gate(turn: Turn, differences: tuple[Difference, ...]) -> None:
    """Halt while something is unexplained; where a person must release a start, only they end this halt too."""
    state, account = turn.state, turn.state.account
    wrong = any(d.kind is DifferenceKind.UNEXPLAINED for d in differences)
    gate = OperatorState.HALT if wrong else OperatorState.ACTIVE
    if gate is account.gate:
        return
    turn.account(gate=gate)
    if not wrong:
        turn.note("reconcile.released")
        return
    turn.note("reconcile.halted")
    if state.settings.start_state is not OperatorState.ACTIVE:
        turn.change(operator=OperatorState.HALT, latched=True)
    cancel_open(turn, why="books and broker differ without explanation")


def _open(turn: Turn, found: Reconciliation) -> None:
    """After a clean comparison a desk that starts halted may lower risk; a person allows the rest."""
    state = turn.state
    if state.operator is OperatorState.HALT and not state.latched and found.clean:
        turn.change(operator=OperatorState.REDUCE_ONLY)
        why = "the first comparison with the broker was clean"
        turn.note("operator.changed", state=OperatorState.REDUCE_ONLY.value, who="recovery", why=why)


def _plan(turn: Turn, snapshot: AccountSnapshot, found: Reconciliation) -> None:
    """Keep what the reading said, and ask for the next: soon while something is open, else in its turn."""
    account, book = turn.state.account, turn.state.book
    questions = [d for d in found.differences if d.kind in _OF_THE_DESK and d.what != "order_list"]
    waiting = len(found.absent) < len(found.missing)
    retries = account.retries  # this turn writes into the account it owns
    due = account.due_at if account.due_at > snapshot.at and not snapshot.first else 0
    turnover = book.bought + book.sold
    agreed = turnover if snapshot.cash == book.cash else account.agreed_turnover
    if agreed != account.agreed_turnover:
        turn.note("cash.agreed", turnover=agreed)
    turn.account(
        reconciled=not questions,
        clean_at=account.clean_at if questions else snapshot.at,
        gap_ppm=_gap(turn, snapshot),
        short_cash=max(0, free_cash(turn) - snapshot.orderable),
        short_shares=_short(turn, snapshot),
        snapshot_at=snapshot.at,
        due_at=due,
        retries=retries + 1 if waiting or questions else 0,
        agreed_turnover=agreed,
        sellable=snapshot.sellable,
    )
    settings = turn.state.settings
    if waiting or questions:
        pauses = settings.retry_reads_ms
        pause, at_rest = pauses[min(retries, len(pauses) - 1)], reading_every_s(turn) * 1_000
        look_again_ms(turn, min(pause, at_rest, *_until_proof_ms(turn)))
    elif settings.limits.require_reconciled and not due and turn.at < turn.rules.session.close_at:
        look_again(turn, reading_every_s(turn))


def _until_proof_ms(turn: Turn) -> list[int]:
    """Return after how many milliseconds a reading may first disprove each escape sale of unknown fate."""
    wait = turn.state.settings.escape_resend_s * NS_PER_SECOND
    unknown = [o for o in turn.state.blotter.open_orders() if o.status is OrderStatus.UNKNOWN and o.intent.escape]
    left = [order.updated_at + wait - turn.at for order in unknown]
    return [-(-each * 1_000 // NS_PER_SECOND) for each in left if each > 0]


def _short(turn: Turn, snapshot: AccountSnapshot) -> dict[Symbol, Shares]:
    """Return how many shares of a name the broker shows fewer than we hold."""
    theirs = snapshot.positions
    return {s: n - theirs.get(s, 0) for s, n in turn.state.held.items() if theirs.get(s, 0) < n}


def _gap(turn: Turn, snapshot: AccountSnapshot) -> int:
    """Return how far the broker's cash and holdings, at our prices, are from our equity, in ppm."""
    equity = turn.state.equity
    theirs = snapshot.cash + sum(n * turn.state.price(symbol) for symbol, n in snapshot.positions.items())
    return abs(theirs - equity) * _PPM // equity if equity > 0 else 0
