"""Answers of the emulated service: what is seen, what is taken, what is refused."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, instant_at
from haetae.emulator.core import Call, Core
from haetae.emulator.market import Shock
from haetae.emulator.server import build_world
from haetae.emulator.settings import EmulatorSettings
from haetae.kis.wire.masters import parse_master
from haetae.kis.wire.operations import Mode
from unit.emulator.service_rig import DAY, KEY, SMALL, Desk, shared_world


def chart(desk: Desk, first: str, last: str, symbol: str = "005930") -> list[dict]:
    asked = {"FID_INPUT_ISCD": symbol, "FID_INPUT_DATE_1": first, "FID_INPUT_DATE_2": last, "FID_PERIOD_DIV_CODE": "D"}
    return desk.get("quotations/inquire-daily-itemchartprice", "FHKST03010100", **asked)["output2"]


def minutes(desk: Desk, day: dt.date, until: str) -> list[dict]:
    asked = {"FID_INPUT_ISCD": "005930", "FID_INPUT_DATE_1": f"{day:%Y%m%d}", "FID_INPUT_HOUR_1": until}
    return desk.get("quotations/inquire-time-dailychartprice", "FHKST03010230", **asked)["output2"]


def test_daily_chart_gives_a_hundred_rows_newest_first_with_today_running() -> None:
    desk = Desk().log_in()
    rows = chart(desk, "20250101", f"{DAY:%Y%m%d}")
    assert len(rows) == 100
    assert rows[0]["stck_bsop_date"] == f"{DAY:%Y%m%d}"
    world = shared_world()
    row, column = world.row[DAY], world.column["005930"]
    assert int(rows[0]["acml_vol"]) < world.daily.volume[row, column]
    assert int(rows[1]["stck_clpr"]) == world.daily.close[row - 1, column]


def test_nothing_of_the_future_is_told() -> None:
    desk = Desk(80_000).log_in()
    assert chart(desk, f"{DAY:%Y%m%d}", "20261231") == []
    assert minutes(desk, DAY, "153000") == []
    assert minutes(desk, DAY + dt.timedelta(days=1), "153000") == []
    desk.to(90_100)
    seen = minutes(desk, DAY, "153000")
    assert [row["stck_cntg_hour"] for row in seen] == ["090000"]


def test_minutes_of_a_past_day_page_back_and_add_up() -> None:
    desk = Desk().log_in()
    world = shared_world()
    row = world.row[DAY] - 1
    day, column = world.days[row], world.column["005930"]
    found: list[dict] = []
    until = "153000"
    while page := minutes(desk, day, until):
        assert len(page) <= 120
        found += page
        until = f"{int(page[-1]['stck_cntg_hour']) - 1:06d}"
    assert sum(int(bar["cntg_vol"]) for bar in found) == world.daily.volume[row, column]
    assert max(int(bar["stck_hgpr"]) for bar in found) == world.daily.high[row, column]
    assert found[0]["stck_cntg_hour"] == "153000"
    assert int(found[0]["stck_prpr"]) == world.daily.close[row, column]


def test_halted_day_has_a_close_only() -> None:
    desk = Desk().log_in()
    halted = next(item.symbol for item in shared_world().instruments if "halted" in item.flags)
    newest = chart(desk, "20260901", f"{DAY - dt.timedelta(days=1):%Y%m%d}", halted)[0]
    assert int(newest["stck_clpr"]) > 0
    assert (newest["stck_oprc"], newest["stck_hgpr"], newest["acml_vol"]) == ("0", "0", "0")
    price = desk.get("quotations/inquire-price", "FHKST01010100", FID_INPUT_ISCD=halted)["output"]
    assert price["temp_stop_yn"] == "Y"


def test_names_of_parameters_may_come_in_any_case() -> None:
    desk = Desk().log_in()
    answer = desk.get("quotations/inquire-price", "FHKST01010100", fid_input_iscd="005930")
    assert answer["output"]["stck_shrn_iscd"] == "005930"


def test_price_tells_the_highs_and_lows_of_finished_sessions_with_their_days() -> None:
    price = Desk().log_in().get("quotations/inquire-price", "FHKST01010100", FID_INPUT_ISCD="005930")["output"]
    world = shared_world()
    row, column = world.row[DAY], world.column["005930"]
    highs = world.daily.high[:row, column]
    assert int(price["w52_hgpr"]) == highs.max()
    assert price["w52_hgpr_date"] == f"{world.days[int(highs.argmax())]:%Y%m%d}"
    assert int(price["d250_lwpr"]) == world.daily.low[:row, column].min()


def test_chart_from_the_year_zero_means_from_the_beginning() -> None:
    desk = Desk().log_in()
    assert chart(desk, "00000101", f"{DAY:%Y%m%d}") == chart(desk, "20250101", f"{DAY:%Y%m%d}")
    asked = {"FID_INPUT_ISCD": "005930", "FID_INPUT_DATE_1": "x", "FID_INPUT_DATE_2": "20261123"}
    answer = desk.get("quotations/inquire-daily-itemchartprice", "FHKST03010100", **asked)
    assert answer["msg_cd"] == "OPSQ2002"


def test_multprice_answers_the_slots_that_are_filled() -> None:
    desk = Desk().log_in()
    asked = {"FID_INPUT_ISCD_1": "005930", "FID_INPUT_ISCD_2": "000660", "FID_INPUT_ISCD_3": "999999"}
    rows = desk.get("quotations/intstock-multprice", "FHKST11300006", **asked)["output"]
    assert [row["inter_shrn_iscd"] for row in rows] == ["005930", "000660"]
    assert int(rows[0]["inter2_askp"]) > int(rows[0]["inter2_bidp"]) > 0


def test_book_has_ten_ordered_levels_on_the_grid_around_the_price() -> None:
    desk = Desk().log_in()
    answer = desk.get("quotations/inquire-asking-price-exp-ccn", "FHKST01010200", FID_INPUT_ISCD="005930")
    book, last = answer["output1"], int(answer["output2"]["stck_prpr"])
    asks = [int(book[f"askp{level}"]) for level in range(1, 11)]
    bids = [int(book[f"bidp{level}"]) for level in range(1, 11)]
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert bids[0] <= last <= asks[0]
    ask, bid, _ = desk.core.board.session.best(desk.core.board.seen - 1)
    column = shared_world().column["005930"]
    assert (asks[0], bids[0]) == (int(ask[column]), int(bid[column]))


def test_holidays_page_forward() -> None:
    desk = Desk().log_in()
    first = desk.reply("quotations/chk-holiday", "CTCA0903R", BASS_DT="20261220")
    body = json.loads(first.body)
    days = {row["bass_dt"]: row["opnd_yn"] for row in body["output"]}
    assert (days["20261224"], days["20261225"], days["20261226"]) == ("Y", "N", "N")
    assert first.tr_cont == "M"
    second = desk.get("quotations/chk-holiday", "CTCA0903R", BASS_DT="20261220", CTX_AREA_NK=body["ctx_area_nk"])
    assert second["output"][0]["bass_dt"] > body["output"][-1]["bass_dt"]


def test_index_rows_are_points_with_two_decimals() -> None:
    desk = Desk().log_in()
    asked = {"FID_INPUT_ISCD": "0001", "FID_INPUT_DATE_1": "20260101", "FID_INPUT_DATE_2": f"{DAY:%Y%m%d}"}
    rows = desk.get("quotations/inquire-daily-indexchartprice", "FHKUP03500100", **asked)["output2"]
    assert len(rows) == 50
    assert all(row["bstp_nmix_prpr"][-3] == "." for row in rows)


def test_master_files_list_the_market_with_todays_base_prices() -> None:
    desk = Desk().log_in()
    reply = desk.core.handle(Call(Mode.REAL, "GET", "/common/master/kospi_code.mst.zip", {}))
    listed = {item.symbol: item for item in parse_master(Market.KOSPI, reply.body, DAY)}
    world = shared_world()
    mine = {item.symbol: item for item in world.instruments if item.market is Market.KOSPI}
    assert listed.keys() == mine.keys()
    base = desk.core.board.session.base_prices
    for symbol, item in listed.items():
        assert (item.name, item.kind, item.flags) == (mine[symbol].name, mine[symbol].kind, mine[symbol].flags)
        assert item.base_price == base[symbol]


@pytest.mark.parametrize(
    ("path", "tr_id", "mode", "code"),
    [
        ("quotations/inquire-price", "FHKST99999999", Mode.REAL, "MCA00124"),
        ("quotations/no-such-call", "FHKST01010100", Mode.REAL, "MCA00124"),
        ("trading/inquire-balance", "VTTC8434R", Mode.REAL, "EGW02004"),
        ("trading/inquire-balance", "TTTC8434R", Mode.MOCK, "EGW02004"),
        ("trading/inquire-psbl-rvsecncl", "TTTC0084R", Mode.MOCK, "EGW02004"),
    ],
)
def test_what_a_domain_does_not_serve_is_refused(path: str, tr_id: str, mode: Mode, code: str) -> None:
    desk = Desk(mode=mode).log_in()
    reply = desk.reply(path, tr_id, FID_INPUT_ISCD="005930")
    assert (reply.status, json.loads(reply.body)["msg_cd"]) == (500, code)


def test_broken_json_is_refused_and_nothing_happens() -> None:
    desk = Desk().log_in()
    path = "/uapi/domestic-stock/v1/trading/order-cash"
    reply = desk.core.handle(Call(Mode.REAL, "POST", path, desk.headers("TTTC0012U"), {}, b'{"CANO": '))
    assert json.loads(reply.body)["msg_cd"] == "OPSQ9997"
    assert not desk.core.accounts


@pytest.mark.parametrize("account", ["1234567", "abcdefgh", ""])
def test_malformed_account_numbers_are_refused(account: str) -> None:
    desk = Desk().log_in()
    assert desk.order("TTTC0012U", CANO=account, PDNO="005930", ORD_UNPR="0")["msg_cd"] == "OPSQ2000"


def test_hash_of_a_body_is_given_without_a_token() -> None:
    desk = Desk()
    call = Call(Mode.REAL, "POST", "/uapi/hashkey", {}, {}, b'{"PDNO": "005930"}')
    body = json.loads(desk.core.handle(call).body)
    assert body["BODY"] == {"PDNO": "005930"}
    assert len(body["HASH"]) == 64


def test_legacy_and_new_tr_ids_place_the_same_order() -> None:
    desk = Desk().log_in()
    for tr_id in ("TTTC0012U", "TTTC0802U"):
        answer = desk.order(tr_id, PDNO="005930", ORD_DVSN="01", ORD_UNPR="0")
        assert (answer["rt_cd"], answer["msg_cd"]) == ("0", "APBK0013")
    mock = Desk(mode=Mode.MOCK).log_in()
    answer = mock.order("VTTC0802U", PDNO="005930", ORD_DVSN="01", ORD_UNPR="0")
    assert (answer["msg_cd"], answer["output"]["KRX_FWDG_ORD_ORGNO"]) == ("40600000", "00950")


REFUSED = [
    ({"ORD_QTY": "100000000", "ORD_DVSN": "01", "ORD_UNPR": "0"}, "APBK0952", "40250000"),
    ({"PDNO": "999999", "ORD_DVSN": "01", "ORD_UNPR": "0"}, "APBK0656", "40070000"),
    ({"ORD_UNPR": "50001"}, "APBK0506", "40030000"),
    ({"ORD_QTY": "0", "ORD_UNPR": "50000"}, "OPSQ2002", "OPSQ2002"),
    ({"ORD_QTY": "ten", "ORD_UNPR": "50000"}, "OPSQ2002", "OPSQ2002"),
    ({"ORD_QTY": "-3", "ORD_UNPR": "50000"}, "OPSQ2002", "OPSQ2002"),
    ({"ORD_DVSN": "05", "ORD_UNPR": "0"}, "APBK0918", "APBK1943"),
    ({"ORD_DVSN": "21", "ORD_UNPR": "0"}, "APBK1943", "APBK1943"),
]


@pytest.mark.parametrize(("body", "real", "mock"), REFUSED)
def test_refused_orders_carry_the_codes_of_their_domain(body: dict, real: str, mock: str) -> None:
    for mode, tr_id, code in ((Mode.REAL, "TTTC0012U", real), (Mode.MOCK, "VTTC0012U", mock)):
        answer = Desk(mode=mode).log_in().order(tr_id, **{"PDNO": "005930", **body})
        assert answer["msg_cd"] == code
        assert answer["rt_cd"] != "0"


@pytest.mark.parametrize(
    ("clock", "real", "mock"), [(70_000, "APBK0918", "40570000"), (154_000, "APBK0918", "40580000")]
)
def test_orders_outside_the_session_are_refused(clock: int, real: str, mock: str) -> None:
    for mode, tr_id, code in ((Mode.REAL, "TTTC0012U", real), (Mode.MOCK, "VTTC0012U", mock)):
        answer = Desk(clock, mode=mode).log_in().order(tr_id, PDNO="005930", ORD_DVSN="01", ORD_UNPR="0")
        assert answer["msg_cd"] == code


def test_orders_on_a_weekend_are_refused_as_a_holiday() -> None:
    desk = Desk().log_in()
    desk.at(instant_at(DAY + dt.timedelta(days=12), 100_000))
    desk.log_in()
    assert desk.order("TTTC0012U", PDNO="005930", ORD_DVSN="01", ORD_UNPR="0")["msg_cd"] == "APBK0919"


def test_price_beyond_the_limit_is_acknowledged_then_refused_by_the_exchange() -> None:
    desk = Desk().log_in()
    upper = desk.core.board.sight("005930").upper
    answer = desk.order("TTTC0012U", PDNO="005930", ORD_UNPR=str(desk.core.board.session.rules.ceil_tick(upper + 1)))
    assert answer["rt_cd"] == "0"
    row = json.loads(desk.daily_orders().body)["output1"][0]
    assert (row["rjct_qty"], row["rmn_qty"], row["tot_ccld_qty"]) == ("1", "0", "0")


def test_pages_of_orders_follow_the_cursor_and_new_orders_do_not_shift_them() -> None:
    desk = Desk(mode=Mode.MOCK).log_in()
    price = str(desk.core.board.session.rules.floor_tick(int(desk.core.board.sight("005930").last * 0.8)))
    for _ in range(20):
        desk.order("VTTC0012U", PDNO="005930", ORD_UNPR=price)
    first = desk.daily_orders("VTTC0081R")
    body = json.loads(first.body)
    assert (len(body["output1"]), first.tr_cont) == (15, "M")
    desk.order("VTTC0012U", PDNO="005930", ORD_UNPR=price)
    cursor = {name.upper(): body[name] for name in ("ctx_area_fk100", "ctx_area_nk100")}
    second = desk.daily_orders("VTTC0081R", headers=desk.headers("VTTC0081R", tr_cont="N"), **cursor)
    rest = json.loads(second.body)["output1"]
    assert (len(rest), second.tr_cont) == (5, "D")
    numbers = [int(row["odno"]) for row in body["output1"] + rest]
    assert numbers == list(range(20, 0, -1))


def test_modified_order_keeps_its_past_under_the_old_number() -> None:
    desk = Desk().log_in()
    price = desk.core.board.session.rules.floor_tick(int(desk.core.board.sight("005930").last * 0.8))
    ack = desk.order("TTTC0012U", PDNO="005930", ORD_QTY="9", ORD_UNPR=str(price))["output"]
    change = {"KRX_FWDG_ORD_ORGNO": ack["KRX_FWDG_ORD_ORGNO"], "ORGN_ODNO": ack["ODNO"], "QTY_ALL_ORD_YN": "Y"}
    moved = desk.order("TTTC0013U", **change, RVSE_CNCL_DVSN_CD="01", ORD_QTY="0", ORD_UNPR=str(price - 100))["output"]
    again = {**change, "ORGN_ODNO": moved["ODNO"]}
    assert desk.order("TTTC0013U", **again, RVSE_CNCL_DVSN_CD="02", ORD_UNPR="0")["rt_cd"] == "0"
    rows = {int(row["odno"]): row for row in json.loads(desk.daily_orders().body)["output1"]}
    old, new = rows[int(ack["ODNO"])], rows[int(moved["ODNO"])]
    assert (old["rmn_qty"], new["orgn_odno"], new["ord_qty"], new["cnc_cfrm_qty"]) == ("0", ack["ODNO"], "9", "9")
    assert rows[max(rows)]["sll_buy_dvsn_cd_name"].endswith("취소*")
    assert desk.order("TTTC0013U", **again, RVSE_CNCL_DVSN_CD="02", ORD_UNPR="0")["msg_cd"] == "APBK1664"
    assert desk.order("TTTC0013U", **{**change, "ORGN_ODNO": "77"}, RVSE_CNCL_DVSN_CD="02")["msg_cd"] == "APBK1663"


def test_balance_settles_after_two_business_days() -> None:
    desk = Desk().log_in()
    desk.order("TTTC0012U", PDNO="005930", ORD_QTY="10", ORD_DVSN="01", ORD_UNPR="0")
    desk.to(100_500)
    account = {"CANO": "12345678", "ACNT_PRDT_CD": "01"}
    body = desk.get("trading/inquire-balance", "TTTC8434R", **account)
    totals = body["output2"][0]
    assert (totals["dnca_tot_amt"], body["output1"][0]["hldg_qty"]) == ("100000000", "10")
    traded = int(totals["prvs_rcdl_excc_amt"])
    assert traded < 100_000_000
    desk.at(instant_at(shared_world().days[-1], 80_000))
    desk.log_in()
    later = desk.get("trading/inquire-balance", "TTTC8434R", **account)["output2"][0]
    assert int(later["dnca_tot_amt"]) == int(later["prvs_rcdl_excc_amt"]) == traded


def test_buying_power_of_a_market_order_counts_the_upper_limit_and_the_fee() -> None:
    desk = Desk().log_in()
    asked = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_DVSN": "01", "ORD_UNPR": "0"}
    power = desk.get("trading/inquire-psbl-order", "TTTC8908R", **asked)["output"]
    upper = desk.core.board.sight("005930").upper
    assert int(power["psbl_qty_calc_unpr"]) == upper
    quantity = int(power["nrcvb_buy_qty"])
    assert (
        desk.order("TTTC0012U", PDNO="005930", ORD_DVSN="01", ORD_QTY=str(quantity + 1), ORD_UNPR="0")["rt_cd"] != "0"
    )
    assert desk.order("TTTC0012U", PDNO="005930", ORD_DVSN="01", ORD_QTY=str(quantity), ORD_UNPR="0")["rt_cd"] == "0"


def test_same_calls_at_the_same_instants_give_the_same_bytes() -> None:
    def day() -> list[bytes]:
        desk = Desk().log_in()
        replies = []
        for minute in range(5):
            body = {"PDNO": "000660", "ORD_DVSN": "01", "ORD_QTY": str(3 + minute), "ORD_UNPR": "0"}
            replies.append(json.dumps(desk.order("TTTC0012U", **body)).encode())
            desk.at(desk.core.now + NS_PER_MINUTE)
            replies.append(desk.daily_orders().body)
        return replies

    assert day() == day()


def test_stepping_finely_or_at_once_gives_the_same_ledger() -> None:
    def ledger(step: int) -> list:
        desk = Desk().log_in()
        price = desk.core.board.session.rules.floor_tick(int(desk.core.board.sight("000660").last * 0.997))
        desk.order("TTTC0012U", PDNO="000660", ORD_QTY="200", ORD_UNPR=str(price))
        desk.order("TTTC0012U", PDNO="005930", ORD_DVSN="01", ORD_QTY="50", ORD_UNPR="0")
        end = desk.core.now + 3_600 * NS_PER_SECOND
        while desk.core.now < end:
            desk.at(min(end, desk.core.now + step * NS_PER_SECOND))
        return desk.core.accounts[Mode.REAL, "12345678", "01"].executions

    assert ledger(7) == ledger(3_600) != []


def test_shock_ahead_moves_what_is_seen_later_only() -> None:
    world = build_world(SMALL)
    desk = Desk(world=world).log_in()
    at = instant_at(DAY, 103_000)
    seen = desk.core.board.sight("005930")
    desk.core.add_shock(Shock(at, 5, -600))
    assert desk.core.board.sight("005930") == seen
    desk.to(104_000)
    calm = Desk(104_000).core.board.sight("005930").last
    assert -0.075 < desk.core.board.sight("005930").last / calm - 1 < -0.045
    with pytest.raises(MarketRuleError):
        desk.core.add_shock(Shock(at, 5, -600))


def test_clock_outside_the_market_is_refused() -> None:
    with pytest.raises(MarketRuleError) as caught:
        Core(shared_world(), EmulatorSettings(market=SMALL), instant_at(dt.date(2031, 1, 6), 100_000))
    assert caught.value.expected


def test_settings_never_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        EmulatorSettings().speed = 2.0
    assert KEY.isascii()
    assert np.all(shared_world().daily.close[-1] > 0)
