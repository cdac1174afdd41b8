"""When orders are taken and at which price they meet: phases, auctions, the turn of days."""

from __future__ import annotations

import datetime as dt

import pytest

from contract.rig import CASH, OpenRig
from haetae.domain.orders import Accepted, Canceled, Expired, Rejected, Replaced, Side, TimeInForce
from haetae.domain.units import day_of

OPEN = [83_000, 84_500, 85_959, 90_000, 90_001, 120_000, 151_959, 152_000, 152_955]
"""Clock times at which a day order is taken: entry from 08:30, continuous trading, the closing auction."""
SHUT = [30_000, 70_000, 82_959, 153_000, 153_500, 154_500, 210_000]
"""Clock times at which a day order is refused; after 15:30 only orders of the later sessions are taken."""


class SessionSuite:
    """Cases every broker passes; see ``broker_suite``."""

    @pytest.mark.parametrize("clock", OPEN)
    async def test_orders_are_taken_while_entry_is_open(self, open_rig: OpenRig, clock: int) -> None:
        async with open_rig(clock) as rig:
            assert isinstance(await rig.send(rig.order(Side.BUY, 1, rig.price(0.8))), Accepted)

    @pytest.mark.parametrize("clock", SHUT)
    async def test_orders_are_refused_while_entry_is_shut(self, open_rig: OpenRig, clock: int) -> None:
        async with open_rig(clock) as rig:
            assert await rig.refused(rig.order(Side.BUY, 1, rig.price(0.8)))

    @pytest.mark.parametrize("clock", [84_000, 100_000, 152_500])
    async def test_a_resting_order_is_cancelled_in_every_phase(self, open_rig: OpenRig, clock: int) -> None:
        async with open_rig(clock) as rig:
            order = rig.order(Side.BUY, 4, rig.price(0.8))
            answer = await rig.send(order)
            ended = await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(ended, Canceled)
            assert (await rig.reported(answer)).open_quantity == 0

    @pytest.mark.parametrize("clock", [84_000, 100_000, 152_500])
    async def test_a_resting_order_is_replaced_in_every_phase(self, open_rig: OpenRig, clock: int) -> None:
        async with open_rig(clock) as rig:
            order = rig.order(Side.BUY, 4, rig.price(0.8))
            answer = await rig.send(order)
            moved = await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, rig.price(0.82)))
            assert isinstance(moved, Replaced)
            assert (await rig.reported(moved)).open_quantity == 4

    @pytest.mark.parametrize("kind", ["market", "limit"])
    async def test_the_opening_auction_fills_at_one_price(self, open_rig: OpenRig, kind: str) -> None:
        async with open_rig(84_000) as rig:
            limit = rig.price(1.25) if kind == "limit" else 0
            orders = [rig.order(Side.BUY, quantity, limit) for quantity in (1, 2, 3)]
            for order in orders:
                assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(20 * 60 + 16)
            fills = [event.fill for order in orders for event in rig.fills(order)]
            assert fills
            assert {fill.amount // fill.quantity for fill in fills} == {rig.market.board.sight("005930").open}
            assert all(fill.amount == fill.price * fill.quantity for fill in fills)

    @pytest.mark.parametrize("kind", ["market", "limit"])
    async def test_the_closing_auction_fills_at_the_close(self, open_rig: OpenRig, kind: str) -> None:
        async with open_rig(152_100) as rig:
            order = rig.order(Side.BUY, 3, rig.price(1.25) if kind == "limit" else 0)
            assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(8 * 60)
            assert not rig.fills(order)
            await rig.market.run(120)
            assert [event.fill.quantity for event in rig.fills(order)] == [3]
            assert rig.fills(order)[0].fill.price == rig.last()

    async def test_a_limit_that_the_closing_price_does_not_reach_expires(self, open_rig: OpenRig) -> None:
        async with open_rig(152_100) as rig:
            order = rig.order(Side.BUY, 3, rig.price(0.8))
            await rig.send(order)
            await rig.market.run(15 * 60)
            assert not rig.fills(order)
            assert [event.filled for event in rig.of(order, Expired)] == [0]

    async def test_a_partly_filled_order_expires_with_the_part_it_got(self, open_rig: OpenRig) -> None:
        async with open_rig(151_500) as rig:
            thin = rig.thinnest()
            quantity = CASH // 3 // rig.last(thin)
            order = rig.order(Side.BUY, quantity, rig.price(1.1, thin), thin)
            await rig.send(order)
            await rig.market.run(30 * 60)
            filled = sum(event.fill.quantity for event in rig.fills(order))
            assert 0 < filled < quantity
            assert [event.filled for event in rig.of(order, Expired)] == [filled]

    async def test_an_order_of_yesterday_is_not_in_todays_list_and_stays_in_its_own(self, open_rig: OpenRig) -> None:
        async with open_rig(152_000) as rig:
            answer = await rig.send(rig.order(Side.BUY, 1, rig.price(0.8)))
            day = day_of(rig.market.now())
            await rig.market.run(20 * 3_600)
            assert day_of(rig.market.now()) == day + dt.timedelta(days=1)
            assert await rig.ask(rig.broker.orders(day_of(rig.market.now()))) == ()
            (yesterday,) = await rig.ask(rig.broker.orders(day))
            assert int(yesterday.order_id.number) == int(answer.order_id.number)
            assert yesterday.open_quantity == 0

    async def test_shares_and_cash_survive_the_night_to_the_won(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(9)
            before = (await rig.ask(rig.broker.cash()), await rig.ask(rig.broker.positions()))
            await rig.market.run(24 * 3_600)
            assert (await rig.ask(rig.broker.cash()), await rig.ask(rig.broker.positions())) == before

    async def test_order_numbers_begin_again_and_are_told_apart_by_the_day(self, open_rig: OpenRig) -> None:
        async with open_rig(152_000) as rig:
            first = await rig.send(rig.order(Side.BUY, 1, rig.price(0.8)))
            await rig.market.run(20 * 3_600)
            second = await rig.send(rig.order(Side.BUY, 1, rig.price(0.8)))
            assert isinstance(second, Accepted)
            assert first.order_id != second.order_id
            assert first.order_id.day != second.order_id.day

    async def test_yesterdays_order_can_be_neither_cancelled_nor_replaced_today(self, open_rig: OpenRig) -> None:
        async with open_rig(152_000) as rig:
            order = rig.order(Side.BUY, 1, rig.price(0.8))
            answer = await rig.send(order)
            await rig.market.run(20 * 3_600)
            ended = await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(ended, Rejected)

    async def test_an_immediate_order_before_the_open_ends_with_the_auction(self, open_rig: OpenRig) -> None:
        async with open_rig(85_500) as rig:
            order = rig.order(Side.BUY, 2, rig.price(0.8), force=TimeInForce.IOC)
            answer = await rig.send(order)
            await rig.market.run(6 * 60)
            assert not rig.fills(order)
            if isinstance(answer, Accepted):
                assert rig.ended(order)
