"""What must be true after a death and a restart: the invariants, on the journal and on the market's own ledger.

I1 fills equal the ledger's. I2 no more orders than intents. I9 order lives are legal. I10 the journal folds to the
same commands and its chain holds. I11 nothing is left open. Equal books, or a desk that is frozen and says so.
Not here: files beside the journal (``writing`` judges its own).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.account import Book
from haetae.domain.errors import HaetaeError
from haetae.domain.events import Note, OperatorState, Submit
from haetae.journal import JournalDb
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import Replay, latest_book, replay
from haetae.store.lake import Lake
from haetae.wiring.crashes.acting import session, settings
from haetae.wiring.crashes.ground import CASH, DAY
from haetae.wiring.desks import DayPlan, initial_desk

CHECKED = ("I1", "I2", "I9", "I10", "I11")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: broken invariants, and how the day ended beside the same day without a death."""

    broken: tuple[str, ...]
    outcome: str
    """``same``, ``less`` (an order whose moment had passed was not sent), ``frozen`` (and says so), ``open``."""


def judge(folder: Path, ledger: dict[str, Any], orders: list[dict[str, Any]], straight: dict[str, Any]) -> Verdict:
    """Judge a desk's folder after the end of the day; ``straight`` is the ledger of the day without a death."""
    try:
        with JournalDb(folder / "journal.db") as journal:
            journal.verify()
            again = _replayed(journal, folder)
            broken = [*_replay_faults(again), *_fills(journal, ledger), *_orders(journal, orders), *_lives(again)]
            book = latest_book(journal) or open_book(CASH)
            frozen = _frozen(again) or _paged(journal)
    except HaetaeError as fault:
        return Verdict((f"I10 the journal does not recover: {fault} ({fault.found})",), "lost")
    equal = _books_equal(book, ledger)
    if not equal and not frozen:
        broken.append(f"I1 books {book.cash} {_held(book)} are not the ledger's {ledger['cash']} {ledger['holdings']}")
    return Verdict(tuple(broken), _outcome(ledger, straight, equal=equal))


def _outcome(ledger: dict[str, Any], straight: dict[str, Any], *, equal: bool) -> str:
    if not equal:
        return "frozen"
    same = ledger["cash"] == straight["cash"] and ledger["holdings"] == straight["holdings"]
    return "same" if same else "less"


def _held(book: Book) -> dict[str, int]:
    return {symbol: item.quantity for symbol, item in sorted(book.positions.items())}


def _books_equal(book: Book, ledger: dict[str, Any]) -> bool:
    return book.cash == ledger["cash"] and _held(book) == ledger["holdings"]


def _replayed(journal: JournalDb, folder: Path) -> Replay:
    lake = Lake(folder / "lake")
    plan = DayPlan(DAY, session().symbols, lake.versions()["minute"])
    return replay(journal, initial_desk(lake, plan, open_book(CASH), settings()), Rulebook.on(DAY))


def _replay_faults(again: Replay) -> Iterator[str]:
    for found in again.mismatches[:2]:
        yield f"I10 entry {found.seq}: {found.journalled[:80]!r} came out as {found.replayed[:80]!r}"


def _fills(journal: JournalDb, ledger: dict[str, Any]) -> Iterator[str]:
    """I1: what was booked of each name and side, shares and won, is what the ledger executed."""
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for _, _, _, record in journal.entries():
        if isinstance(record, Note) and record.kind == "fill.booked":
            data = record.data
            ours[f"{data['symbol']} {data['side']} sh"] += int(str(data["quantity"]))
            ours[f"{data['symbol']} {data['side']} won"] += int(str(data["amount"]))
    for fill in ledger["fills"]:
        theirs[f"{fill['symbol']} {fill['side']} sh"] += fill["quantity"]
        theirs[f"{fill['symbol']} {fill['side']} won"] += fill["amount"]
    for name in sorted({*ours, *theirs}):
        if ours[name] != theirs[name]:
            yield f"I1 {name}: journal {ours[name]}, ledger {theirs[name]}"


def _orders(journal: JournalDb, orders: list[dict[str, Any]]) -> Iterator[str]:
    """I2: the broker has no more orders of a name and side than there are intents."""
    intents: Counter[tuple[str, str]] = Counter()
    for _, _, _, record in journal.entries():
        if isinstance(record, Submit):
            intents[record.order.intent.symbol, record.order.intent.side.value] += 1
    there = Counter((row["symbol"], row["side"]) for row in orders if not row["original"])
    for key, count in sorted(there.items()):
        if count > intents[key]:
            yield f"I2 {key}: {count} orders at the broker, {intents[key]} intents"


def _lives(again: Replay) -> Iterator[str]:
    """I9 and I11: filled at most what was asked, and at the end of the day nothing is open."""
    for order in again.desk.blotter.orders.values():
        if order.filled > order.quantity:
            yield f"I9 {order.intent.intent_id} filled {order.filled} of {order.quantity}"
        if not order.status.terminal and not _frozen(again):
            yield f"I11 {order.intent.intent_id} is still {order.status.value}"


def _frozen(again: Replay) -> bool:
    """Whether the desk stands still by its own doing: a name frozen, or the switch thrown."""
    desk = again.desk
    return bool(desk.account.frozen) or desk.operator is OperatorState.HALT or not desk.account.reconciled


def _paged(journal: JournalDb) -> bool:
    told = {"order.became_stuck", "symbol.frozen", "reconcile.differed"}
    return any(isinstance(record, Note) and record.kind in told for _, _, _, record in journal.entries())
