"""KIS's own samples, unchanged, from login to the fill notice on both domains, and what they misread.

They are no package: set ``HAETAE_KIS_SAMPLES`` to a checkout of ``koreainvestment/open-trading-api``.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clients import seen
from clients.driving import ACCOUNT, CASH, SYMBOL, Emulated, Run, board_at, drive, emulated, thin_name
from contract.worlds import DAY, small_world

SAMPLES = os.environ.get("HAETAE_KIS_SAMPLES", "")
THIN, THIN_QUANTITY = thin_name()
YESTERDAY = small_world().days[small_world().row[DAY] - 1]
WRITTEN_FOR = {"trade_fields": 46, "notice_fields": 26}
"""The schema generation of the samples."""
pytestmark = pytest.mark.skipif(
    not (Path(SAMPLES) / "examples_llm").is_dir(),
    reason="HAETAE_KIS_SAMPLES names no checkout of koreainvestment/open-trading-api",
)


async def drive_samples(python: Path, home: Path, emulator: Emulated, **asked: Any) -> Run:
    fixed = {"samples": SAMPLES, "yesterday": f"{YESTERDAY:%Y%m%d}"}
    return await drive(python, "drive_official.py", home, emulator, **fixed, **asked)


def bar(row: Mapping[str, str], stamp: str, close: str, volume: str) -> list[Any]:
    names = ("stck_oprc", "stck_hgpr", "stck_lwpr", close, volume)
    return [row[stamp], *(int(row[name]) for name in names)]


def number(run: Run, step: str) -> str:
    (ack,) = run.value(step)
    return ack["ODNO"]


def check_market(run: Run) -> None:
    sight = board_at(run.at("price")).sight(SYMBOL)
    (told,) = run.value("price")
    names = ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_mxpr", "stck_llam", "acml_vol")
    figures = (sight.last, sight.open, sight.high, sight.low, sight.upper, sight.lower, sight.volume)
    assert tuple(int(told[name]) for name in names) == figures
    (book,), (expected,) = run.value("book")
    known = seen.book(board_at(run.at("book")))
    asks = [[int(book[f"askp{level}"]), int(book[f"askp_rsqn{level}"])] for level in range(1, 11)]
    assert asks == known["asks"]
    assert expected["stck_shrn_iscd"] == SYMBOL
    _, daily = run.value("daily")
    days = [bar(row, "stck_bsop_date", "stck_clpr", "acml_vol") for row in daily]
    assert days[::-1] == seen.days(board_at(run.at("daily")), dt.date(2026, 11, 1))
    _, told_minutes = run.value("minutes")
    minutes = [bar(row, "stck_cntg_hour", "stck_prpr", "cntg_vol") for row in told_minutes]
    assert minutes[::-1] == seen.minutes(board_at(run.at("minutes")))[-30:]


async def check_books(run: Run, emulator: Emulated, mode: str) -> dict[str, Any]:
    ledger = await emulator.ledger(mode)
    board = board_at(run.at("balance"))
    assert run.value("balance before")[0] == []
    assert run.value("orderable")[0]["nrcvb_buy_amt"] == str(CASH)
    filled = {step: seen.filled(ledger, number(run, step)) for step in ("buy", "limit", "modify", "bulk", "sell")}
    assert (filled["buy"], filled["limit"], filled["modify"], filled["sell"]) == (7, 0, 0, 3)
    assert 0 < filled["bulk"] < THIN_QUANTITY
    rows, (totals,) = run.value("orders")
    assert {row["odno"]: int(row["tot_ccld_qty"]) for row in rows if int(row["tot_ccld_qty"])} == {
        number(run, step): filled[step] for step in ("buy", "bulk", "sell")
    }
    assert int(totals["prsm_tlex_smtl"]) == ledger["fees"] + ledger["taxes"]
    held, (account,) = run.value("balance")
    names = ("hldg_qty", "pchs_amt", "prpr")
    assert [[row["pdno"], *(int(row[name]) for name in names)] for row in held] == seen.holdings(ledger, board)
    assert int(account["dnca_tot_amt"]) == seen.settled(ledger)
    assert int(account["prvs_rcdl_excc_amt"]) == ledger["cash"]
    assert ledger["balanced"]
    return ledger


def check_streams(run: Run, ledger: Mapping[str, Any], notice: str) -> None:
    frames = run.told["frames"]
    start, end = run.at("balance before"), run.at("orders")
    trades = [rows[0] for tr_id, _, rows in frames if tr_id == "H0STCNT0"]
    prints = [[int(row["STCK_PRPR"]), int(row["CNTG_VOL"]), int(row["ACML_VOL"])] for row in trades]
    assert prints == seen.prints(start, end)
    books = [rows[0] for tr_id, _, rows in frames if tr_id == "H0STASP0"]
    known = seen.books_between(start, end)
    assert [[int(row["ASKP1"]), int(row["ASKP_RSQN1"])] for row in books] == [book["asks"][0] for book in known]
    told = [rows[0] for tr_id, _, rows in frames if tr_id == notice]
    fills = [[row["ODER_NO"], int(row["CNTG_QTY"]), int(row["CNTG_UNPR"])] for row in told if row["CNTG_YN"] == "2"]
    assert fills == [[fill["number"], fill["quantity"], fill["price"]] for fill in ledger["fills"]]
    assert {row["ACNT_NO"] for row in told} == {ACCOUNT.replace("-", "")}


@pytest.mark.parametrize("part", ["all", "single"], ids=["examples_user", "examples_llm"])
async def test_real_domain_from_login_to_the_fill_notice(python: Path, tmp_path: Path, part: str) -> None:
    async with emulated(**WRITTEN_FOR) as emulator:
        run = await drive_samples(python, tmp_path, emulator, mode="real", part=part)
        ledger = await check_books(run, emulator, "real")
        calls = await emulator.control("/calls")
    check_market(run)
    check_streams(run, ledger, "H0STCNI0")
    assert [(key["mode"], key["violations"]) for key in calls["keys"]] == [("real", 0)]
    if part == "single":
        return
    assert [row["odno"] for row in run.value("pending")] == [number(run, "limit")]
    rows, (totals,) = run.value("profits")
    assert sum(int(row["rlzt_pfls"]) for row in rows) == int(totals["tot_rlzt_pfls"]) == ledger["realized"]
    assert int(run.value("realized")[1][0]["rlzt_pfls"]) == ledger["realized"]
    assert run.value("holidays")[0]["opnd_yn"] == "Y"
    assert run.value("facts")[0]["prdt_name"] == "삼성전자"
    past = [bar(row, "stck_cntg_hour", "stck_prpr", "cntg_vol") for row in run.value("past minutes")[1]]
    assert len(past) == 120
    world = small_world()
    assert past[0][4] == world.daily.close[world.row[YESTERDAY], world.column[SYMBOL]]


@pytest.mark.parametrize("part", ["all", "single"], ids=["examples_user", "examples_llm"])
async def test_mock_domain_from_login_to_the_fill_notice(python: Path, tmp_path: Path, part: str) -> None:
    async with emulated(**WRITTEN_FOR) as emulator:
        run = await drive_samples(python, tmp_path, emulator, mode="mock", part=part)
        ledger = await check_books(run, emulator, "mock")
        calls = await emulator.control("/calls")
    check_market(run)
    check_streams(run, ledger, "H0STCNI9")
    assert {fill["branch"] for fill in ledger["fills"]} == {"00950"}
    assert [(key["mode"], key["violations"]) for key in calls["keys"]] == [("mock", 0)]


async def test_forty_seventh_value_moves_every_column_by_one(python: Path, tmp_path: Path) -> None:
    async with emulated(trade_fields=47, notice_fields=26) as emulator:
        run = await drive_samples(python, tmp_path, emulator, mode="real", part="streams")
        ledger = await emulator.ledger("real")
    frames = run.told["frames"]
    trades = [(index, rows[0]) for tr_id, index, rows in frames if tr_id == "H0STCNT0"]
    assert trades
    assert {index[0].zfill(6) for index, _ in trades} == {SYMBOL}
    assert all(row["MKSC_SHRN_ISCD"].startswith("1000") for _, row in trades)
    assert [row["STCK_CNTG_HOUR"] for _, row in trades] == [
        str(price) for price, *_ in seen.prints(run.at("buy"), run.at("buy") + 60 * 10**9)
    ]
    fills = [rows[0] for tr_id, _, rows in frames if tr_id == "H0STCNI0" and rows[0]["CNTG_YN"] == "2"]
    assert [int(row["CNTG_QTY"]) for row in fills] == [fill["quantity"] for fill in ledger["fills"]] == [7]


async def test_notices_of_twenty_three_values_lose_their_last_columns(python: Path, tmp_path: Path) -> None:
    async with emulated(trade_fields=46, notice_fields=23) as emulator:
        run = await drive_samples(python, tmp_path, emulator, mode="real", part="streams")
    fill = next(rows[0] for tr_id, _, rows in run.told["frames"] if tr_id == "H0STCNI0" and rows[0]["CNTG_YN"] == "2")
    assert (fill["CNTG_QTY"], fill["ODER_NO"]) == ("0000000007", number(run, "buy"))
    assert (fill["ORD_COND_PRC"], fill["CNTG_ISNM40"], fill["ODER_PRC"]) == ("삼성전자", "", "")
