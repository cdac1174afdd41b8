"""The life of an order: taken, filled, cancelled, replaced, expired; told once and to the won."""

from __future__ import annotations

import datetime as dt

from contract.rig import CASH, LIQUID, OpenRig
from haetae.domain.orders import Accepted, Canceled, Expired, Rejected, Replaced, Side, TimeInForce
from haetae.domain.units import day_of
from haetae.krx.scalar import reserve_buy


class LifeSuite:
    """Cases every broker passes; see ``broker_suite``."""

    async def test_market_buy_is_accepted_and_filled_by_later_data(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            sent_at = rig.market.now()
            order = rig.order(Side.BUY, 10)
            answer = await rig.send(order)
            assert isinstance(answer, Accepted)
            await rig.market.run(60)
            fills = rig.fills(order)
            assert sum(event.fill.quantity for event in fills) == 10
            assert all(event.fill.at > sent_at for event in fills)
            assert all(event.fill.amount == event.fill.price * event.fill.quantity for event in fills)
            assert await rig.ask(rig.broker.positions()) == {LIQUID: 10}

    async def test_fill_price_lies_in_the_range_of_the_market(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 5)
            await rig.send(order)
            await rig.market.run(60)
            sight = rig.market.board.sight(LIQUID)
            for event in rig.fills(order):
                assert sight.low <= event.fill.price <= sight.high
                assert rig.rules.on_grid(event.fill.price)

    async def test_cash_moves_by_amount_and_fee_to_the_won(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 7)
            await rig.send(order)
            await rig.market.run(60)
            item = rig.instrument(LIQUID)
            paid = [
                event.fill.amount + rig.rules.charge(Side.BUY, event.fill.amount, item.market, item.kind).total
                for event in rig.fills(order)
            ]
            assert (await rig.ask(rig.broker.cash())).cash == CASH - sum(paid)

    async def test_round_trip_pays_fees_and_the_dated_tax(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            item = rig.instrument(LIQUID)
            cash = CASH
            for side in (Side.BUY, Side.SELL):
                order = rig.order(side, 20)
                assert isinstance(await rig.send(order), Accepted)
                await rig.market.run(60)
                for event in rig.fills(order):
                    charge = rig.rules.charge_fill(event.fill, item.market, item.kind)
                    sign = -1 if side is Side.BUY else 1
                    cash += sign * event.fill.amount - charge.total
                    assert side is Side.BUY or charge.tax > 0
            assert (await rig.ask(rig.broker.cash())).cash == cash
            assert await rig.ask(rig.broker.positions()) == {}

    async def test_told_fills_equal_the_ledger_of_the_broker(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            orders = [rig.order(Side.BUY, 30), rig.order(Side.BUY, 12, rig.price(1.01)), rig.order(Side.BUY, 3)]
            for order in orders:
                assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(90)
            told = sum(event.fill.amount for order in orders for event in rig.fills(order))
            ledger = rig.market.oracle().executions
            assert told == sum(line.quantity * line.price for line in ledger)
            assert sum(line.quantity for line in ledger) == 45
            assert rig.market.oracle().venue.cash == rig.market.oracle().book.cash

    async def test_limit_far_from_the_market_rests(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 10, rig.price(0.8))
            answer = await rig.send(order)
            await rig.market.run(120)
            report = await rig.reported(answer)
            assert (report.filled, report.open_quantity, report.quantity) == (0, 10, 10)
            assert not rig.fills(order)

    async def test_limit_buy_reserves_cash_with_the_fee(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            limit = rig.price(0.8)
            await rig.send(rig.order(Side.BUY, 100, limit))
            report = await rig.ask(rig.broker.cash())
            assert report.cash == CASH
            assert report.orderable == CASH - int(reserve_buy(100, limit, rig.rules.fee_ppb))

    async def test_cancel_frees_the_cash_and_closes_the_order(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 10, rig.price(0.8))
            answer = await rig.send(order)
            ended = await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(ended, Canceled)
            assert ended.filled == 0
            assert (await rig.reported(answer)).open_quantity == 0
            assert (await rig.ask(rig.broker.cash())).orderable == CASH

    async def test_cancelling_twice_is_rejected(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 10, rig.price(0.8))
            answer = await rig.send(order)
            await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            again = await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(again, Rejected)

    async def test_cancelling_a_filled_order_is_rejected(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 1)
            answer = await rig.send(order)
            await rig.market.run(60)
            assert rig.fills(order)
            late = await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(late, Rejected)

    async def test_replaced_order_goes_on_under_a_new_number_and_fills(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 10, rig.price(0.8))
            answer = await rig.send(order)
            better = rig.price(1.02)
            moved = await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, better))
            assert isinstance(moved, Replaced)
            assert moved.limit_price == better
            assert int(moved.order_id.number) != int(answer.order_id.number)
            assert (await rig.reported(answer)).open_quantity == 0
            await rig.market.run(60)
            assert sum(event.fill.quantity for event in rig.fills(order)) == 10
            assert max(event.fill.price for event in rig.fills(order)) <= better

    async def test_more_cash_than_there_is_is_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            assert await rig.refused(rig.order(Side.BUY, CASH // rig.last() * 2, rig.last()))

    async def test_selling_what_is_not_held_is_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            assert await rig.refused(rig.order(Side.SELL, 1))

    async def test_shares_are_promised_once(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            await rig.send(rig.order(Side.BUY, 10))
            await rig.market.run(60)
            assert isinstance(await rig.send(rig.order(Side.SELL, 10, rig.price(1.2))), Accepted)
            assert await rig.refused(rig.order(Side.SELL, 1, rig.price(1.2)))

    async def test_price_off_the_tick_grid_is_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            assert await rig.refused(rig.order(Side.BUY, 1, rig.price(1.0) + 1))

    async def test_price_beyond_the_daily_limit_is_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            upper = rig.market.board.sight(LIQUID).upper
            assert await rig.refused(rig.order(Side.BUY, 1, rig.rules.ceil_tick(upper + 1)))

    async def test_unknown_symbol_is_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            assert await rig.refused(rig.order(Side.BUY, 1, 10_000, symbol="999999"))

    async def test_halted_symbol_is_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            halted = next(item.symbol for item in rig.market.board.world.instruments if "halted" in item.flags)
            assert await rig.refused(rig.order(Side.BUY, 1, rig.last(halted), symbol=halted))

    async def test_orders_outside_the_session_are_refused(self, open_rig: OpenRig) -> None:
        async with open_rig(70_000) as rig:
            assert await rig.refused(rig.order(Side.BUY, 1, rig.last()))

    async def test_order_of_the_opening_auction_fills_after_the_open(self, open_rig: OpenRig) -> None:
        async with open_rig(85_900) as rig:
            order = rig.order(Side.BUY, 5)
            assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(30)
            assert not rig.fills(order)
            await rig.market.run(150)
            assert sum(event.fill.quantity for event in rig.fills(order)) == 5

    async def test_rest_of_an_ioc_order_is_cancelled(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 100, rig.price(0.8), force=TimeInForce.IOC)
            answer = await rig.send(order)
            await rig.market.run(90)
            assert not rig.fills(order)
            assert rig.of(order, Canceled)
            assert (await rig.reported(answer)).open_quantity == 0

    async def test_large_order_fills_in_parts_with_rising_cumulative_quantity(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            board = rig.market.board
            thin = min(
                (item.symbol for item in board.world.instruments if board.sight(item.symbol).volume > 400),
                key=lambda symbol: (board.sight(symbol).turnover, symbol),
            )
            quantity = CASH // 3 // rig.last(thin)
            order = rig.order(Side.BUY, quantity, rig.price(1.1, thin), symbol=thin)
            assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(240)
            seen = [event.fill.cumulative for event in rig.fills(order)]
            assert len(seen) > 1
            assert seen == sorted(set(seen))
            assert seen[-1] == sum(event.fill.quantity for event in rig.fills(order)) < quantity

    async def test_day_order_expires_with_the_session(self, open_rig: OpenRig) -> None:
        async with open_rig(152_500) as rig:
            order = rig.order(Side.BUY, 10, rig.price(0.8))
            answer = await rig.send(order)
            await rig.market.run(600)
            assert [event.filled for event in rig.of(order, Expired)] == [0]
            assert (await rig.reported(answer)).open_quantity == 0
            assert (await rig.ask(rig.broker.cash())).orderable == CASH

    async def test_orders_of_a_day_without_orders_are_none(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            assert await rig.ask(rig.broker.orders(day_of(rig.market.now()) - dt.timedelta(days=3))) == ()

    async def test_more_orders_than_a_page_are_all_reported(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            answers = [await rig.send(rig.order(Side.BUY, 1, rig.price(0.8))) for _ in range(17)]
            numbers = {int(answer.order_id.number) for answer in answers}
            reported = await rig.ask(rig.broker.orders(day_of(rig.market.now())))
            assert numbers == {int(order.order_id.number) for order in reported if order.open_quantity}
            assert len(numbers) == 17
