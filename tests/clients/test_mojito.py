"""mojito2 0.1.6, unmodified, from login to the balance on both domains with its stream beside, and where it breaks."""

from __future__ import annotations

import datetime as dt
import multiprocessing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clients import seen
from clients.driving import ACCOUNT, CASH, OPEN, SYMBOL, Emulated, Run, board_at, drive, emulated, thin_name
from contract.worlds import DAY, small_world
from haetae.domain.market import Market
from haetae.domain.units import NS_PER_SECOND
from haetae.emulator.settings import LimitSettings

THIN, THIN_QUANTITY = thin_name()
OLDEST = {"trade_fields": 46, "notice_fields": 23}
"""The schema generation the client was written for."""
forked = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="its stream is led to loopback in a forked process"
)


def bar(row: Mapping[str, str], stamp: str, close: str, volume: str) -> list[Any]:
    """Return stamp, open, high, low, close, volume of a row of a chart."""
    names = ("stck_oprc", "stck_hgpr", "stck_lwpr", close, volume)
    return [row[stamp], *(int(row[name]) for name in names)]


def number(run: Run, step: str) -> str:
    answer = run.value(step)
    assert answer["rt_cd"] == "0", answer
    return answer["output"]["ODNO"]


def tradable(count: int) -> list[str]:
    """Return names that trade all the time at a price of which many can be bought."""
    world, board = small_world(), board_at(OPEN)
    ahead = world.minutes(world.row[DAY]).volume[60:62]
    steady = [symbol for symbol, column in world.column.items() if ahead[:, column].min() > 100]
    return [symbol for symbol in steady if board.instrument(symbol) and board.sight(symbol).last < 500_000][:count]


def check_market(run: Run, minutes: str = "minutes") -> None:
    board = board_at(run.at("price"))
    sight, told = board.sight(SYMBOL), run.value("price")["output"]
    names = ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_mxpr", "stck_llam", "acml_vol", "acml_tr_pbmn")
    figures = (sight.last, sight.open, sight.high, sight.low, sight.upper, sight.lower, sight.volume, sight.turnover)
    assert tuple(int(told[name]) for name in names) == figures
    daily = [bar(row, "stck_bsop_date", "stck_clpr", "acml_vol") for row in run.value("daily")["output2"]]
    assert daily[::-1] == seen.days(board, dt.date(2026, 11, 1))
    recent = [bar(row, "stck_bsop_date", "stck_clpr", "acml_vol") for row in run.value("recent")["output"]]
    assert recent[: len(daily)] == daily
    assert len(recent) == 30
    told_minutes = [bar(row, "stck_cntg_hour", "stck_prpr", "cntg_vol") for row in run.value(minutes)["output2"]]
    known = seen.minutes(board_at(run.at(minutes)))
    assert told_minutes[::-1] == [row for row in known if row[0] <= told_minutes[0][0]][-len(told_minutes) :]
    assert len(told_minutes) >= 30
    assert run.value("unknown")["rt_cd"] != "0"


def check_masters(run: Run) -> None:
    base = board_at(run.at("price")).session.base_prices
    for market in (Market.KOSPI, Market.KOSDAQ):
        listed = {
            item.symbol: [item.name, str(base[item.symbol])]
            for item in small_world().instruments
            if item.market is market and base[item.symbol]
        }
        told = {row[0].removeprefix("Q").zfill(6): [row[2], row[4]] for row in run.value(market.value.lower())}
        assert told == listed


async def check_books(run: Run, emulator: Emulated, mode: str) -> dict[str, Any]:
    ledger = await emulator.ledger(mode)
    board = board_at(run.at("balance"))
    assert run.value("balance before")["output1"] == []
    assert run.value("orderable")["output"]["nrcvb_buy_amt"] == str(CASH)
    assert seen.filled(ledger, number(run, "buy")) == 7
    assert seen.filled(ledger, number(run, "limit")) == seen.filled(ledger, number(run, "modify")) == 0
    assert 0 < seen.filled(ledger, number(run, "bulk")) < THIN_QUANTITY
    assert seen.filled(ledger, number(run, "sell")) == 3
    assert number(run, "cancel") and number(run, "cancel rest")
    names = ("hldg_qty", "pchs_amt", "prpr")
    held = [[row["pdno"], *(int(row[name]) for name in names)] for row in run.value("balance")["output1"]]
    assert held == seen.holdings(ledger, board)
    (totals,) = run.value("balance")["output2"]
    assert int(totals["dnca_tot_amt"]) == seen.settled(ledger)
    assert int(totals["prvs_rcdl_excc_amt"]) == ledger["cash"]
    assert int(totals["thdt_tlex_amt"]) == ledger["fees"] + ledger["taxes"]
    worth = sum(quantity * price for _, quantity, _, price in held)
    assert int(totals["tot_evlu_amt"]) == ledger["cash"] + worth
    present = run.value("present balance")
    assert (present["rt_cd"], present["output1"], present["output2"]) == ("0", [], [])
    assert ledger["balanced"]
    return ledger


def check_prices(run: Run) -> None:
    events = run.told["events"]
    start, end = run.at("balance before"), run.at("balance")
    prints = [
        [int(e["주식현재가"]), int(e["체결거래량"]), int(e["누적거래량"])] for kind, e in events if kind == "체결"
    ]
    assert prints == seen.prints(start, end)
    books = [e for kind, e in events if kind == "호가"]
    levels = [[[int(e[f"{side}호가{n:02d}"]) for n in range(1, 11)] for side in ("매도", "매수")] for e in books]
    known = seen.books_between(start, end)
    assert levels == [[[price for price, _ in book[side]] for side in ("asks", "bids")] for book in known]
    assert run.value("alive") is True


def check_notices(run: Run, ledger: Mapping[str, Any]) -> None:
    notices = [e for kind, e in run.told["events"] if kind == "체잔"]
    fills = [[e["주문번호"], int(e["체결수량"]), int(e["체결단가"])] for e in notices if e["체결여부"] == "2"]
    assert fills == [[fill["number"], fill["quantity"], fill["price"]] for fill in ledger["fills"]]
    assert {e["계좌번호"] for e in notices} == {ACCOUNT.replace("-", "")}
    receipts = {e["주문번호"]: int(e["체결수량"]) for e in notices if e["체결여부"] == "1"}
    assert receipts[number(run, "bulk")] == THIN_QUANTITY
    assert receipts[number(run, "modify")] == receipts[number(run, "cancel")] == 2
    refused = next(e for e in notices if e["주문번호"] == number(run, "refused") and e["거부여부"] == "1")
    assert int(refused["주문수량"]) == 1


@forked
async def test_real_domain_from_login_to_the_balance(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST) as emulator:
        asked = {"mode": "real", "user": "any-hts-id", "registrations": 3}
        run = await drive(python, "drive_mojito.py", tmp_path, emulator, **asked)
        ledger = await check_books(run, emulator, "real")
        calls = await emulator.control("/calls")
    check_market(run)
    assert len(run.value("minutes")["output2"]) == len(seen.minutes(board_at(run.at("minutes"))))
    check_masters(run)
    check_prices(run)
    check_notices(run, ledger)
    assert [row["odno"] for row in run.value("pending")["output"]] == [number(run, "limit")]
    assert run.told["changed"] == []
    assert [(key["mode"], key["violations"]) for key in calls["keys"]] == [("real", 0)]


@forked
async def test_mock_domain_from_login_to_the_balance(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST) as emulator:
        asked = {"mode": "mock", "user": None, "registrations": 2}
        run = await drive(python, "drive_mojito.py", tmp_path, emulator, **asked)
        ledger = await check_books(run, emulator, "mock")
        calls = await emulator.control("/calls")
    check_market(run)
    check_masters(run)
    check_prices(run)
    assert {fill["branch"] for fill in ledger["fills"]} == {"00950"}
    assert run.value("pending")["msg_cd"] == "EGW02004"
    assert run.value("refused")["msg_cd"] == "40270000"
    assert run.value("buy")["msg_cd"] == "40600000"
    assert run.error("minutes in a row") == ("KeyError", "'output2'")
    (key,) = calls["keys"]
    assert (key["mode"], key["violations"]) == ("mock", 1)
    assert run.told["changed"] == []


@forked
@pytest.mark.parametrize("trade_fields", [46, 47])
async def test_later_schemas_are_read_wrong_without_a_word(python: Path, tmp_path: Path, trade_fields: int) -> None:
    """It cuts records of 46 values: a 47th moves each record of a frame after the first; three more move a notice."""
    names = [SYMBOL, *(symbol for symbol in tradable(12) if symbol != SYMBOL)][:12]
    start = OPEN + NS_PER_SECOND
    prints = sum(len(seen.prints(start, start + 60 * NS_PER_SECOND, name)) for name in names)
    async with emulated(trade_fields=trade_fields, notice_fields=26) as emulator:
        asked = {"part": "crowd", "user": "tester", "names": names, "registrations": 13, "records": prints + 2}
        run = await drive(python, "drive_mojito.py", tmp_path, emulator, mode="real", **asked)
        ledger = await emulator.ledger("real")
    assert ledger["holdings"] == {SYMBOL: 7}
    codes = [e["유가증권단축종목코드"] for kind, e in run.told["events"] if kind == "체결"]
    assert len(codes) == prints
    assert (set(codes) == set(names)) == (trade_fields == 46)
    fill = next(e for kind, e in run.told["events"] if kind == "체잔" and e["체결여부"] == "2")
    assert (fill["주문번호"], int(fill["체결수량"])) == (ledger["fills"][0]["number"], 7)
    assert (fill["체결종목명40"], fill["주문가격"]) == ("", "10")


@forked
@pytest.mark.parametrize(
    ("mode", "user", "count"),
    [("real", None, 42), ("mock", "tester", 1)],
    ids=["42nd registration", "notice of the mock domain under the id of the real one"],
)
async def test_refused_registration_ends_its_stream(
    python: Path, tmp_path: Path, mode: str, user: str | None, count: int
) -> None:
    asked = {"part": "crowd", "ends": True, "names": list(small_world().symbols[:count]), "user": user}
    async with emulated(**OLDEST) as emulator:
        run = await drive(python, "drive_mojito.py", tmp_path, emulator, mode=mode, **asked)
    assert run.value("ended") is True


async def test_balance_of_many_names_is_paged_without_the_header_of_the_next_page(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST, limits=LimitSettings(mock_calls_per_second=0)) as emulator:  # mojito knows no pace
        asked = {"mode": "mock", "part": "pages", "names": tradable(45)}
        run = await drive(python, "drive_mojito.py", tmp_path, emulator, **asked)
        ledger = await emulator.ledger("mock")
    held = {row["pdno"]: int(row["hldg_qty"]) for row in run.value("balance")["output1"]}
    assert held == ledger["holdings"]
    assert len(held) > 40


async def test_limits_as_the_client_meets_them(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST) as emulator:
        run = await drive(python, "drive_mojito.py", tmp_path, emulator, mode="real", part="limits")
        calls = await emulator.control("/calls")
    assert run.error("second token") == ("KeyError", "'access_token'")
    assert run.value("kept token") is True
    answers = [answer["msg_cd"] for answer in run.value("burst")]
    assert answers == ["MCA00000"] * 18 + ["EGW00201"] * 2
    assert "output" not in run.value("burst")[-1]
    assert (calls["violations"], calls["token_refusals"]) == (2, 1)
