"""A trading day on the floor: the desk over REST and WebSocket, from the pre-open checks to closed books.

Everything here is the code that trades real money: the KIS client, the desk, the guards, the
journal, the runner. Only three plugs differ from a live day: the address, the pace (``paces``), and
the decider, which is the offline rules (not AI) unless a language model is configured.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from haetae.desk import DeskSettings
from haetae.domain.decisions import AgentReply, Brief
from haetae.domain.errors import Retryable
from haetae.domain.events import SessionStart
from haetae.domain.units import Instant, Symbol, instant_at
from haetae.guards import GUARDS
from haetae.kis.broker import KisBroker
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings
from haetae.kis.stream import KisStream
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import DayReport, LiveSettings, OfflineDecider, TradingDayRunner, latest_book
from haetae.ports import Decider, Policy
from haetae.store.lake import Lake
from haetae.wiring.deciders import open_decider
from haetae.wiring.desks import Before, DayPlan, initial_desk, session_start
from haetae.wiring.dice import process_dice
from haetae.wiring.journal_places import halt_if_restored, open_journal
from haetae.wiring.lessons import lessons_of
from haetae.wiring.operators import OperatorFile
from haetae.wiring.paces import Line, Pace, RunningPace
from haetae.wiring.selection import Market
from haetae.wiring.usual_moves import usual_moves

PRE_OPEN = 85_000
"""The desk is up ten minutes before the open."""
TOKEN_READY = 82_000
"""The day's token is there before orders may be entered at 08:30, in time to mend what prevents it."""
_log = structlog.get_logger(__name__)


def session_of(
    day: dt.date,
    market: Market,
    scores: Mapping[Symbol, float],
    held: Mapping[Symbol, int],
    before: Before | None = None,
) -> SessionStart:
    """Return what the desk knows before the open of ``day``: everything from the close before."""
    symbols = {*market.universe.symbols, *held}
    column = {symbol: k for k, symbol in enumerate(market.panel.symbols)}
    turnover = (market.panel.close[-20:] * market.panel.volume[-20:]).mean(axis=0)
    return session_start(
        instant_at(day, PRE_OPEN),
        sorted(symbols),
        {item.symbol: item for item in market.instruments},
        closes={s: int(market.panel.close[-1, column[s]]) for s in symbols},
        turnover={s: int(turnover[column[s]]) for s in symbols},
        scores=scores,
        fear_greed=market.mood.on(market.day),
        universe=market.universe.symbols,
        before=before,
    )


def stall_s(env: Mapping[str, str]) -> float:
    """Return how many real seconds a stepped market waits for a desk: a language model takes its time."""
    return 600.0 if env.get("HAETAE_LLM_BASE_URL") else 30.0


class _Watched:
    """A decider that says whether it is thinking; a stepped market waits for it."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self.thinking = 0

    async def decide(self, brief: Brief) -> AgentReply:
        """Pass the question on."""
        self.thinking += 1
        try:
            return await self._decider.decide(brief)
        finally:
            self.thinking -= 1


@dataclass(slots=True)
class Floor:
    """Everything that stays plugged in over the sessions of a desk.

    ``env`` says whether a language model reviews; without one the offline rules do (not AI).
    """

    kis: KisSettings
    lake: Lake
    journal_path: Path
    policy: Policy
    settings: DeskSettings
    cash: int
    pace: Pace
    env: Mapping[str, str]
    live: LiveSettings = field(default_factory=LiveSettings)

    async def trade(self, session: SessionStart, plan: DayPlan, orders: OperatorFile | None = None) -> DayReport:
        """Run one trading day from the pre-open checks to the close of the books."""
        await self._have_a_token(plan.day)
        clock = await self.pace.until(session.at)
        session = replace(session, usual=usual_moves(self.lake, plan.day, session.symbols, plan.minute_version or None))
        rules = Rulebook.on(plan.day)
        with open_journal(self.journal_path, env=self.env) as journal:
            book = latest_book(journal) or open_book(self.cash)
            desk = initial_desk(self.lake, plan, book, self.settings, lessons_of(journal, plan.day))
            decider = _Watched(open_decider(self.env, clock) or OfflineDecider(clock))
            async with KisRest(self.kis, clock, process_dice("kis.rest")) as rest:
                stream = KisStream(self.kis, clock, rest.approval_key, process_dice("kis.stream"))
                broker = KisBroker(rest, stream, clock)
                feed = KisFeed(rest, stream, clock, with_index=True)
                runner = TradingDayRunner(
                    desk=desk,
                    session=session,
                    broker=broker,
                    feed=feed,
                    journal=journal,
                    policy=self.policy,
                    decider=decider,
                    clock=clock,
                    rules=rules,
                    settings=self.live if isinstance(self.pace, RunningPace) else replace(self.live, exits_at_once=1),
                )
                look = _Look(runner, feed, orders)
                look.at_start(clock.now())
                halt = halt_if_restored(journal, clock.now())
                if halt is not None:
                    runner.operate(halt)
                await broker.start()
                task = asyncio.create_task(runner.run())
                line = Line(lambda: rest.busy or stream.busy or decider.thinking > 0, lambda: stream.received)
                try:
                    return await self.pace.drive(task, line, rules, look)
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    await broker.close()
                    await stream.close()

    async def _have_a_token(self, day: dt.date) -> None:
        """Renew a token that would not outlive the session; it is kept in its file until the desk is up."""
        if self.kis.token_file is None:
            return
        clock = await self.pace.until(instant_at(day, TOKEN_READY))
        async with KisRest(self.kis, clock, process_dice("kis.rest")) as rest:
            try:
                await rest.prepare()
            except Retryable as fault:
                _log.warning("token.not_ready", fault=str(fault), found=fault.found)


class _Look:
    """Hands the operator's orders to the desk as they come, and tells the feed which symbols are held.

    A symbol that was sold stays preferred for the day: registrations are not for going back and forth.
    """

    def __init__(self, runner: TradingDayRunner, feed: KisFeed, orders: OperatorFile | None) -> None:
        self._runner = runner
        self._feed = feed
        self._orders = orders
        self._held: dict[Symbol, None] = {}

    def _prefer_held(self) -> bool:
        held = sorted(self._runner.desk.book.positions)
        self._held.update(dict.fromkeys(held))
        return self._feed.prefer([*held, *self._held])

    def at_start(self, now: Instant) -> None:
        """Give the desk what a person wanted before it was up, where that is stricter than its own start."""
        self._prefer_held()
        order = self._orders.at_start(self._runner.desk.operator) if self._orders else None
        if order is not None:
            self._runner.operate(order.command(now))

    def __call__(self, now: Instant) -> bool:
        """Look once; returns whether that gave the desk work."""
        gave_work = self._prefer_held()
        for order in self._orders.fresh() if self._orders else ():
            self._runner.operate(order.command(now))
            gave_work = True
        return gave_work


def set_aside(journal: Path) -> None:
    """Keep the journal of an interrupted run beside the new one; it is a record, not rubbish."""
    number = 1
    while (kept := journal.with_name(f"{journal.stem}-interrupted-{number}{journal.suffix}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm", ".mark"):
        part = journal.with_name(journal.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))


def day_facts(report: DayReport) -> dict[str, Any]:
    """Return a session as JSON values."""
    levels = [level.lower() for _, kind, level in report.escape if kind in {"escape.raised", "escape.lowered"}]
    order = ["normal", "no_buys", "reduce", "exit_all"]
    highest = max((order.index(level) for level in levels if level in order), default=0)
    return {
        "day": report.day.isoformat(),
        "decisions": dict(report.decisions),
        "deciders": dict(report.deciders),
        "orders": report.orders,
        "cancels": report.cancels,
        "rejected": report.rejected,
        "unknown": report.unknown,
        "fills": report.fills,
        "bought": report.bought,
        "sold": report.sold,
        "fees": report.fees,
        "taxes": report.taxes,
        "denied": dict(report.denied),
        "profit": report.closing_equity - report.opening_equity,
        "opening_equity": report.opening_equity,
        "closing_equity": report.closing_equity,
        "escape": {
            "level": order[highest],
            "orders": report.escape_orders,
            "events": [{"at": at, "kind": kind, "level": level} for at, kind, level in report.escape],
        },
        "differences": dict(report.differences),
        "reconciled": report.reconciled,
        "entries": report.entries,
    }


def guard_names(codes: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Return what each guard of the codes protects, in both languages."""
    names = {guard.code: guard.name for guard in GUARDS}
    return {code: {"ko": names[code].ko, "en": names[code].en} for code in codes if code in names}


def merge_counts(days: list[dict[str, Any]], name: str) -> dict[str, int]:
    """Return counts of all sessions added up."""
    total: dict[str, int] = {}
    for day in days:
        for key, count in day[name].items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))
