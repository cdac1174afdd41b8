"""Stage "reconcile": whether the journal's books and the broker's ledger agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haetae.domain.account import Book
from haetae.domain.orders import Filled
from haetae.journal import ChainedJournal
from haetae.ledger import open_book
from haetae.live import latest_book
from haetae.wiring.journal_places import open_journal


def reconcile(journal_path: Path, ledger_path: Path, cash: int) -> dict[str, dict[str, Any]]:
    """Return both sides of the account: what the journal folds to and what the broker wrote down.

    Fills are compared per broker order number as (shares, won): a journal may merge executions that
    one reading saw together, never their sum.
    """
    with open_journal(journal_path, read_only=True) as journal:
        journal.verify()
        book = latest_book(journal) or open_book(cash)
        orders = _journal_orders(journal)
    ledger = json.loads(ledger_path.read_text(encoding="utf-8"))
    return {"journal": _side(book, orders), "emulator": _ledger_side(ledger)}


def _journal_orders(journal: ChainedJournal) -> dict[str, list[int]]:
    seen: dict[str, int] = {}
    orders: dict[str, list[int]] = {}
    for _, _, _, record in journal.entries(kind="event"):
        if isinstance(record, Filled):
            fill = record.fill
            key = f"{fill.order_id.day.isoformat()}/{int(fill.order_id.number)}"
            if fill.cumulative <= seen.get(key, 0):
                continue
            seen[key] = fill.cumulative
            entry = orders.setdefault(key, [0, 0])
            entry[0] += fill.quantity
            entry[1] += fill.amount
    return orders


def _side(book: Book, orders: Mapping[str, list[int]]) -> dict[str, Any]:
    return {
        "cash": book.cash,
        "holdings": {symbol: p.quantity for symbol, p in sorted(book.positions.items()) if p.quantity},
        "fees": book.fees,
        "taxes": book.taxes,
        "fills": {key: list(orders[key]) for key in sorted(orders)},
    }


def _ledger_side(ledger: Mapping[str, Any]) -> dict[str, Any]:
    orders: dict[str, list[int]] = {}
    for fill in ledger.get("fills", []):
        entry = orders.setdefault(f"{fill['day']}/{int(fill['number'])}", [0, 0])
        entry[0] += fill["quantity"]
        entry[1] += fill["amount"]
    return {
        "cash": ledger.get("cash"),
        "holdings": {s: q for s, q in sorted(ledger.get("holdings", {}).items()) if q},
        "fees": ledger.get("fees"),
        "taxes": ledger.get("taxes"),
        "fills": {key: orders[key] for key in sorted(orders)},
    }
