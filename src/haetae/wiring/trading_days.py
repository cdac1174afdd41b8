"""Trading days from the pre-open to the review: the plan of ``haetae trade`` on paper and with real money.

A day follows its agenda (``live.agenda``): catch up with the lake, choose the fifty and score them, check everything
before the open, trade, write the facts, collect the session, look back, copy the journal. Each step is told in the
log as it begins, late where it is late. The market is the configured account, an emulator that runs already, or one
that this process starts and steps. Starting again on the same day recovers it.
"""
# long: one day from the pre-open to the copy reads from top to bottom.

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from haetae.config import load
from haetae.domain.account import Book
from haetae.domain.errors import ConfigError, HaetaeError, Text
from haetae.domain.events import Note, SessionStart
from haetae.domain.units import NS_PER_SECOND, Symbol, Won, day_of
from haetae.features import minute
from haetae.kis.broker import KisBroker
from haetae.kis.rest import KisRest
from haetae.krx import Rulebook, is_trading_day
from haetae.krx.calendar import next_trading_day, previous_trading_day
from haetae.live import latest_book
from haetae.live.agenda import at_of
from haetae.live.recovery import CLOSED, OPENED, RUN
from haetae.policies import NetPolicy
from haetae.policies.asked import OnSchedule
from haetae.ports import Policy
from haetae.ports.tables import daily_table
from haetae.registry.registry import Registry
from haetae.store.lake import Lake
from haetae.wiring import (
    attestation,
    backups,
    collection,
    days_before,
    livegate,
    mornings,
    reviews,
    scoring,
    selection,
    shadowing,
)
from haetae.wiring.clocks import SystemClock
from haetae.wiring.desk_folder import POLICY, RANKER, in_charge, open_folder
from haetae.wiring.desks import (
    DECISION_MINUTES,
    FIRST_DECISION_MINUTE,
    WARM_SESSIONS,
    DayPlan,
    Plan,
    plan_path,
    plan_record,
    read_plan,
)
from haetae.wiring.dice import process_dice
from haetae.wiring.evidence import require_proven
from haetae.wiring.floor import Floor, day_facts, merge_counts, session_of, set_aside
from haetae.wiring.journal_places import begun, bind, open_journal
from haetae.wiring.lessons import LESSON, fold
from haetae.wiring.notifying import Channels, Mailbox, open_mailbox, tell_at_once
from haetae.wiring.operators import OperatorFile
from haetae.wiring.records import write_json
from haetae.wiring.screen import Screen, Silent
from haetae.wiring.shadowing_policies import record_policies
from haetae.wiring.signing import is_signed
from haetae.wiring.starts import Starts
from haetae.wiring.strategies import make_strategy
from haetae.wiring.venues import TradeSettings, Venue, open_venue

PEOPLE = 2
"""A release of real money is the word of two."""
_log = structlog.get_logger(__name__)


async def trade(settings: TradeSettings, env: Mapping[str, str], screen: Screen) -> dict[str, Any]:
    """Trade the days that were asked for; returns the facts, which the folder holds too."""
    if settings.live:
        _refuse_unless_ready(settings, env)
    facts = open_folder(settings.out, settings.source)
    clock, found = SystemClock(), load(settings.files, env)
    starts = Starts(settings.out, clock, found.live)
    try:
        starts.begin()
    except HaetaeError as loop:
        await tell_at_once(found.notify, Note(clock.now(), "crash.looped", {"found": loop.found}), clock, env)
        raise
    fault: BaseException | None = None
    try:
        return await _trade_days(settings, env, facts, screen)
    except BaseException as met:
        fault = met
        raise
    finally:
        starts.ended(fault)


def _refuse_unless_ready(settings: TradeSettings, env: Mapping[str, str]) -> None:
    """Raise one ``ConfigError`` with everything that real money still lacks: gate, proof of the models, promotion."""
    lacking = livegate.missing(settings.account, env, day_of(SystemClock().now()), settings.files)
    folder = settings.out if (settings.out / "models").is_dir() else settings.source
    try:
        if folder is None or not (folder / "models").is_dir():
            lacking.append("models: no folder with models")
        else:
            require_proven(Registry(folder / "models"), (POLICY, RANKER))
    except HaetaeError as fault:
        lacking.append(f"models: {fault.message} ({fault.found})")
    if attestation.promoted(settings.out) is None:
        lacking.append(f"promotion: {attestation.FILE} with two names (haetae trade promote)")
    if lacking:
        raise livegate.shut("; ".join(lacking))


async def _trade_days(
    settings: TradeSettings, env: Mapping[str, str], facts: dict[str, Any], screen: Screen
) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        venue = await open_venue(settings, env, facts, http, screen)
        stack.push_async_callback(venue.close)
        mail, channels = open_mailbox(venue.notify, venue.pace.clock, env)
        if mail is not None:
            stack.push_async_callback(mail.close)
        desk = _Desk(settings, venue, facts, env, screen, mail, channels)
        count = 0
        while settings.sessions == 0 or count < settings.sessions:
            await desk.day()
            count += 1
        return desk.facts


HISTORY_SESSIONS = 300
"""Raw sessions collected for a lake of adjusted bars: a year of look-back and some for the universe."""


class _Desk:
    """One folder's desk over its days."""

    def __init__(
        self,
        settings: TradeSettings,
        venue: Venue,
        facts: dict[str, Any],
        env: Mapping[str, str],
        screen: Screen,
        mail: Mailbox | None = None,
        channels: Channels | None = None,
    ) -> None:
        self.facts = facts
        self._out = settings.out
        self._live = settings.live
        self._mail, self._channels = mail, channels
        self._account = None if settings.emulator else settings.account
        read = load(settings.files, env)
        self._mood, self._settings = read.feargreed, read.live
        self._universe = read.research.universe
        self._strategy = _strategy_of(settings)
        self._venue = venue
        self._env = env
        self._screen = screen
        self._lake = Lake(settings.out / "lake", by="haetae trade")
        self._journal = settings.out / "journal.db"
        if not venue.forgets:
            bind(self._journal, env)
        elif self._journal.exists():
            _begin_again(self._journal)
            self.facts.pop("sessions", None)

    async def day(self) -> None:
        """Trade the next day that is not closed yet."""
        day = self._next_day()
        rules = Rulebook.on(day)
        cash = await self._cash()
        self._began(rules, "catch_up")
        await self._catch_up(previous_trading_day(day))
        market = selection.read_market(self._lake, previous_trading_day(day), self._universe, mood=self._mood)
        policy, policy_id, rankers, scores = self._deciding(market)
        known = days_before.before(day, self._journal, self._lake, self._env)
        session = session_of(day, market, scores, self._held(), known)
        await self._warm_up(day, session.symbols)
        plan = self._planned(day, session.symbols, cash)
        self._tell_universe(market)
        self._screen.say(Text(ko=f"{day} · 정책 {policy_id}", en=f"{day} · policy {policy_id}"))
        floor = Floor(
            kis=self._venue.kis,
            lake=self._lake,
            journal_path=self._journal,
            policy=policy,
            settings=plan.settings or self._venue.desk,
            cash=cash,
            pace=self._venue.pace,
            env=self._env,
            live=self._settings,
            account=self._account,
            real_money=self._live,
            mail=self._mail,
            channels=self._channels,
        )
        self._began(rules, "token")
        await floor.have_a_token(day)
        session = await self._checked(rules, market, session)
        self._began(rules, "desk")
        orders = OperatorFile(self._out, PEOPLE if self._live else 1, genuine=partial(is_signed, kis=floor.kis))
        told = day_facts(await floor.trade(session, plan, orders))
        self._keep(told, policy_id, rankers)
        await self._after_close(rules, session.symbols)
        self._began(rules, "backup")
        backups.copy_journal(self._journal, day, self._env)

    def _began(self, rules: Rulebook, name: str) -> None:
        """Tell in the log that a step of the agenda begins, and how late that is."""
        late_s = max(0, self._venue.now() - at_of(rules, name)) // NS_PER_SECOND
        _log.info("step.began", step=name, day=str(rules.day), late_s=late_s)

    async def _checked(self, rules: Rulebook, market: selection.Market, session: SessionStart) -> SessionStart:
        """Return the session as the checks before the open leave it; raises where the day must not begin."""
        ground = mornings.Ground(
            self._out, self._lake, self._venue.kis, self._settings, self._live, self._universe, self._mail, self._env
        )
        opened, held = rules.day in self._days_with(OPENED), self._held()
        async with self._venue.pace.collecting(at_of(rules, "checks")) as clock:
            self._began(rules, "checks")
            morning = await mornings.examine(ground, clock, rules.day, market, session, held, opened=opened)
        for check in morning.failing():
            self._screen.say(Text(ko=f"{check.title.ko}: {check.found.ko}", en=f"{check.title.en}: {check.found.en}"))
        return session if opened else mornings.heeding(session, morning)

    # ------------------------------------------------------------------ before the open

    def _deciding(self, market: selection.Market) -> tuple[Policy, str, list[str], dict[Symbol, float]]:
        """Return who decides, its name, the rankers behind the scores, and the scores of the day."""
        if self._strategy is not None:
            return self._strategy, self._strategy.policy_id, [], {}
        registry = Registry(self._out / "models")
        policy_id, ranker_id = in_charge(registry)
        if self._live:
            require_proven(registry, (POLICY, RANKER))
        scores = scoring.tomorrow(market, scoring.load(registry, ranker_id))
        return NetPolicy.from_files(registry.get(policy_id)[1], minute.NAMES), policy_id, [ranker_id], scores

    def _next_day(self) -> dt.date:
        now = self._venue.now()
        day = day_of(now)
        if not is_trading_day(day) or now >= Rulebook.on(day).session.close_at:
            day = next_trading_day(day)
        closed = self._days_with(CLOSED)
        while day in closed:
            day = next_trading_day(day)
        return day

    def _days_with(self, kind: str) -> set[dt.date]:
        """Return the days of which the journal has a note of a kind."""
        if not begun(self._journal, self._env):
            return set()
        with open_journal(self._journal, env=self._env, read_only=True) as journal:
            notes = [record for _, _, _, record in journal.entries(kind=RUN)]
        return {
            dt.date.fromisoformat(str(note.data["day"]))
            for note in notes
            if isinstance(note, Note) and note.kind == kind
        }

    def _book(self) -> Book | None:
        if not begun(self._journal, self._env):
            return None
        with open_journal(self._journal, env=self._env, read_only=True) as journal:
            return latest_book(journal)

    def _held(self) -> dict[str, int]:
        book = self._book()
        return {symbol: position.quantity for symbol, position in book.positions.items()} if book else {}

    async def _cash(self) -> Won:
        """Return the plan's cash: of the journal's beginning, or what the account holds before its first day."""
        if plan_path(self._journal).exists() and self._book() is not None:
            return read_plan(self._journal).cash
        async with (
            self._venue.pace.collecting(self._venue.now()) as clock,
            KisRest(self._venue.kis, clock, process_dice("kis.rest")) as rest,
        ):
            broker = KisBroker(rest, None, clock)
            held = await broker.positions()
            if held:
                raise ConfigError(
                    Text(ko="계좌에 이미 보유 종목이 있습니다", en="the account holds shares already"),
                    expected=Text(ko="이 데스크만 쓰는, 현금만 있는 계좌", en="an account of cash alone"),
                    found=f"{len(held)} symbols",
                    next_step=Text(ko="다른 계좌를 쓰거나 먼저 정리하세요", en="use another account, or sell first"),
                )
            return (await broker.cash()).cash

    async def _catch_up(self, until: dt.date) -> None:
        """Collect the daily bars the lake lacks; raw history from the beginning where it has adjusted bars only."""
        held = {table.table: table.last_day for table in self._lake.describe()}
        known = held.get(daily_table(self._lake.versions()))
        if known is None or (held.get("daily") or dt.date.min) >= until:
            return
        async with self._venue.pace.collecting(self._venue.now()) as clock:
            start = next_trading_day(known) if "daily" in held else previous_trading_day(until, HISTORY_SESSIONS)
            await collection.collect_daily(self._venue.kis, clock, self._lake, start, until, self._screen)

    async def _warm_up(self, day: dt.date, symbols: tuple[str, ...]) -> None:
        """Collect the minutes that fill the look-backs; without them the features warm up during the day."""
        sessions = collection.sessions_before(previous_trading_day(day), WARM_SESSIONS)
        try:
            async with self._venue.pace.collecting(self._venue.now()) as clock:
                await collection.collect_minutes(self._venue.kis, clock, self._lake, symbols, sessions, self._screen)
        except HaetaeError as fault:
            self._warn(Text(ko="분봉을 수집하지 못했습니다", en="minutes were not collected"), fault)

    def _planned(self, day: dt.date, symbols: tuple[str, ...], cash: Won) -> DayPlan:
        """Return the plan of a day, the one written before if this is not its first start."""
        path = plan_path(self._journal)
        days = read_plan(self._journal).days if path.exists() else ()
        for known in days:
            if known.day == day:
                return known
        desk = self._venue.desk
        if self._strategy is not None:
            desk = replace(desk, decision_minutes=self._strategy.decision_minutes)
        fresh = DayPlan(day, symbols, self._lake.versions().get("minute", 0), desk)
        plan = Plan(self._lake.root, cash, DECISION_MINUTES, FIRST_DECISION_MINUTE, (*days, fresh))
        write_json(path, plan_record(plan, self._journal))
        return fresh

    def _tell_universe(self, market: selection.Market) -> None:
        record = selection.universe_record(market)
        write_json(self._out / "universe.json", record)
        self.facts.update({name: record[name] for name in ("universe", "exclusions", "fear_greed")})

    # ------------------------------------------------------------------ after the close

    def _keep(self, told: dict[str, Any], policy_id: str, rankers: list[str]) -> None:
        days = [each for each in self.facts.get("sessions", []) if each["day"] != told["day"]] + [told]
        self.facts.update(
            {
                "mode": "live" if self._live else "paper",
                "policy": policy_id,
                "rankers": rankers,
                "sessions": days,
                **{name: merge_counts(days, name) for name in ("decisions", "deciders", "denied")},
                "orders": sum(each["orders"] for each in days),
                "fills": sum(each["fills"] for each in days),
                "reconciled": all(each["reconciled"] for each in days),
                "files": {
                    name: str(self._out / file)
                    for name, file in (("journal", "journal.db"), ("lake", "lake"), ("models", "models"))
                },
            }
        )
        write_json(self._out / "facts.json", self.facts)

    async def _after_close(self, rules: Rulebook, symbols: tuple[str, ...]) -> None:
        """Collect the session and look back; what fails here is told and made up for next morning."""
        day, kis, lake = rules.day, self._venue.kis, self._lake
        try:
            async with self._venue.pace.collecting(at_of(rules, "collect")) as clock:
                self._began(rules, "collect")
                await collection.collect_daily(kis, clock, lake, day, day, Silent())
                await collection.collect_minutes(kis, clock, lake, symbols, (day,), Silent())
                evening = clock.now()
            shadowing.record(self._out / "models", lake, day, evening)
            record_policies(self._out / "models", lake, day, symbols, evening)
            found = reviews.review_day_of(self._journal, day)
            found["critiques"] = await reviews.criticise(self._journal, day, self._env, SystemClock())
        except HaetaeError as fault:
            self._warn(Text(ko="회고를 하지 못했습니다", en="the day was not reviewed"), fault)
        else:
            names = ("reviews", "outcomes", "attribution", "lessons", "critiques")
            self.facts.update({name: found[name] for name in names})
        if self._venue.ledger is not None:
            self.facts["reconciliation"] = await self._venue.ledger(self._journal, self._out)
        write_json(self._out / "facts.json", self.facts)

    def _warn(self, what: Text, fault: HaetaeError) -> None:
        why = fault.message if isinstance(fault.message, Text) else Text(ko=fault.message, en=fault.message)
        self._screen.say(Text(ko=f"{what.ko}: {why.ko} ({fault.found})", en=f"{what.en}: {why.en} ({fault.found})"))


def _strategy_of(settings: TradeSettings) -> OnSchedule | None:
    """Return the strategy that was asked for; real money is decided by the registered model alone."""
    if not settings.strategy:
        return None
    if settings.live:
        raise ConfigError(
            Text(ko="실거래는 등록된 모델만 결정합니다", en="real money is decided by the registered model alone"),
            expected=Text(ko="--strategy 없이", en="no --strategy"),
            found=settings.strategy,
            next_step=f"haetae trade paper --strategy {settings.strategy}",
        )
    return OnSchedule(make_strategy(settings.strategy, settings.parameters), FIRST_DECISION_MINUTE)


def _begin_again(journal: Path) -> None:
    """Set a journal aside whose broker has forgotten its account; what a person approved lives on."""
    with open_journal(journal, read_only=True) as old:
        known = sorted(fold(old).values(), key=lambda item: item[1])
    set_aside(journal)
    plan_path(journal).unlink(missing_ok=True)
    with open_journal(journal) as fresh:
        fresh.append(LESSON, [(at, lesson) for lesson, at in known], durable=True)
