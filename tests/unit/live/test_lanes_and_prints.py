"""Lanes with room for several, and prints that reach the desk as glances."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from haetae.desk import DeskSettings, open_desk, step
from haetae.domain.events import Glance
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live.lanes import Lane
from haetae.live.watching import watch_prints
from rigs.desk_day import CASH, DAY, codes, minutes, session_start

SYMBOLS = codes(5)


@pytest.mark.parametrize("at_once", [1, 3])
async def test_a_lane_takes_so_many_jobs_at_a_time_and_begins_them_in_order(at_once: int) -> None:
    began: list[int] = []
    most = under_way = ended = 0

    def done() -> None:
        nonlocal ended
        ended += 1

    def job(number: int):
        async def work() -> None:
            nonlocal most, under_way
            began.append(number)
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001 * (3 - number % 3))
            under_way -= 1

        return work

    lane = Lane("test", done, at_once=at_once)
    for number in range(9):
        lane.put(job(number))
    await lane.close()
    assert (began, most, ended) == (list(range(9)), at_once, 9)


@pytest.mark.parametrize("at_once", [1, 2])
async def test_what_ends_a_job_ends_the_lane(at_once: int) -> None:
    async def wrong() -> None:
        raise OSError("gone")

    lane = Lane("test", lambda: None, at_once=at_once)
    for _ in range(3):
        lane.put(wrong)
    with pytest.raises(OSError, match="gone"):
        await asyncio.wait_for(lane.task, 1.0)


class Printing:
    """A feed that hands out what the test says."""

    def on_prints(self, take) -> None:
        self.take = take


def test_prints_of_a_falling_market_reach_the_desk_as_one_glance() -> None:
    rules = Rulebook.on(DAY)
    state, _ = step(open_desk(DeskSettings(), open_book(CASH)), session_start(SYMBOLS), rules)
    pieces = minutes(SYMBOLS, np.random.default_rng(1), count=3)
    for piece in pieces:
        state, _ = step(state, piece, rules)
    feed, told = Printing(), []
    watch = watch_prints(feed, lambda: state, told.append)
    prices = pieces[-1].close * 97 // 100
    for number in range(4):
        feed.take(list(SYMBOLS), prices, pieces[-1].end + number)
    assert [type(one) for one in told] == [Glance]
    assert watch is not None and watch.glances == 1
    assert watch_prints(object(), lambda: state, told.append) is None
