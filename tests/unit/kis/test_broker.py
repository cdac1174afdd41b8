"""KIS as a broker: one send per order, fills from readings, unknown orders found again."""
# long: one broker on one stub; every test begins from the same account and the same order.

import asyncio
import datetime as dt

import pytest

from haetae.domain.account import CashReport
from haetae.domain.errors import WireError
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Filled,
    Order,
    OrderIntent,
    OrderKind,
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Side,
    TimeInForce,
)
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.kis.broker import KisBroker
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream
from haetae.kis.wire.frames import build_frame
from haetae.kis.wire.records import NoticeRecord
from haetae.wiring.clocks import DrivenClock
from unit.kis.stub import KEY, Answer, ok, refused, serving, until

DAY = dt.date(2026, 11, 23)
START = instant_at(DAY, 93_000)


def cleared(intent_id="one", *, side=Side.BUY, quantity=10, price=71_000, tif=TimeInForce.DAY) -> ClearedOrder:
    kind = OrderKind.LIMIT if price else OrderKind.MARKET
    intent = OrderIntent(intent_id, "decision", "005930", side, quantity, kind, price, START, tif)
    return ClearedOrder(intent, quantity, START, ("G01",))


def ack(number=117057, name="order-cash-buy") -> Answer:
    return ok(name, {"output": {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": number, "ORD_TMD": 93_000}})


def day_rows(*rows: dict) -> Answer:
    base = {
        "odno": 117057,
        "ord_gno_brno": "06010",
        "pdno": "005930",
        "sll_buy_dvsn_cd": "02",
        "ord_qty": 10,
        "ord_unpr": 71_000,
        "ord_tmd": 93_000,
        "rmn_qty": 10,
    }
    return ok("inquire-daily-ccld", {"output1": [{**base, **row} for row in rows]})


class Bench:
    """A broker over the stub on a clock that the test drives."""

    def __init__(self, stub, rest, stream, clock) -> None:
        self.stub, self.clock = stub, clock
        self.stream = stream
        self.broker = KisBroker(rest, stream, clock)
        self.told: list = []

    async def listen(self) -> None:
        async for event in self.broker.events():
            self.told.append(event)

    async def pass_time(self, seconds: float) -> None:
        """Move the clock from sleeper to sleeper and let the network finish in between."""
        end = self.clock.now() + round(seconds * NS_PER_SECOND)
        while True:
            await asyncio.sleep(0.01)
            wake = self.clock.next_wake()
            if wake is None or wake > end:
                break
            self.clock.advance(wake)
        self.clock.advance(end)
        await asyncio.sleep(0.02)


@pytest.fixture
async def bench():
    async with serving() as stub:
        clock = DrivenClock(START)
        async with KisRest(stub.settings(silence_s=None), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            made = Bench(stub, rest, stream, clock)
            stub.answers["inquire-daily-ccld"] = [day_rows()]
            await made.broker.start()
            listener = asyncio.create_task(made.listen())
            yield made
            listener.cancel()
            await made.broker.close()
            await stream.close()


@pytest.mark.parametrize(
    ("order", "name", "kind", "price"),
    [
        (cleared(), "order-cash-buy", "00", "71000"),
        (cleared(price=0), "order-cash-buy", "01", "0"),
        (cleared(side=Side.SELL, tif=TimeInForce.IOC), "order-cash-sell", "11", "71000"),
        (cleared(side=Side.SELL, price=0, tif=TimeInForce.FOK), "order-cash-sell", "14", "0"),
    ],
)
async def test_an_order_goes_out_in_the_words_of_kis(bench, order, name, kind, price):
    bench.stub.answers[name] = [ack(name=name)]
    event = await bench.broker.submit(order)
    assert event == Accepted("one", START, BrokerOrderId(DAY, "06010", "117057"))
    (asked,) = bench.stub.named(name)
    assert (asked["CANO"], asked["ACNT_PRDT_CD"], asked["PDNO"]) == ("50123456", "01", "005930")
    assert (asked["ORD_DVSN"], asked["ORD_QTY"], asked["ORD_UNPR"]) == (kind, "10", price)


async def test_a_refusal_keeps_the_brokers_code(bench):
    bench.stub.answers["order-cash-buy"] = [refused("APBK0952", 200)]
    event = await bench.broker.submit(cleared())
    assert isinstance(event, Rejected)
    assert event.code == "APBK0952"


async def test_a_burst_of_notices_costs_one_reading(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    await bench.broker.submit(cleared())
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({"tot_ccld_qty": 3, "tot_ccld_amt": 213_000, "rmn_qty": 7})]
    for quantity in (1, 1, 1):
        await bench.stub.push(notice(quantity))
    await until(lambda: bench.stream.received == 3)
    await bench.pass_time(0.2)
    assert len(bench.stub.named("inquire-daily-ccld")) == 1
    (event,) = bench.told
    assert isinstance(event, Filled)
    assert (event.fill.quantity, event.fill.price, event.fill.cumulative) == (3, 71_000, 3)
    assert event.fill.at == instant_at(DAY, 93_010)


def notice(quantity: int, *, number=117057, executed=True) -> str:
    record = NoticeRecord(
        customer="tester",
        account="5012345601",
        number=number,
        original=0,
        side=Side.BUY,
        symbol="005930",
        quantity=quantity,
        price=71_000,
        clock=93_010,
        executed=executed,
        order_quantity=10,
    )
    return build_frame("H0STCNI0", [record.encode()], KEY)


async def test_a_notice_alone_books_nothing(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    await bench.broker.submit(cleared())
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({})]
    await bench.stub.push(notice(10))
    await until(lambda: bench.stream.received == 1)
    await bench.pass_time(0.2)
    assert bench.told == []


async def test_a_receipt_of_an_order_triggers_no_reading(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    await bench.broker.submit(cleared())
    await bench.stub.push(notice(10, executed=False))
    await until(lambda: bench.stream.received == 1)
    await bench.pass_time(0.2)
    assert bench.stub.named("inquire-daily-ccld") == []


async def test_without_notices_an_open_order_is_read_again_and_again(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    await bench.broker.submit(cleared())
    bench.stub.answers["inquire-daily-ccld"] = [
        day_rows({}),
        day_rows({"tot_ccld_qty": 10, "tot_ccld_amt": 710_000, "rmn_qty": 0}),
    ]
    await bench.pass_time(30)
    assert [type(event) for event in bench.told] == [Filled]
    assert len(bench.stub.named("inquire-daily-ccld")) == 2


async def test_a_reading_that_fails_changes_nothing(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    await bench.broker.submit(cleared())
    bench.stub.answers["inquire-daily-ccld"] = [
        refused("APBK9999", 200),
        day_rows({"tot_ccld_qty": 10, "tot_ccld_amt": 710_000, "rmn_qty": 0}),
    ]
    await bench.pass_time(6)
    assert bench.told == []
    await bench.pass_time(6)
    assert [type(event) for event in bench.told] == [Filled]


async def test_an_unknown_order_is_never_sent_again_but_found(bench):
    bench.stub.answers["order-cash-buy"] = [Answer(b"", drop=True)]
    assert isinstance(await bench.broker.submit(cleared()), OutcomeUnknown)
    bench.stub.answers["inquire-daily-ccld"] = [
        day_rows(),
        day_rows({"tot_ccld_qty": 10, "tot_ccld_amt": 710_000, "rmn_qty": 0}),
    ]
    await bench.pass_time(20)
    assert [type(event) for event in bench.told] == [Accepted, Filled]
    assert bench.told[0].order_id.number == "117057"
    assert len(bench.stub.named("order-cash-buy")) == 1


async def test_an_unknown_order_without_a_row_stays_unknown(bench):
    bench.stub.answers["order-cash-buy"] = [refused("EGW00301")]
    assert isinstance(await bench.broker.submit(cleared()), OutcomeUnknown)
    await bench.pass_time(300)
    assert bench.told == []


async def test_an_order_long_unknown_is_looked_for_once_a_minute_and_one_with_a_number_as_ever(bench):
    bench.stub.answers["order-cash-buy"] = [refused("EGW00301"), ack(117099)]
    await bench.broker.submit(cleared())

    async def asked_in(seconds: float) -> int:
        before = len(bench.stub.named("inquire-daily-ccld"))
        await bench.pass_time(seconds)
        return len(bench.stub.named("inquire-daily-ccld")) - before

    every_s = bench.broker._settings.poll_s
    assert await asked_in(60) >= 60 / every_s - 1
    await asked_in(130)
    assert await asked_in(130) in (2, 3), "once a minute, wherever in its minute the window begins"
    await bench.broker.submit(cleared("two"))
    assert await asked_in(60) >= 60 / every_s / 2


async def test_an_order_that_was_there_before_the_send_is_never_taken_for_ours(bench):
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({})]
    await bench.broker.refresh()
    bench.stub.answers["order-cash-buy"] = [refused("EGW00301")]
    assert isinstance(await bench.broker.submit(cleared()), OutcomeUnknown)
    await bench.pass_time(30)
    assert bench.told == []


async def test_after_the_session_an_unknown_order_is_no_longer_looked_for(bench):
    bench.stub.answers["order-cash-buy"] = [refused("EGW00301")]
    await bench.broker.submit(cleared())
    bench.stub.answers["inquire-daily-ccld"] = [day_rows()]
    bench.clock.advance(instant_at(DAY, 153_200))
    await bench.pass_time(30)
    asked = len(bench.stub.named("inquire-daily-ccld"))
    await bench.pass_time(300)
    assert len(bench.stub.named("inquire-daily-ccld")) == asked
    assert bench.told == []


async def test_a_cancel_is_confirmed_by_a_reading(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    accepted = await bench.broker.submit(cleared())
    bench.stub.answers["order-rvsecncl"] = [ack(117058, "order-rvsecncl")]
    bench.stub.answers["inquire-daily-ccld"] = [
        day_rows(
            {"tot_ccld_qty": 4, "tot_ccld_amt": 284_000, "rmn_qty": 0, "cnc_cfrm_qty": 6},
            {"odno": 117058, "orgn_odno": 117057, "sll_buy_dvsn_cd_name": "현금매수취소*", "rmn_qty": 0},
        )
    ]
    assert await bench.broker.cancel("one", accepted.order_id) == Canceled("one", START, 4)
    await until(lambda: len(bench.told) == 1)
    assert bench.told[0].fill.quantity == 4
    (asked,) = bench.stub.named("order-rvsecncl")
    assert (asked["ORGN_ODNO"], asked["KRX_FWDG_ORD_ORGNO"]) == ("0000117057", "06010")
    assert (asked["RVSE_CNCL_DVSN_CD"], asked["QTY_ALL_ORD_YN"]) == ("02", "Y")


async def test_a_cancel_that_is_not_visible_yet_is_unknown_and_told_later(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    accepted = await bench.broker.submit(cleared())
    bench.stub.answers["order-rvsecncl"] = [ack(117058, "order-rvsecncl")]
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({}), day_rows({"rmn_qty": 0, "cnc_cfrm_qty": 10})]
    assert isinstance(await bench.broker.cancel("one", accepted.order_id), OutcomeUnknown)
    await bench.pass_time(6)
    assert [type(event) for event in bench.told] == [Canceled]


async def test_a_reading_for_cancels_ends_with_the_broker_whoever_waited_for_it(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    accepted = await bench.broker.submit(cleared())
    await bench.pass_time(3)
    bench.stub.answers["order-rvsecncl"] = [ack(117058, "order-rvsecncl")]
    slow = day_rows({})
    slow.delay_s = 30.0
    bench.stub.answers["inquire-daily-ccld"] = [slow]
    before = len(bench.stub.named("inquire-daily-ccld"))
    caller = asyncio.create_task(bench.broker.cancel("one", accepted.order_id))
    await until(lambda: len(bench.stub.named("inquire-daily-ccld")) > before)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await bench.broker.close()
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("KisBroker.")]


async def test_a_cancel_refused_because_all_was_filled_tells_the_fill(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    accepted = await bench.broker.submit(cleared())
    bench.stub.answers["order-rvsecncl"] = [refused("APBK1664", 200)]
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({"tot_ccld_qty": 10, "tot_ccld_amt": 710_000, "rmn_qty": 0})]
    assert isinstance(await bench.broker.cancel("one", accepted.order_id), Rejected)
    await until(lambda: len(bench.told) == 1)
    assert bench.told[0].fill.cumulative == 10


async def test_a_reading_goes_before_orders_while_one_is_lost_and_in_its_turn_when_it_only_confirms(bench, monkeypatch):
    """Fifty cancels and readings that confirm them, turn by turn, took twice as long as the cancels alone."""
    pacer = bench.broker._rest._standing.pacer
    turn, first = pacer.turn, []

    async def watched(lane, *, ledger=False, asks=False):
        first.append(asks)
        return await turn(lane, ledger=ledger, asks=asks)

    monkeypatch.setattr(pacer, "turn", watched)
    await bench.broker.refresh()
    assert first == [False]
    bench.stub.answers["order-cash-buy"] = [refused("EGW00301")]
    assert isinstance(await bench.broker.submit(cleared()), OutcomeUnknown)
    await bench.broker.refresh()
    assert first == [False, False, True], "a reading, the order, a reading that looks for it"
    bench.clock.advance(START + 200 * NS_PER_SECOND)
    del first[:]
    await bench.broker.refresh()
    assert first[-1] is False, "what three minutes did not show nobody waits for"


async def test_cancels_refused_at_one_moment_share_a_reading(bench):
    """Read one after another, ten of them would hold the places of the next sales for ten round trips."""
    numbers = range(117057, 117067)
    bench.stub.answers["order-cash-buy"] = [ack(number) for number in numbers]
    taken = [await bench.broker.submit(cleared(f"order {number}")) for number in numbers]
    await bench.pass_time(3)
    bench.stub.answers["order-rvsecncl"] = [refused("APBK1664", 200)]
    slow = day_rows(*({"odno": number} for number in numbers))
    slow.delay_s = 0.2
    bench.stub.answers["inquire-daily-ccld"] = [slow]
    before = len(bench.stub.named("inquire-daily-ccld"))
    answers = await asyncio.gather(*(bench.broker.cancel(one.intent_id, one.order_id) for one in taken))
    assert all(isinstance(answer, Rejected) and answer.change for answer in answers)
    assert len(bench.stub.named("inquire-daily-ccld")) - before <= 2


async def test_a_change_of_price_gets_a_new_number_and_fills_go_on(bench):
    bench.stub.answers["order-cash-buy"] = [ack()]
    accepted = await bench.broker.submit(cleared())
    bench.stub.answers["order-rvsecncl"] = [ack(117059, "order-rvsecncl")]
    old = {"tot_ccld_qty": 4, "tot_ccld_amt": 284_000, "rmn_qty": 0}
    bench.stub.answers["inquire-daily-ccld"] = [
        day_rows(old, {"odno": 117059, "orgn_odno": 117057, "ord_qty": 6, "tot_ccld_qty": 6, "tot_ccld_amt": 426_600})
    ]
    event = await bench.broker.replace("one", accepted.order_id, 71_100)
    assert event == Replaced("one", START, BrokerOrderId(DAY, "06010", "117059"), 71_100)
    await bench.pass_time(1)
    assert bench.told[-1].fill.cumulative == 10
    (asked,) = bench.stub.named("order-rvsecncl")
    assert (asked["RVSE_CNCL_DVSN_CD"], asked["ORD_UNPR"]) == ("01", "71100")


async def test_cancelling_the_caller_never_cancels_the_request_and_the_order_is_found(bench):
    slow = ack()
    slow.delay_s = 0.1
    bench.stub.answers["order-cash-buy"] = [slow]
    caller = asyncio.create_task(bench.broker.submit(cleared()))
    await until(lambda: bool(bench.stub.named("order-cash-buy")))
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({})]
    await bench.pass_time(6)
    assert [type(event) for event in bench.told] == [Accepted]
    assert len(bench.stub.named("order-cash-buy")) == 1


async def test_an_order_of_an_earlier_run_is_followed_from_where_it_was(bench):
    bench.stub.answers["inquire-daily-ccld"] = [day_rows({"tot_ccld_qty": 10, "tot_ccld_amt": 710_000, "rmn_qty": 0})]
    order = Order(
        intent=cleared().intent,
        quantity=10,
        status=OrderStatus.WORKING,
        order_id=BrokerOrderId(DAY, "06010", "117057"),
        filled=4,
        amount=284_000,
    )
    bench.broker.resume(order)
    await bench.pass_time(1)
    (event,) = bench.told
    assert (event.fill.quantity, event.fill.amount, event.fill.cumulative) == (6, 426_000, 10)


async def test_orders_of_a_day_leave_cancel_requests_out(bench):
    bench.stub.answers["inquire-daily-ccld"] = [
        day_rows({"odno": "    117057"}, {"odno": 117058, "orgn_odno": 117057, "sll_buy_dvsn_cd_name": "현금매수취소*"})
    ]
    (order,) = await bench.broker.orders(DAY)
    assert order.order_id == BrokerOrderId(DAY, "06010", "117057")
    assert (order.open_quantity, order.limit_price, order.at) == (10, 71_000, START)


def balance(*rows: dict, cash: int = 0) -> Answer:
    return ok("inquire-balance", {"output1": list(rows), "output2": [{"prvs_rcdl_excc_amt": cash, "dnca_tot_amt": 7}]})


async def test_positions_leave_out_what_was_sold(bench):
    bench.stub.answers["inquire-balance"] = [balance({"pdno": "005930", "hldg_qty": 5}, {"pdno": "000660"})]
    assert await bench.broker.positions() == {"005930": 5}


async def test_a_symbol_that_comes_twice_is_never_summed(bench):
    bench.stub.answers["inquire-balance"] = [balance({"pdno": "005930", "hldg_qty": 5}, {"pdno": "005930"})]
    with pytest.raises(WireError, match="twice"):
        await bench.broker.positions()


async def test_cash_is_trade_date_cash_and_buying_power_comes_from_its_own_call(bench):
    bench.stub.answers["inquire-balance"] = [balance(cash=99_000_000)]
    bench.stub.answers["inquire-psbl-order"] = [ok("inquire-psbl-order", {"output": {"nrcvb_buy_amt": 98_000_000}})]
    assert await bench.broker.cash() == CashReport(99_000_000, 98_000_000)


async def test_holdings_and_cash_of_one_balance_are_those_of_two(bench):
    shown = balance({"pdno": "005930", "hldg_qty": 5, "ord_psbl_qty": 3}, {"pdno": "000660"}, cash=99_000_000)
    bench.stub.answers["inquire-balance"] = [shown]
    bench.stub.answers["inquire-psbl-order"] = [ok("inquire-psbl-order", {"output": {"nrcvb_buy_amt": 98_000_000}})]
    held, cash = await bench.broker.balance()
    assert len(bench.stub.named("inquire-balance")) == 1
    assert bench.broker.sellable() == {"005930": 3, "000660": 0}
    assert (held, cash) == (await bench.broker.positions(), await bench.broker.cash())
