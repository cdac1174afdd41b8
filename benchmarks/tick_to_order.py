"""tick-to-order: a trade frame's text in, the bytes of an order out, with fifty names; and ticks sustained on one core.

Two ways lead from a tick to an order, and both are timed through the product's own code, sockets left out. *Decision*:
the frames whose prints end a minute are parsed and folded into bars, the minute into features, the policy is asked (the
crossing means of workload M), legs are planned, every guard looks at each, and the orders become the JSON that leaves.
*Escape*: one frame of the newest prints makes the fifty held names fall; the watch tells the desk, which sells them.
Appending events and commands to the journal (SQLite, synchronous=FULL, on this disk) is a figure of its own, of the
turns in which an order leaves. Figures are seconds on the wall, for a tick waits on the wall; CPU beside them.

Sustained: half a million prints of a calm market in frames of one to twenty through parser, bars and watch, as fast as
one core takes them (CPU), and offered at fifty thousand a second: how far behind does it fall.

There is no peer: what could be installed here and parses this broker's frames is not an engine, and the engine that
could be installed (``bench event``) does not speak them.

    PYTHONPATH=src python benchmarks/tick_to_order.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import json
import os
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from eventing import ours
from eventing.workload import CASH, make_panel

from haetae import sim
from haetae.desk import DeskState, open_desk, step
from haetae.domain.account import Position
from haetae.domain.events import AskPolicy, Command, DeskEvent, Glance, Submit
from haetae.domain.market import Slice
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_SECOND, Instant, day_of, hhmmss_of
from haetae.guards import PriceWatch
from haetae.journal import JournalDb
from haetae.kis.minutes import MinuteBook, Snapshot
from haetae.kis.wire.calls import orders as calls
from haetae.kis.wire.frames import TRADES, Revision, build_frame, parse_frame
from haetae.kis.wire.prints import COLUMNS, read_prints
from haetae.kis.wire.records import TradeRecord
from haetae.krx import Rulebook
from haetae.ledger import open_book

SESSIONS, ESCAPES, PRINTS, RATE = 2, 200, 500_000, 50_000
GATE_S = 0.005
_PRICE, _VOLUME, _TOTAL = (COLUMNS.index(name) for name in ("price", "volume", "cumulative_volume"))


def order_bytes(commands: tuple[Command, ...]) -> list[bytes]:
    """Return what leaves for each order, as the transport writes it."""
    made = []
    for command in commands:
        if isinstance(command, Submit):
            intent, quantity = command.order.intent, command.order.quantity
            kind = calls.BuyOrder if intent.side is Side.BUY else calls.SellOrder
            asked = kind(
                cano="50012345", acnt_prdt_cd="01", pdno=intent.symbol, ord_dvsn="00", ord_qty=str(quantity),
                ord_unpr=str(intent.limit_price),
            )  # fmt: skip
            made.append(json.dumps(asked.operation.body(asked.values()), ensure_ascii=False).encode())
    return made


def frame_of(prints: list[tuple[str, int, int, int]], at: Instant) -> str:
    """Return a frame of prints: symbol, price, shares, shares so far."""
    day, clock, rows = day_of(at), hhmmss_of(at), []
    for symbol, price, shares, total in prints:
        record = TradeRecord(
            symbol, day, clock, price, shares, total, total * price, price, price, price, price, price, 1, 1, price
        )
        rows.append(record.encode(Revision.SEPTEMBER_2026))
    return build_frame(TRADES.real, rows)


class Line:
    """Frames into bars and glances, as the feed does it."""

    def __init__(self, desk: DeskState, prices: dict[str, int], edges: list[tuple[int, int]]) -> None:
        """Begin a session."""
        tape = desk.tape
        self.book = MinuteBook({s: Snapshot(p, p, p, p, 0) for s, p in prices.items()}, edges)
        self.watch = PriceWatch(tape.symbols, desk.settings.escape, tape.lower, tape.upper)

    def take(self, text: str, at: Instant, desk: DeskState) -> Glance | None:
        """Take one frame."""
        found = read_prints(parse_frame(text))
        for symbol, row in zip(found.symbols, found.values.tolist(), strict=True):
            self.book.trade(symbol, at, row[_PRICE], row[_TOTAL], row[_VOLUME])
        return self.watch.take(found.symbols, found.values[:, _PRICE], at, desk.escape)


class Timed:
    """Seconds of turns in which orders left: work, CPU, journal, and orders of each."""

    def __init__(self, journal: JournalDb) -> None:
        """Measure nothing yet."""
        self.journal = journal
        self.work: list[float] = []
        self.cpu: list[float] = []
        self.commit: list[float] = []
        self.orders: list[int] = []

    def note(self, began: tuple[float, float], told: list[tuple[DeskEvent, tuple[Command, ...]]], at: Instant) -> int:
        """Make the bytes, stop the clock, then write the journal on a clock of its own."""
        count = sum(len(order_bytes(commands)) for _, commands in told)
        wall, cpu = perf_counter() - began[0], process_time() - began[1]
        if count:
            start = perf_counter()
            for event, commands in told:
                self.journal.append("event", [(at, event)], durable=False)
                self.journal.append("command", [(at, command) for command in commands], durable=False)
            self.journal.append("run", [], durable=True)
            self.journal.flush()
            self.commit.append(perf_counter() - start)
            self.work.append(wall)
            self.cpu.append(cpu)
            self.orders.append(count)
        return count

    def told(self) -> dict[str, Any]:
        """Return the figures."""
        work, commit = np.array(self.work), np.array(self.commit)
        return {
            "turns": len(work),
            "orders": int(sum(self.orders)),
            "orders_a_turn": float(np.mean(self.orders)),
            "p50_s": float(np.median(work)),
            "p99_s": float(np.percentile(work, 99)),
            "most_s": float(work.max()),
            "cpu_p50_s": float(np.median(self.cpu)),
            "cpu_p99_s": float(np.percentile(self.cpu, 99)),
            "commit_p50_s": float(np.median(commit)),
            "commit_p99_s": float(np.percentile(commit, 99)),
        }


def decisions(journal: JournalDb) -> dict[str, Any]:
    """Return the seconds from the frames that end a minute to the orders of its decision."""
    panel, policy, timed = make_panel(SESSIONS), ours.Cross(), Timed(journal)
    desk, venue = open_desk(ours.settings(), open_book(CASH)), ours.venue(panel)
    for session in ours.sessions(panel):
        venue = sim.open_day(venue, session.rules, session.start.base_prices)
        desk, _ = step(desk, session.start, session.rules)
        pieces = list(session.slices)
        line = Line(desk, dict(session.start.base_prices), [(p.start, p.end) for p in pieces])
        totals = np.zeros(len(panel.symbols), np.int64)
        for piece in pieces:
            venue, fills = sim.step(venue, piece)
            for fill in fills:
                desk, _ = step(desk, fill, session.rules)
            totals = totals + piece.volume
            rows = list(zip(piece.symbols, piece.close.tolist(), piece.volume.tolist(), totals.tolist(), strict=True))
            texts = [frame_of(rows[first : first + 10], piece.start) for first in range(0, len(rows), 10)]
            desk, commands = _decide(desk, line, texts, piece, session.rules, policy, timed)
            replies = deque[Any]()
            for command in commands:
                if isinstance(command, Submit):
                    venue, made = sim.accept(venue, command, piece.end)
                    replies.extend(made)
            for reply in replies:
                desk, _ = step(desk, reply, session.rules)
    return timed.told()


def _decide(
    desk: DeskState, line: Line, texts: list[str], piece: Slice, rules: Rulebook, policy: ours.Cross, timed: Timed
) -> tuple[DeskState, list[Command]]:
    began, told, made = (perf_counter(), process_time()), [], []
    for text in texts:
        line.take(text, piece.start, desk)
    event: DeskEvent = line.book.close()
    desk, commands = step(desk, event, rules)
    told.append((event, commands))
    for command in commands:
        if isinstance(command, AskPolicy):
            proposal = policy.propose(command.view)
            desk, more = step(desk, proposal, rules)
            told.append((proposal, more))
            made += more
    timed.note(began, told, piece.end)
    return desk, [*commands, *made]


def escapes(journal: JournalDb) -> dict[str, Any]:
    """Return the seconds from the frame that makes fifty held names fall to the bytes of fifty sales."""
    panel, timed = make_panel(1), Timed(journal)
    session = next(iter(ours.sessions(panel)))
    bases = dict(session.start.base_prices)
    book = open_book(10 * CASH)
    book = replace(book, positions={s: Position(s, 100, 100 * p) for s, p in bases.items()})
    settings = replace(ours.settings(), limits=replace(ours.settings().limits, escapes_per_day=10_000))
    desk, _ = step(open_desk(settings, book), session.start, session.rules)
    pieces = [piece for piece, _ in zip(session.slices, range(10), strict=False)]
    for piece in pieces:
        desk, _ = step(desk, piece, session.rules)
    last = dict(zip(panel.symbols, pieces[-1].close.tolist(), strict=True))
    at, edges = pieces[-1].end, [(p.start, p.end) for p in pieces]
    for n in range(ESCAPES):
        line, moment = Line(desk, last, edges), at + (n % 50 + 1) * NS_PER_SECOND
        rows = [(s, session.rules.floor_tick(p * 93 // 100), 10, 10) for s, p in last.items()]
        texts = [frame_of(rows, moment), frame_of([(s, p, 10, 20) for s, p, _, _ in rows], moment)]
        line.take(texts[0], moment, desk)
        began = (perf_counter(), process_time())
        glance = line.take(texts[1], moment, desk)
        assert glance is not None
        _, commands = step(desk, glance, session.rules)
        assert timed.note(began, [(glance, commands)], moment) == len(last)
    return timed.told()


def sustained() -> dict[str, Any]:
    """Return ticks a second of one core, and how far behind fifty thousand a second leave it."""
    panel = make_panel(1)
    session = next(iter(ours.sessions(panel)))
    desk, _ = step(open_desk(ours.settings(), open_book(CASH)), session.start, session.rules)
    pieces = [piece for piece, _ in zip(session.slices, range(8), strict=False)]
    for piece in pieces:
        desk, _ = step(desk, piece, session.rules)
    last, at = pieces[-1].close.copy(), pieces[-1].end
    line = Line(desk, dict(zip(panel.symbols, last.tolist(), strict=True)), [(at, at + 60 * NS_PER_SECOND)])
    rng, frames, made, totals = np.random.default_rng(50), [], 0, np.zeros(len(last), np.int64)
    while made < PRINTS:
        names = rng.integers(0, len(last), int(rng.integers(1, 21)))
        totals[names] += 10
        moved = last[names] + rng.integers(-1, 2, len(names)) * 100
        rows = [(panel.symbols[s], int(p), 10, int(totals[s])) for s, p in zip(names, moved, strict=True)]
        moment = at + made * 59 * NS_PER_SECOND // PRINTS
        frames.append((frame_of(rows, moment), moment, len(rows)))
        made += len(rows)
    began = process_time()
    for text, moment, _ in frames:
        line.take(text, moment, desk)
    spent = process_time() - began
    behind, done, start = [], 0, perf_counter()
    for text, moment, count in frames:
        due = start + done / RATE
        while perf_counter() < due:
            pass
        line.take(text, moment, desk)
        done += count
        behind.append(perf_counter() - due)
    return {
        "prints": made,
        "ticks_per_s": made / spent,
        "offered_per_s": RATE,
        "behind_p50_s": float(np.median(behind)),
        "behind_p99_s": float(np.percentile(behind, 99)),
        "behind_at_the_end_s": behind[-1],
        "glances": line.watch.glances,
    }


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure every part and return the figures; write them to ``out_json`` if given."""
    with TemporaryDirectory() as place:
        with JournalDb(Path(place) / "warm.db") as warm:  # compiled code is loaded, pages are touched
            escapes(warm)
        with JournalDb(Path(place) / "journal.db") as journal:
            decided, fled, ticks = decisions(journal), escapes(journal), sustained()
    figures: dict[str, Any] = {
        "workload": "tick-to-order: 50 names, frame text in, order bytes out",
        "ours_s": decided["p99_s"],
        "peer": None,
        "peer_s": None,
        "ratio": None,
        "decision": decided,
        "escape": fled,
        "sustained": ticks,
        "gate_s": GATE_S,
        "gate_ticks_per_s": RATE,
        "passed": max(decided["p99_s"], fled["p99_s"]) <= GATE_S
        and ticks["ticks_per_s"] >= RATE
        and ticks["behind_at_the_end_s"] <= GATE_S,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
