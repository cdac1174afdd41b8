"""What an account earned, told by trade and by day, equals its books to the won."""

import datetime as dt
import json

import pytest

from haetae.domain.units import instant_at
from haetae.emulator.accounts import Account
from haetae.kis.wire.operations import Mode
from unit.emulator.service_rig import DAY, Desk, shared_world

ACCOUNT = {"CANO": "12345678", "ACNT_PRDT_CD": "01"}
NEXT = shared_world().days[shared_world().row[DAY] + 1]
RANGE = {"INQR_STRT_DT": f"{DAY:%Y%m%d}", "INQR_END_DT": f"{NEXT:%Y%m%d}"}


def traded(*, mode: Mode = Mode.REAL) -> Desk:
    """A desk that bought two names, sold part of them, and dealt again the next day."""
    desk = Desk(mode=mode).log_in()
    prefix = "T" if mode is Mode.REAL else "V"

    def deal(tr_id: str, symbol: str, quantity: int) -> None:
        body = {"PDNO": symbol, "ORD_DVSN": "01", "ORD_QTY": str(quantity), "ORD_UNPR": "0"}
        assert desk.order(f"{prefix}TTC{tr_id}", **body)["rt_cd"] == "0"

    deal("0012U", "005930", 10)
    deal("0012U", "000660", 4)
    desk.to(101_000)
    deal("0011U", "005930", 6)
    desk.to(102_000)
    desk.at(instant_at(NEXT, 100_000))
    desk.log_in()
    deal("0012U", "005930", 3)
    deal("0011U", "000660", 1)
    desk.at(instant_at(NEXT, 101_000))
    return desk


@pytest.fixture(scope="module")
def desk() -> Desk:
    return traded()


def account(desk: Desk) -> Account:
    return desk.core.accounts[desk.mode, "12345678", "01"]


def asked(desk: Desk, call: str, tr_id: str, **more: str) -> dict:
    body = desk.get(f"trading/{call}", tr_id, **{**ACCOUNT, **more})
    assert body["rt_cd"] == "0", body
    return body


def test_trade_rows_are_one_per_day_and_symbol_newest_first(desk: Desk) -> None:
    body = asked(desk, "inquire-period-trade-profit", "TTTC8715R", SORT_DVSN="00", **RANGE)
    rows = [(row["trad_dt"], row["pdno"]) for row in body["output1"]]
    first, second = f"{DAY:%Y%m%d}", f"{NEXT:%Y%m%d}"
    assert rows == [(second, "000660"), (second, "005930"), (first, "000660"), (first, "005930")]
    assert [int(row["hldg_qty"]) for row in body["output1"]] == [3, 7, 4, 4]


def test_realized_profit_of_the_trades_is_that_of_the_books(desk: Desk) -> None:
    body = asked(desk, "inquire-period-trade-profit", "TTTC8715R", SORT_DVSN="01", **RANGE)
    book = account(desk).book
    assert book.realized != 0
    assert sum(int(row["rlzt_pfls"]) for row in body["output1"]) == book.realized
    totals = body["output2"]
    assert int(totals["tot_rlzt_pfls"]) == book.realized
    assert (int(totals["tot_fee"]), int(totals["tot_tltx"])) == (book.fees, book.taxes)
    assert (int(totals["buy_tr_amt_smtl"]), int(totals["sll_tr_amt_smtl"])) == (book.bought, book.sold)
    moved = int(totals["sll_excc_amt_smtl"]) - int(totals["buy_excc_amt_smtl"])
    assert book.cash == book.deposits + moved
    sold = body["output1"][1]
    assert (sold["trad_dt"], sold["pdno"], sold["sll_qty"]) == (f"{DAY:%Y%m%d}", "005930", "6")
    cost = int(sold["pchs_unpr"]) * 6
    net = int(sold["sll_amt"]) - int(sold["rlzt_pfls"])
    assert 0 <= net - cost - int(sold["tl_tax"]) <= int(sold["fee"]) + 6


def test_days_add_up_to_the_trades(desk: Desk) -> None:
    body = asked(desk, "inquire-period-profit", "TTTC8708R", SORT_DVSN="00", **RANGE)
    assert [row["trad_dt"] for row in body["output1"]] == [f"{NEXT:%Y%m%d}", f"{DAY:%Y%m%d}"]
    assert sum(int(row["rlzt_pfls"]) for row in body["output1"]) == account(desk).book.realized
    assert [int(row["buy_qty1"]) for row in body["output1"]] == [3, 14]


def test_range_and_symbol_choose_the_rows(desk: Desk) -> None:
    day = f"{DAY:%Y%m%d}"
    body = asked(desk, "inquire-period-trade-profit", "TTTC8715R", INQR_STRT_DT=day, INQR_END_DT=day, PDNO="000660")
    assert [(row["trad_dt"], row["pdno"]) for row in body["output1"]] == [(day, "000660")]
    refused = desk.get("trading/inquire-period-trade-profit", "TTTC8715R", **ACCOUNT, INQR_STRT_DT="soon")
    assert refused["msg_cd"] == "OPSQ2002"


def test_holdings_are_those_of_the_balance_with_what_was_realized_today(desk: Desk) -> None:
    told = asked(desk, "inquire-balance-rlz-pl", "TTTC8494R")
    plain = asked(desk, "inquire-balance", "TTTC8434R")
    assert [row["hldg_qty"] for row in told["output1"]] == [row["hldg_qty"] for row in plain["output1"]]
    assert told["output2"][0]["tot_evlu_amt"] == plain["output2"][0]["tot_evlu_amt"]
    today = sum(line.realized for line in account(desk).executions if line.day == NEXT)
    assert today != 0
    assert int(told["output2"][0]["rlzt_pfls"]) == today


def test_sellable_shares_are_those_no_order_holds(desk: Desk) -> None:
    mine = traded()
    assert asked(mine, "inquire-psbl-sell", "TTTC8408R", PDNO="005930")["output"]["ord_psbl_qty"] == "7"
    body = {"PDNO": "005930", "ORD_DVSN": "00", "ORD_QTY": "2"}
    upper = mine.core.board.sight("005930").upper
    assert mine.order("TTTC0011U", **body, ORD_UNPR=str(upper))["rt_cd"] == "0"
    output = asked(mine, "inquire-psbl-sell", "TTTC8408R", PDNO="005930")["output"]
    assert (output["ord_psbl_qty"], output["cblc_qty"]) == ("5", "7")
    nothing = mine.get("trading/inquire-psbl-sell", "TTTC8408R", **ACCOUNT, PDNO="069500")
    assert (nothing["rt_cd"], nothing["msg_cd"]) == ("7", "KIOK0560")


def test_assets_are_cash_and_shares(desk: Desk) -> None:
    body = asked(desk, "inquire-account-balance", "CTRP6548R")
    book = account(desk).book
    value = sum(item.quantity * desk.core.board.sight(item.symbol).last for item in book.positions.values())
    assert int(body["output2"]["tot_asst_amt"]) == book.cash + value
    assert int(body["output1"][0]["evlu_amt"]) == value
    assert len(body["output1"]) == 20


@pytest.mark.parametrize(
    ("call", "tr_id"),
    [
        ("inquire-period-trade-profit", "TTTC8715R"),
        ("inquire-balance-rlz-pl", "TTTC8494R"),
        ("inquire-psbl-sell", "TTTC8408R"),
    ],
)
def test_mock_domain_has_none_of_them(call: str, tr_id: str) -> None:
    desk = Desk(mode=Mode.MOCK).log_in()
    reply = desk.reply(f"trading/{call}", tr_id, **ACCOUNT, **RANGE)
    assert (reply.status, json.loads(reply.body)["msg_cd"]) == (500, "EGW02004")


def test_trades_page_on_by_the_key_of_the_last_row() -> None:
    desk = Desk(limits=Desk().core.settings.limits).log_in()
    symbols = [item.symbol for item in shared_world().instruments if not desk.core.board.halted(item.symbol)][:55]
    for symbol in symbols:
        desk.order("TTTC0012U", PDNO=symbol, ORD_DVSN="01", ORD_QTY="1", ORD_UNPR="0")
    desk.to(110_000)
    dealt = {line.symbol for line in account(desk).executions}
    assert len(dealt) > 50
    span = {"INQR_STRT_DT": f"{DAY:%Y%m%d}", "INQR_END_DT": f"{DAY + dt.timedelta(days=1):%Y%m%d}"}
    first = desk.reply("trading/inquire-period-trade-profit", "TTTC8715R", **ACCOUNT, **span)
    body = json.loads(first.body)
    assert (first.tr_cont, len(body["output1"])) == ("M", 50)
    cursor = {"CTX_AREA_FK100": body["ctx_area_fk100"], "CTX_AREA_NK100": body["ctx_area_nk100"]}
    second = desk.reply("trading/inquire-period-trade-profit", "TTTC8715R", **ACCOUNT, **span, **cursor)
    rest = json.loads(second.body)
    assert second.tr_cont == "D"
    assert {row["pdno"] for row in body["output1"] + rest["output1"]} == dealt
    assert body["output2"] == rest["output2"]
