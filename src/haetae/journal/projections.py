"""Tables that are folds of the entries: orders, fills, decisions, reviews, lessons.

One fold for every database: it looks rows up through ``load``, changes them in memory and hands out what changed,
which the database writes in the transaction of the entries themselves. Folded from nothing (``load`` finds nothing)
the same entries give the same rows, so projections can be rebuilt and compared. Readers use them; nothing is decided
from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from haetae.domain.decisions import Decision
from haetae.domain.events import Cancel, Note, Submit
from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.orders import (
    Accepted,
    Canceled,
    Denied,
    Expired,
    Filled,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Submitted,
)
from haetae.domain.units import Instant
from haetae.journal.tables import DECISIONS, FILLS, LESSONS, ORDERS, PROJECTIONS, REVIEWS, Key, Row, Table

Load: TypeAlias = Callable[[Table, Key], Row | None]
Changes: TypeAlias = Mapping[str, tuple[Row, ...]]
"""Rows to write per table; those of ``fills`` are new, the others replace a row of the same key."""

_MOVES: Mapping[type, str] = {
    Cancel: "cancel_pending",
    Denied: "denied",
    Submitted: "sending",
    Rejected: "rejected",
    Canceled: "canceled",
    Expired: "expired",
    OutcomeUnknown: "unknown",
}
_ENDED = frozenset({"denied", "refused", "rejected", "filled", "canceled", "expired", "absent"})
_TYPES = (Submit, Filled, Accepted, Replaced, TradeReview, Lesson, Decision, *_MOVES)
_SHOWN = frozenset(kind.__name__ for kind in _TYPES)
_NOTES = ("decision.made", "intent.denied")
_STATUS, _NUMBER, _FILLED, _AMOUNT, _UPDATED = (
    ORDERS.names.index(name) for name in ("status", "order_number", "filled", "amount", "updated_at")
)
_QUANTITY, _LIMIT = ORDERS.names.index("quantity"), ORDERS.names.index("limit_price")
_DENIED_BY = DECISIONS.names.index("denied_by")
_KEPT = 4_096
"""Rows remembered between two transactions: those of a busy day."""


def shows(text: str) -> bool:
    """Say of a record's canonical text whether any table could show it; most need no decoding to know."""
    name = text[6 : text.find('"', 6)]  # the type is the first key: "$" sorts before every letter
    if name == "Note":
        return any(f'"kind":"{kind}"' in text for kind in _NOTES)
    return name in _SHOWN


def nothing(_table: Table, _key: Key) -> Row | None:
    """Find no row: for a fold that begins with the first entry."""
    return None


class Fold:
    """Rows of the projections as far as they are known, and which of them changed since they were last taken."""

    def __init__(self, load: Load = nothing) -> None:
        """Begin with what ``load`` finds."""
        self._load = load
        self._rows: dict[str, dict[Key, Row]] = {name: {} for name in PROJECTIONS}
        self._changed: dict[str, set[Key]] = {name: set() for name in PROJECTIONS}

    def apply(self, seq: int, at: Instant, record: object) -> None:
        """Fold one record; records that no table shows change nothing."""
        match record:
            case Submit():
                self._submit(seq, at, record)
            case Filled():
                self._book(seq, record)
            case Accepted() | Replaced():
                self._accepted(at, record)
            case Rejected(intent_id=name, change=True):
                self._order(name, at, {_STATUS: "working"})
            case Note(kind=kind, data=data):
                self._note(seq, at, kind, data)
            case TradeReview():
                self._put(REVIEWS, _review(seq, record))
            case Lesson():
                self._put(LESSONS, _lesson(seq, record))
            case Decision():
                self._put(DECISIONS, _decision(seq, record))
            case _ if type(record) in _MOVES:
                self._order(getattr(record, "intent_id"), at, {_STATUS: _MOVES[type(record)]})  # noqa: B009

    def take(self) -> Changes:
        """Return what changed since the last call."""
        taken = {
            name: tuple(self._rows[name][key] for key in sorted(keys)) for name, keys in self._changed.items() if keys
        }
        for keys in self._changed.values():
            keys.clear()
        return taken

    def trim(self) -> None:
        """Forget rows that the database holds too; only after ``take`` was written."""
        for rows in self._rows.values():
            if len(rows) > _KEPT:
                rows.clear()

    def rows(self, table: str) -> Iterable[Row]:
        """Return the rows of a table that are in memory, in the order of their entries."""
        return sorted(self._rows[table].values(), key=lambda row: row[-1])

    def _get(self, table: Table, key: Key) -> Row | None:
        found = self._rows[table.name].get(key)
        if found is None:
            found = self._load(table, key)
            if found is not None:
                self._rows[table.name][key] = found
        return found

    def _put(self, table: Table, row: Row) -> None:
        key = row[: table.keys]
        self._rows[table.name][key] = row
        self._changed[table.name].add(key)

    def _submit(self, seq: int, at: Instant, command: Submit) -> None:
        intent, quantity = command.order.intent, command.order.quantity
        if self._get(ORDERS, (intent.intent_id,)) is not None:
            return
        row = (
            intent.intent_id, intent.decision_id, intent.symbol, intent.side.value, quantity, intent.limit_price,
            int(intent.escape), "sending", "", 0, 0, at, at, seq,
        )  # fmt: skip
        self._put(ORDERS, row)

    def _order(self, intent_id: str, at: Instant, cells: Mapping[int, str | int]) -> None:
        """Change an order's row; an order that ended keeps its status and the instant it was reached."""
        row = self._get(ORDERS, (intent_id,))
        if row is None:
            return
        fresh = dict(cells)
        if row[_STATUS] in _ENDED:
            fresh.pop(_STATUS, None)
        else:
            fresh[_UPDATED] = at
        if fresh:
            self._put(ORDERS, tuple(fresh.get(place, cell) for place, cell in enumerate(row)))

    def _accepted(self, at: Instant, event: Accepted | Replaced) -> None:
        cells: dict[int, str | int] = {_NUMBER: event.order_id.number, _STATUS: "working"}
        if isinstance(event, Replaced):
            cells[_LIMIT] = event.limit_price
        self._order(event.intent_id, at, cells)

    def _book(self, seq: int, event: Filled) -> None:
        fill, name = event.fill, event.fill.order_id
        row = (
            name.day.isoformat(), name.branch, name.number, fill.cumulative, fill.intent_id, fill.symbol,
            fill.side.value, fill.quantity, fill.price, fill.amount, fill.at, seq,
        )  # fmt: skip
        if self._get(FILLS, row[: FILLS.keys]) is not None:
            return
        self._put(FILLS, row)
        order = self._get(ORDERS, (fill.intent_id,))
        if order is None:
            return
        filled = max(int(order[_FILLED]), fill.cumulative)
        cells: dict[int, str | int] = {
            _FILLED: filled,
            _AMOUNT: int(order[_AMOUNT]) + fill.amount,
            _NUMBER: name.number,
            _STATUS: "filled" if filled >= int(order[_QUANTITY]) else "working",
            _UPDATED: event.at,
        }
        self._order(fill.intent_id, event.at, cells)

    def _note(self, seq: int, at: Instant, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "decision.made":
            row = (
                data["decision_id"], data["symbol"], data["side"], data["status"], data["decider"], data["action"],
                float(data["confidence"]), data["proposed"], data["quantity"], data["limit_price"], "", at, seq,
            )  # fmt: skip
            self._put(DECISIONS, row)
        elif kind == "intent.denied":
            made = self._get(DECISIONS, (data["decision_id"],))
            if made is not None:
                cells = list(made)
                cells[_DENIED_BY] = ",".join(data["codes"])
                self._put(DECISIONS, tuple(cells))


def _decision(seq: int, made: Decision) -> Row:
    leg = made.leg
    return (
        made.decision_id, leg.symbol, leg.side.value, made.status, made.decider, made.action.value,
        float(made.confidence), leg.quantity, made.quantity, leg.limit_price, "", made.at, seq,
    )  # fmt: skip


def _review(seq: int, made: TradeReview) -> Row:
    return (
        made.decision_id, made.symbol, made.side.value, made.status, int(made.executed), made.label,
        float(made.outcome_bp), float(made.slippage_bp), made.cost, made.resolved_at, seq,
    )  # fmt: skip


def _lesson(seq: int, made: Lesson) -> Row:
    return (
        made.lesson_id, made.trigger, made.effect, json.dumps(made.evidence), made.support,
        float(made.mean_gain_bp), made.state, made.created_at, seq,
    )  # fmt: skip
