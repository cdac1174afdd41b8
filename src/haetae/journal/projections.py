"""Tables that are folds of the entries: orders, fills, decisions, reviews, lessons.

They are written in the same transaction as the entry and can be rebuilt from the entries at any
time with the same content. Readers use them; nothing is decided from them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from haetae.domain.decisions import Decision
from haetae.domain.events import Cancel, Note, Submit
from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.orders import Accepted, Canceled, Denied, Expired, Filled, OutcomeUnknown, Rejected, Submitted

TABLES = ("orders", "fills", "decisions", "reviews", "lessons")

CREATE_PROJECTIONS = """
CREATE TABLE IF NOT EXISTS orders (
  intent_id TEXT PRIMARY KEY, decision_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
  quantity INTEGER NOT NULL, limit_price INTEGER NOT NULL, "escape" INTEGER NOT NULL, status TEXT NOT NULL,
  order_number TEXT NOT NULL, filled INTEGER NOT NULL, amount INTEGER NOT NULL, submitted_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS fills (
  day TEXT NOT NULL, branch TEXT NOT NULL, number TEXT NOT NULL, cumulative INTEGER NOT NULL,
  intent_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, quantity INTEGER NOT NULL,
  price INTEGER NOT NULL, amount INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (day, branch, number, cumulative)
) STRICT;
CREATE TABLE IF NOT EXISTS decisions (
  decision_id TEXT PRIMARY KEY, symbol TEXT NOT NULL, side TEXT NOT NULL, status TEXT NOT NULL,
  decider TEXT NOT NULL, action TEXT NOT NULL, confidence REAL NOT NULL, proposed INTEGER NOT NULL,
  quantity INTEGER NOT NULL, limit_price INTEGER NOT NULL, denied_by TEXT NOT NULL, at INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reviews (
  decision_id TEXT PRIMARY KEY, symbol TEXT NOT NULL, side TEXT NOT NULL, status TEXT NOT NULL,
  executed INTEGER NOT NULL, label TEXT NOT NULL, outcome_bp REAL NOT NULL, slippage_bp REAL NOT NULL,
  cost INTEGER NOT NULL, resolved_at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lessons (
  lesson_id TEXT PRIMARY KEY, trigger_rule TEXT NOT NULL, effect TEXT NOT NULL, evidence TEXT NOT NULL,
  support INTEGER NOT NULL, mean_gain_bp REAL NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
"""

_ENDED = "('denied','refused','rejected','filled','canceled','expired','absent')"
_STATUS: Mapping[type, str] = {
    Denied: "denied",
    Submitted: "sending",
    Accepted: "working",
    Rejected: "rejected",
    Canceled: "canceled",
    Expired: "expired",
    OutcomeUnknown: "unknown",
}


def project(db: sqlite3.Connection, seq: int, at: int, record: object) -> None:
    """Fold one record into the tables; records that no table shows change nothing."""
    match record:
        case Submit(order=order):
            intent = order.intent
            values = (
                intent.intent_id, intent.decision_id, intent.symbol, intent.side.value, order.quantity,
                intent.limit_price, int(intent.escape), "sending", "", 0, 0, at, at, seq,
            )  # fmt: skip
            _put(db, "orders", values, "IGNORE")
        case Cancel(intent_id=name):
            _move(db, name, "cancel_pending", at)
        case Filled():
            _book(db, seq, record)
        case Accepted(intent_id=name, order_id=order_id):
            db.execute("UPDATE orders SET order_number = ? WHERE intent_id = ?", (order_id.number, name))
            _move(db, name, "working", at)
        case Denied() | Submitted() | Rejected() | Canceled() | Expired() | OutcomeUnknown():
            _move(db, record.intent_id, _STATUS[type(record)], at)
        case Note(kind=kind, data=data):
            _note(db, seq, at, kind, data)
        case TradeReview():
            review = (
                record.decision_id, record.symbol, record.side.value, record.status, int(record.executed),
                record.label, record.outcome_bp, record.slippage_bp, record.cost, record.resolved_at, seq,
            )  # fmt: skip
            _put(db, "reviews", review, "REPLACE")
        case Lesson():
            lesson = (
                record.lesson_id, record.trigger, record.effect, json.dumps(record.evidence), record.support,
                record.mean_gain_bp, record.state, record.created_at, seq,
            )  # fmt: skip
            _put(db, "lessons", lesson, "REPLACE")
        case Decision():
            _decision(db, seq, record)


def _put(db: sqlite3.Connection, table: str, row: tuple[object, ...], conflict: str) -> int:
    """Insert a row; ``conflict`` is IGNORE or REPLACE. Return the number of rows that changed."""
    marks = ",".join("?" * len(row))
    return db.execute(f"INSERT OR {conflict} INTO {table} VALUES ({marks})", row).rowcount  # noqa: S608


def _move(db: sqlite3.Connection, intent_id: str, status: str, at: int) -> None:
    db.execute(
        f"UPDATE orders SET status = ?, updated_at = ? WHERE intent_id = ? AND status NOT IN {_ENDED}",  # noqa: S608
        (status, at, intent_id),
    )


def _book(db: sqlite3.Connection, seq: int, event: Filled) -> None:
    fill = event.fill
    name = fill.order_id
    row = (
        name.day.isoformat(), name.branch, name.number, fill.cumulative, fill.intent_id, fill.symbol,
        fill.side.value, fill.quantity, fill.price, fill.amount, fill.at, seq,
    )  # fmt: skip
    if _put(db, "fills", row, "IGNORE") == 0:
        return
    db.execute(
        "UPDATE orders SET filled = max(filled, ?), amount = (SELECT sum(amount) FROM fills WHERE intent_id = ?),"
        " order_number = ?, updated_at = ? WHERE intent_id = ?",
        (fill.cumulative, fill.intent_id, name.number, event.at, fill.intent_id),
    )
    db.execute(
        f"UPDATE orders SET status = CASE WHEN filled >= quantity THEN 'filled' ELSE 'working' END"  # noqa: S608
        f" WHERE intent_id = ? AND status NOT IN {_ENDED}",
        (fill.intent_id,),
    )


def _decision(db: sqlite3.Connection, seq: int, made: Decision) -> None:
    leg = made.leg
    row = (
        made.decision_id, leg.symbol, leg.side.value, made.status, made.decider, made.action.value,
        made.confidence, leg.quantity, made.quantity, leg.limit_price, "", made.at, seq,
    )  # fmt: skip
    _put(db, "decisions", row, "REPLACE")


def _note(db: sqlite3.Connection, seq: int, at: int, kind: str, data: Mapping[str, Any]) -> None:
    if kind == "decision.made":
        row = (
            data["decision_id"], data["symbol"], data["side"], data["status"], data["decider"], data["action"],
            data["confidence"], data["proposed"], data["quantity"], data["limit_price"], "", at, seq,
        )  # fmt: skip
        _put(db, "decisions", row, "REPLACE")
    elif kind == "intent.denied":
        codes = ",".join(data["codes"])
        db.execute("UPDATE decisions SET denied_by = ? WHERE decision_id = ?", (codes, data["decision_id"]))
