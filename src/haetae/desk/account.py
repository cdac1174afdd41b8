"""The account as the broker tells it: facts about our own orders are recorded, the rest is classed."""

from __future__ import annotations

from haetae.desk.ordering import free_cash, on_order_event
from haetae.desk.turn import Turn
from haetae.domain.events import AccountSnapshot, SetTimer
from haetae.domain.units import NS_PER_SECOND, Shares, Symbol
from haetae.execution import DifferenceKind, conclude_absent, enter, reconcile

_PPM = 1_000_000
_FREEZING = frozenset(
    {
        DifferenceKind.UNEXPLAINED,
        DifferenceKind.STUCK,
        DifferenceKind.EXTERNAL,
        DifferenceKind.CORPORATE_ACTION,
    }
)
_HARMLESS = frozenset({DifferenceKind.FEE, DifferenceKind.EXTERNAL, DifferenceKind.CORPORATE_ACTION})


def on_snapshot(turn: Turn, snapshot: AccountSnapshot) -> None:
    """Compare, adopt what is proven, freeze what is not explained, read again while anything is open."""
    state, account = turn.state, turn.state.account
    found = reconcile(
        state.book,
        tuple(state.blotter.orders.values()),
        snapshot,
        account.readings,
        state.settings.reconcile,
    )
    for event in found.events:
        on_order_event(turn, event)
    for intent_id in found.absent:
        order = conclude_absent(turn.state.blotter.orders[intent_id], turn.at)
        turn.change(blotter=enter(turn.state.blotter, order))
        turn.note("order.found_absent", intent_id=intent_id, symbol=order.intent.symbol)
    for item in found.differences:
        turn.note(
            "reconcile.differed",
            difference=item.kind.value,
            what=item.what,
            symbol=item.symbol,
            ours=item.ours,
            theirs=item.theirs,
        )
    frozen = frozenset(d.symbol for d in found.differences if d.kind in _FREEZING and d.symbol)
    for symbol in sorted(frozen - account.frozen):
        turn.note("symbol.frozen", symbol=symbol)
    open_questions = [d for d in found.differences if d.kind not in _HARMLESS and d.what != "order_list"]
    waiting = bool(found.missing) and len(found.absent) < len(found.missing)
    retry = waiting or bool(open_questions)
    turn.account(
        reconciled=not open_questions,
        frozen=frozen,
        gap_ppm=_gap(turn, snapshot),
        short_cash=max(0, free_cash(turn) - snapshot.orderable),
        short_shares=_short(turn, snapshot),
        snapshot_at=snapshot.at,
        retries=account.retries + 1 if retry else 0,
        readings=found.readings,
        sellable=snapshot.sellable,
        missing={},
    )
    if retry:
        pauses = state.settings.retry_reads_s
        pause = pauses[min(account.retries, len(pauses) - 1)]
        turn.say(SetTimer(turn.at + pause * NS_PER_SECOND, "reconcile"))


def _short(turn: Turn, snapshot: AccountSnapshot) -> dict[Symbol, Shares]:
    """Return how many shares of a name the broker shows fewer than we hold."""
    theirs = snapshot.positions
    return {s: n - theirs.get(s, 0) for s, n in turn.state.held.items() if theirs.get(s, 0) < n}


def _gap(turn: Turn, snapshot: AccountSnapshot) -> int:
    """Return how far the broker's cash and holdings, at our prices, are from our equity, in ppm."""
    equity = turn.state.equity
    theirs = snapshot.cash + sum(n * turn.state.price(symbol) for symbol, n in snapshot.positions.items())
    return abs(theirs - equity) * _PPM // equity if equity > 0 else 0
