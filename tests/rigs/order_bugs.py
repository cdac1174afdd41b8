"""Bugs that others paid for, planted in the order life: each is a patch of one function, by name.

``plant(name, monkeypatch)`` plants one. A suite that does not find them proves nothing when it passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from haetae.desk import account, claiming, market, ordering
from haetae.domain.events import OperatorState, Submit
from haetae.domain.orders import Canceled, ClearedOrder, Expired, Fill, Filled, OrderStatus, OutcomeUnknown, Rejected
from haetae.execution import Blotter, Remark, blotter, claims, comparing, life, unknowns
from haetae.execution.blotter import Outcome
from haetae.live import handover, recovery

Patch = Callable[[Any], None]
reconcile: Any = import_module("haetae.execution.reconcile")  # the rooms' faces have functions of these names
stepping: Any = import_module("haetae.desk.step")


def _retry_after_timeout(patch: Any) -> None:
    """An order without an answer is sent again."""
    usual = ordering.on_order_event

    def again(turn: Any, event: Any) -> None:
        before = turn.state.blotter.orders.get(event.intent_id)
        usual(turn, event)
        if isinstance(event, OutcomeUnknown) and before is not None and before.status is OrderStatus.SENDING:
            turn.say(Submit(ClearedOrder(before.intent, before.quantity, turn.at, ())))

    patch.setattr(stepping, "on_order_event", again)


def _per_notice_counting(patch: Any) -> None:
    """Every notice of an execution is one more execution."""

    def counted(order: Any, fill: Fill) -> Fill:
        return replace(fill, cumulative=order.filled + fill.quantity)

    for module in (life, blotter):
        patch.setattr(module, "new_part", counted)


def _absent_too_early(patch: Any) -> None:
    """The first list without the order proves that there is none."""
    patch.setattr(reconcile, "absences", lambda orders, compared, searched, *rest: searched.missing)


def _blotter_emptied_at_restart(patch: Any) -> None:
    """A new process, or a new day, knows nothing of the orders before."""
    patch.setattr(market, "carried", lambda orders: Blotter())
    patch.setattr(handover, "carried", lambda orders: Blotter())


def _cumulative_ignored(patch: Any) -> None:
    """What the list says is executed is taken for what was executed since the last look."""
    usual = comparing.facts

    def facts(order: Any, chain: Any, at: int, **named: bool) -> Any:
        events, faults = usual(order, chain, at, **named)
        newest = chain[-1]
        if newest.filled and not any(isinstance(event, Filled) for event in events):
            intent = order.intent
            fill = Fill(
                newest.order_id, intent.intent_id, intent.symbol, intent.side, newest.filled,
                newest.amount // newest.filled, newest.amount, order.filled + newest.filled, at, order.amount,
            )  # fmt: skip
            events = [*events, Filled(intent.intent_id, at, fill)]
        return events, faults

    patch.setattr(comparing, "facts", facts)


def _first_fitting_row_taken(patch: Any) -> None:
    """Of several rows that could be ours the first is claimed."""
    patch.setattr(unknowns, "_end", lambda row, rows, over: (0, 0))


def _claimed_whosever_it_is(patch: Any) -> None:
    """A person's word gives an order a row that another order has."""
    usual = claims.compare_orders

    def compare(orders: Any, snapshot: Any, *rest: Any, **named: Any) -> Any:
        return replace(usual(orders, snapshot, *rest, **named), unclaimed=snapshot.orders)

    patch.setattr(claims, "compare_orders", compare)


def _claimed_of_any_shape(patch: Any) -> None:
    """A person's word is taken for a row that cannot be the order."""
    patch.setattr(claims, "fits", lambda order, row, settings: True)


def _claims_rows_not_remembered(patch: Any) -> None:
    """Of an order that was said to be absent the rows of others are forgotten again."""
    usual = claiming.others_rows

    def forgotten(*arguments: Any) -> Any:
        found = usual(*arguments)
        return found if isinstance(found, claims.Unclaimable) else ()

    patch.setattr(claiming, "others_rows", forgotten)


def _known_numbers_forgotten(patch: Any) -> None:
    """An order that was there before the send can be the one that was sent."""
    usual = unknowns.fits
    patch.setattr(unknowns, "fits", lambda order, row, s: usual(replace(order, known=()), row, s))


def _cash_not_looked_at(patch: Any) -> None:
    """An absence is proven by the list alone."""
    patch.setattr(unknowns, "_is_ground", lambda *_: True)


def _empty_list_believed(patch: Any) -> None:
    """A list that shows nothing any more is as good as one that shows all."""
    usual = comparing.compare_orders

    def compare(*arguments: Any, **named: Any) -> Any:
        return replace(usual(*arguments, **named), whole=True)

    patch.setattr(reconcile, "compare_orders", compare)


def _late_fill_dropped(patch: Any) -> None:
    """An execution of an order that had ended is ignored."""
    usual = blotter._record_fill

    def dropped(book: Blotter, order: Any, event: Any) -> Any:
        if order.status.terminal and order.status is not OrderStatus.FILLED:
            return book, Outcome(order, remark=Remark.DUPLICATE)
        return usual(book, order, event)

    patch.setattr(blotter, "_record_fill", dropped)


def _end_before_its_fills(patch: Any) -> None:
    """A cancel that tells of executions counts them as told."""
    usual = blotter.record

    def counted(book: Blotter, event: Any) -> Any:
        order = book.orders.get(event.intent_id)
        if isinstance(event, Canceled | Expired) and order is not None and event.filled > order.filled:
            book = blotter.enter(book, replace(order, filled=event.filled))
        return usual(book, event)

    patch.setattr(ordering, "record", counted)


def _refused_cancel_ends_the_order(patch: Any) -> None:
    """A cancel that was refused is taken for an order that was refused."""
    patch.setattr(life, "cause_of", lambda event: type(event))
    patch.setattr(blotter, "is_legal", lambda order, event: type(event) in life._NEXT[order.status])


def _halt_ignored(patch: Any) -> None:
    """The kill switch stops nothing."""
    patch.setattr(ordering, "allowed", lambda turn: OperatorState.ACTIVE)


def _new_number_alone(patch: Any) -> None:
    """Of an order with a changed price only the newest number is counted."""
    patch.setattr(comparing, "_chain", lambda number, rows: [rows[number]] if number in rows else [])


def _unsettled_not_handed_over(patch: Any) -> None:
    """A day's end hands over the books alone."""
    usual = handover.Handover.to
    patch.setattr(handover.Handover, "to", lambda self, desk: usual(replace(self, unsettled=()), desk))


def _readings_not_handed_over(patch: Any) -> None:
    """What a reading told counts for nothing once nobody came back to its day."""
    kept = {kind: fold for kind, fold in handover._NOTES.items() if not kind.startswith(("fill.", "order."))}
    patch.setattr(handover, "_NOTES", kept)


def _in_flight_forgotten(patch: Any) -> None:
    """What was on its way when the process died is not asked about."""
    patch.setattr(recovery, "in_flight", lambda desk, at: ())
    patch.setattr("rigs.order_desk.in_flight", lambda desk, at: ())


def _unknown_not_counted(patch: Any) -> None:
    """An order of unknown fate reserves nothing and freezes nothing."""
    usual = ordering.situation

    def blind(turn: Any, intent: Any = None, decision: Any = None) -> Any:
        now = usual(turn, intent, decision)
        known = tuple(order for order in now.open_orders if not order.status.doubtful)
        return replace(now, open_orders=known, frozen=frozenset(), sent=type(now.sent)())

    patch.setattr(ordering, "situation", blind)


def _number_used_again(patch: Any) -> None:
    """The broker's number is enough to know an order, whatever the day."""
    usual = comparing.compare_orders

    def compare(orders: Any, snapshot: Any, *rest: Any, **named: Any) -> Any:
        by_number = {row.order_id.number: row for row in snapshot.orders}
        blind = [
            replace(order, order_id=by_number[order.order_id.number].order_id)
            if order.order_id is not None and order.order_id.number in by_number
            else order
            for order in orders
        ]
        return usual(blind, snapshot, *rest, **named)

    patch.setattr(reconcile, "compare_orders", compare)


def _not_sent_is_unknown(patch: Any) -> None:
    """An order that provably never left is taken for one of unknown fate, for good."""
    usual = ordering.on_order_event

    def confused(turn: Any, event: Any) -> None:
        if isinstance(event, Rejected) and event.code == "NOT_SENT":
            event = OutcomeUnknown(event.intent_id, event.at, event.message)
        usual(turn, event)

    patch.setattr(stepping, "on_order_event", confused)


def _unlisted_order_is_over(patch: Any) -> None:
    """An order the list does not show has ended."""
    usual = reconcile.reconcile

    def concluded(book: Any, orders: Any, snapshot: Any, *rest: Any) -> Any:
        found = usual(book, orders, snapshot, *rest)
        shown = {row.order_id for row in snapshot.orders}
        gone = [
            Canceled(order.intent.intent_id, snapshot.at, order.filled)
            for order in orders
            if order.order_id is not None and order.order_id not in shown and not order.status.terminal
        ]
        return replace(found, events=(*found.events, *gone))

    patch.setattr(account, "reconcile", concluded)


BUGS: dict[str, Patch] = {
    name.removeprefix("_"): patch
    for name, patch in globals().copy().items()
    if name.startswith("_") and callable(patch) and not name.startswith("__")
}
"""Every planted bug by name; what each is stands in its docstring."""


def plant(name: str, patch: Any) -> None:
    """Plant one bug with a ``pytest.MonkeyPatch``."""
    BUGS[name](patch)
