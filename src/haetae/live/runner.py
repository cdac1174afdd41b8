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
leaves), then perform. If the journal fails, trading stops. Quotes are not given to the desk, prints only as a glance
of all prices where they may move the escape (``watching``).
"""
# long: one driver with one queue; splitting it would hide the order of journal, step and send.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import structlog

from haetae.desk import DeskState, event_at, step
from haetae.domain.decisions import AgentReply, Brief, View
from haetae.domain.errors import HaetaeError, JournalError
from haetae.domain.events import (
    AccountSnapshot,
    AskAgent,
    AskPolicy,
    Cancel,
    Command,
    DeskEvent,
    Note,
    OperatorEvent,
    Replace,
    SessionStart,
    SetTimer,
    Submit,
    Timer,
)
from haetae.domain.market import Quote
from haetae.domain.orders import OrderEvent, Rejected
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.guards import require_ceilings
from haetae.krx import Rulebook
from haetae.live.lanes import Job, Lane
from haetae.live.recovery import (
    COMMAND,
    EVENT,
    FAILED,
    RESUMED,
    RUN,
    closing_note,
    day_entries,
    in_flight,
    opening_note,
    recover,
)
from haetae.live.report import DayReport, report_day
from haetae.live.settings import LiveSettings
from haetae.live.watching import watch_prints
from haetae.live.work import Idling, Resuming, Selling, Work
from haetae.ports import Broker, Clock, Decider, Journal, MarketFeed, Policy

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
    ) -> None:
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
        self._queue: asyncio.Queue[DeskEvent | None] = asyncio.Queue()
        self._work = Work()
        self._started = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopping = False
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lanes: dict[str, Lane] = {}
        self._reading_waits = False

    async def run(self) -> DayReport:
        """Run the day to its end; raises what stopped it."""
        at_once = {"urgent": self._settings.exits_at_once, "orders": 1}
        self._lanes = {name: Lane(name, self._work.end, at_once=count) for name, count in at_once.items()}
        for lane in self._lanes.values():
            lane.task.add_done_callback(self._watch)
        try:
            await self._begin()
            self._spawn(self._read_broker())
            self._spawn(self._read_feed())
            self._spawn(self._end_of_day())
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
        """Give the desk a person's command: the kill switch, a cancel, an order of their own."""
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
        recovered = recover(self._journal, self.desk, self._rules)
        if recovered is None:
            self._journal.append(RUN, [(now, opening_note(self._rules.day, self.desk.book, now))], durable=True)
        else:
            self.desk = recovered.desk
            missing = [(recovered.last_at, command) for command in recovered.unwritten]
            self._journal.append(COMMAND, missing, durable=False)
            note = Note(now, RESUMED, {"folded": recovered.folded, "unwritten": len(missing)})
            self._journal.append(RUN, [(now, note)], durable=True)
            _log.info("run.resumed", folded=recovered.folded)
        if recovered is None or not recovered.session_started:
            self._handle(self._session)
        for event in in_flight(self.desk, now):
            self._handle(event)
        if isinstance(self._broker, Resuming):
            for order in self.desk.blotter.open_orders():
                self._broker.resume(order)
        self._handle(await self._first_snapshot())

    async def _first_snapshot(self) -> AccountSnapshot:
        for attempt in range(self._settings.start_reads):
            try:
                return await self._snapshot()
            except HaetaeError as fault:
                _log.warning("account.reading_failed", fault=str(fault), attempt=attempt)
                if attempt == self._settings.start_reads - 1:
                    raise
                await self._clock.sleep(self._settings.read_retry_s)
        raise AssertionError("start_reads is at least 1")

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
            if self._stopping and self._queue.empty():
                if self._work.count == 0:
                    return
                self._spawn(self._nudge())

    async def _nudge(self) -> None:
        """Wake the loop once the last send or question has ended."""
        await self._work.quiet.wait()
        self._queue.put_nowait(None)

    def _handle(self, event: DeskEvent) -> None:
        at = event_at(event)
        self._journal.append(EVENT, [(at, event)], durable=False)
        self.desk, commands = step(self.desk, event, self._rules)
        leaves = any(isinstance(command, Submit | Cancel | Replace) for command in commands)
        self._journal.append(COMMAND, [(at, command) for command in commands], durable=leaves)
        for command in commands:
            self._perform(command)

    def _perform(self, command: Command) -> None:
        match command:
            case AskPolicy(view=view):
                self._ask_policy(view)
            case AskAgent(brief=brief):
                self._work.begin()
                self._spawn(self._ask_agent(brief))
            case Submit(order=order):
                broker = self._broker
                self._send("urgent" if order.intent.escape else "orders", lambda: broker.submit(order))
            case Cancel(intent_id=intent_id):
                self._queue_job("urgent", lambda: self._cancel(intent_id))
            case Replace(intent_id=intent_id, limit_price=price):
                self._queue_job("orders", lambda: self._replace(intent_id, price))
            case SetTimer(at=at, name=name):
                self._set_timer(at, name)
            case Note(kind=kind, data=data):
                _log.info(kind, **{("of" if name == "event" else name): value for name, value in data.items()})

    def _ask_policy(self, view: View) -> None:
        try:
            self._put(self._policy.propose(view))
        except HaetaeError as fault:
            _log.error("policy.failed", policy=self._policy.policy_id, fault=str(fault))

    async def _ask_agent(self, brief: Brief) -> None:
        try:
            self._put(await self._reply(brief))
        finally:
            self._work.end()

    async def _reply(self, brief: Brief) -> AgentReply:
        asked = asyncio.ensure_future(self._decider.decide(brief))
        seconds = (brief.valid_until - self._clock.now()) / NS_PER_SECOND
        limit = asyncio.ensure_future(self._clock.sleep(max(0.0, seconds)))
        try:
            await asyncio.wait({asked, limit}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            return AgentReply(brief.leg.leg_id, self._clock.now(), "none", "", "TIMEOUT")
        except HaetaeError as fault:
            _log.warning("agent.failed", leg_id=brief.leg.leg_id, fault=str(fault))
            return AgentReply(brief.leg.leg_id, self._clock.now(), "none", "", "PROTOCOL")
        finally:
            limit.cancel()
            asked.cancel()

    def _queue_job(self, lane: str, job: Job) -> None:
        self._work.begin()
        self._lanes[lane].put(job)

    def _send(self, lane: str, call: Any) -> None:
        async def job() -> None:
            self._put(await call())

        self._queue_job(lane, job)

    async def _cancel(self, intent_id: str) -> None:
        order = self.desk.blotter.orders.get(intent_id)
        if order is None or order.order_id is None or order.status.terminal:
            return
        self._put(await self._broker.cancel(intent_id, order.order_id))

    async def _replace(self, intent_id: str, price: int) -> None:
        order = self.desk.blotter.orders.get(intent_id)
        if order is None or order.order_id is None or order.status.terminal:
            return
        answer: OrderEvent = await self._broker.replace(intent_id, order.order_id, price)
        if isinstance(answer, Rejected):  # the order itself lives on at its old price
            _log.warning("order.replace_refused", intent_id=intent_id, code=answer.code)
            return
        self._put(answer)

    async def _snapshot(self) -> AccountSnapshot:
        orders = await self._broker.orders(self._rules.day)
        positions = await self._broker.positions()
        cash = await self._broker.cash()
        sellable = self._broker.sellable() if isinstance(self._broker, Selling) else {}
        return AccountSnapshot(self._clock.now(), cash.cash, cash.orderable, positions, orders, sellable)

    async def _read_account(self) -> None:
        self._reading_waits = False
        try:
            self._put(await self._snapshot())
        except HaetaeError as fault:
            _log.warning("account.reading_failed", fault=str(fault))
            retry = self._clock.now() + self._settings.read_retry_s * NS_PER_SECOND
            self._set_timer(retry, "reconcile")

    def _want_reading(self) -> None:
        if not self._reading_waits:
            self._reading_waits = True
            self._queue_job("orders", self._read_account)

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
            self._want_reading()
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
        try:
            self._handle(await self._snapshot())
        except HaetaeError as fault:
            _log.error("account.reading_failed", fault=str(fault))
        self._journal.append(RUN, [(now, closing_note(self._rules.day, self.desk.book, now))], durable=True)
        return report_day(
            self._rules.day,
            day_entries(self._journal, self._rules.day),
            self.desk.book,
            opening_equity=self.desk.day.opening_equity,
            closing_equity=self.desk.equity,
            reconciled=self.desk.account.reconciled,
        )

    async def _shut(self) -> None:
        """Await sends under way, end the rest, tell those who wait in ``idle``."""
        for lane in self._lanes.values():
            if not lane.task.done():
                await lane.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None and not isinstance(self._failure, JournalError):
            now = self._clock.now()
            self._journal.append(RUN, [(now, Note(now, FAILED, {"fault": repr(self._failure)}))], durable=True)
        self._ended.set()
