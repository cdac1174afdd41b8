"""Orders of every type over the wire of the emulated service: taken, refused, filled, changed, ended."""
# long: every type, hour and change of an order is asked of one desk.

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from haetae.domain.market import Kind, Market
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.emulator.accounts import Account
from haetae.emulator.board import Standing
from haetae.emulator.core import Call, Core
from haetae.emulator.interventions import Action, ActionKind, Break, Delisting, Designation, Halt, Shock, Trip
from haetae.emulator.market import World
from haetae.emulator.orderkinds import ORDER_TYPES, is_taken
from haetae.emulator.server import build_world
from haetae.emulator.settings import EmulatorSettings
from haetae.kis.wire.masters import parse_master
from haetae.kis.wire.operations import Mode
from haetae.krx.afterhours import OffHours
from unit.emulator.service_rig import DAY, SMALL, Desk, shared_world

BUY, SELL, CHANGE = "TTTC0012U", "TTTC0011U", "TTTC0013U"
NEXT = shared_world().days[shared_world().row[DAY] + 1]


def world() -> World:
    return build_world(SMALL)


def desk(clock: int = 100_000, **changes) -> Desk:
    return Desk(clock, **changes).log_in()


def account(at: Desk) -> Account:
    return next(iter(at.core.accounts.values()))


def buy(at: Desk, kind: str = "01", quantity: int = 10, price: int = 0, symbol: str = "005930", **more: str) -> dict:
    body = {"PDNO": symbol, "ORD_DVSN": kind, "ORD_QTY": str(quantity), "ORD_UNPR": str(price), **more}
    return at.order(BUY if at.mode is Mode.REAL else "VTTC0012U", **body)


def sell(at: Desk, kind: str = "01", quantity: int = 10, price: int = 0, symbol: str = "005930", **more: str) -> dict:
    return at.order(SELL, PDNO=symbol, ORD_DVSN=kind, ORD_QTY=str(quantity), ORD_UNPR=str(price), **more)


def change(
    at: Desk, ack: dict, how: str, quantity: int = 0, price: int = 0, whole: str = "Y", kind: str = "00"
) -> dict:
    output = ack["output"]
    return at.order(
        CHANGE, KRX_FWDG_ORD_ORGNO=output["KRX_FWDG_ORD_ORGNO"], ORGN_ODNO=output["ODNO"], ORD_DVSN=kind,
        RVSE_CNCL_DVSN_CD=how, ORD_QTY=str(quantity), ORD_UNPR=str(price), QTY_ALL_ORD_YN=whole,
    )  # fmt: skip


def rows(at: Desk) -> dict[int, dict]:
    return {int(row["odno"]): row for row in json.loads(at.daily_orders().body)["output1"]}


def near(at: Desk, ratio: float, symbol: str = "005930") -> int:
    return at.core.board.session.rules.floor_tick(int(at.core.board.sight(symbol).last * ratio))


def held(at: Desk, symbol: str = "005930") -> int:
    return account(at).book.quantity(symbol)


def with_shares(quantity: int = 100, clock: int = 100_000, **changes) -> Desk:
    at = desk(clock, **changes)
    assert buy(at, quantity=quantity)["rt_cd"] == "0"
    at.to(clock + 300)
    assert held(at) == quantity
    return at


def test_every_type_of_the_table_has_one_meaning() -> None:
    assert sorted(ORDER_TYPES) == [
        "00", "01", "02", "03", "04", "05", "06", "11", "12", "13", "14", "15", "16", "22",
        "41", "42", "43", "44", "45", "46", "47",
    ]  # fmt: skip
    assert len({kind.name for kind in ORDER_TYPES.values()}) == len(ORDER_TYPES)
    assert {code for code, kind in ORDER_TYPES.items() if not kind.on_mock} == {
        "05", "06", "22", "41", "42", "43", "44", "45", "46", "47",
    }  # fmt: skip


@pytest.mark.parametrize("code", sorted(ORDER_TYPES))
def test_mock_serves_the_regular_types_only(code: str) -> None:
    at = desk(mode=Mode.MOCK)
    kind = ORDER_TYPES[code]
    answer = buy(at, code, 1, near(at, 0.98) if kind.pricing.priced else 0)
    assert (answer["rt_cd"] == "0") is kind.on_mock
    if not kind.on_mock:
        assert answer["msg_cd"] == "APBK1943"


@pytest.mark.parametrize("code", ["21", "23", "24", "07", "27", "99"])
def test_types_that_are_not_served_are_refused_and_said_so(code: str) -> None:
    answer = buy(desk(), code, 1)
    assert answer["rt_cd"] != "0"
    assert answer["msg_cd"] == ("APBK0918" if code == "07" else "APBK1943")
    assert ("폐지" in answer["msg1"]) is (code == "07")


@pytest.mark.parametrize(
    ("code", "price", "trigger"),
    [("00", 0, 0), ("01", 50_000, 0), ("03", 50_000, 0), ("22", 50_000, 0), ("00", 50_000, 1)],
)
def test_a_price_or_condition_that_does_not_fit_the_type_is_refused(code: str, price: int, trigger: int) -> None:
    assert buy(desk(), code, 1, price, CNDT_PRIC=str(trigger))["msg_cd"] == "OPSQ2002"


@pytest.mark.parametrize(("code", "side"), [("03", "ask"), ("04", "bid"), ("15", "ask"), ("16", "ask")])
def test_best_price_orders_take_their_price_from_the_book(code: str, side: str) -> None:
    at = desk()
    ask, bid, _ = at.core.board.top("005930")
    ack = buy(at, code, 7)
    row = account(at).row_of(DAY, int(ack["output"]["ODNO"]))
    assert row.price == (ask if side == "ask" else bid)
    at.to(102_000)
    told = rows(at)[row.number]
    assert told["ord_dvsn_name"] == ORDER_TYPES[code].name
    if code == "03":
        assert int(told["tot_ccld_qty"]) == 7
    sold = with_shares()
    ask, bid, _ = sold.core.board.top("005930")
    ack = sell(sold, code, 7)
    row = account(sold).row_of(DAY, int(ack["output"]["ODNO"]))
    assert row.price == (bid if side == "ask" else ask)


def test_a_conditional_limit_joins_the_closing_auction_at_its_price() -> None:
    at = desk(151_000)
    ack = buy(at, "02", 10, near(at, 0.95))
    at.to(152_500)
    assert int(rows(at)[int(ack["output"]["ODNO"])]["tot_ccld_qty"]) == 0
    at.to(153_000)
    row = rows(at)[int(ack["output"]["ODNO"])]
    assert int(row["tot_ccld_qty"]) == 10
    assert int(float(row["avg_prvs"])) == at.core.board.sight("005930").last
    assert row["ord_dvsn_cd"] == "02"


def test_a_conditional_buy_never_spends_more_than_there_is() -> None:
    at = desk(151_000, initial_cash=10_000_000)
    price = near(at, 0.97)
    quantity = 9_990_000 // price
    assert buy(at, "02", quantity, price)["rt_cd"] == "0"
    at.to(153_000)
    assert account(at).book.cash >= 0
    assert account(at).balanced


def test_a_conditional_limit_at_the_daily_limit_is_refused() -> None:
    at = desk()
    assert buy(at, "02", 1, at.core.board.sight("005930").upper)["msg_cd"] == "APBK1943"


def test_a_stop_sleeps_until_a_print_reaches_its_condition_and_then_is_a_limit() -> None:
    made = world()
    at = desk(world=made)
    last = at.core.board.sight("005930").last
    trigger, limit = near(at, 1.02), near(at, 1.06)
    at.core.add_shock(Shock(instant_at(DAY, 103_000), 2, 350, ("005930",)))
    ack = buy(at, "22", 5, limit, CNDT_PRIC=str(trigger))
    number = int(ack["output"]["ODNO"])
    order = account(at).venue.orders[account(at).row_of(DAY, number).intent_id]
    assert account(at).venue.orderable_cash < account(at).venue.cash, "it reserves"
    at.to(102_900)
    assert last < trigger
    assert held(at) == 0
    assert order.open_quantity == 5
    at.to(104_500)
    assert held(at) == 5
    fill = account(at).executions[0]
    assert fill.at > instant_at(DAY, 103_000)
    tape, place = at.core.board.session.tape, made.column["005930"]
    reached = int(
        np.argmax(
            (tape.price[:, place] >= trigger) & (tape.volume[:, place] > 0) & (tape.start > instant_at(DAY, 100_000))
        )
    )
    assert fill.at > tape.end[reached], "it meets only what comes after the print that woke it"
    sold = with_shares()
    assert sell(sold, "22", 10, near(sold, 0.9), CNDT_PRIC=str(near(sold, 0.92)))["rt_cd"] == "0"
    sold.to(105_000)
    assert held(sold) == 100, "not reached"


def test_an_order_before_the_open_at_the_previous_close_fills_at_that_close() -> None:
    at = desk(83_005)
    base = at.core.board.sight("005930").base
    ack = buy(at, "05", 3)
    resting = buy(at, "00", 3, near(at, 1.01))
    assert ack["rt_cd"] == resting["rt_cd"] == "0"
    at.to(84_000)
    row = rows(at)[int(ack["output"]["ODNO"])]
    assert int(row["rmn_qty"]) == 0
    assert all(line.price == base for line in account(at).executions)
    assert {line.number for line in account(at).executions} <= {int(ack["output"]["ODNO"])}
    assert buy(at, "05", 1)["msg_cd"] == "APBK0918", "the window has closed"
    at.to(90_100)
    assert int(rows(at)[int(resting["output"]["ODNO"])]["tot_ccld_qty"]) == 3
    opened = at.core.board.sight("005930").open
    fills = [line.price for line in account(at).executions if line.number == int(resting["output"]["ODNO"])]
    assert fills == [opened], "one price in the opening auction"


def test_an_order_after_the_close_fills_at_the_close_and_expires_at_four() -> None:
    at = desk(150_000, initial_cash=10**9)
    assert buy(at, "06", 1)["msg_cd"] == "APBK0918"
    at.to(154_001)
    close = at.core.board.sight("005930").last
    ack, large = buy(at, "06", 5), buy(at, "06", 1_000, symbol="000660")
    at.to(160_000)
    told = rows(at)
    assert all(line.price == close for line in account(at).executions if line.symbol == "005930")
    assert int(told[int(ack["output"]["ODNO"])]["tot_ccld_qty"]) == 5
    assert int(told[int(large["output"]["ODNO"])]["rmn_qty"]) == 0, "what is left has expired"
    assert account(at).balanced
    assert account(at).venue.orderable_cash == account(at).venue.cash


def test_the_aftermarket_takes_its_own_types_for_shares_only() -> None:
    at = desk(160_005)
    price = near(at, 1.03)
    assert buy(at, "00", 1, price)["msg_cd"] == "APBK3013"
    assert buy(at, "01", 1)["msg_cd"] == "APBK3013"
    assert "애프터마켓" in buy(at, "01", 1)["msg1"]
    assert buy(at, "41", 1, near(at, 1.0, "069500"), symbol="069500")["msg_cd"] == "APBK0918"
    assert buy(desk(150_000), "41", 1, price)["msg_cd"] == "APBK0918"
    assert buy(desk(160_005, mode=Mode.MOCK), "00", 1, price)["msg_cd"] == "40580000"
    acks = {
        code: buy(at, code, 4, price if ORDER_TYPES[code].pricing.priced else 0)
        for code in ORDER_TYPES
        if code[0] == "4"
    }
    assert {ack["rt_cd"] for ack in acks.values()} == {"0"}
    at.to(170_000)
    tape = at.core.board.session.off_market(OffHours.AFTERMARKET).tape
    place = shared_world().column["005930"]
    for line in account(at).executions:
        row = int(np.searchsorted(tape.end, line.at))
        assert tape.volume[row, place] > 0
        assert line.price % at.core.board.session.rules.tick_size(line.price) == 0
        assert at.core.board.sight("005930").lower <= line.price <= at.core.board.sight("005930").upper
    assert int(rows(at)[int(acks["41"]["output"]["ODNO"])]["tot_ccld_qty"]) == 4
    low = buy(at, "41", 2, near(at, 0.8))
    at.to(195_959)
    assert int(rows(at)[int(low["output"]["ODNO"])]["rmn_qty"]) == 2
    at.to(200_000)
    assert int(rows(at)[int(low["output"]["ODNO"])]["rmn_qty"]) == 0, "expired with the aftermarket"
    assert account(at).balanced
    assert account(at).venue.orderable_cash == account(at).venue.cash


def test_a_regular_order_does_not_live_on_in_the_aftermarket() -> None:
    at = desk(150_000)
    ack = buy(at, "00", 3, near(at, 0.97))
    at.to(153_000)
    assert int(rows(at)[int(ack["output"]["ODNO"])]["rmn_qty"]) == 0
    at.to(200_000)
    assert not [line for line in account(at).executions if line.at > instant_at(DAY, 153_000)]


def test_orders_of_the_closing_auction_fill_at_the_close_only_whenever_they_came() -> None:
    at = desk(152_500)
    acks = [buy(at, "01", 3)]
    at.to(152_958)
    acks.append(buy(at, "00", 3, near(at, 1.05)))
    at.to(153_000)
    told = rows(at)
    for ack in acks:
        row = told[int(ack["output"]["ODNO"])]
        assert int(row["tot_ccld_qty"]) == 3
        assert int(float(row["avg_prvs"])) == at.core.board.sight("005930").last


@pytest.mark.parametrize("clock", [84_500, 152_500])
@pytest.mark.parametrize("code", ["03", "04", "11", "12", "13", "14", "15", "16", "22"])
def test_auctions_take_no_orders_that_need_a_continuous_market(clock: int, code: str) -> None:
    at = desk(clock)
    priced = ORDER_TYPES[code].pricing.priced
    more = {"CNDT_PRIC": str(near(at, 1.01))} if code == "22" else {}
    assert buy(at, code, 1, near(at, 1.0) if priced else 0, **more)["msg_cd"] == "APBK1943"


def quiet_name() -> str:
    made = shared_world()
    row = made.row[DAY]
    busy = {event.column for event in made.course(row).events}
    return next(
        item.symbol
        for column, item in enumerate(made.instruments)
        if item.kind is Kind.COMMON and not item.flags and column not in busy
        and made.daily.volume[row, column] > 200_000 and 5_000 < made.daily.close[row, column] < 60_000
    )  # fmt: skip


def test_in_a_vi_nothing_fills_resting_orders_survive_new_ones_enter_and_all_meet_one_price() -> None:
    made, symbol = world(), quiet_name()
    at = desk(102_950, world=made)
    at.core.board.script(Trip(instant_at(DAY, 103_000), symbol, upward=False))
    low = near(at, 0.97, symbol)
    resting = buy(at, "00", 10, low, symbol)
    event = next(e for s, e in Desk(103_500, world=made).core.board.vi_events(DAY) if s == symbol)
    at.at(event.at + 30 * NS_PER_SECOND)
    assert at.core.board.phase_of(symbol) is Standing.VI
    entered = buy(at, "01", 5, 0, symbol)
    assert entered["rt_cd"] == "0"
    assert buy(at, "13", 5, 0, symbol)["msg_cd"] == "APBK1943"
    during = at.core.now
    at.at(event.released_at - NS_PER_SECOND)
    assert not [line for line in account(at).executions if line.at > during - 30 * NS_PER_SECOND]
    at.at(event.released_at)
    place = made.column[symbol]
    tape = at.core.board.session.tape
    uncross = int(tape.price[at.core.board.seen - 1, place])
    fills = {line.number: line for line in account(at).executions}
    assert fills[int(entered["output"]["ODNO"])].price == uncross
    if uncross <= low:
        assert fills[int(resting["output"]["ODNO"])].price == uncross
    assert account(at).balanced


def test_while_a_breaker_holds_only_cancels_are_taken_and_after_its_third_level_not_even_they() -> None:
    made = world()
    at = desk(104_950, world=made)
    at.core.board.script(Break(instant_at(DAY, 105_000), made.by_symbol["005930"].market, 1))
    at.core.board.script(Break(instant_at(DAY, 133_000), made.by_symbol["005930"].market, 3))
    first, second = buy(at, "00", 5, near(at, 0.9)), buy(at, "00", 5, near(at, 0.9))
    at.to(105_500)
    refused = buy(at, "00", 5, near(at, 0.9))
    assert refused["msg_cd"] == "APBK0918"
    assert "서킷브레이커" in refused["msg1"]
    assert change(at, first, "01", 5, near(at, 0.92))["msg_cd"] == "APBK0918"
    assert change(at, first, "02")["rt_cd"] == "0"
    at.to(111_500)
    assert buy(at, "00", 5, near(at, 0.9))["rt_cd"] == "0", "the call auction takes orders again"
    assert buy(at, "13", 5)["msg_cd"] == "APBK1943"
    at.to(140_000)
    assert buy(at, "01", 1)["msg_cd"] == "APBK0918"
    assert change(at, second, "02")["msg_cd"] == "APBK0918"
    at.to(153_000)
    assert int(rows(at)[int(second["output"]["ODNO"])]["rmn_qty"]) == 0
    assert account(at).balanced


def test_a_halted_name_takes_no_order_and_its_resting_ones_wait() -> None:
    made = world()
    at = desk(102_000, world=made)
    at.core.board.script(Halt(instant_at(DAY, 103_000), "005930", instant_at(DAY, 110_000)))
    resting = buy(at, "00", 5, near(at, 0.95))
    at.to(103_500)
    ack = buy(at, "00", 5, near(at, 0.95))
    told = rows(at)[int(ack["output"]["ODNO"])]
    assert told["rjct_qty"] == "5", "the exchange refuses what the broker has acknowledged"
    assert change(at, resting, "01", 5, near(at, 0.96))["rt_cd"] != "0"
    before = len(account(at).executions)
    at.to(110_900)
    assert len(account(at).executions) == before
    assert int(rows(at)[int(resting["output"]["ODNO"])]["rmn_qty"]) == 5
    at.to(111_100)
    assert buy(at, "01", 5)["rt_cd"] == "0"


def test_a_name_in_liquidation_takes_limit_orders_beyond_thirty_percent_and_no_market_orders() -> None:
    made = world()
    symbol = next(item.symbol for item in made.instruments if "liquidation" in item.flags)
    at = desk(100_100, world=made)
    assert buy(at, "01", 1, symbol=symbol)["msg_cd"] == "APBK1943"
    low = max(1, at.core.board.session.rules.floor_tick(at.core.board.sight(symbol).last // 3))
    assert buy(at, "00", 1, low, symbol=symbol)["rt_cd"] == "0"
    ack = buy(at, "00", 1, near(at, 1.5, symbol), symbol=symbol)
    at.to(103_100)
    told = rows(at)[int(ack["output"]["ODNO"])]
    assert int(told["tot_ccld_qty"]) == 1
    assert int(float(told["avg_prvs"])) == at.core.board.sight(symbol).last


def test_a_part_of_an_order_can_be_modified_and_the_rest_stays_under_its_number() -> None:
    at = desk()
    low, lower = near(at, 0.9), near(at, 0.88)
    ack = buy(at, "00", 10, low)
    moved = change(at, ack, "01", 4, lower, whole="N")
    told = rows(at)
    old, new = told[int(ack["output"]["ODNO"])], told[int(moved["output"]["ODNO"])]
    assert (old["rmn_qty"], old["ord_unpr"]) == ("6", str(low))
    assert (new["rmn_qty"], new["ord_unpr"], new["orgn_odno"]) == ("4", str(lower), ack["output"]["ODNO"])
    open_orders = list(account(at).venue.open_orders())
    assert sorted((order.open_quantity, order.limit_price) for order in open_orders) == [(4, lower), (6, low)]
    assert change(at, ack, "01", 7, lower, whole="N")["msg_cd"] == "APBK0400"
    assert change(at, ack, "01", 6, near(at, 0.9) + 1, whole="N")["rt_cd"] != "0"
    assert int(rows(at)[int(ack["output"]["ODNO"])]["rmn_qty"]) == 6, "a refused change changes nothing"
    at.to(153_000)
    assert {row["rmn_qty"] for row in rows(at).values()} == {"0"}
    assert account(at).venue.orderable_cash == account(at).venue.cash


def test_a_part_of_an_order_can_be_cancelled() -> None:
    at = desk()
    ack = buy(at, "00", 10, near(at, 0.9))
    free = account(at).venue.orderable_cash
    cut = change(at, ack, "02", 3, whole="N")
    told = rows(at)
    old, request = told[int(ack["output"]["ODNO"])], told[int(cut["output"]["ODNO"])]
    assert (old["rmn_qty"], old["cnc_cfrm_qty"], old["cncl_yn"]) == ("7", "3", "Y")
    assert (request["ord_qty"], request["orgn_odno"]) == ("3", ack["output"]["ODNO"])
    assert account(at).venue.orderable_cash > free
    assert change(at, ack, "02", 8, whole="N")["msg_cd"] == "APBK0400"
    assert change(at, ack, "02", 7, whole="N")["rt_cd"] == "0", "all that is left"
    assert change(at, ack, "02")["msg_cd"] == "APBK1664"


def test_a_limit_can_be_changed_into_a_market_order() -> None:
    at = desk()
    ack = buy(at, "00", 10, near(at, 0.9))
    moved = change(at, ack, "01", 0, 0, kind="01")
    assert moved["rt_cd"] == "0"
    at.to(100_200)
    assert held(at) == 10
    told = rows(at)
    assert told[int(ack["output"]["ODNO"])]["rmn_qty"] == "0"
    assert int(told[int(moved["output"]["ODNO"])]["tot_ccld_qty"]) == 10
    assert account(at).balanced


def test_a_partly_filled_order_is_changed_in_what_is_left() -> None:
    at = desk(initial_cash=10**9)
    symbol = quiet_name()
    ack = buy(at, "00", 4_000, near(at, 1.01, symbol), symbol=symbol)
    number = int(ack["output"]["ODNO"])
    clock = 100_015
    while not 0 < int(rows(at)[number]["tot_ccld_qty"]) < 4_000:
        at.to(clock)
        clock += 15 if clock % 100 < 45 else 55
        assert clock < 101_500
    row = rows(at)[number]
    left = int(row["rmn_qty"])
    assert int(row["tot_ccld_qty"]) + left == 4_000
    moved = change(at, ack, "01", left - 1, near(at, 0.8, symbol), whole="N")
    told = rows(at)
    assert int(told[number]["rmn_qty"]) <= 1
    assert int(told[int(moved["output"]["ODNO"])]["ord_qty"]) == left - 1
    at.to(153_000)
    assert account(at).balanced
    assert sum(line.quantity for line in account(at).executions) == held(at, symbol)


def test_a_fill_comes_in_the_parts_that_a_script_asks_for() -> None:
    at, plain = desk(), desk()
    for one in (at, plain):
        buy(one, "01", 40)
    account(at).fill_parts = (1, 1)
    for one in (at, plain):
        one.to(100_100)
    parts = [line.quantity for line in account(at).executions]
    assert parts == [1, 1, 38]
    assert len({(line.price, line.at) for line in account(at).executions}) == 1
    assert account(at).book == account(plain).book
    assert account(at).balanced


def test_the_exchange_may_refuse_an_acknowledged_order_later() -> None:
    at = desk()
    ack = buy(at, "00", 10, near(at, 0.9))
    row = account(at).row_of(DAY, int(ack["output"]["ODNO"]))
    account(at).refuse(row, at.core.now)
    told = rows(at)[row.number]
    assert (told["rjct_qty"], told["rmn_qty"]) == ("10", "0")
    assert account(at).notices[-1].record.refused
    assert account(at).venue.orderable_cash == account(at).venue.cash
    account(at).refuse(row, at.core.now)
    assert rows(at)[row.number]["rjct_qty"] == "10", "once"


def test_money_that_is_taken_out_is_a_line_of_its_own() -> None:
    at = with_shares()
    before = account(at).book
    account(at).transfer(-5_000_000, at.core.now)
    assert account(at).book.cash == before.cash - 5_000_000
    assert account(at).corporate[-1].kind == "transfer"
    assert account(at).balanced


def test_buying_power_counts_the_price_each_type_would_have() -> None:
    at = desk()
    asked = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_UNPR": "0"}

    def price(code: str) -> int:
        answer = at.get("trading/inquire-psbl-order", "TTTC8908R", ORD_DVSN=code, **asked)["output"]
        return int(answer["psbl_qty_calc_unpr"])

    ask, bid, _ = at.core.board.top("005930")
    sight = at.core.board.sight("005930")
    assert (price("01"), price("03"), price("04"), price("06")) == (sight.upper, ask, bid, sight.last)


SPLIT = Action(NEXT, "005930", ActionKind.SPLIT, ratio=50)


def overnight(action: Action, quantity: int = 100) -> tuple[Desk, Account]:
    at = with_shares(quantity, world=world())
    at.core.board.script(action)
    at.at(instant_at(NEXT, 83_500))
    at.log_in()
    return at, account(at)


def test_a_split_overnight_multiplies_shares_and_divides_the_average_price() -> None:
    at, owner = overnight(SPLIT)
    before = owner.executions[0]
    assert owner.book.quantity("005930") == owner.venue.holdings["005930"] == 5_000
    balance = at.get("trading/inquire-balance", "TTTC8434R", CANO="12345678", ACNT_PRDT_CD="01")["output1"][0]
    assert balance["hldg_qty"] == balance["ord_psbl_qty"] == "5000"
    assert abs(float(balance["pchs_avg_pric"]) * 50 / before.price - 1) < 0.002
    assert (owner.corporate[-1].kind, owner.corporate[-1].shares) == ("split", 4_900)
    assert owner.balanced
    at.at(instant_at(NEXT, 100_000))
    at.log_in()
    assert sell(at, "01", 5_000)["rt_cd"] == "0"
    at.at(instant_at(NEXT, 103_000))
    assert owner.book.quantity("005930") == 0
    assert owner.balanced


def test_a_reverse_split_pays_the_fraction_out() -> None:
    _, owner = overnight(Action(NEXT, "005930", ActionKind.SPLIT, ratio=0.03), quantity=50)
    assert owner.book.quantity("005930") == 1
    line = owner.corporate[-1]
    assert line.shares == -49
    assert line.amount > 0
    assert owner.balanced


def test_bonus_shares_arrive_on_their_day_and_the_price_falls_before() -> None:
    made = shared_world()
    arrives = made.days[made.row[NEXT] + 1]
    at, owner = overnight(Action(NEXT, "005930", ActionKind.BONUS, ratio=0.25, arrives=arrives), quantity=10)
    assert owner.book.quantity("005930") == 10
    cost = owner.book.positions["005930"].cost
    at.at(instant_at(arrives, 83_500))
    assert owner.book.quantity("005930") == 12
    assert owner.book.positions["005930"].cost == cost
    assert owner.corporate[-1].amount > 0, "half a share is paid out"
    assert owner.balanced


def test_a_dividend_goes_to_who_held_before_its_day_net_of_tax() -> None:
    made = shared_world()
    arrives = made.days[made.row[NEXT] + 1]
    at, owner = overnight(Action(NEXT, "005930", ActionKind.DIVIDEND, price=361, arrives=arrives))
    at.at(instant_at(NEXT, 100_000))
    at.log_in()
    sell(at, "01", 100)
    at.at(instant_at(NEXT, 110_000))
    assert owner.book.quantity("005930") == 0
    cash, realized = owner.book.cash, owner.book.realized
    at.at(instant_at(arrives, 83_500))
    assert owner.book.cash == cash + 36_100 - 5_559
    assert owner.book.realized == realized + 36_100 - 5_559
    assert owner.corporate[-1].tax == 5_559
    assert owner.balanced


def test_who_buys_on_the_day_gets_no_dividend() -> None:
    made = world()
    at = desk(world=made)
    at.core.board.script(Action(NEXT, "005930", ActionKind.DIVIDEND, price=361, arrives=made.days[-1]))
    at.at(instant_at(NEXT, 100_000))
    at.log_in()
    buy(at, "01", 100)
    at.at(instant_at(made.days[-1], 90_000))
    assert held(at) == 100
    assert not account(at).corporate


def test_unsubscribed_rights_lapse_and_a_merger_turns_shares_into_the_partners() -> None:
    _, owner = overnight(Action(NEXT, "005930", ActionKind.RIGHTS, ratio=0.2, price=10_000))
    assert owner.book.quantity("005930") == 100
    assert not owner.corporate
    at, owner = overnight(Action(NEXT, "005930", ActionKind.MERGER, ratio=0.5, partner="000660"))
    assert {symbol: item.quantity for symbol, item in owner.book.positions.items()} == {"000660": 50}
    assert [line.shares for line in owner.corporate] == [-100, 50]
    assert owner.balanced
    assert buy(at, "00", 1, 10_000)["msg_cd"] == "APBK0656"


def test_holdings_of_a_delisted_name_stay_at_their_last_value() -> None:
    at = with_shares(world=world())
    at.core.board.script(Delisting(NEXT, "005930"))
    at.to(153_000)
    last = at.core.board.sight("005930").last
    at.at(instant_at(NEXT, 100_000))
    at.log_in()
    balance = at.get("trading/inquire-balance", "TTTC8434R", CANO="12345678", ACNT_PRDT_CD="01")["output1"][0]
    assert (balance["hldg_qty"], balance["prpr"]) == ("100", str(last))
    assert sell(at)["msg_cd"] == "APBK0656"


def test_the_master_file_follows_the_list_of_the_day() -> None:
    made = world()
    at = desk(world=made)
    symbol = quiet_name()
    market_ = made.by_symbol[symbol].market
    at.core.board.script(Designation(NEXT, symbol, add=frozenset({"administrative"})))
    at.core.board.script(Delisting(NEXT, "005930"))

    def listed() -> dict:
        name = "kospi_code.mst" if market_ is Market.KOSPI else "kosdaq_code.mst"
        body = at.core.handle(Call(Mode.REAL, "GET", f"/common/master/{name}.zip", {})).body
        return {item.symbol: item for item in parse_master(market_, body, as_of=DAY)}

    before = listed()
    assert "administrative" not in before[symbol].flags
    at.at(instant_at(NEXT, 80_000))
    after = listed()
    assert "administrative" in after[symbol].flags
    assert ("005930" in after) is False or market_ is not Market.KOSPI


@pytest.mark.parametrize("standing", list(Standing))
def test_no_order_is_taken_in_a_state_that_takes_none(standing: Standing) -> None:
    taken = {code for code, kind in ORDER_TYPES.items() if kind.hours is None and is_taken(kind, standing)}
    evening = {code for code, kind in ORDER_TYPES.items() if code[0] == "4" and is_taken(kind, standing)}
    match standing:
        case Standing.CONTINUOUS:
            assert len(taken) == 12
        case Standing.CLOSING_AUCTION:
            assert taken == {"00", "01"}
        case Standing.OPENING_AUCTION | Standing.VI | Standing.CALL:
            assert taken == {"00", "01", "02"}
        case _:
            assert not taken
    assert evening == (
        {"41", "42", "43", "44", "45", "46", "47"} if standing is Standing.AFTERMARKET
        else {"41"} if standing is Standing.VI else set()
    )  # fmt: skip


def test_a_session_that_changes_while_the_clock_runs_is_a_dated_row() -> None:
    old = dataclasses.replace(SMALL, first_live_day=dt.date(2026, 9, 11), history_sessions=5)
    core = Core(build_world(old), EmulatorSettings(market=old), instant_at(dt.date(2026, 9, 11), 163_000))
    assert core.board.phase_of("005930") is Standing.CLOSED
    core.advance(instant_at(dt.date(2026, 9, 14), 163_000))
    assert core.board.phase_of("005930") is Standing.AFTERMARKET
