"""One drill: a desk and its broker in one process on virtual time, from before a session to its end.

The code under drill is the real one: ``KisRest``, ``KisStream``, ``KisBroker``, ``KisFeed``, ``TradingDayRunner``,
desk, guards, recovery. What is not real is time, the line, the disk, and who decides. Here: ``Rig`` with its
supervisor, which starts the desk again when it died or gave up. Not here: what is drilled and was seen (``drill``),
what goes wrong (``plan``), judgement (``invariants``).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from haetae.desk import DeskState, open_desk
from haetae.domain.account import Book
from haetae.domain.errors import HaetaeError
from haetae.domain.events import OperatorState, SessionStart
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.emulator.accounts import Account
from haetae.journal.memory import MemoryDisk, MemoryJournal
from haetae.kis.broker import KisBroker
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream
from haetae.krx import Rulebook
from haetae.live import DayReport, LiveSettings, TradingDayRunner
from haetae.ports import MarketFeed
from haetae.wiring import operators
from haetae.wiring.dice import rng
from haetae.wiring.drills.drill import Drill, Evidence, Replaced
from haetae.wiring.drills.line import Named
from haetae.wiring.drills.loop import Draws, LoopClock, VirtualLoop, run_virtual
from haetae.wiring.drills.market import ACCOUNT, PRODUCT, begin_session, connection, own_already
from haetae.wiring.drills.owner import Owner
from haetae.wiring.drills.plan import BARRED, GREEDY, MOODY, Act
from haetae.wiring.drills.process import PROCESS, Died, Process, count_tasks
from haetae.wiring.drills.shell import Shell
from haetae.wiring.drills.trace import Trace, logs_into
from haetae.wiring.drills.trading import Moody, OddFeed, Restless, measured
from haetae.wiring.signing import is_signed

_EARLY_NS = 60 * NS_PER_SECOND
"""The market is up a minute before the desk."""
_AFTER_S = 1_200
"""Seconds after the close by which every desk must have ended."""
_RESTART_S = 5.0
_LOOP_S, _LOOP_STARTS = 600, 5
"""Five starts in ten minutes are a crash loop: the supervisor gives up (P04)."""
_LIVE = LiveSettings(beat_s=60)
"""Vitals come each minute, and before whatever would be decided on old ones."""
_QUIET_S = 30.0
_LISTEN_S = 0.5
"""The desk looks at the operator's file twice a second, and before each order."""
_GIVES_UP_S = 120.0
"""By then a process that was replaced has ended: it asks for its lease before each order and each minute."""


class Rig:
    """One drill under way; see the module."""

    def __init__(self, drill: Drill) -> None:
        """Prepare everything that needs no running loop."""
        self.drill = drill
        self.loop = VirtualLoop(Draws(rng(drill.seed, "drill.order")))
        count_tasks(self.loop)
        self.loop.set_exception_handler(_mind_no_death)
        self.clock = LoopClock(self.loop, drill.start - _EARLY_NS)
        self.trace = Trace(whole=drill.whole_trace)
        self.disk = MemoryDisk()
        self.settings = replace(connection(drill.seed), poll_s=drill.poll_s, index_poll_s=drill.index_s)
        self.rules = Rulebook.on(drill.ground.day)
        core = drill.ground.core(drill.start - _EARLY_NS, self.loop.time)
        self.shell = Shell(core, self.clock, Draws(rng(drill.seed, "drill.latency")), self.trace, drill.pace.latency_s)
        self.process: Process | None = None
        self.runner: TradingDayRunner | None = None
        self.journal: MemoryJournal | None = None
        self.logs: list[str] = []
        self._reports: list[DayReport] = []
        self._failures: list[str] = []
        self._acts: list[tuple[Instant, Act]] = []
        self._latched = False
        self._lives: list[tuple[Instant, Instant]] = []
        self._last_desk: DeskState | None = None
        self._epoch = 0
        self._folder = Path()
        self._orders: operators.OperatorFile | None = None
        self._owner: Owner | None = None
        self._taken = asyncio.Event()
        self._old: list[tuple[Process, Instant, asyncio.Task[None]]] = []
        self._replaced: list[Replaced] = []

    def run(self) -> Evidence:
        """Run the drill to its end; raises ``Deadlock`` where it has none."""
        with TemporaryDirectory(prefix="drill-") as folder, logs_into(self.logs):
            self._folder = Path(folder)
            self.settings = replace(self.settings, token_file=self._folder / "token.json")
            found: Evidence = run_virtual(self.loop, self._run())
        return found

    # ---------------------------------------------------------------- the world

    async def _run(self) -> Evidence:
        drill, core = self.drill, self.shell.core
        account = core.account(self.settings.mode, ACCOUNT, PRODUCT)
        assert isinstance(account, Account)
        self._owner = Owner(account, self.shell.seen.orders, drill.ground.day, self.settings)
        dice = rng(drill.seed, "drill.market")
        held = {symbol: 0.01 + 0.02 * float(dice.random()) for symbol in drill.ground.held}
        book = own_already(drill.ground, core, account, held, dice)
        session = begin_session(drill.ground, core, drill.start, dice)
        initial = open_desk(drill.desk, book)
        for fault in drill.plan.script:
            core.faults.arm(fault)
        pump = self.shell.spawn(self._pump())
        acting = self.shell.spawn(self._act())
        await self._supervise(session, initial)
        await self._bury()
        await asyncio.sleep(_QUIET_S)
        self.shell.beat()
        for task in (acting, pump):
            task.cancel()
        await asyncio.gather(acting, pump, return_exceptions=True)
        await self.shell.end()
        return self._evidence(session, book, initial, account)

    async def _pump(self) -> None:
        """Move the market until nobody can be trading any more; then a desk that waits for ever is a deadlock."""
        end = self.rules.session.close_at + (_AFTER_S + 600) * NS_PER_SECOND
        while self.clock.true() < end:
            await asyncio.sleep(self.drill.pace.step_s if not self.shell.core.faults.stage.flaps else 1.0)
            self.shell.beat()
            self._let_claim()

    async def _act(self) -> None:
        """Do what the plan wants done to processes, disks, clocks and by people, at its time."""
        for act in self.drill.plan.acts:
            wait = (act.at - self.clock.true()) / NS_PER_SECOND
            if wait > 0:
                await asyncio.sleep(wait)
            self._acts.append((self.clock.true(), act))
            self.trace.tell(self.clock.true(), "act", f"{act.id} {act.kind}")
            self._do(act)

    def _do(self, act: Act) -> None:
        match act.kind:
            case "kill":
                if self.process is not None:
                    self.process.cut()
            case "restore":
                self._put_back(act.value)
            case "die_at_write":
                journal = self.process.journal if self.process is not None else None
                if journal is not None:
                    journal.die_in(int(act.value), keeps=bool(act.flag))
            case "die_at_send":
                if self.process is not None:
                    self.process.die_at_send(int(act.value), after=act.flag)
            case "stop":
                self._stand_still(act.value)
            case "takeover":
                self._stand_still(act.value)
                self._take_over()
            case "step":
                self.clock.step(act.value)
            case "drift":
                self.clock.drift(int(act.value))
            case "disk_full":
                self.process_journal_fails(int(act.value))
            case "slow_disk":
                if self.process is not None:
                    self.process.journal.slow_down(int(act.text), lambda: self._stand_still(act.value))
            case "operator":
                self._operate(OperatorState(act.text), act)
            case "withdraw":
                if self._owner is not None:
                    self._owner.withdraw(self.clock.true())
            case _:
                raise HaetaeError(f"act {act.kind} is not known", expected="a kind of act", found=act.kind)

    def _stand_still(self, seconds: float) -> None:
        """Let the process sleep while the world goes on: nothing of it runs, and then all of it is late."""
        end = self.loop.time() + seconds
        while self.loop.time() < end:
            self.loop.skip(min(self.drill.pace.step_s, end - self.loop.time()))
            self.shell.beat()

    def _put_back(self, share: float) -> None:
        """Let the process die, and put back the journal as it was when it had a share of its entries."""
        if self.process is not None:
            self.process.cut()
        kept = self.disk.entries[: max(4, int(len(self.disk.entries) * share))]
        self.disk = MemoryDisk(epoch=self.disk.epoch)
        with MemoryJournal(disk=self.disk) as journal:
            journal.adopt(kept)
        # The mark that a restored copy bears has the same effect: halted, until a person has looked.
        operators.give(self._folder, OperatorState.HALT, who="journal", why="restored from a copy", clock=self.clock)

    def process_journal_fails(self, in_writes: int) -> None:
        """Let the disk refuse a write soon."""
        if self.journal is not None:
            self.journal.fail_in(in_writes)

    def _take_over(self) -> None:
        """Let another process take the journal of one that stood still for too long, and does not know it yet."""
        if self.runner is not None and self.journal is not None:
            self.journal.lease.lose()
            self._taken.set()

    def _operate(self, state: OperatorState, act: Act) -> None:
        """Give a person's word as `haetae kill` does; whether a desk lives or not, it lies in the file."""
        operators.give(self._folder, state, who="drill", why=act.id, clock=self.clock)
        self.loop.call_later(_LISTEN_S, self._look)

    def _let_claim(self) -> None:
        """Let the owner say whose an order is that a desk which lives has given up; without one nothing happens."""
        if self.runner is None or self._owner is None:
            return
        now = self.clock.true()
        for wish in self._owner.claims(self.runner.desk, now):
            self.trace.tell(now, "act", f"claim {wish.intent_id}")
            operators.ask(self._folder, wish)
            self.loop.call_later(_LISTEN_S, self._look)

    def _look(self) -> None:
        if self.runner is not None and self._orders is not None and self.process is not None:
            for wish in self._orders.fresh():
                self.runner.operate(wish.command(self.process.clock.now()))

    # ---------------------------------------------------------------- the desk

    async def _supervise(self, session: SessionStart, initial: DeskState) -> None:
        """Start the desk, and start it again when it died, until the day is over."""
        wait = (self.drill.start - self.clock.true()) / NS_PER_SECOND
        await asyncio.sleep(max(0.0, wait))
        started: list[float] = []
        last = self.rules.session.close_at + _AFTER_S * NS_PER_SECOND
        while True:
            now = self.loop.time()
            started = [one for one in started if now - one < _LOOP_S] + [now]
            if len(started) > _LOOP_STARTS:
                self._latched = True
                self.trace.tell(self.clock.true(), "supervisor", "gives up")
                return
            if await self._incarnation(session, initial) or self.clock.true() > last:
                return
            await asyncio.sleep(_RESTART_S)

    async def _incarnation(self, session: SessionStart, initial: DeskState) -> bool:
        """Run one process of the desk; returns whether it ended its day in order."""
        self._epoch += 1
        began = self.clock.true()
        self.disk.held = False  # who held it is dead, and what it had not written is gone with it
        self.journal = MemoryJournal(disk=self.disk)
        process = self.process = Process(self.shell, self.settings, self.journal, self.trace, self._epoch)
        token = PROCESS.set(process)
        try:
            day = asyncio.create_task(self._day(process, session, initial))
        finally:
            PROCESS.reset(token)
        died, taken = asyncio.ensure_future(process.died.wait()), asyncio.ensure_future(self._taken.wait())
        await asyncio.wait([day, died, taken], return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        taken.cancel()
        if self._taken.is_set() and not day.done() and not process.is_dead:
            self._leave_alone(process, day, began)
            return False
        self._taken.clear()
        ended = day.done() and not process.is_dead and day.exception() is None
        if not process.is_dead and day.done() and (fault := day.exception()) is not None:
            self._note_failure(fault)
        self.trace.tell(self.clock.true(), "process", f"{self._epoch} {'ended' if ended else 'gone'}")
        self.runner = None
        process.cut()
        self._lives.append((began, self.clock.true()))
        await process.end()
        return ended

    def _leave_alone(self, process: Process, day: asyncio.Task[None], began: Instant) -> None:
        """Let a process that was replaced find out by itself, beside the next one."""
        self._taken.clear()
        now = self.clock.true()
        self.trace.tell(now, "process", f"{process.epoch} replaced")
        self._old.append((process, now, day))
        self._lives.append((began, now))
        self.runner = None

    async def _bury(self) -> None:
        """See that those who were replaced have ended."""
        for process, at, day in self._old:
            await asyncio.wait([day], timeout=_GIVES_UP_S)
            ended = day.done() and not day.cancelled()
            if ended and (fault := day.exception()) is not None:
                self._note_failure(fault)
            self._replaced.append(Replaced(process.epoch, at, ended))
            process.cut()
            await process.end()

    def _note_failure(self, fault: BaseException) -> None:
        if not isinstance(fault, HaetaeError | Died):
            raise fault
        self._failures.append(f"{type(fault).__name__}: {fault} ({getattr(fault, 'found', '')})")

    async def _day(self, process: Process, session: SessionStart, initial: DeskState) -> None:
        clock, settings, seed = process.clock, self.settings, self.drill.seed
        lease = process.journal.inner.lease
        async with KisRest(settings, clock, rng(seed, "kis.rest"), carry=process.carry_http) as rest:
            stream = KisStream(settings, clock, rest.approval_key, rng(seed, "kis.stream"), carry=process.carry_sockets)
            broker = KisBroker(rest, stream, clock)
            feed: MarketFeed = KisFeed(rest, stream, clock, with_index=True)
            if self.drill.plan.bars:
                feed = OddFeed(feed, self.drill.plan.bars)
            runner = TradingDayRunner(
                desk=initial,
                session=replace(session, at=max(session.at, clock.now())) if self._epoch == 1 else session,
                broker=Named(broker),
                feed=feed,
                journal=process.journal,
                policy=Restless(seed, 2.0 if self.drill.plan.greedy else self.drill.trades),
                decider=Moody(clock, self.drill.plan.moods),
                clock=clock,
                rules=self.rules,
                settings=_LIVE,
                vitals=lambda: measured(rest, clock, process.epoch),
                lease=lease,
                look=lambda: self._look() if process is self.process else None,
            )
            try:
                self._orders = operators.OperatorFile(self._folder, genuine=partial(is_signed, kis=self.settings))
                before = self._orders.at_start(runner.desk.operator)
                if before is not None:
                    runner.operate(before.command(clock.now()))
                await broker.start()
                if process is self.process:
                    self.runner = runner
                self._reports.append(await runner.run())
                self._last_desk = runner.desk
            finally:
                if not process.is_dead:
                    await broker.close()
                    await stream.close()

    # ---------------------------------------------------------------- what was seen

    def _evidence(self, session: SessionStart, book: Book, initial: DeskState, account: Account) -> Evidence:
        journal = MemoryJournal(disk=self.disk, read_only=True)
        armed = self.shell.core.faults.armed
        strikes: dict[str, int] = {}
        for one in armed:
            strikes[one.fault.entry.id] = strikes.get(one.fault.entry.id, 0) + one.fired
        for _, act in self._acts:
            strikes[act.id] = strikes.get(act.id, 0) + 1
        for name in self.drill.plan.ids:
            if name in MOODY or name in BARRED or name in GREEDY:
                strikes[name] = strikes.get(name, 0) + 1
        return Evidence(
            drill=self.drill,
            session=session,
            rules=self.rules,
            opening=book,
            initial=initial,
            desk=self._last_desk,
            entries=list(journal.entries()),
            journal=journal,
            core=self.shell.core,
            account=account,
            seen=self.shell.seen,
            trace=self.trace,
            settings=self.settings,
            logs=self.logs,
            strikes=strikes,
            refused={},
            reports=self._reports,
            failures=self._failures,
            acts=self._acts,
            secrets=[
                self.settings.app_key,
                self.settings.app_secret.reveal(),
                self.settings.account,
                *self.shell.seen.secrets,
            ],
            lives=self._lives,
            replaced=self._replaced,
            latched=self._latched,
            turns=self.loop.turns,
        )


def _mind_no_death(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of tasks that ended with their process."""
    if not isinstance(context.get("exception"), Died):
        loop.default_exception_handler(context)
