"""A folder as a desk leaves it: journal, lake, universe, models, facts; one seeded morning, made in a second."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from haetae.desk import DeskState, event_at, open_desk, step
from haetae.domain.account import Book
from haetae.domain.events import DeskEvent, OperatorCommand, OperatorState
from haetae.domain.learning import Lesson, ModelCard, ModelState, TradeReview
from haetae.domain.market import Slice
from haetae.domain.orders import Side
from haetae.domain.promotion import Ground
from haetae.domain.units import instant_at
from haetae.journal import JournalDb
from haetae.krx import Rulebook
from haetae.krx.calendar import trading_days
from haetae.ledger import open_book
from haetae.live.handover import RUN, handover_of
from haetae.live.recovery import COMMAND, EVENT, closing_note, opening_note
from haetae.ports.tables import DAILY, INDEX_DAILY, MINUTE, TABLES, instrument_rows
from haetae.registry.registry import Registry
from haetae.store.lake import Lake
from rigs.desk_day import CASH, DAY, DeskDay, codes, instruments, loose, minutes, open_day, session_start

SYMBOLS = codes(12)
MINUTES = 60
LATEST, EARLIER = "policy-b", "policy-a"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder, the day it was made by, and what its events were."""

    path: Path
    day: DeskDay
    events: tuple[DeskEvent, ...]

    @property
    def book(self) -> Book:
        """The desk's own books at the end."""
        return self.day.desk.book


def traded_day(shock: tuple[int, int, float] | None = (40, 5, -0.06)) -> DeskDay:
    """Sixty minutes with a fall that the escape leaves, the operator's hand in between, then the close."""
    day = open_day(SYMBOLS, settings=loose())
    start = session_start(SYMBOLS)
    day.feed(start, day.snapshot(start.at))
    for number, piece in enumerate(minutes(SYMBOLS, np.random.default_rng(3), count=MINUTES, shock=shock)):
        day.minute(piece)
        if number == 30:
            for state in (OperatorState.REDUCE_ONLY, OperatorState.ACTIVE):
                day.feed(OperatorCommand(piece.end + 1, state, "owner", "drill"))
    return day


def journal_of(path: Path, events: tuple[DeskEvent, ...], *, closed: bool = True) -> DeskState:
    """Write the entries a runner would have written for these events; return the desk after them."""
    desk, rules = open_desk(loose(), open_book(CASH)), Rulebook.on(DAY)
    opening = rules.session.orders_from
    with JournalDb(path) as journal:
        journal.append(RUN, [(opening, opening_note(DAY, handover_of(desk), opening))], durable=True)
        for event in events:
            desk = told(journal, desk, event)
        if closed:
            at = rules.session.close_at
            journal.append(RUN, [(at, closing_note(DAY, handover_of(desk), at))], durable=True)
    return desk


def told(journal: JournalDb, desk: DeskState, event: DeskEvent) -> DeskState:
    """Journal one event and the commands it causes, as a runner does; return the desk after it."""
    at = event_at(event)
    journal.append(EVENT, [(at, event)], durable=False)
    desk, commands = step(desk, event, Rulebook.on(DAY))
    journal.append(COMMAND, [(at, command) for command in commands], durable=False)
    return desk


def make_folder(path: Path) -> Folder:
    """Make everything a folder may hold."""
    path.mkdir(parents=True, exist_ok=True)
    day = traded_day()
    events = tuple(day.events)
    journal_of(path / "journal.db", events)
    _learned(path / "journal.db", day)
    _lake(Lake(path / "lake"), [event for event in events if isinstance(event, Slice)])
    _models(path / "models")
    _records(path)
    return Folder(path, day, events)


def _learned(path: Path, day: DeskDay) -> None:
    order = next(iter(day.desk.blotter.orders.values()))
    at = instant_at(DAY, 153_000)
    review = TradeReview(
        order.intent.decision_id, order.intent.symbol, Side.BUY, "MODEL_APPROVE", True, order.quantity,
        order.intent.limit_price, order.intent.limit_price, 1.5, -12.5, 300, "loss", at,
    )  # fmt: skip
    lesson = Lesson("L0001", "hour=09", "veto", (order.intent.decision_id,), 12, 14.5, "candidate", at)
    with JournalDb(path) as journal:
        journal.append("review", [(at, review)], durable=True)
        journal.append("lesson", [(at, lesson)], durable=True)


def _lake(lake: Lake, pieces: list[Slice]) -> None:
    days = trading_days(DAY - dt.timedelta(days=140), DAY - dt.timedelta(days=1))
    rng = np.random.default_rng(5)
    rows = []
    for symbol in SYMBOLS:
        for day, close in zip(days, (50_000 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))).tolist(), strict=True):
            price = round(close / 100) * 100
            prices = {"open": price, "high": price + 200, "low": price - 200, "close": price}
            rows.append({"symbol": symbol, "day": day, **prices, "volume": 5_000, "turnover": 0, "halted": False,
                         "adjusted": False, "source": "test"})  # fmt: skip
    lake.write("daily", pa.Table.from_pylist(rows, schema=DAILY), keys=TABLES["daily"].keys)
    index = [
        {"index": "0001", "day": day, **dict.fromkeys(("open", "high", "low", "close"), 250_000 + k), "volume": 1}
        for k, day in enumerate(days)
    ]
    lake.write("index_daily", pa.Table.from_pylist(index, schema=INDEX_DAILY), keys=TABLES["index_daily"].keys)
    listed = instrument_rows(instruments(SYMBOLS).values())
    lake.write("instruments", listed, keys=TABLES["instruments"].keys)
    bars = [
        {"symbol": symbol, "day": DAY, "start": piece.start, "open": int(piece.open[k]), "high": int(piece.high[k]),
         "low": int(piece.low[k]), "close": int(piece.close[k]), "volume": int(piece.volume[k])}
        for piece in pieces
        for k, symbol in enumerate(piece.symbols)
    ]  # fmt: skip
    lake.write("minute", pa.Table.from_pylist(bars, schema=MINUTE), keys=TABLES["minute"].keys)


def _models(path: Path) -> None:
    registry = Registry(path)
    for number, name in enumerate((EARLIER, LATEST)):
        card = ModelCard(name, "policy", "f", DAY, DAY, {"score": number / 10}, number, "")
        registry.put(card, {"weights.json": name.encode()})
        for state in (ModelState.SHADOW, ModelState.CHAMPION):
            registry.promote(name, state, why="test", ground=Ground.DECISION)
    registry.put(ModelCard("ranker-a", "ranker", "f", DAY, DAY, {}, 0, ""), {"model.json": b"{}"})


def _records(path: Path) -> None:
    reasons = [{"symbol": "999990", "code": "kind.etf", "detail": "only common shares are held"}]
    universe = {"day": "2026-11-20", "universe": list(SYMBOLS), "exclusions": {"kind.etf": 1}, "reasons": reasons}
    figures = {"total_return": 0.01, "max_drawdown": -0.02, "sharpe": None, "fees_won": 100, "taxes_won": 20,
               "orders": 3, "sessions": 2}  # fmt: skip
    facts = {
        "synthetic": True,
        "policy": LATEST,
        "fear_greed": {"value": 55.0, "missing": ["foreign_flow"]},
        "backtest": {"engine": "sim.batch", "policy": figures, "baselines": {"현금": figures}},
        "ml": {"lightgbm": {"rank_ic": 0.02, "days": 5}, "baselines": {"momentum_20": {"rank_ic": 0.0, "days": 5}}},
        "attribution": [{"day": DAY.isoformat(), "total": 1, "traded": 2, "carried": 3, "escaped": 4, "costs": 5}],
    }
    (path / "universe.json").write_text(json.dumps(universe), encoding="utf-8")
    (path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    (path / "report.html").write_text("<!doctype html><title>report</title>", encoding="utf-8")
