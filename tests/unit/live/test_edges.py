"""The driver where something fails: readings, policies, adapters, ends in the middle of a send."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from haetae.desk import open_desk
from haetae.domain.decisions import View
from haetae.domain.errors import BrokerError, DataError, JournalError
from haetae.domain.events import Note, OperatorState, Replace, SetTimer, Timer
from haetae.domain.market import Quote
from haetae.domain.orders import OrderStatus, Side
from haetae.ledger import open_book
from haetae.live.gate import Leaving
from rigs.desk_day import CASH, loose
from unit.live.test_stopping import SECOND, fail_from_now, floor, queued
from unit.live.test_the_day import RULES, day_minutes, finish


async def test_orders_that_wait_when_the_journal_fails_are_not_sent_while_the_day_ends(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await queued(house)
    fail_from_now(house.journal)
    house.broker.hold.set()
    with pytest.raises(JournalError):
        await house.task
    assert len(house.broker.sent) == 1


async def test_orders_that_wait_when_the_process_is_ended_are_not_sent(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await queued(house)
    house.task.cancel()
    await asyncio.sleep(0)
    house.broker.hold.set()
    with pytest.raises(asyncio.CancelledError):
        await house.task
    assert len(house.broker.sent) == 1
    assert house.runner.gate.refusal(Leaving(Side.SELL, escape=True, decided_at=0)) == "the day has ended"


async def test_a_start_without_a_reading_is_given_up_after_three(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")

    async def down():
        raise BrokerError("down")

    house.broker.positions = down
    waiting = asyncio.create_task(house.runner.started())
    for _ in range(4):
        await asyncio.sleep(0.01)
        house.clock.advance(house.clock.at + 5 * SECOND)
    with pytest.raises(BrokerError):
        await house.task
    with pytest.raises(BrokerError):
        await waiting
    assert [r.kind for *_, r in house.journal.entries(kind="run")][-1] == "run.failed"


async def test_a_reading_that_fails_is_made_again_and_the_last_one_may_fail(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(2))
    plain, asked = house.broker.cash, []

    async def once():
        asked.append(house.clock.at)
        if len(asked) == 1:
            raise BrokerError("busy")
        return await plain()

    house.broker.cash = once
    house.runner._fire(house.clock.at, "reconcile")
    house.runner._fire(house.clock.at, "reconcile")
    await house.runner.idle()
    assert len(asked) == 1, "two wishes are one reading"
    house.clock.advance(house.clock.at + 5 * SECOND)
    await house.runner.idle()
    assert len(asked) == 2

    async def never():
        raise DataError("torn")

    house.broker.cash = never
    report = await finish(house)
    assert report.day == RULES.day


async def test_a_policy_that_fails_costs_the_proposal_and_not_the_day(tmp_path: Path) -> None:
    class Failing:
        policy_id = "failing-1"

        def propose(self, view: View):
            raise DataError("no such feature")

    house = floor(tmp_path / "j.db")
    house.runner._policy = Failing()
    await house.run(day_minutes(6))
    report = await finish(house)
    assert report.orders == 0


async def test_adapters_that_work_on_their_own_are_awaited_and_quotes_are_not_given(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    waited: list[str] = []

    async def idle() -> None:
        waited.append("feed")

    house.feed.idle = idle
    house.feed.push(Quote("000100", 1, 1, 50_000, 50_000, 50_050, 10, 10))
    await house.runner.idle()
    assert waited
    await finish(house)
    assert not [r for *_, r in house.journal.entries(kind="event") if isinstance(r, Quote)]


async def test_timers_of_any_name_come_back_and_a_moved_price_goes_through_the_lane(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(5))
    (order, *_) = house.runner.desk.blotter.open_orders()
    house.runner._perform(SetTimer(house.clock.at, "now"))
    house.runner._perform(SetTimer(house.clock.at + SECOND, "later"))
    price = order.intent.limit_price - RULES.tick_size(order.intent.limit_price)
    house.runner._perform(Replace(order.intent.intent_id, house.clock.at, price))
    await house.runner.idle()
    house.clock.advance(house.clock.at + SECOND)
    await house.runner.idle()
    assert [r.name for *_, r in house.journal.entries(kind="event") if isinstance(r, Timer)] == ["now", "later"]
    assert house.runner.desk.blotter.orders[order.intent.intent_id].intent.limit_price == price
    await finish(house)


async def test_a_day_ends_by_itself_after_the_close_and_waits_for_what_is_under_way(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await queued(house)
    house.runner.stop()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not house.task.done(), "a send is under way"
    house.broker.hold.set()
    await house.task
    assert all(o.status is not OrderStatus.SENDING for o in house.runner.desk.blotter.orders.values())
    quiet = floor(tmp_path / "k.db")
    await quiet.runner.started()
    quiet.clock.advance(RULES.session.close_at + 180 * SECOND)
    report = await quiet.task
    assert report.orders == 0
    await quiet.runner.idle()


async def test_a_task_that_fails_ends_the_day_with_its_fault(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.runner.started()

    async def breaking():
        raise DataError("torn frame")

    house.runner._spawn(breaking())
    with pytest.raises(DataError, match="torn frame"):
        await house.task
    with pytest.raises(DataError, match="torn frame"):
        await house.runner.idle()
    notes = [r for *_, r in house.journal.entries(kind="run") if isinstance(r, Note)]
    assert notes[-1].kind == "run.failed"


async def test_a_broker_that_takes_nothing_up_is_not_asked_to(tmp_path: Path) -> None:
    house = floor(tmp_path / "a.db")
    await house.run(day_minutes(5))
    house.journal.flush()
    house.task.cancel()
    await asyncio.gather(house.task, return_exceptions=True)
    house.journal.close()

    class Plain:
        """The port alone."""

        def __init__(self, broker) -> None:
            for name in ("submit", "cancel", "replace", "orders", "positions", "cash", "events"):
                setattr(self, name, getattr(broker, name))

    second = floor(tmp_path / "a.db")
    second.runner._broker = Plain(house.broker)
    second.runner.desk = open_desk(loose(), open_book(CASH))
    await second.runner.started()
    second.runner.stop()
    await second.task
    assert second.runner.gate.state is OperatorState.ACTIVE


async def test_a_price_or_a_cancel_does_not_leave_once_the_lease_is_lost(tmp_path: Path) -> None:
    house = floor(tmp_path / "j.db")
    await house.run(day_minutes(5))
    (order, *_) = house.runner.desk.blotter.open_orders()
    house.runner.gate._lost = True

    async def leaving(*told):
        raise AssertionError

    house.broker.cancel = house.broker.replace = leaving
    await house.runner.sends.cancelling(order.intent.intent_id)()
    await house.runner.sends.replace(order.intent.intent_id, order.intent.limit_price)
    house.runner.stop()
    with pytest.raises(JournalError, match="taken this desk over"):
        await house.task


def test_without_a_journal_only_exits_leave() -> None:
    from haetae.live import LiveSettings
    from haetae.live.gate import Gate
    from rigs.paper_broker import DrivenClock

    gate = Gate(DrivenClock(0), LiveSettings(), lambda: OperatorState.ACTIVE)
    gate.only_exits = "the journal cannot be written"
    exits = Leaving(Side.SELL, escape=True, decided_at=0)
    others = [Leaving(Side.BUY, escape=True, decided_at=0), Leaving(Side.SELL, escape=False, decided_at=0)]
    assert gate.refusal(exits) == ""
    assert [gate.refusal(each) for each in others] == ["the journal cannot be written"] * 2
