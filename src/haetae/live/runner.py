"""``TradingDayRunner``: one trading day, live or on paper.

How to drive it::

    runner = TradingDayRunner(desk=…, session=…, broker=…, feed=…, journal=…, policy=…, decider=…,
                              clock=…, rules=Rulebook.on(day))
    task = asyncio.create_task(runner.run())
    await runner.started()        # recovered, session begun, account compared
    …                             # lockstep only: move market and clock, then `await runner.idle()`
    runner.stop()                 # or let it end by itself `end_grace_s` after the close
    report = await task           # DayReport; `runner.desk` is the desk for the next day

``desk`` is the initial desk of the day (opened, warmed); if the journal holds entries of this day, they
are folded onto it first (start is recovery). ``idle()`` returns when every event is handled, every
question answered and every send settled; adapters that work on their own may offer an ``idle()``
coroutine, which is awaited too. A broker may offer ``resume(order)``; it is called for every order
that is open after recovery.

Order of things for every event: journal the event, step, journal the commands (fsync before any order
leaves, every few seconds for the rest), then perform. An order that waits for its turn is looked at once more before
it leaves (``gate``): what was halted meanwhile is not sent. If the journal fails, trading stops (``record`` says what
may go on). Vitals are given at the start, every few seconds, and before any event that would be decided on old ones.
Quotes are not given, prints only as a glance of all prices where they may move the escape (``watching``).
"""
# long: one driver with one queue; splitting it would hide the order of journal, step and send.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import structlog

from haetae.desk import DeskState, event_at, step
from haetae.domain.decisions import Brief, View
from haetae.domain.errors import HaetaeError, JournalError, Text
from haetae.domain.events import (
    AskAgent,
    AskPolicy,
    Cancel,
    Command,
    DeskEvent,
    Note,
    OperatorCommand,
    OperatorEvent,
    Replace,
    SessionStart,
    SetTimer,
    Submit,
    Timer,
    Vitals,
)
from haetae.domain.market import Quote
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.guards import EscapeLevel, require_ceilings
from haetae.krx import Rulebook
from haetae.live.gate import Gate
from haetae.live.handover import RUN, handover_of
from haetae.live.lanes import Job, Lane
from haetae.live.questions import review
from haetae.live.readings import Readings, days_to_read
from haetae.live.record import DayRecord, Reserve
from haetae.live.recovery import (
    COMMAND,
    EVENT,
    FAILED,
    RESUMED,
    closing_note,
    day_entries,
    in_flight,
    opening_note,
    recover,
)
from haetae.live.report import DayReport, report_day
from haetae.live.sends import Sends
from haetae.live.settings import LiveSettings
from haetae.live.watching import watch_prints
from haetae.live.work import Idling, Resuming, Work
from haetae.ports import Broker, Clock, Decider, Journal, Lease, MarketFeed, Passing, Policy, pass_by

_log = structlog.get_logger(__name__)


class TradingDayRunner:
    """Drives one day; see the module."""

    def __init__(
        self,
        *,
        desk: DeskState,
        session: SessionStart,
        broker: Broker,
        feed: MarketFeed,
        journal: Journal,
        policy: Policy,
        decider: Decider,
        clock: Clock,
        rules: Rulebook,
        settings: LiveSettings | None = None,
        vitals: Callable[[], Vitals] | None = None,
        lease: Lease | None = None,
        reserve: Reserve | None = None,
        look: Callable[[], object] | None = None,
        told: Callable[[Note], None] | None = None,
        passing: Passing = pass_by,
    ) -> None:
        """Plug the adapters in; nothing happens before ``run``.

        Parameters
        ----------
        vitals : measures the machinery now; without it the desk hears nothing of it.
        reserve : where entries go when the journal fails while an escape is at work; none ends the day at once.
        look : looks for what a person wants (and calls ``operate``), right before each order leaves.
        told : is told every note, and must not wait.
        """
        require_ceilings(desk.settings.limits)
        self.desk = desk
        self._session = session
        self._broker = broker
        self._feed = feed
        self._journal = journal
        self._policy = policy
        self._decider = decider
        self._clock = clock
        self._rules = rules
        self._settings = settings or LiveSettings()
        self._vitals = vitals
        self._passing = passing
        self._measured_at: Instant | None = None
        self._told = told
        self.gate = Gate(clock, self._settings, lambda: self.desk.operator, lease)
        self.sends = Sends(
            broker,
            self.gate,
            clock,
            order_of=lambda intent_id: self.desk.blotter.orders.get(intent_id),
            told=self._put,
            look=look,
            passing=passing,
        )
        self.record = DayRecord(journal, reserve, self._may_go_on, clock, self._settings.commit_s)
        self._readings = Readings(
            broker,
            clock,
            lambda first: days_to_read(self.desk, rules.day, first=first),
            self._settings,
            queue=lambda job: self._queue_job("orders", job),
            told=self._put,
            again_at=lambda at: self._set_timer(at, "reconcile"),
            passing=passing,
        )
        self._queue: asyncio.Queue[DeskEvent | None] = asyncio.Queue()
        self._work = Work()
        self._started = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopping = False
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lanes: dict[str, Lane] = {}

    async def run(self) -> DayReport:
        """Run the day to its end; raises what stopped it."""
        at_once = {"urgent": self._settings.exits_at_once, "orders": 1}
        self._lanes = {
            name: Lane(name, self._work.end, self._passing, at_once=count) for name, count in at_once.items()
        }
        for lane in self._lanes.values():
            lane.task.add_done_callback(self._watch)
        try:
            await self._begin()
            self._spawn(self._read_broker())
            self._spawn(self._read_feed())
            self._spawn(self._end_of_day())
            self._spawn(self._beat())
            self._started.set()
            await self._loop()
            return await self._finish()
        except Exception as fault:
            self._failure = self._failure or fault
            _log.error("run.failed", fault=str(fault), found=getattr(fault, "found", ""))
            raise
        finally:
            await self._shut()

    def stop(self) -> None:
        """End the day once what is queued and under way is done."""
        self._stopping = True
        self._queue.put_nowait(None)

    async def started(self) -> None:
        """Return when the session has begun; raises what prevented it."""
        await self._first(self._started)

    async def idle(self) -> None:
        """Return when nothing is queued, asked or being sent; raises what stopped the day."""
        await self.started()
        calm = 0
        while calm < self._settings.calm_turns and not self._ended.is_set():
            if self._work.count:
                await self._first(self._work.quiet)
                calm = 0
            for adapter in (self._broker, self._feed):
                if isinstance(adapter, Idling):
                    await adapter.idle()
            await asyncio.sleep(0)
            calm = calm + 1 if not self._work.count else 0
        if self._failure is not None:
            raise self._failure

    def operate(self, command: OperatorEvent) -> None:
        """Give the desk a person's command: the kill switch, a cancel, an order of their own.

        What stops takes effect here and now, for orders that wait as well; what releases, once the desk has read it.
        """
        if isinstance(command, OperatorCommand):
            self.gate.tighten(command.state)
        self._put(command)

    async def _first(self, event: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._failure is not None:
            raise self._failure

    async def _begin(self) -> None:
        now = self._clock.now()
        recovered = recover(self._journal, self.desk, self._rules, self._passing)
        if recovered is None:
            self._passing("run.before_opening")
            self._run_note(opening_note(self._rules.day, handover_of(self.desk), now))
        else:
            self.desk = recovered.desk
            missing = [(recovered.last_at, command) for command in recovered.unwritten]
            self.record.append(COMMAND, missing, durable=False)
            self._run_note(Note(now, RESUMED, {"folded": recovered.folded, "unwritten": len(missing)}))
            self._passing("run.resumed")
        if recovered is None or not recovered.session_started:
            self._passing("run.before_session")
            self._handle(self._session)
            self._passing("run.session_told")
        for event in in_flight(self.desk, now):
            self._passing("run.before_unknown")
            self._handle(event)
            self._passing("run.unknown_told")
        if isinstance(self._broker, Resuming):
            for order in self.desk.blotter.open_orders():
                self._broker.resume(order)
        self._passing("run.before_first_reading")
        first = await self._readings.first()
        self._passing("run.first_reading")
        self._handle(first)
        self._passing("run.compared")

    def _run_note(self, note: Note) -> None:
        """Write what the driver did around the day, and tell it."""
        self.record.append(RUN, [(note.at, note)], durable=True)
        self._tell(note)

    def _put(self, event: DeskEvent) -> None:
        self._work.begin()
        self._queue.put_nowait(event)

    async def _loop(self) -> None:
        while True:
            event = await self._queue.get()
            if self._failure is not None:
                raise self._failure
            if event is not None:
                self._handle(event)
                self._work.end()
            self._raise_what_ends_the_day()
            if self._stopping and self._queue.empty():
                if self._work.count == 0:
                    return
                self._spawn(self._nudge())

    async def _nudge(self) -> None:
        """Wake the loop once the last send or question has ended."""
        await self._work.quiet.wait()
        self._queue.put_nowait(None)

    def _raise_what_ends_the_day(self) -> None:
        """End once nobody may send any more, or the escape has nothing left to sell without a journal."""
        if self.gate.lost:
            raise JournalError(
                Text(ko="다른 프로세스가 이 데스크를 이어받았습니다", en="another process has taken this desk over"),
                expected=Text(ko="쓰는 프로세스 하나", en="one writer"),
                found="lease lost",
                next_step=Text(ko="도는 프로세스가 하나인지 확인하세요", en="see that one process runs"),
            )
        if self.record.fault is not None and not self._escaping():
            raise self.record.fault

    def _may_go_on(self) -> bool:
        """Whether exits may leave without the journal: the escape is at work, and nobody else has taken over."""
        return self._escaping() and not self.gate.lost

    def _escaping(self) -> bool:
        """Whether the escape is at work and something is left to leave."""
        state = self.desk
        at_work = state.escape.level >= EscapeLevel.REDUCE or any(
            order.intent.escape for order in state.blotter.open_orders()
        )
        return at_work and bool(state.book.positions)

    def _handle(self, event: DeskEvent) -> None:
        self._measure_before(event)
        at = event_at(event)
        self._passing("event.taken")
        self.record.append(EVENT, [(at, event)], durable=False)
        self._passing("event.journalled")
        self.desk, commands = step(self.desk, event, self._rules)
        self._passing("event.stepped")
        leaves = any(isinstance(command, Submit | Cancel | Replace) for command in commands)
        self.record.append(COMMAND, [(at, command) for command in commands], durable=leaves)
        self._passing("event.commands_journalled")
        self._heed_record()
        if isinstance(event, OperatorCommand):
            self.gate.taken()
        for command in commands:
            self._perform(command)
            self._passing("event.command_performed")

    def _measure_before(self, event: DeskEvent) -> None:
        """Give the desk fresh vitals where it would decide on old ones; measuring asks nobody and waits for nothing."""
        if self._vitals is None:
            return
        if isinstance(event, Vitals):
            self._measured_at = event.at
            return
        old = self._clock.now() - self._settings.vitals_s * NS_PER_SECOND
        if self._measured_at is None or self._measured_at < old:
            self._handle(self._vitals())

    async def _beat(self) -> None:
        """Look every few seconds whether we still may write, keep what was written, and measure the machinery."""
        while True:
            await self._clock.sleep(self._settings.beat_s)
            self.gate.holds()
            self.record.keep()
            self._heed_record()
            if self._vitals is not None:
                self._put(self._vitals())

    def _heed_record(self) -> None:
        """Let nothing but exits leave once the journal has failed."""
        if self.record.fault is not None:
            self.gate.only_exits = "the journal cannot be written"

    def _perform(self, command: Command) -> None:
        match command:
            case AskPolicy(view=view):
                self._ask_policy(view)
            case AskAgent(brief=brief):
                self._work.begin()
                self._spawn(self._ask_agent(brief))
            case Submit(order=order):
                self._queue_job("urgent" if order.intent.escape else "orders", lambda: self.sends.submit(order))
            case Cancel(intent_id=intent_id):
                cancelling = self.sends.cancelling(intent_id)
                if cancelling is not None:
                    self._queue_job("urgent", cancelling)
            case Replace(intent_id=intent_id, limit_price=price):
                self._queue_job("orders", lambda: self.sends.replace(intent_id, price))
            case SetTimer(at=at, name=name):
                self._set_timer(at, name)
            case Note():
                self._tell(command)

    def _tell(self, note: Note) -> None:
        shown = {("of" if name == "event" else name): value for name, value in note.data.items() if name != "book"}
        _log.info(note.kind, **shown)
        if self._told is not None:
            self._told(note)

    def _ask_policy(self, view: View) -> None:
        try:
            proposal = self._policy.propose(view)
            self._passing("run.proposed")
            self._put(proposal)
        except HaetaeError as fault:
            _log.error("policy.failed", policy=self._policy.policy_id, fault=str(fault))

    async def _ask_agent(self, brief: Brief) -> None:
        try:
            reply = await review(self._decider, brief, self._clock)
            self._passing("run.replied")
            self._put(reply)
        finally:
            self._work.end()

    def _queue_job(self, lane: str, job: Job) -> None:
        self._work.begin()
        self._lanes[lane].put(job)

    def _set_timer(self, at: Instant, name: str) -> None:
        if at <= self._clock.now():
            self._fire(at, name)
        else:
            self._spawn(self._wait_for(at, name))

    async def _wait_for(self, at: Instant, name: str) -> None:
        await self._clock.sleep((at - self._clock.now()) / NS_PER_SECOND)
        self._fire(self._clock.now(), name)

    def _fire(self, at: Instant, name: str) -> None:
        if name == "reconcile":
            self._readings.want()
        else:
            self._put(Timer(at, name))

    async def _read_broker(self) -> None:
        async for event in self._broker.events():
            self._put(event)

    async def _read_feed(self) -> None:
        watch_prints(self._feed, lambda: self.desk, self._put)
        stream: AsyncIterator[Any] = self._feed.stream(self._session.symbols)
        async for event in stream:
            if not isinstance(event, Quote):
                self._put(event)

    async def _end_of_day(self) -> None:
        end = self._rules.session.close_at + self._settings.end_grace_s * NS_PER_SECOND
        await self._clock.sleep(max(0.0, (end - self._clock.now()) / NS_PER_SECOND))
        self.stop()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._watch)

    def _watch(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        self._failure = self._failure or task.exception()
        self._queue.put_nowait(None)

    async def _finish(self) -> DayReport:
        now = self._clock.now()
        self._passing("run.before_closing")
        try:
            seen = await self._readings.read()
        except HaetaeError as fault:
            _log.error("account.reading_failed", fault=str(fault))
        else:
            self._handle(seen)
        if self.record.fault is not None:
            raise self.record.fault
        self._passing("run.closing_compared")
        self._run_note(closing_note(self._rules.day, handover_of(self.desk), now))
        self._passing("run.closed")
        return report_day(
            self._rules.day,
            day_entries(self._journal, self._rules.day),
            self.desk.book,
            opening_equity=self.desk.day.opening_equity,
            closing_equity=self.desk.equity,
            reconciled=self.desk.account.reconciled,
        )

    async def _shut(self) -> None:
        """Await sends under way, withhold those that wait, end the rest, tell those who wait in ``idle``."""
        self.gate.closed = "the day has ended"
        for lane in self._lanes.values():
            if not lane.task.done():
                await lane.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None and not isinstance(self._failure, JournalError):
            self._run_note(Note(self._clock.now(), FAILED, {"fault": repr(self._failure)}))
        self._ended.set()
