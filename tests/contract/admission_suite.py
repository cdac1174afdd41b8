"""Which orders are taken: price grid, daily limits, cash and shares, at every price band and kind of paper."""

from __future__ import annotations

import pytest

from contract.rig import CASH, LIQUID, OpenRig, Rig
from haetae.domain.market import Kind, Market
from haetae.domain.orders import Accepted, Rejected, Side, TimeInForce
from haetae.domain.units import Symbol, Won

BANDS = (2_000, 5_000, 20_000, 50_000, 200_000, 500_000, 1_000_000_000)
"""Upper ends of the price bands of the tick table since 2023-01-25 (exchange rule)."""
PAPERS = {
    "kospi_common": (Market.KOSPI, Kind.COMMON),
    "kosdaq_common": (Market.KOSDAQ, Kind.COMMON),
    "preferred": (Market.KOSPI, Kind.PREFERRED),
    "etf": (Market.KOSPI, Kind.ETF),
    "reit": (Market.KOSPI, Kind.REIT),
    "spac": (Market.KOSDAQ, Kind.SPAC),
}


def in_band(rig: Rig, band: int) -> tuple[Symbol, Won]:
    """A traded common share and a price of the band inside its daily limits."""
    floor = BANDS[band - 1] if band else 0
    for item in rig.tradable(Kind.COMMON):
        sight = rig.market.board.sight(item.symbol)
        low, high = max(sight.lower, floor), min(sight.upper, BANDS[band] - 1)
        price = rig.rules.floor_tick((low + high) // 2, item.kind, item.market)
        if low <= price <= high:
            return item.symbol, price
    pytest.fail(f"the shared market has no share in price band {band}")


def of_paper(rig: Rig, paper: str) -> Symbol:
    market, kind = PAPERS[paper]
    return next(item.symbol for item in rig.tradable(kind) if item.market is market)


class AdmissionSuite:
    """Cases every broker passes; see ``broker_suite``."""

    @pytest.mark.parametrize("band", range(len(BANDS)))
    async def test_a_price_on_the_grid_of_its_band_is_taken(self, open_rig: OpenRig, band: int) -> None:
        async with open_rig(100_000) as rig:
            symbol, price = in_band(rig, band)
            assert isinstance(await rig.send(rig.order(Side.BUY, 1, price, symbol)), Accepted)

    @pytest.mark.parametrize("band", range(1, len(BANDS)))
    async def test_a_price_one_won_off_the_grid_is_refused(self, open_rig: OpenRig, band: int) -> None:
        async with open_rig(100_000) as rig:
            symbol, price = in_band(rig, band)
            assert await rig.refused(rig.order(Side.BUY, 1, price + 1, symbol))

    @pytest.mark.parametrize("paper", PAPERS)
    @pytest.mark.parametrize(("edge", "beyond"), [("upper", False), ("upper", True), ("lower", False), ("lower", True)])
    async def test_the_daily_limits_are_the_last_prices_taken(
        self, open_rig: OpenRig, paper: str, edge: str, beyond: bool
    ) -> None:
        async with open_rig(100_000) as rig:
            symbol = of_paper(rig, paper)
            item = rig.instrument(symbol)
            limit = getattr(rig.market.board.sight(symbol), edge)
            if beyond and edge == "upper":
                limit = rig.rules.ceil_tick(limit + 1, item.kind, item.market)
            elif beyond:
                limit = rig.rules.floor_tick(limit - 1, item.kind, item.market)
            order = rig.order(Side.BUY, 1, limit, symbol)
            if beyond:
                assert await rig.refused(order)
            else:
                assert isinstance(await rig.send(order), Accepted)

    @pytest.mark.parametrize("paper", PAPERS)
    async def test_every_kind_of_paper_is_bought_at_the_market(self, open_rig: OpenRig, paper: str) -> None:
        async with open_rig(100_000) as rig:
            symbol = of_paper(rig, paper)
            order = rig.order(Side.BUY, 1, symbol=symbol)
            assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(600)
            assert sum(event.fill.quantity for event in rig.fills(order)) == 1

    @pytest.mark.parametrize("share", [0.25, 0.5, 0.99])
    async def test_cash_is_promised_once_whatever_the_share(self, open_rig: OpenRig, share: float) -> None:
        async with open_rig(100_000) as rig:
            limit = rig.price(0.8)
            quantity = int(CASH * share * 0.999) // limit
            assert isinstance(await rig.send(rig.order(Side.BUY, quantity, limit)), Accepted)
            rest = CASH - quantity * limit
            assert await rig.refused(rig.order(Side.BUY, rest // limit + 1, limit))
            left = rest // limit - 1
            if left > 0:
                assert isinstance(await rig.send(rig.order(Side.BUY, left, limit)), Accepted)

    async def test_a_market_buy_must_be_able_to_pay_the_upper_limit(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            upper = rig.market.board.sight(LIQUID).upper
            assert await rig.refused(rig.order(Side.BUY, CASH // upper + 1))

    @pytest.mark.parametrize("held", [1, 7])
    async def test_no_more_is_sold_than_is_held(self, open_rig: OpenRig, held: int) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(held)
            assert await rig.refused(rig.order(Side.SELL, held + 1, rig.price(1.2)))
            assert isinstance(await rig.send(rig.order(Side.SELL, held, rig.price(1.2))), Accepted)

    @pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
    @pytest.mark.parametrize("force", [TimeInForce.IOC, TimeInForce.FOK])
    async def test_what_cannot_trade_at_once_is_cancelled_by_its_own_condition(
        self, open_rig: OpenRig, side: Side, force: TimeInForce
    ) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(5)
            far = rig.price(0.8) if side is Side.BUY else rig.price(1.2)
            order = rig.order(side, 5, far, force=force)
            await rig.send(order)
            await rig.market.run(90)
            assert not rig.fills(order)
            assert rig.ended(order)

    @pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
    @pytest.mark.parametrize("force", list(TimeInForce))
    async def test_what_can_trade_at_once_is_filled_under_every_condition(
        self, open_rig: OpenRig, side: Side, force: TimeInForce
    ) -> None:
        async with open_rig(100_000) as rig:
            await rig.bought(5)
            through = rig.price(1.02) if side is Side.BUY else rig.price(0.98)
            order = rig.order(side, 5, through, force=force)
            assert isinstance(await rig.send(order), Accepted)
            await rig.market.run(90)
            assert sum(event.fill.quantity for event in rig.fills(order)) == 5

    async def test_fill_or_kill_never_fills_a_part(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            thin = rig.thinnest()
            quantity = CASH // 3 // rig.last(thin)
            order = rig.order(Side.BUY, quantity, rig.price(1.1, thin), thin, TimeInForce.FOK)
            await rig.send(order)
            await rig.market.run(240)
            assert not rig.fills(order)
            assert rig.ended(order)

    async def test_immediate_or_cancel_keeps_the_part_it_got(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            thin = rig.thinnest()
            quantity = CASH // 3 // rig.last(thin)
            order = rig.order(Side.BUY, quantity, rig.price(1.1, thin), thin, TimeInForce.IOC)
            await rig.send(order)
            await rig.market.run(240)
            filled = sum(event.fill.quantity for event in rig.fills(order))
            assert filled < quantity
            assert rig.ended(order)
            assert (await rig.ask(rig.broker.positions())).get(thin, 0) == filled

    @pytest.mark.parametrize("what", ["cancel", "replace"])
    async def test_an_order_nobody_sent_can_be_neither_cancelled_nor_replaced(
        self, open_rig: OpenRig, what: str
    ) -> None:
        async with open_rig(100_000) as rig:
            answer = await rig.send(rig.order(Side.BUY, 1, rig.price(0.8)))
            strange = rig.strange(answer.order_id)
            call = (
                rig.broker.cancel("x", strange)
                if what == "cancel"
                else rig.broker.replace("x", strange, rig.price(0.81))
            )
            assert isinstance(await rig.ask(call), Rejected)

    @pytest.mark.parametrize("ratio", [0.5, 1.6])
    async def test_a_replacement_beyond_the_limits_is_rejected_and_the_order_stays(
        self, open_rig: OpenRig, ratio: float
    ) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 3, rig.price(0.8))
            answer = await rig.send(order)
            moved = await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, rig.price(ratio)))
            assert isinstance(moved, Rejected)
            report = await rig.reported(answer)
            assert (report.open_quantity, report.limit_price) == (3, rig.price(0.8))

    async def test_a_replacement_off_the_grid_is_rejected(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            order = rig.order(Side.BUY, 3, rig.price(0.8))
            answer = await rig.send(order)
            moved = await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, rig.price(0.81) + 1))
            assert isinstance(moved, Rejected)

    async def test_a_replacement_that_cash_cannot_pay_is_rejected(self, open_rig: OpenRig) -> None:
        async with open_rig(100_000) as rig:
            limit = rig.price(0.8)
            order = rig.order(Side.BUY, int(CASH * 0.99) // limit, limit)
            answer = await rig.send(order)
            moved = await rig.ask(rig.broker.replace(order.intent.intent_id, answer.order_id, rig.price(0.95)))
            assert isinstance(moved, Rejected)
            assert (await rig.reported(answer)).limit_price == limit
