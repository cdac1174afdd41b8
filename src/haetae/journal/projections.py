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

from haetae.domain import codec
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
Said: TypeAlias = Mapping[str, Any]
"""A record as its text says it (``codec.plain``, ``codec.parse``): records need not be made to fill a row of them."""

_MOVES: Mapping[str, str] = {
    kind.__name__: status
    for kind, status in (
        (Cancel, "cancel_pending"),
        (Denied, "denied"),
        (Submitted, "sending"),
        (Rejected, "rejected"),
        (Canceled, "canceled"),
        (Expired, "expired"),
        (OutcomeUnknown, "unknown"),
    )
}
_ENDED = frozenset({"denied", "refused", "rejected", "filled", "canceled", "expired", "absent"})
_NOTE = Note.__name__
_MADE, _DENIED = "decision.made", "intent.denied"
_NOTE_ENDS = tuple(f'"kind":"{kind}"}}' for kind in (_MADE, _DENIED))
"""How the text of a note ends that a table shows: ``kind`` is its last key."""
_STATUS, _NUMBER, _FILLED, _AMOUNT, _UPDATED = (
    ORDERS.names.index(name) for name in ("status", "order_number", "filled", "amount", "updated_at")
)
_QUANTITY, _LIMIT = ORDERS.names.index("quantity"), ORDERS.names.index("limit_price")
_DENIED_BY = DECISIONS.names.index("denied_by")
_KEPT = 4_096
"""Rows remembered between two transactions: those of a busy day."""


def shows(text: str) -> bool:
    """Say of a record's canonical text whether any table could show it; most need no parsing to know."""
    name = text[6 : text.find('"', 6)]  # the type is the first key: "$" sorts before every letter
    return text.endswith(_NOTE_ENDS) if name == _NOTE else name in _FOLDS


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

    def apply(self, seq: int, at: Instant, said: Any) -> None:
        """Fold what one entry says; what no table shows changes nothing."""
        name = said.get("$") if type(said) is dict else None
        fold = _FOLDS.get(name) if name is not None else None
        if fold is not None:
            fold(self, seq, at, said)

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

    def _submit(self, seq: int, at: Instant, said: Said) -> None:
        order = said["order"]
        intent, quantity = order["intent"], order["quantity"]
        if self._get(ORDERS, (intent["intent_id"],)) is not None:
            return
        row = (
            intent["intent_id"], intent["decision_id"], intent["symbol"], _value(intent["side"]), quantity,
            intent["limit_price"], int(intent["escape"]), "sending", "", 0, 0, at, at, seq,
        )  # fmt: skip
        self._put(ORDERS, row)

    def _order(self, intent_id: str, at: Instant, cells: Mapping[int, str | int]) -> None:
        """Change an order's row; an order that ended keeps its status and the instant it was reached."""
        row = self._get(ORDERS, (intent_id,))
        if row is None:
            return
        fresh = list(row)
        for place, cell in cells.items():
            fresh[place] = cell
        if row[_STATUS] in _ENDED:
            fresh[_STATUS] = row[_STATUS]
        else:
            fresh[_UPDATED] = at
        self._put(ORDERS, tuple(fresh))

    def _moved(self, _seq: int, at: Instant, said: Said) -> None:
        self._order(said["intent_id"], at, {_STATUS: _MOVES[said["$"]]})

    def _rejected(self, seq: int, at: Instant, said: Said) -> None:
        if said["change"]:
            self._order(said["intent_id"], at, {_STATUS: "working"})
        else:
            self._moved(seq, at, said)

    def _accepted(self, _seq: int, at: Instant, said: Said) -> None:
        self._order(said["intent_id"], at, {_NUMBER: said["order_id"]["number"], _STATUS: "working"})

    def _replaced(self, _seq: int, at: Instant, said: Said) -> None:
        cells = {_NUMBER: said["order_id"]["number"], _STATUS: "working", _LIMIT: said["limit_price"]}
        self._order(said["intent_id"], at, cells)

    def _book(self, seq: int, _at: Instant, said: Said) -> None:
        fill, at = said["fill"], said["at"]
        name, intent_id = fill["order_id"], fill["intent_id"]
        row = (
            name["day"]["d"], name["branch"], name["number"], fill["cumulative"], intent_id, fill["symbol"],
            _value(fill["side"]), fill["quantity"], fill["price"], fill["amount"], fill["at"], seq,
        )  # fmt: skip
        if self._get(FILLS, row[: FILLS.keys]) is not None:
            return
        self._put(FILLS, row)
        order = self._get(ORDERS, (intent_id,))
        if order is None:
            return
        filled = max(int(order[_FILLED]), fill["cumulative"])
        cells: dict[int, str | int] = {
            _FILLED: filled,
            _AMOUNT: int(order[_AMOUNT]) + fill["amount"],
            _NUMBER: name["number"],
            _STATUS: "filled" if filled >= int(order[_QUANTITY]) else "working",
            _UPDATED: at,
        }
        self._order(intent_id, at, cells)

    def _note(self, seq: int, at: Instant, said: Said) -> None:
        kind = said["kind"]
        if kind == _MADE:
            data = said["data"]["m"]
            row = (
                data["decision_id"], data["symbol"], data["side"], data["status"], data["decider"], data["action"],
                _ratio(data["confidence"]), data["proposed"], data["quantity"], data["limit_price"], "", at, seq,
            )  # fmt: skip
            self._put(DECISIONS, row)
        elif kind == _DENIED:
            data = said["data"]["m"]
            made = self._get(DECISIONS, (data["decision_id"],))
            if made is not None:
                cells = list(made)
                cells[_DENIED_BY] = ",".join(data["codes"])
                self._put(DECISIONS, tuple(cells))

    def _decision(self, seq: int, _at: Instant, said: Said) -> None:
        leg = said["leg"]
        row = (
            said["decision_id"], leg["symbol"], _value(leg["side"]), said["status"], said["decider"],
            _value(said["action"]), _ratio(said["confidence"]), leg["quantity"], said["quantity"], leg["limit_price"],
            "", said["at"], seq,
        )  # fmt: skip
        self._put(DECISIONS, row)

    def _review(self, seq: int, _at: Instant, said: Said) -> None:
        row = (
            said["decision_id"], said["symbol"], _value(said["side"]), said["status"], int(said["executed"]),
            said["label"], _ratio(said["outcome_bp"]), _ratio(said["slippage_bp"]), said["cost"], said["resolved_at"],
            seq,
        )  # fmt: skip
        self._put(REVIEWS, row)

    def _lesson(self, seq: int, _at: Instant, said: Said) -> None:
        row = (
            said["lesson_id"], said["trigger"], said["effect"], json.dumps(said["evidence"]), said["support"],
            _ratio(said["mean_gain_bp"]), said["state"], said["created_at"], seq,
        )  # fmt: skip
        self._put(LESSONS, row)


def _value(said: Mapping[str, str]) -> str:
    """Return the value of an enum's member, as rows show it."""
    return str(codec.member(said).value)


def _ratio(said: Any) -> float:
    """Return a ratio; what is no finite number is said as a mapping, and no database takes it."""
    return float(said["n"] if type(said) is dict else said)


_FOLDS: Mapping[str, Callable[[Fold, int, Instant, Said], None]] = {
    **dict.fromkeys(_MOVES, Fold._moved),
    Submit.__name__: Fold._submit,
    Filled.__name__: Fold._book,
    Accepted.__name__: Fold._accepted,
    Replaced.__name__: Fold._replaced,
    Rejected.__name__: Fold._rejected,
    _NOTE: Fold._note,
    TradeReview.__name__: Fold._review,
    Lesson.__name__: Fold._lesson,
    Decision.__name__: Fold._decision,
}
"""Which entries a table shows, and how each is folded."""
