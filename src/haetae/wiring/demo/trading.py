"""Stage "trade": the live desk over REST and WebSocket, day after day, in lockstep with its market.

Everything here is the code that trades real money: the KIS client, the desk, the guards, the
journal, the runner. Only three plugs differ from a live day: the address, the clock, and the
decider, which is the offline rules (not AI) unless a language model is configured.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import Text
from haetae.domain.events import SessionStart
from haetae.domain.units import NS_PER_MINUTE, Instant, Symbol, instant_at
from haetae.guards import GUARDS
from haetae.journal import JournalDb
from haetae.kis.broker import KisBroker
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings
from haetae.kis.stream import KisStream
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import DayReport, OfflineDecider, TradingDayRunner, latest_book
from haetae.policies import NetPolicy
from haetae.ports import Decider
from haetae.store.lake import Lake
from haetae.wiring.child import Control
from haetae.wiring.clocks import DrivenClock
from haetae.wiring.demo.practice import ENVIRONMENT
from haetae.wiring.desks import DayPlan, desk_settings, initial_desk, session_start
from haetae.wiring.lockstep import Lockstep
from haetae.wiring.screen import Screen
from haetae.wiring.selection import Market

PRE_OPEN = 85_000
"""The desk is up ten minutes before the open."""
SETTINGS = desk_settings(ENVIRONMENT.decision_minutes, ENVIRONMENT.begin_minute)
"""The policy was trained for these decisions."""


def session_of(
    day: dt.date, market: Market, scores: Mapping[Symbol, float], held: Mapping[Symbol, int]
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
    )


@dataclass(slots=True)
class Floor:
    """Everything that stays plugged in over the sessions of a demo."""

    kis: KisSettings
    control: Control
    lake: Lake
    journal_path: Path
    policy: NetPolicy
    decider: Decider | None
    cash: int
    screen: Screen

    async def trade(self, session: SessionStart, plan: DayPlan) -> DayReport:
        """Run one trading day from the pre-open checks to the close of the books."""
        opening = session.at
        await self.control.advance(opening)
        clock = DrivenClock(opening)
        rules = Rulebook.on(plan.day)
        with JournalDb(self.journal_path) as journal:
            book = latest_book(journal) or open_book(self.cash)
            desk = initial_desk(self.lake, plan, book, SETTINGS)
            async with KisRest(self.kis, clock) as rest:
                stream = KisStream(self.kis, clock, rest.approval_key)
                broker = KisBroker(rest, stream, clock)
                feed = KisFeed(rest, stream, clock)
                lockstep = Lockstep(
                    clock=clock,
                    control=self.control,
                    busy=lambda: rest.busy or stream.busy,
                    received=lambda: stream.received,
                    app_key=self.kis.app_key,
                )
                runner = TradingDayRunner(
                    desk=desk,
                    session=session,
                    broker=broker,
                    feed=feed,
                    journal=journal,
                    policy=self.policy,
                    decider=self.decider or OfflineDecider(clock),
                    clock=clock,
                    rules=rules,
                )
                await broker.start()
                task = asyncio.create_task(runner.run())
                try:
                    return await self._drive(lockstep, task, rules)
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    await broker.close()
                    await stream.close()

    async def _drive(self, lockstep: Lockstep, task: asyncio.Task[DayReport], rules: Rulebook) -> DayReport:
        first, last = rules.session.open_at, rules.session.close_at
        total = (last - first) // NS_PER_MINUTE
        label = Text(ko=f"{rules.day} 장중", en=f"{rules.day} session")

        def each(now: Instant) -> None:
            if now % NS_PER_MINUTE == 0 and first <= now <= last:
                self.screen.progress(label, (now - first) // NS_PER_MINUTE, total)

        await lockstep.run_until(last + 10 * NS_PER_MINUTE, until=task, each=each)
        return await task


def set_aside(journal: Path) -> None:
    """Keep the journal of an interrupted run beside the new one; it is a record, not rubbish."""
    number = 1
    while (kept := journal.with_name(f"{journal.stem}-interrupted-{number}{journal.suffix}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
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
