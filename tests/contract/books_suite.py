"""What the broker reports equals what it told and what its own ledger holds: cash, shares, orders, fees, taxes."""

from __future__ import annotations

import pytest

from contract.admission_suite import PAPERS, of_paper
from contract.rig import CASH, LIQUID, OpenRig
from haetae.domain.orders import Accepted, Canceled, Replaced, Side
from haetae.domain.units import day_of
from haetae.krx.scalar import reserve_buy


class BooksSuite:
    """Cases every broker passes; see ``broker_suite``."""

    @pytest.mark.parametrize("paper", PAPERS)
    async def test_a_round_trip_costs_fees_and_the_tax_of_its_paper(self, open_rig: OpenRig, paper: str) -> None:
        async with open_rig(100_000) as rig:
            symbol = of_paper(rig, paper)
            item, cash = rig.instrument(symbol), CASH
            for side in (Side.BUY, Side.SELL):
                order = rig.order(side, 11, symbol=symbol)
                assert isinstance(await rig.send(order), Accepted)
                await rig.market.run(900)
                assert sum(event.fill.quantity for event in rig.fills(order)) == 11
                for event in rig.fills(order):
                    charge = rig.rules.charge_fill(event.fill, item.market, item.kind)
                    cash += (event.fill.amount if side is Side.SELL else -event.fill.amount) - charge.total
                    taxed = side is Side.SELL and rig.rules.sale_tax_ppb(item.market, item.kind) > 0
                    assert bool(charge.tax) == taxed
            assert (await rig.ask(rig.broker.cash())).cash == cash
            assert rig.market.oracle().book.cash == cash

    @pytest.mark.parametrize("ratio", [0.72, 0.8, 0.9, 0.97])
    async def test_a_resting_buy_reserves_its_price_with_the_fee(self, open_rig: OpenRig, ratio: float) -> None:
        async with open_rig(100_000) as rig:
            limit = rig.price(ratio)
            await rig.send(rig.order(Side.BUY, 37, limit))
            report = await rig.ask(rig.broker.cash())
            assert report.orderable == CASH - int(reserve_buy(37, limit, rig.rules.fee_ppb))

    async def test_reservations_add_up_and_each_is_freed_alone(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            orders = [rig.order(Side.BUY, quantity, rig.price(0.8)) for quantity in (10, 20, 30)]
            answers = [await rig.send(order) for order in orders]
            reserved = [
                int(reserve_buy(order.quantity, order.intent.limit_price, rig.rules.fee_ppb)) for order in orders
            ]
            assert (await rig.ask(rig.broker.cash())).orderable == CASH - sum(reserved)
            await rig.ask(rig.broker.cancel(orders[1].intent.intent_id, answers[1].order_id))
            assert (await rig.ask(rig.broker.cash())).orderable == CASH - reserved[0] - reserved[2]

    @pytest.mark.parametrize(("first", "second"), [(0.8, 0.9), (0.9, 0.8)])
    async def test_a_replacement_moves_the_reservation(self, open_rig: OpenRig, first: float, second: float) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 25, rig.price(first))
            answer = await rig.send(order)
            limit = rig.price(second)
            assert isinstance(
                await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, limit)), Replaced
            )
            report = await rig.ask(rig.broker.cash())
            assert report.orderable == CASH - int(reserve_buy(25, limit, rig.rules.fee_ppb))

    async def test_a_cancelled_part_frees_what_was_not_executed(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            thin = rig.thinnest()
            order = rig.order(Side.BUY, CASH // 3 // rig.last(thin), rig.price(1.1, thin), thin)
            answer = await rig.send(order)
            await rig.market.run(120)
            ended = await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(ended, Canceled)
            filled = sum(event.fill.quantity for event in rig.fills(order))
            assert ended.filled == filled
            report = await rig.ask(rig.broker.cash())
            assert report.cash == report.orderable
            assert (await rig.ask(rig.broker.positions())).get(thin, 0) == filled

    async def test_a_sale_may_be_spent_at_once(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(50)
            order = rig.order(Side.SELL, 50)
            await rig.send(order)
            await rig.market.run(60)
            report = await rig.ask(rig.broker.cash())
            assert report.cash == report.orderable
            assert report.cash > CASH - 50 * rig.last() // 20

    async def test_a_cancelled_sale_gives_its_shares_back(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(6)
            order = rig.order(Side.SELL, 6, rig.price(1.2))
            answer = await rig.send(order)
            await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            assert isinstance(await rig.send(rig.order(Side.SELL, 6, rig.price(1.2))), Accepted)

    @pytest.mark.parametrize("quantities", [(1,), (1, 1, 1), (5, 3, 8, 2)])
    async def test_every_fill_is_told_once_and_equals_the_ledger(
        self, open_rig: OpenRig, quantities: tuple[int, ...]
    ) -> None:
        async with open_rig(100_000) as rig:
            orders = [rig.order(Side.BUY, quantity) for quantity in quantities]
            for order in orders:
                await rig.send(order)
            await rig.market.run(120)
            told = [event.fill for order in orders for event in rig.fills(order)]
            assert len({(fill.order_id, fill.cumulative) for fill in told}) == len(told)
            ledger = rig.market.oracle().executions
            assert sum(fill.quantity for fill in told) == sum(line.quantity for line in ledger) == sum(quantities)
            assert sum(fill.amount for fill in told) == sum(line.quantity * line.price for line in ledger)

    async def test_cumulative_amounts_chain_from_fill_to_fill(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            thin = rig.thinnest()
            order = rig.order(Side.BUY, CASH // 3 // rig.last(thin), rig.price(1.1, thin), thin)
            await rig.send(order)
            await rig.market.run(240)
            before = 0
            for event in rig.fills(order):
                assert event.fill.amount_before == before
                before += event.fill.amount
            assert before > 0

    @pytest.mark.parametrize("end", ["working", "filled", "cancelled", "replaced"])
    async def test_the_list_of_orders_tells_each_state(self, open_rig: OpenRig, end: str) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 8, 0 if end == "filled" else rig.price(0.8))
            answer = await rig.send(order)
            latest = answer
            if end == "cancelled":
                await rig.ask(rig.broker.cancel(order.intent.intent_id, answer.order_id))
            if end == "replaced":
                latest = await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, rig.price(0.85)))
            await rig.market.run(60)
            report = await rig.reported(latest)
            filled, left = {"working": (0, 8), "filled": (8, 0), "cancelled": (0, 0), "replaced": (0, 8)}[end]
            assert (report.filled, report.open_quantity, report.symbol, report.side) == (filled, left, LIQUID, Side.BUY)
            assert day_of(report.at) == day_of(rig.market.now())
            if end == "replaced":
                assert report.limit_price == rig.price(0.85)

    async def test_positions_never_show_what_was_sold_out(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(3)
            order = rig.order(Side.SELL, 3)
            await rig.send(order)
            await rig.market.run(60)
            assert await rig.ask(rig.broker.positions()) == {}

    async def test_books_balance_after_a_busy_hour(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            names = [item.symbol for item in rig.tradable()][:12]
            for turn, symbol in enumerate(names * 2):
                ratio = (1.01, 0.99, 0.9)[turn % 3]
                await rig.send(rig.order(Side.BUY, 1 + turn % 4, rig.price(ratio, symbol), symbol))
                await rig.market.run(20)
            for symbol, shares in (await rig.ask(rig.broker.positions())).items():
                await rig.send(rig.order(Side.SELL, max(1, shares // 2), symbol=symbol))
            await rig.market.run(300)
            account = rig.market.oracle()
            assert account.venue.cash == account.book.cash == (await rig.ask(rig.broker.cash())).cash
            held = {symbol: position.quantity for symbol, position in account.book.positions.items()}
            assert await rig.ask(rig.broker.positions()) == held
            fills = [event.fill for event in rig.told if hasattr(event, "fill")]
            assert sum(fill.amount for fill in fills) == sum(line.quantity * line.price for line in account.executions)
