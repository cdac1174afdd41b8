"""What each stage of the demo does.

Stages share a folder, a lake, a registry and one emulator. A stage returns the facts it found;
``run`` times it and writes them down. What an earlier run finished is read back from the folder,
so every stage can be the first one of a run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from haetae.domain.errors import DataError, Text
from haetae.domain.units import Symbol, instant_at
from haetae.emulator.settings import MarketSettings
from haetae.features import minute
from haetae.journal import JournalDb
from haetae.krx.calendar import next_trading_day, previous_trading_day
from haetae.live import latest_book
from haetae.policies import NetPolicy
from haetae.ports.tables import daily_table
from haetae.registry.registry import Registry
from haetae.rl import Learned
from haetae.store.lake import Lake
from haetae.store.reference import quality_lines
from haetae.wiring import collection, days_before, reviews, scoring, selection
from haetae.wiring.demo import hindsight, learning, practice, told
from haetae.wiring.demo.folder import Folder
from haetae.wiring.demo.learning import Ranking
from haetae.wiring.desks import (
    DECISION_MINUTES,
    FIRST_DECISION_MINUTE,
    DayPlan,
    Plan,
    desk_settings,
    plan_path,
    plan_record,
)
from haetae.wiring.exchange import ACCOUNT, Exchange, open_exchange
from haetae.wiring.floor import Floor, day_facts, guard_names, merge_counts, session_of, set_aside, stall_s
from haetae.wiring.paces import LockstepPace
from haetae.wiring.records import write_json
from haetae.wiring.screen import Screen, Silent
from haetae.wiring.selection import Market

CASH = 100_000_000
SETTINGS = desk_settings(DECISION_MINUTES, FIRST_DECISION_MINUTE)
LIVE_SESSIONS = 2
SHOCK_AT, SHOCK_MINUTES, SHOCK_BP = 130_500, 5, -600
"""The second session's scripted fall: from 13:05, six per cent in five minutes."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the market and the training are."""

    listed: int
    history: int
    minute_sessions: int
    rounds: int
    updates: int
    seeds: int


FULL = Size(listed=160, history=300, minute_sessions=22, rounds=150, updates=40, seeds=2)
SHORT = Size(listed=130, history=190, minute_sessions=8, rounds=40, updates=8, seeds=1)


def _sessions(replay: Path | None) -> tuple[dt.date, dt.date, dt.date]:
    """Return the last evening of history and the two sessions to trade: of the lake, if one is replayed."""
    if replay is None:
        first = MarketSettings().first_live_day
        return previous_trading_day(first), first, next_trading_day(first)
    lake = Lake(replay)
    rows = lake.sql(f"SELECT DISTINCT day FROM {daily_table(lake.versions())} ORDER BY day")  # noqa: S608 - a name of ours
    days = rows.column("day").to_pylist()[-LIVE_SESSIONS - 1 :]
    if len(days) <= LIVE_SESSIONS:
        raise DataError(
            Text(ko=f"{replay} 에 재생할 일봉이 모자랍니다", en=f"{replay} has too few daily bars to replay"),
            expected=Text(ko="1년 이상의 일봉", en="a year or more of daily bars"),
            found=f"{len(days)} sessions",
            next_step="haetae lake import --kind daily FILE --lake DIR",
        )
    return days[0], days[1], days[2]


class Stages:
    """One run's stages and what they share."""

    def __init__(self, size: Size, folder: Folder, screen: Screen, *, seed: int, replay: Path | None) -> None:
        """Take the folder; nothing runs yet."""
        self._size = size
        self._seed = seed
        self._replay = replay
        self._folder = folder
        self._screen = screen
        self._lake = Lake(folder.path / "lake", by="haetae demo")
        self._registry = Registry(folder.path / "models")
        self._journal_path = folder.path / "journal.db"
        self._known, *days = _sessions(replay)
        self._days = tuple(days)
        self._exchange: Exchange | None = None
        self._market: Market | None = None
        self._ranking: Ranking | None = None
        self._learned: Learned | None = None

    @property
    def exchange(self) -> Exchange:
        """The running emulator; asked for only after the stage ``market``."""
        if self._exchange is None:
            raise RuntimeError("the market stage has not run")
        return self._exchange

    def peak_mb(self) -> int:
        """Return the most memory the emulator has used."""
        return self._exchange.process.peak_mb() if self._exchange else 0

    async def close(self) -> None:
        """Stop the emulator."""
        if self._exchange is not None:
            await self._exchange.process.stop()

    # ------------------------------------------------------------------ market and data

    async def market(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        """Start the emulator on the evening before the first session."""
        self._exchange, state = await open_exchange(
            session,
            self._folder.path,
            seed=self._seed,
            listed=self._size.listed,
            history=self._size.history,
            evening=self._known,
            sessions=LIVE_SESSIONS,
            cash=CASH,
            replay=self._replay,
        )
        kis = self._exchange.kis
        told.line(
            self._screen,
            f"REST {kis.rest_url} · WebSocket {kis.ws_url} · 상장 {state['listed']}종목 · {state['kst'][:16]}",
            f"REST {kis.rest_url} · WebSocket {kis.ws_url} · {state['listed']} names · {state['kst'][:16]}",
        )
        bars = "synthetic" if self._replay is None else daily_table(Lake(self._replay).versions())
        return {"seed": self._seed, "listed": state["listed"], "synthetic": self._replay is None, "bars": bars}

    async def collect(self) -> dict[str, Any]:
        """Collect master files, flags, indices and daily bars."""
        exchange = self.exchange
        start = self._known - dt.timedelta(days=int(self._size.history * 1.6) + 30)
        clock = await exchange.running_clock()
        done = await collection.collect_daily(exchange.kis, clock, self._lake, start, self._known, self._screen)
        await exchange.control.pause()
        findings = {f"{item.table} {item.code}": item.rows for item in quality_lines(self._lake)}
        told.counts(self._screen, Text(ko="품질 점검", en="quality"), findings)
        rows = len(self._lake.read("daily"))
        told.line(self._screen, f"일봉 {rows:,}행", f"{rows:,} daily rows")
        return {
            "rows_daily": rows,
            "rows_collected": {job.job: job.rows for job in done.jobs},
            "quality": findings,
            "calls": await exchange.control.calls(),
        }

    def _read_market(self, day: dt.date) -> Market:
        if self._market is None or self._market.day != day:
            previous = self._market.universe if self._market else None
            self._market = selection.read_market(self._lake, day, previous=previous)
        return self._market

    async def select(self) -> dict[str, Any]:
        """Build features and the fear and greed index, choose the fifty."""
        market = self._read_market(self._known)
        reasons = selection.exclusion_counts(market.universe)
        mood = market.mood.on(market.day)
        word_ko, word_en = selection.mood_word(mood)
        told.line(self._screen, f"공포·탐욕 {mood:.0f} ({word_ko})", f"fear & greed {mood:.0f} ({word_en})")
        told.counts(self._screen, Text(ko="제외 이유", en="why excluded"), reasons)
        chosen = list(market.universe.symbols)
        told.line(self._screen, f"선정 {len(chosen)}종목", f"{len(chosen)} selected")
        record = selection.universe_record(market)
        write_json(self._folder.path / "universe.json", record)
        return {name: record[name] for name in ("universe", "exclusions", "features", "feature_sets", "fear_greed")}

    async def minutes(self) -> dict[str, Any]:
        """Collect the minute bars of the chosen names."""
        exchange = self.exchange
        sessions = collection.sessions_before(self._known, self._size.minute_sessions)
        clock = await exchange.running_clock()
        names = self._folder.facts["universe"]
        await collection.collect_minutes(exchange.kis, clock, self._lake, names, sessions, self._screen)
        await exchange.control.pause()
        rows = len(self._lake.read("minute", start=sessions[0], end=sessions[-1]))
        told.line(
            self._screen, f"분봉 {rows:,}행 · {len(sessions)}거래일", f"{rows:,} minutes · {len(sessions)} sessions"
        )
        return {"rows_minute": rows, "calls": await exchange.control.calls()}

    # ------------------------------------------------------------------ learning

    async def learn(self) -> dict[str, Any]:
        """Train the three rankers walking forward."""
        market = self._read_market(self._known)
        self._ranking = await asyncio.to_thread(
            learning.rank, market, self._registry, self._seed, self._screen, rounds=self._size.rounds
        )
        np.save(self._folder.path / "scores.npy", self._ranking.scores)
        told.rankers(self._screen, self._ranking.figures, learning.HORIZON)
        return {"ml": self._ranking.figures, "rankers": [self._ranking.card.model_id]}

    def _scores(self) -> np.ndarray:
        if self._ranking is not None:
            return self._ranking.scores
        return np.asarray(np.load(self._folder.path / "scores.npy", allow_pickle=False))

    async def policy(self) -> dict[str, Any]:
        """Train, validate and test the policy on the minutes."""
        market = self._read_market(self._known)
        sessions = collection.sessions_before(self._known, self._size.minute_sessions)
        panel = self._lake.panel("minute", self._folder.facts["universe"], sessions[0], sessions[-1])
        self._learned = await asyncio.to_thread(
            practice.practise,
            panel,
            market,
            self._scores(),
            self._seed,
            self._screen,
            updates=self._size.updates,
            seeds=self._size.seeds,
        )
        policy_id = practice.keep(self._learned, self._registry)
        page = self._folder.path / "report.html"
        figures = practice.report(self._learned, page, synthetic=self._replay is None)
        return {"rl": practice.figures_of(self._learned), "policy": policy_id, "backtest": figures}

    async def backtest(self) -> dict[str, Any]:
        """Show the policy's test run beside every baseline."""
        figures = self._folder.facts["backtest"]
        told.backtest(self._screen, figures)
        told.line(self._screen, f"보고서 {figures['report']}", f"report {figures['report']}")
        return {}

    # ------------------------------------------------------------------ trading

    async def trade(self) -> dict[str, Any]:
        """Trade two sessions; a fall is scripted into the second."""
        exchange = self.exchange
        set_aside(self._journal_path)
        _, files = self._registry.get(self._folder.facts["policy"])
        floor = Floor(
            kis=exchange.kis,
            lake=self._lake,
            journal_path=self._journal_path,
            policy=NetPolicy.from_files(files, minute.NAMES),
            settings=SETTINGS,
            cash=CASH,
            pace=LockstepPace(exchange.control, exchange.kis.app_key, self._screen, stall_s=stall_s(os.environ)),
            env=os.environ,
        )
        self._screen.say(told.decider(os.environ))
        await exchange.control.shock(instant_at(self._days[1], SHOCK_AT), SHOCK_MINUTES, SHOCK_BP)
        models = scoring.load(self._registry, self._folder.facts["rankers"][0])
        days: list[dict[str, Any]] = []
        plan: list[DayPlan] = []
        for day in self._days:
            market = self._read_market(previous_trading_day(day))
            known = days_before.before(day, self._journal_path, self._lake, os.environ)
            session = session_of(day, market, scoring.tomorrow(market, models), self._held(), known)
            plan.append(DayPlan(day, session.symbols, self._lake.versions()["minute"]))
            days.append(day_facts(await floor.trade(session, plan[-1])))
            await self._after_close(day, session.symbols)
        self._write_plan(plan)
        write_json(self._folder.path / "ledger.json", await exchange.control.ledger(ACCOUNT))
        escaped = [day["day"] for day in days if day["escape"]["level"] == "exit_all"]
        denied = merge_counts(days, "denied")
        return {
            "sessions": days,
            "decisions": merge_counts(days, "decisions"),
            "deciders": merge_counts(days, "deciders"),
            "denied": denied,
            "denied_by": guard_names(denied),
            "orders": sum(day["orders"] for day in days),
            "fills": sum(day["fills"] for day in days),
            "escape": {"fired": bool(escaped), "days": escaped},
            "calls": await exchange.control.calls(),
        }

    def _held(self) -> dict[Symbol, int]:
        with JournalDb(self._journal_path) as journal:
            book = latest_book(journal)
        return {symbol: position.quantity for symbol, position in book.positions.items()} if book else {}

    def _write_plan(self, days: list[DayPlan]) -> None:
        desk = SETTINGS
        plan = Plan(self._lake.root, CASH, desk.decision_minutes, desk.first_decision_minute, tuple(days))
        write_json(plan_path(self._journal_path), plan_record(plan, self._journal_path))

    async def _after_close(self, day: dt.date, symbols: tuple[Symbol, ...]) -> None:
        """Collect the session that just ended, as a live evening does."""
        exchange = self.exchange
        await exchange.control.advance(instant_at(day, 180_000))
        clock = await exchange.running_clock()
        await collection.collect_daily(exchange.kis, clock, self._lake, day, day, Silent())
        await collection.collect_minutes(exchange.kis, clock, self._lake, symbols, (day,), Silent())
        await exchange.control.pause()

    # ------------------------------------------------------------------ looking back

    async def review(self) -> dict[str, Any]:
        """Label every decision, attribute the profit, propose lessons."""
        found = reviews.review(self._journal_path, self._lake, self._days)
        told.outcomes(self._screen, found["outcomes"])
        count = len(found["lessons"])
        told.line(
            self._screen,
            f"교훈 후보 {count}건: 승인 전에는 효과 없음",
            f"{count} candidate lessons: no effect before approval",
        )
        return found

    async def reconcile(self) -> dict[str, Any]:
        """Compare the journal's books with the broker's ledger."""
        path = self._folder.path
        books = hindsight.reconcile(self._journal_path, path / "ledger.json", CASH)
        names = {
            "report": "report.html",
            "journal": "journal.db",
            "lake": "lake",
            "models": "models",
            "universe": "universe.json",
            "facts": "facts.json",
            "log": "haetae.log",
        }
        files = {name: str(path / file) for name, file in names.items()}
        return {"reconciled": books["journal"] == books["emulator"], "reconciliation": books, "files": files}
