"""The last look before an order leaves: what a person stopped, what another process took over, what grew too old."""
# long: one driver stopped in every way.

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haetae.desk import open_desk
from haetae.domain.errors import JournalError
from haetae.domain.events import Cancel, Mandate, Note, OperatorCommand, OperatorState, Submit, Timer, Vitals
from haetae.domain.orders import OrderStatus, OutcomeUnknown, Rejected, Side
from haetae.guards import EscapeLevel
from haetae.journal import JournalDb
from haetae.ledger import open_book
from haetae.live import LiveSettings, OfflineDecider, TradingDayRunner, replay
from haetae.live.gate import WITHHELD, Gate, Leaving
from haetae.live.record import DayRecord
from haetae.sim import open_venue
from rigs.desk_day import CASH, codes, instruments, loose, session_start
from rigs.paper_broker import DrivenClock, PaperBroker, PushedFeed
from unit.live.test_the_day import RULES, Floor, Top, day_minutes, finish

SYMBOLS = codes(12)
SECOND = 1_000_000_000


class Holds:
    """A lease whose end the test decides."""

    def __init__(self) -> None:
        self.epoch = 3
        self.held = True
        self.asked = 0

    def holds(self) -> bool:
        self.asked += 1
        return self.held


def floor(path: Path, **more) -> Floor:
    clock = DrivenClock(RULES.session.orders_from)
    broker = PaperBroker(open_venue(RULES, instruments(SYMBOLS), CASH), clock)
    feed, journal = PushedFeed(), JournalDb(path)
    runner = TradingDayRunner(
        desk=open_desk(loose(), open_book(CASH)),
        session=session_start(SYMBOLS),
        broker=broker,
        feed=feed,
        journal=journal,
        policy=Top(),
        decider=OfflineDecider(clock),
        clock=clock,
        rules=RULES,
        **more,
    )
    return Floor(clock, broker, feed, journal, runner, asyncio.create_task(runner.run()))


async def queued(house: Floor, pieces=None) -> None:
    """Drive to the moment where the first order is on the wire and the others wait in their lane."""
    pieces = pieces or day_minutes(5)
    await house.runner.started()
    await house.run(pieces[:4])
    house.broker.hold = asyncio.Event()
    house.broker.move(pieces[4])
    house.clock.advance(pieces[4].end)
    house.feed.push(pieces[4])
    await house.broker.sending.wait()
    for _ in range(60):
        await asyncio.sleep(0)


async def test_orders_that_wait_for_their_turn_are_not_sent_after_a_halt(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await queued(house)
    asked = [o for o in house.runner.desk.blotter.orders.values() if o.status is OrderStatus.SENDING]
    assert len(asked) == 6
    house.runner.operate(OperatorCommand(house.clock.at, OperatorState.HALT, "owner", "drill"))
    house.broker.hold.set()
    await house.runner.idle()
    assert house.broker.sent == [asked[0].intent.intent_id]
    events = [r for *_, r in house.journal.entries(kind="event") if isinstance(r, Rejected)]
    assert {(e.code, e.message) for e in events} == {(WITHHELD, "halted")}
    statuses = {o.status for o in house.runner.desk.blotter.orders.values()}
    assert statuses == {OrderStatus.REFUSED, OrderStatus.CANCELED}, "the one on the wire is cancelled when it is taken"
    await finish(house)
    assert replay(house.journal, open_desk(loose(), open_book(CASH)), RULES).identical


async def test_a_release_counts_only_once_the_desk_has_read_it(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()
    now = house.clock.at
    house.runner.operate(OperatorCommand(now, OperatorState.HALT, "owner", "drill"))
    house.runner.operate(OperatorCommand(now, OperatorState.ACTIVE, "owner", "drill"))
    assert house.runner.gate.state is OperatorState.HALT
    await house.runner.idle()
    assert house.runner.gate.state is OperatorState.ACTIVE
    await finish(house)


async def test_reduce_only_holds_back_buys_that_wait(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await queued(house)
    house.runner.operate(OperatorCommand(house.clock.at, OperatorState.REDUCE_ONLY, "owner", "drill"))
    house.broker.hold.set()
    await house.runner.idle()
    assert len(house.broker.sent) == 1
    assert house.runner.sends.withheld(Leaving(Side.SELL, escape=False, decided_at=house.clock.at)) == ""
    await finish(house)


async def test_the_newest_wish_is_read_right_before_an_order_leaves(tmp_path: Path) -> None:
    wishes: list[OperatorCommand] = []

    def look() -> None:
        while wishes:
            house.runner.operate(wishes.pop())

    house = floor(tmp_path / "j.db", look=look)
    await queued(house)
    wishes.append(OperatorCommand(house.clock.at, OperatorState.HALT, "owner", "another process"))
    house.broker.hold.set()
    await house.runner.idle()
    assert len(house.broker.sent) == 1
    await finish(house)


async def test_what_was_decided_too_long_ago_is_not_sent_and_exits_never_grow_old(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await queued(house)
    house.clock.advance(house.clock.at + 31 * SECOND)  # as after a machine that was paused
    house.broker.hold.set()
    await house.runner.idle()
    assert len(house.broker.sent) == 1
    old = house.clock.at - 3_600 * SECOND
    assert house.runner.sends.withheld(Leaving(Side.SELL, escape=True, decided_at=old)) == ""
    assert "decided 3600 s ago" in house.runner.sends.withheld(Leaving(Side.SELL, escape=False, decided_at=old))
    await finish(house)


async def test_a_process_that_lost_its_lease_sends_nothing_more_and_ends(tmp_path: Path) -> None:
    lease = Holds()
    house = floor(tmp_path / "j.db", lease=lease)
    await queued(house)
    lease.held = False
    house.clock.advance(house.clock.at + 2 * SECOND)
    house.broker.hold.set()
    with pytest.raises(JournalError, match="taken this desk over"):
        await house.task
    assert len(house.broker.sent) == 1
    assert lease.asked >= 1


def test_the_lease_is_asked_after_a_pause_and_not_at_every_order() -> None:
    clock, lease = DrivenClock(0), Holds()
    gate = Gate(clock, LiveSettings(), lambda: OperatorState.ACTIVE, lease)
    leaving = Leaving(Side.BUY, escape=False, decided_at=0)
    assert [gate.refusal(leaving) for _ in range(5)] == [""] * 5
    assert lease.asked == 0
    clock.at = SECOND
    assert (gate.refusal(leaving), lease.asked) == ("", 0)
    clock.at = SECOND + 1_000
    assert (gate.refusal(leaving), lease.asked) == ("", 1)
    lease.held = False
    clock.at += 2 * SECOND
    assert gate.refusal(leaving) == "another process holds the lease"
    lease.held = True
    clock.at += 2 * SECOND
    assert gate.lost, "a lease that was lost is lost for good"


def test_taking_what_nobody_said_changes_nothing() -> None:
    gate = Gate(DrivenClock(0), LiveSettings(), lambda: OperatorState.ACTIVE)
    gate.taken()
    assert gate.state is OperatorState.ACTIVE


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.sampled_from(["step", "hold", "let"]), max_size=6),
    state=st.sampled_from([OperatorState.HALT, OperatorState.REDUCE_ONLY]),
    after=st.lists(st.sampled_from(["step", "hold", "let", "second"]), min_size=2, max_size=8),
)
def test_after_a_halt_no_order_that_raises_risk_leaves_whatever_is_under_way(before, state, after, tmp_path_factory):
    """I12: from the first message after the switch on."""

    async def run() -> None:
        house = floor(tmp_path_factory.mktemp("halt") / "j.db")
        await house.runner.started()
        pieces = iter(day_minutes(24))
        for piece in [next(pieces) for _ in range(4)]:
            await house.minute(piece)

        async def act(move: str) -> None:
            if move == "hold" and house.broker.hold is None:
                house.broker.hold = asyncio.Event()
            elif move == "let" and house.broker.hold is not None:
                house.broker.hold.set()
                house.broker.hold = None
            elif move == "second":
                house.clock.advance(house.clock.at + SECOND)
            elif move == "step":
                piece = next(pieces)
                house.broker.move(piece)
                house.clock.advance(piece.end)
                house.feed.push(piece)
            for _ in range(30):
                await asyncio.sleep(0)

        for move in before:
            await act(move)
        already = len(house.broker.sent)
        house.runner.operate(OperatorCommand(house.clock.at, state, "owner", "drill"))
        for move in after:
            await act(move)
        await act("let")
        await house.runner.idle()
        orders = house.runner.desk.blotter.orders
        late = [orders[name] for name in house.broker.sent[already:]]
        assert [o for o in late if o.intent.side is Side.BUY or state is OperatorState.HALT] == []
        open_buys = [o for o in house.runner.desk.blotter.open_orders() if o.intent.side is Side.BUY]
        assert {o.status for o in open_buys} <= {OrderStatus.CANCEL_PENDING}
        await finish(house)

    asyncio.run(run())


# ---------------------------------------------------------------------- vitals


def vitals(at: int) -> Vitals:
    return Vitals(at, Mandate(False, False, "a", "h", "V"), 0, 1, True, 0, 0, 3_600)


async def test_vitals_come_at_the_start_and_before_anything_is_decided_on_old_ones(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db", vitals=lambda: vitals(house.clock.at))
    await house.run(day_minutes(6))
    await finish(house)
    told = [(at, r) for _, at, _, r in house.journal.entries(kind="event")]
    assert isinstance(told[0][1], Vitals), "before the session itself"
    last = None
    for at, record in told:
        if isinstance(record, Vitals):
            last = record.at
        else:
            assert at - last <= 5 * SECOND
    assert replay(house.journal, open_desk(loose(), open_book(CASH)), RULES).identical


async def test_vitals_beat_while_nothing_else_happens(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db", vitals=lambda: vitals(house.clock.at))
    await house.runner.started()
    for _ in range(4):
        house.clock.advance(house.clock.at + 5 * SECOND)
        await house.runner.idle()
    assert house.runner.desk.vitals == vitals(house.clock.at)
    await finish(house)
    count = sum(isinstance(r, Vitals) for *_, r in house.journal.entries(kind="event"))
    assert count >= 5


# ---------------------------------------------------------------------- the journal fails


class Spare:
    """A reserve in memory."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.after: tuple[int, str] | None = None
        self.entries: list[tuple[str, int, object]] = []

    def begin(self, after, entries) -> None:
        if self.broken:
            raise JournalError("no such disk")
        self.after = after
        self.entries += entries

    def append(self, entries) -> None:
        self.entries += entries


def fail_from_now(journal: JournalDb) -> None:
    def failing(kind, records, *, durable):
        raise JournalError("disk full")

    journal.append = failing


async def until_falling(house: Floor) -> list:
    """Drive into a fall that the escape leaves; return the minutes that follow."""
    pieces = day_minutes(60, shock=(31, 5, -0.06))
    await house.run(pieces[:33])
    assert house.runner.desk.book.positions
    return pieces[33:]


async def test_without_an_escape_a_journal_that_fails_ends_the_day_although_there_is_a_reserve(tmp_path: Path) -> None:
    spare = Spare()
    house = floor(tmp_path / "j.db", reserve=spare)
    await house.run(day_minutes(4))
    fail_from_now(house.journal)
    with pytest.raises(JournalError, match="disk full"):
        await house.run(day_minutes(8)[4:])
    assert (house.broker.sent, spare.after) == ([], None)


async def test_in_an_escape_exits_go_on_through_the_reserve_and_then_the_day_ends_with_the_fault(
    tmp_path: Path,
) -> None:
    spare = Spare()
    house = floor(tmp_path / "j.db", reserve=spare)
    rest = await until_falling(house)
    for piece in rest:
        if house.runner._escaping():
            break
        await house.minute(piece)
    assert house.runner._escaping()
    ground = house.journal.head
    sent = len(house.broker.sent)
    fail_from_now(house.journal)
    with pytest.raises(JournalError, match="disk full"):
        await house.run(day_minutes(60, shock=(31, 5, -0.06))[40:])
    with pytest.raises(JournalError, match="disk full"):
        await house.task
    assert not house.runner.desk.book.positions, "everything was left"
    assert spare.after is not None
    assert spare.after[0] <= ground[0]
    orders = house.runner.desk.blotter.orders
    assert all(orders[name].intent.escape for name in house.broker.sent[sent:])
    written = {r.order.intent.intent_id for _, _, r in spare.entries if isinstance(r, Submit)}
    assert written >= set(house.broker.sent[sent:]), "each was in the reserve before it left"


async def test_a_reserve_that_cannot_be_written_ends_the_day_at_once(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db", reserve=Spare(broken=True))
    for piece in await until_falling(house):
        if house.runner._escaping():
            break
        await house.minute(piece)
    fail_from_now(house.journal)
    sent = len(house.broker.sent)
    with pytest.raises(JournalError, match="no such disk"):
        await house.run(day_minutes(60)[40:])
    assert len(house.broker.sent) == sent


def test_a_slow_disk_is_told_to_the_guards(tmp_path: Path) -> None:
    clock = DrivenClock(0)
    with JournalDb(tmp_path / "j.db") as journal:
        record = DayRecord(journal, None, lambda: False, clock, commit_s=2.0)
        plain = journal.append

        def slow(kind, records, *, durable):
            clock.at += took * SECOND
            return plain(kind, records, durable=durable)

        journal.append = slow
        seen = []
        for took in (1, 2, 3, 0):  # noqa: B007 - the closure above reads it
            record.append("run", [(0, Note(0, "day.opened", {}))], durable=True)
            seen.append(record.in_time)
        assert seen == [True, True, False, True]
        took = 9
        record.append("run", [(0, Note(0, "day.opened", {}))], durable=False)
        assert record.in_time, "only a commit says how fast the disk is"


def left_by_a_kill(path: Path, to: Path) -> list[object]:
    """The records a process leaves that dies now: what lies on the disk, and nothing it held in memory."""
    to.mkdir()
    for part in path.parent.glob(f"{path.name}*"):
        shutil.copy(part, to / part.name)
    with JournalDb(to / path.name, read_only=True) as journal:
        return [record for *_, record in journal.entries(kind="event")]


@pytest.mark.parametrize("measured", [True, False])
async def test_a_kill_between_two_beats_loses_no_more_than_the_seconds_since_the_last(
    tmp_path: Path, measured: bool
) -> None:
    path = tmp_path / "j.db"
    house = floor(path, vitals=(lambda: vitals(house.clock.at)) if measured else None)
    await house.runner.started()
    first, second = house.clock.at, house.clock.at + 7 * SECOND
    for at in (first, second):
        house.clock.advance(at)
        house.runner._put(Timer(at, "noticed"))
        await house.runner.idle()
    told = [r.at for r in left_by_a_kill(path, tmp_path / "early") if isinstance(r, Timer)]
    assert told == [first], "the beat at five seconds kept the first; the second is two seconds old"
    house.clock.advance(first + 12 * SECOND)
    await house.runner.idle()
    told = [r.at for r in left_by_a_kill(path, tmp_path / "late") if isinstance(r, Timer)]
    assert told == [first, second]
    await finish(house)


async def test_a_disk_that_fails_while_nothing_is_sent_ends_the_day_at_the_next_beat(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db", reserve=Spare())
    await house.runner.started()
    house.runner._put(Timer(house.clock.at, "noticed"))
    await house.runner.idle()

    def failing() -> None:
        raise JournalError("disk full")

    house.journal.flush = failing
    house.clock.advance(house.clock.at + 6 * SECOND)
    with pytest.raises(JournalError, match="disk full"):
        await house.task


async def test_a_disk_that_fails_between_two_orders_of_an_escape_changes_over_at_the_beat(tmp_path: Path) -> None:
    spare = Spare()
    house = floor(tmp_path / "j.db", reserve=spare)
    rest = await until_falling(house)
    for piece in rest:
        if house.runner.desk.escape.level >= EscapeLevel.REDUCE:
            break
        await house.run([piece])
    house.runner._put(Timer(house.clock.at, "noticed"))
    await house.runner.idle()

    def failing() -> None:
        raise JournalError("disk full")

    house.journal.flush = failing
    house.clock.advance(house.clock.at + 6 * SECOND)
    for _ in range(5):
        await asyncio.sleep(0)
    assert house.runner.record.fault is not None
    assert house.runner.gate.only_exits == "the journal cannot be written"
    assert spare.after is not None
    assert any(isinstance(record, Timer) and record.name == "noticed" for _, _, record in spare.entries)
    house.task.cancel()
    await asyncio.gather(house.task, return_exceptions=True)


async def test_notes_are_told_as_they_are_written(tmp_path: Path) -> None:
    told: list[str] = []
    house = floor(tmp_path / "j.db", told=lambda note: told.append(note.kind))
    await house.run(day_minutes(8))
    await finish(house)
    assert told[0] == "day.opened"
    assert told[-1] == "day.closed"
    assert "decision.made" in told


async def test_a_moved_price_is_held_back_by_a_halt_and_sent_otherwise(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    pieces = day_minutes(8)
    await house.run(pieces[:5])
    (order, *_) = house.runner.desk.blotter.open_orders()
    moved: list[int] = []
    plain = house.broker.replace

    async def replacing(intent_id, order_id, limit_price):
        moved.append(limit_price)
        return await plain(intent_id, order_id, limit_price)

    house.broker.replace = replacing
    price = order.intent.limit_price - RULES.tick_size(order.intent.limit_price)
    await house.runner.sends.replace(order.intent.intent_id, price)
    house.runner.gate.tighten(OperatorState.HALT)
    await house.runner.sends.replace(order.intent.intent_id, price - 100)
    await house.runner.sends.replace("nobody", price)
    assert moved == [price]
    house.runner.gate.taken()

    async def refusing(intent_id, order_id, limit_price):
        return Rejected(intent_id, house.clock.at, "X", "no")

    house.broker.replace = refusing
    await house.runner.sends.replace(order.intent.intent_id, price)
    await house.runner.idle()
    assert house.runner.desk.blotter.orders[order.intent.intent_id].status is OrderStatus.WORKING
    await finish(house)


async def test_a_cancel_of_an_order_that_ended_asks_nobody(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(8))
    done = next(o for o in house.runner.desk.blotter.orders.values() if o.status.terminal)
    asked: list[str] = []

    async def cancelling(intent_id, order_id):
        asked.append(intent_id)
        raise AssertionError

    house.broker.cancel = cancelling
    await house.runner.sends.cancelling(done.intent.intent_id)()
    await house.runner.sends.cancelling("nobody")()
    assert asked == []
    await finish(house)


async def test_a_cancel_that_is_asked_for_again_leaves_once_until_it_has_ended(tmp_path: Path) -> None:
    """A broker that answers slowly is not asked five times for one order: that would make it slower still."""
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(5))
    (order, *_) = house.runner.desk.blotter.open_orders()
    name, asked, begun, answered = order.intent.intent_id, [], asyncio.Event(), asyncio.Event()

    async def cancelling(intent_id, order_id):
        asked.append(intent_id)
        begun.set()
        await answered.wait()
        return OutcomeUnknown(intent_id, house.clock.at, "taken and not confirmed yet")

    house.broker.cancel = cancelling
    for at in range(3):
        house.runner._perform(Cancel(name, house.clock.at + at, "no answer to the cancel"))
        await asyncio.sleep(0)
    await begun.wait()
    house.runner._perform(Cancel(name, house.clock.at, "no answer to the cancel"))
    answered.set()
    await house.runner.idle()
    assert asked == [name]
    house.runner._perform(Cancel(name, house.clock.at, "no answer to the cancel"))
    await house.runner.idle()
    assert asked == [name, name], "once it has ended, the next one leaves"
    await finish(house)


def test_settings_of_notifications_refuse_what_cannot_work() -> None:
    from haetae.live import NotifySettings

    for wrong in ({"least": 3}, {"storm_s": -1}, {"waiting": 0}, {"tries": 0}):
        with pytest.raises(ValueError, match="least is 0"):
            replace(NotifySettings(), **wrong)
