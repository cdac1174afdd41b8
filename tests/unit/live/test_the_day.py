"""The live driver on a broker, feed and clock in one process: order, recovery, lockstep, replay."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from haetae.desk import DeskSettings, open_desk
from haetae.domain.decisions import AgentReply, Brief, Proposal, View
from haetae.domain.errors import BrokerError, ConfigError, JournalError
from haetae.domain.events import Note, OperatorCommand, OperatorState, Submit
from haetae.domain.market import Slice
from haetae.domain.orders import OrderStatus
from haetae.guards import EscapeLevel, TrialLimits
from haetae.journal import JournalDb
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import OfflineDecider, TradingDayRunner, latest_book, replay
from haetae.sim import open_venue
from rigs.desk_day import CASH, DAY, codes, instruments, loose, minutes, session_start, top_names
from rigs.paper_broker import DrivenClock, PaperBroker, PushedFeed

SYMBOLS = codes(12)
RULES = Rulebook.on(DAY)


class Top:
    policy_id = "top-names-1"

    def __init__(self, count: int = 6) -> None:
        self._propose = top_names(count)

    def propose(self, view: View) -> Proposal:
        return self._propose(view)


@dataclass
class Floor:
    """Everything of one process: built anew after a crash, around the same exchange and journal file."""

    clock: DrivenClock
    broker: PaperBroker
    feed: PushedFeed
    journal: JournalDb
    runner: TradingDayRunner
    task: asyncio.Task

    async def run(self, pieces: list[Slice]) -> None:
        for piece in pieces:
            await self.minute(piece)

    async def minute(self, piece: Slice) -> None:
        self.broker.move(piece)
        self.clock.advance(piece.end)
        await self.runner.idle()
        self.feed.push(piece)
        await self.runner.idle()


def settings() -> DeskSettings:
    return loose()


def floor(path: Path, *, broker: PaperBroker | None = None, decider=None, at: int | None = None) -> Floor:
    clock = DrivenClock(at or RULES.session.orders_from)
    if broker is None:
        broker = PaperBroker(open_venue(RULES, instruments(SYMBOLS), CASH), clock)
    broker.clock = clock
    feed = PushedFeed()
    journal = JournalDb(path)
    runner = TradingDayRunner(
        desk=open_desk(settings(), open_book(CASH)),
        session=session_start(SYMBOLS),
        broker=broker,
        feed=feed,
        journal=journal,
        policy=Top(),
        decider=decider or OfflineDecider(clock),
        clock=clock,
        rules=RULES,
    )
    return Floor(clock, broker, feed, journal, runner, asyncio.create_task(runner.run()))


async def finish(house: Floor):
    house.broker.close(RULES.session.close_at)
    house.clock.advance(RULES.session.close_at)
    await house.runner.idle()
    house.runner.stop()
    return await house.task


def day_minutes(count: int = 60, **more: object) -> list[Slice]:
    return minutes(SYMBOLS, np.random.default_rng(5), count=count, **more)


async def test_a_day_ends_with_books_equal_to_the_broker_and_a_replay_to_the_byte(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(90))
    report = await finish(house)
    book = house.runner.desk.book
    assert report.fills > 5
    assert report.orders == len(house.broker.sent) == len(set(house.broker.sent))
    assert book.cash == house.broker.venue.cash
    assert {s: p.quantity for s, p in book.positions.items()} == await house.broker.positions()
    assert report.reconciled
    assert report.fees == book.fees
    assert report.deciders == {"offline_rules_v1": sum(report.deciders.values())}
    again = replay(house.journal, open_desk(settings(), open_book(CASH)), RULES)
    assert again.identical
    assert again.commands > 50
    assert again.desk.book == book
    assert house.journal.verify() == report.entries
    assert latest_book(house.journal) == book


async def test_replay_tells_which_command_differs_when_a_setting_changed(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(20))
    await finish(house)
    other = loose(max_position_ppm=20_000)
    found = replay(house.journal, open_desk(other, open_book(CASH)), RULES)
    assert not found.identical
    assert found.mismatches[0].journalled != found.mismatches[0].replayed


async def test_a_process_that_dies_in_the_middle_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    pieces = day_minutes(60)
    straight = floor(tmp_path / "straight.db")
    await straight.run(pieces)
    await finish(straight)

    house = floor(tmp_path / "a.db")
    await house.run(pieces[:27])
    house.journal.flush()
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    shutil.copy(tmp_path / "a.db-wal", tmp_path / "b.db-wal")
    at = house.clock.at
    house.task.cancel()

    second = floor(tmp_path / "b.db", broker=house.broker, at=at)
    await second.runner.started()
    assert second.runner.desk.book == house.runner.desk.book
    await second.run(pieces[27:])
    report = await finish(second)
    assert report.resumed == 1
    assert second.runner.desk.book == straight.runner.desk.book
    assert replay(second.journal, open_desk(settings(), open_book(CASH)), RULES).identical
    second.journal.verify()


async def test_an_order_whose_answer_was_lost_is_found_and_never_sent_twice(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()
    house.broker.lose_answers = 2
    pieces = day_minutes(16)
    await house.run(pieces[:5])
    unknown = [o for o in house.runner.desk.blotter.open_orders() if o.status is OrderStatus.UNKNOWN]
    assert len(unknown) == 2
    house.clock.advance(house.clock.at + 3_000_000_000)
    await house.runner.idle()
    statuses = {house.runner.desk.blotter.orders[o.intent.intent_id].status for o in unknown}
    assert statuses == {OrderStatus.WORKING}
    await house.run(pieces[5:])
    report = await finish(house)
    assert report.unknown == 2
    assert len(house.broker.sent) == len(set(house.broker.sent))
    assert house.runner.desk.book.cash == house.broker.venue.cash


async def test_an_order_that_never_arrived_is_called_absent_only_after_two_minutes_of_looking(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()
    house.broker.lose_requests = 1
    pieces = day_minutes(12)
    await house.run(pieces[:5])
    (lost,) = [o for o in house.runner.desk.blotter.open_orders() if o.status is OrderStatus.UNKNOWN]
    seen = []
    for piece in pieces[5:]:
        start = house.clock.at
        for second in range(5, 60, 5):
            house.clock.advance(start + second * 1_000_000_000)
            await house.runner.idle()
        await house.minute(piece)
        status = house.runner.desk.blotter.orders[lost.intent.intent_id].status
        seen.append((piece.end - lost.intent.at, status))
    assert {status for age, status in seen if age < 120_000_000_000} == {OrderStatus.UNKNOWN}
    assert seen[-1][1] is OrderStatus.ABSENT
    await finish(house)
    assert house.broker.sent.count(lost.intent.intent_id) == 1


async def test_killed_while_sending_the_order_is_unknown_after_restart_then_adopted(tmp_path: Path) -> None:
    house = floor(tmp_path / "a.db")
    await house.runner.started()
    pieces = day_minutes(8)
    await house.run(pieces[:4])
    house.broker.hold = asyncio.Event()
    house.broker.move(pieces[4])
    house.clock.advance(pieces[4].end)
    house.feed.push(pieces[4])
    await house.broker.sending.wait()
    first = house.broker.sent[0]
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"a.db{suffix}", tmp_path / f"b.db{suffix}")
    at = house.clock.at
    house.broker.hold.set()
    for _ in range(20):
        await asyncio.sleep(0)
    house.broker.hold = None
    house.task.cancel()
    sent_before = list(house.broker.sent)
    second = floor(tmp_path / "b.db", broker=house.broker, at=at)
    await second.runner.started()
    order = second.runner.desk.blotter.orders[first]
    assert order.status is OrderStatus.WORKING
    assert first in second.broker.resumed or order.order_id is not None
    assert house.broker.sent == sent_before
    second.runner.stop()
    await second.task


async def test_the_journal_has_the_order_before_the_broker_does(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()
    seen: list[bool] = []
    plain = house.broker.submit

    async def spying(order):
        with JournalDb(tmp_path / "j.db", read_only=True) as other:
            known = {r.order.intent.intent_id for *_, r in other.entries(kind="command") if isinstance(r, Submit)}
        seen.append(order.intent.intent_id in known)
        return await plain(order)

    house.broker.submit = spying
    await house.run(day_minutes(8))
    await finish(house)
    assert seen
    assert all(seen)


async def test_a_journal_that_cannot_be_written_stops_trading_before_the_order_leaves(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()
    plain = house.journal.append

    def failing(kind, records, *, durable):
        if durable:
            raise JournalError("disk full")
        return plain(kind, records, durable=durable)

    house.journal.append = failing
    with pytest.raises(JournalError):
        await house.run(day_minutes(8))
    assert house.broker.sent == []
    with pytest.raises(JournalError):
        await house.task


async def test_a_silent_decider_times_out_and_buys_nothing(tmp_path: Path) -> None:
    class Silent:
        async def decide(self, brief: Brief) -> AgentReply:
            await asyncio.Event().wait()
            raise AssertionError

    house = floor(tmp_path / "j.db", decider=Silent())
    await house.runner.started()
    await house.run(day_minutes(5)[:4])
    piece = day_minutes(5)[4]
    house.broker.move(piece)
    house.clock.advance(piece.end)
    house.feed.push(piece)
    for _ in range(50):
        await asyncio.sleep(0)
    assert house.runner.desk.asked
    house.clock.advance(piece.end + 61_000_000_000)
    await house.runner.idle()
    assert not house.runner.desk.asked
    report = await finish(house)
    assert report.orders == 0
    assert report.decisions == {"ABSTAIN_TIMEOUT": 6}


async def test_a_decider_that_fails_is_an_abstention_not_a_crash(tmp_path: Path) -> None:
    class Broken:
        async def decide(self, brief: Brief) -> AgentReply:
            raise BrokerError("provider down")

    house = floor(tmp_path / "j.db", decider=Broken())
    await house.run(day_minutes(6))
    report = await finish(house)
    assert report.decisions == {"ABSTAIN_PROTOCOL": 6}


async def test_a_person_who_halts_stops_entries_at_once(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()
    pieces = day_minutes(30)
    await house.run(pieces[:4])
    house.runner.operate(OperatorCommand(house.clock.at, OperatorState.HALT, "owner", "drill"))
    await house.run(pieces[4:])
    report = await finish(house)
    assert report.orders == 0


async def test_a_shock_is_escaped_without_asking_anybody(tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting(OfflineDecider):
        async def decide(self, brief: Brief) -> AgentReply:
            asked.append(brief.leg.leg_id)
            return await super().decide(brief)

    house = floor(tmp_path / "j.db")
    house.runner._decider = Counting(house.clock)
    pieces = day_minutes(60, shock=(31, 5, -0.06))
    await house.run(pieces[:31])
    held = sum(p.quantity for p in house.runner.desk.book.positions.values())
    before = len(asked)
    await house.run(pieces[31:45])
    assert held > 0
    assert house.runner.desk.escape.level is EscapeLevel.EXIT_ALL
    assert not house.runner.desk.book.positions
    assert len(asked) == before
    report = await finish(house)
    assert report.escape_orders > 0
    assert [level for _, kind, level in report.escape if kind == "escape.raised"][-1] == "EXIT_ALL"


async def test_recovery_refuses_a_desk_with_other_settings(tmp_path: Path) -> None:
    house = floor(tmp_path / "a.db")
    await house.run(day_minutes(7))
    house.journal.flush()
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"a.db{suffix}", tmp_path / f"b.db{suffix}")
    house.task.cancel()
    second = floor(tmp_path / "b.db", broker=house.broker, at=house.clock.at)
    second.runner.desk = open_desk(loose(max_position_ppm=10_000), open_book(CASH))
    with pytest.raises(JournalError, match="same commands"):
        await second.task


async def test_notes_of_the_driver_say_when_a_day_began_and_ended(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(2))
    await finish(house)
    kinds = [r.kind for *_, r in house.journal.entries(kind="run") if isinstance(r, Note)]
    assert kinds == ["day.opened", "day.closed"]


async def test_a_trading_day_refuses_the_limits_of_an_experiment(tmp_path: Path) -> None:
    clock = DrivenClock(RULES.session.orders_from)
    with JournalDb(tmp_path / "j.db") as journal, pytest.raises(ConfigError, match="experiment"):
        TradingDayRunner(
            desk=open_desk(DeskSettings(limits=TrialLimits()), open_book(CASH)),
            session=session_start(SYMBOLS),
            broker=PaperBroker(open_venue(RULES, instruments(SYMBOLS), CASH), clock),
            feed=PushedFeed(),
            journal=journal,
            policy=Top(),
            decider=OfflineDecider(clock),
            clock=clock,
            rules=RULES,
        )
