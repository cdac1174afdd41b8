"""Stages "review" and "reconcile": what became of every decision, and whether the books agree."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain import codec
from haetae.domain.account import Book
from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.orders import Filled
from haetae.domain.panel import Panel
from haetae.domain.units import Instant, Symbol, Won
from haetae.journal import JournalDb
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import latest_book
from haetae.live.recovery import day_entries
from haetae.review import Attribution, attribute, propose_lessons, read_story, review_day
from haetae.store.lake import Lake

REVIEW, LESSON = "review", "lesson"
"""Kinds of the entries that a review appends."""


def review(journal_path: Path, lake: Lake, days: Sequence[dt.date]) -> dict[str, Any]:
    """Label every decision of the days, attribute their profit, propose lessons; all into the journal."""
    reviews: list[TradeReview] = []
    lessons: list[Lesson] = []
    attributions: list[dict[str, Any]] = []
    with JournalDb(journal_path) as journal:
        known = {record.decision_id for _, _, _, record in journal.entries(kind=REVIEW)}
        for day in days:
            entries = list(day_entries(journal, day))
            story = read_story(entries)
            names = {str(made.data["symbol"]) for made in story.decisions.values()}
            names |= {done.symbol for done in story.executions.values()} | set(_opening(journal, day).positions)
            if not names:
                continue
            panel = lake.panel("minute", sorted(names), day, day)
            resolved_at = Rulebook.on(day).session.close_at
            labelled = review_day(entries, _price_at(panel), resolved_at=resolved_at)
            reviews += labelled
            lessons += propose_lessons(entries, labelled, at=resolved_at)
            attributions.append({"day": day.isoformat(), **_attributed(journal, day, entries, lake, sorted(names))})
        fresh = [(r.resolved_at, r) for r in reviews if r.decision_id not in known]
        journal.append(REVIEW, fresh, durable=False)
        journal.append(LESSON, [(lesson.created_at, lesson) for lesson in lessons], durable=True)
    return {
        "reviews": len(reviews),
        "outcomes": _outcomes(reviews),
        "attribution": attributions,
        "lessons": [_plain(lesson) for lesson in lessons],
    }


def _plain(lesson: Lesson) -> dict[str, Any]:
    told = asdict(lesson)
    return {name: told[name] for name in ("trigger", "effect", "support", "mean_gain_bp", "state")}


def _price_at(panel: Panel) -> Callable[[Symbol, Instant], Won | None]:
    column = {symbol: k for k, symbol in enumerate(panel.symbols)}

    def price_at(symbol: Symbol, at: Instant) -> Won | None:
        row = int(np.searchsorted(panel.end, at, side="right")) - 1
        if symbol not in column or row < 0:
            return None
        price = int(panel.close[row, column[symbol]])
        return price or None

    return price_at


def _opening(journal: JournalDb, day: dt.date) -> Book:
    first = next(iter(day_entries(journal, day)), None)
    if first is None:
        return open_book(0)
    book: Book = codec.decode(str(first[3].data["book"]))
    return book


def _attributed(
    journal: JournalDb, day: dt.date, entries: Sequence[Any], lake: Lake, names: Sequence[Symbol]
) -> dict[str, Any]:
    bars = lake.panel("daily", names, None, day)
    closes = {s: int(bars.close[-1, k]) for k, s in enumerate(bars.symbols)}
    before = {s: int(bars.close[-2, k]) for k, s in enumerate(bars.symbols)}
    found: Attribution = attribute(entries, _opening(journal, day), before, closes)
    told = asdict(found)
    told.pop("by_symbol")
    return told


def _outcomes(reviews: Sequence[TradeReview]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, bool], list[float]] = {}
    for item in reviews:
        groups.setdefault((item.status, item.executed), []).append(item.outcome_bp)
    return [
        {"status": status, "executed": executed, "count": len(values), "mean_bp": round(sum(values) / len(values), 2)}
        for (status, executed), values in sorted(groups.items())
    ]


def reconcile(journal_path: Path, ledger_path: Path, cash: int) -> dict[str, dict[str, Any]]:
    """Return both sides of the account: what the journal folds to and what the broker wrote down.

    Fills are compared per broker order number as (shares, won): a journal may merge executions that
    one reading saw together, never their sum.
    """
    with JournalDb(journal_path, read_only=True) as journal:
        journal.verify()
        book = latest_book(journal) or open_book(cash)
        orders = _journal_orders(journal)
    ledger = json.loads(ledger_path.read_text(encoding="utf-8"))
    return {"journal": _side(book, orders), "emulator": _ledger_side(ledger)}


def _journal_orders(journal: JournalDb) -> dict[str, list[int]]:
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
