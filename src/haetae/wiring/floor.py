"""A trading day on the floor: the desk over REST and WebSocket, from the pre-open checks to closed books.

Everything here is the code that trades real money: the KIS client, the desk, the guards, the
journal, the runner. Only three plugs differ from a live day: the address, the pace (``paces``), and
the decider, which is the offline rules (not AI) unless a language model is configured.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from haetae.desk import DeskSettings
from haetae.domain.decisions import AgentReply, Brief
from haetae.domain.errors import JournalError, Retryable
from haetae.domain.events import Note, SessionStart
from haetae.domain.orders import Side
from haetae.domain.units import Instant, Symbol
from haetae.guards import GUARDS, require_measured
from haetae.kis.broker import KisBroker
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings
from haetae.kis.stream import KisStream
from haetae.kis.wire.operations import Operation
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import DayReport, Handover, LiveSettings, OfflineDecider, TradingDayRunner, latest_handover
from haetae.live.agenda import at_of
from haetae.live.gate import Leaving
from haetae.ports import Clock, Decider, Lease, Passing, Policy, pass_by
from haetae.store.lake import Lake
from haetae.wiring import attestation, livegate, reserve
from haetae.wiring.deciders import open_decider
from haetae.wiring.desks import Before, DayPlan, initial_desk, session_start
from haetae.wiring.dice import process_dice
from haetae.wiring.heartbeat import Heartbeat
from haetae.wiring.journal_places import halt_if_restored, open_journal
from haetae.wiring.lessons import lessons_of
from haetae.wiring.livegate import account_name
from haetae.wiring.notifying import Channels, Mailbox
from haetae.wiring.operators import OperatorFile
from haetae.wiring.paces import Line, Pace
from haetae.wiring.selection import Market
from haetae.wiring.usual_moves import usual_moves
from haetae.wiring.vitals import Pulse
from haetae.wiring.watching import watching

_ALL_THERE_IS = 2**62
_SIDES = {"order-cash-buy": Side.BUY, "order-cash-sell": Side.SELL}
_log = structlog.get_logger(__name__)


def session_of(
    day: dt.date,
    market: Market,
    scores: Mapping[Symbol, float],
    held: Mapping[Symbol, int],
    before: Before | None = None,
) -> SessionStart:
    """Return what the desk knows before the open of ``day``: everything from the close before."""
    symbols = sorted({*market.universe.symbols, *held})
    column = {symbol: k for k, symbol in enumerate(market.panel.symbols)}
    turnover = (market.panel.close[-20:] * market.panel.volume[-20:]).mean(axis=0)
    return session_start(
        at_of(Rulebook.on(day), "desk"),
        symbols,
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
    return 600.0 if env.get("HAETAE_LLM_BASE_URL") else 120.0


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
    account: Path | None = None
    """Folder of the account's keys; none where the market is an emulator of our own."""
    real_money: bool = False
    mail: Mailbox | None = None
    channels: Channels | None = None

    @property
    def folder(self) -> Path:
        """The desk's folder: operator's file, sign of life, promotion."""
        return self.journal_path.parent

    @property
    def reserve_path(self) -> Path:
        """Where the emergency journal would lie: another disk if the settings name one."""
        folder = self.live.reserve or self.account or self.folder
        return folder / f"reserve-{self.folder.name}.jsonl"

    passing: Passing = pass_by

    async def trade(self, session: SessionStart, plan: DayPlan, orders: OperatorFile | None = None) -> DayReport:
        """Run one trading day from the pre-open checks to the close of the books."""
        require_measured(self.settings.limits)
        await self.have_a_token(plan.day)
        clock = await self.pace.until(session.at)
        session = replace(session, usual=usual_moves(self.lake, plan.day, session.symbols, plan.minute_version or None))
        rules = Rulebook.on(plan.day)
        with ExitStack() as stack:
            journal = stack.enter_context(open_journal(self.journal_path, env=self.env, passing=self.passing))
            merged = reserve.merge(journal, self.reserve_path)
            if merged:
                _log.warning("journal.reserve_merged", entries=merged)
            spare = reserve.ReserveFile(self.reserve_path)
            stack.callback(spare.close)
            handed = latest_handover(journal) or Handover(open_book(self.cash))
            lessons = lessons_of(journal, plan.day)
            desk = handed.to(initial_desk(self.lake, plan, handed.book, self.settings, lessons))
            decider = _Watched(open_decider(self.env, clock) or OfflineDecider(clock))
            last_look = LastLook()
            async with KisRest(self.kis, clock, process_dice("kis.rest"), last_look, passing=self.passing) as rest:
                stream = KisStream(self.kis, clock, rest.approval_key, process_dice("kis.stream"))
                broker = KisBroker(rest, stream, clock, passing=self.passing)
                feed = KisFeed(rest, stream, clock, with_index=True)
                runner = TradingDayRunner(
                    desk=desk,
                    session=replace(session, account=account_name(self.kis)),
                    broker=broker,
                    feed=feed,
                    journal=journal,
                    policy=self.policy,
                    decider=decider,
                    clock=clock,
                    rules=rules,
                    settings=paced(self.live, self.pace),
                    vitals=lambda: pulse(),
                    lease=journal.lease,
                    reserve=spare,
                    look=lambda: look.wishes(clock.now()),
                    told=self._told,
                    passing=self.passing,
                )
                last_look.runner = runner
                pulse = self._pulse(rest, feed, clock, plan.day, runner, journal.lease)
                sign = Heartbeat(self.folder, live=self.real_money, account=self.account, day=plan.day.isoformat())
                stack.callback(sign.close)
                taken = _Taken(stream)
                look = _Look(runner, feed, orders, sign, taken)
                look.at_start(clock.now())
                halt = halt_if_restored(journal, clock.now())
                if halt is not None:
                    runner.operate(halt)
                await broker.start()
                task = asyncio.create_task(runner.run())
                line = Line(lambda: rest.busy or stream.busy or decider.thinking > 0, taken)
                try:
                    with watching(self.live, self.pace, self.channels):
                        return await self.pace.drive(task, line, rules, look)
                except JournalError as fault:
                    self._told(last_word(clock.now(), fault, replaced=runner.gate.lost))
                    raise
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    await broker.close()
                    await stream.close()

    def _pulse(
        self, rest: KisRest, feed: KisFeed, clock: Clock, day: dt.date, runner: TradingDayRunner, lease: Lease
    ) -> Pulse:
        account, live = self.account, self.real_money
        return Pulse(
            rest=rest,
            clock=clock,
            day=day,
            mandate=lambda: livegate.mandate(self.kis, account or self.folder, day, live=live),
            gate=runner.gate,
            lease=lease,
            record=runner.record,
            gaps=feed.price_gaps_bp,
            running=attestation.running(self.settings),
            promotion=attestation.promoted(self.folder) if live else None,
        )

    def _told(self, note: Note) -> None:
        """Tell people of a note; a permit that the guards revoked is taken away here."""
        if note.kind == "permit.revoked" and self.real_money and self.account is not None:
            livegate.revoke(self.account)
        if self.mail is not None:
            self.mail.note(note)

    async def have_a_token(self, day: dt.date) -> None:
        """Renew a token that would not outlive the session; it is kept in its file until the desk is up."""
        if self.kis.token_file is None:
            return
        clock = await self.pace.until(at_of(Rulebook.on(day), "token"))
        async with KisRest(self.kis, clock, process_dice("kis.rest"), passing=self.passing) as rest:
            try:
                await rest.prepare()
            except Retryable as fault:
                _log.warning("token.not_ready", fault=str(fault), found=fault.found)


class LastLook:
    """Asked by the connection when an order's turn has come: what was halted while it waited does not leave."""

    def __init__(self) -> None:
        """Permit everything until there is a runner."""
        self.runner: TradingDayRunner | None = None

    def __call__(self, operation: Operation, values: Mapping[str, str]) -> str:
        """Return why an order must not leave now, empty where it may."""
        side = _SIDES.get(operation.name)
        if self.runner is None or side is None:
            return ""
        # Age and the reserve's rule were judged by the lane, which knows an exit; here only who says stop counts.
        leaving = Leaving(side, escape=True, decided_at=0)
        return self.runner.sends.withheld(leaving)


class _Taken:
    """Frames taken of those the market sent; what it sent into a session that broke is nobody's to wait for."""

    def __init__(self, stream: KisStream) -> None:
        self._stream = stream
        self._session = stream.reconnects

    def __call__(self) -> int:
        stream = self._stream
        return stream.received if stream.connected and stream.reconnects == self._session else _ALL_THERE_IS

    def looked(self) -> None:
        """The market's next answer counts into the session that is open now."""
        if self._stream.connected:
            self._session = self._stream.reconnects


class _Look:
    """Hands the operator's orders to the desk as they come, tells the feed which symbols are held, gives signs of life.

    A symbol that was sold stays preferred for the day: registrations are not for going back and forth.
    """

    def __init__(
        self, runner: TradingDayRunner, feed: KisFeed, orders: OperatorFile | None, sign: Heartbeat, taken: _Taken
    ) -> None:
        self._taken = taken
        self._runner = runner
        self._feed = feed
        self._orders = orders
        self._sign = sign
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
        self._sign.beat(self._orders.read_to if self._orders else 0)

    def wishes(self, now: Instant) -> bool:
        """Read the operator's file; returns whether that gave the desk work."""
        fresh = self._orders.fresh() if self._orders else ()
        for order in fresh:
            self._runner.operate(order.command(now))
        return bool(fresh)

    def __call__(self, now: Instant) -> bool:
        """Look once; returns whether that gave the desk work."""
        self._taken.looked()
        gave_work = self._prefer_held()
        gave_work = self.wishes(now) or gave_work
        self._sign.beat(self._orders.read_to if self._orders else 0)
        return gave_work


def last_word(at: Instant, fault: JournalError, *, replaced: bool) -> Note:
    """Return what people are told of a day that ended without its journal: another process has it, or it failed."""
    return Note(at, "lease.lost" if replaced else "run.failed", {"fault": str(fault), "found": fault.found})


def paced(live: LiveSettings, pace: Pace) -> LiveSettings:
    """Return the driver's settings for a pace: limits of real machines, on a clock that may run faster than one.

    A market in lockstep stands still between its steps, so nothing changes there that a beat each minute would miss.
    """
    if pace.speed == 0:
        return replace(live, beat_s=max(live.beat_s, 60), exits_at_once=1)
    return replace(
        live,
        commit_s=live.commit_s * pace.speed,
        lease_pause_s=live.lease_pause_s * pace.speed,
        send_within_s=round(live.send_within_s * pace.speed),
        beat_s=round(live.beat_s * max(1.0, pace.speed / 12)),
    )


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
