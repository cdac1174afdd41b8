"""python-kis 2.1.6, unmodified, from login to the profit of the day on both domains, and where it breaks by itself."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from clients import seen
from clients.driving import ACCOUNT, CASH, Emulated, Run, board_at, drive, emulated, thin_name
from contract.worlds import DAY
from haetae.domain.units import NS_PER_SECOND, instant_at

THIN, THIN_QUANTITY = thin_name()
OLDEST = {"trade_fields": 46, "notice_fields": 23}
"""The schema generation the client was written for."""
SATURDAY = DAY - dt.timedelta(days=(DAY.weekday() + 2) % 7)


def executed(run: Run, number: str) -> int:
    """Return the shares the notices told as executed, by the flag of the wire (CNTG_YN)."""
    return sum(row["executed"] for row in run.told["notices"] if row["number"] == number and row["raw"][13] == "2")


def bars(rows: list[list[Any]], width: int) -> list[list[Any]]:
    """Return a client's bars with the digits of their time only."""
    digits = [["".join(c for c in row[0][:19] if c.isdigit()), *row[1:]] for row in rows]
    return [[row[0][:8] if width == 8 else row[0][8:], *row[1:]] for row in digits]


def check_market(run: Run) -> None:
    board = board_at(run.at("quote"))
    assert run.value("stock")[:2] == ["005930", "KRX"]
    assert run.value("quote") == seen.quote(board)
    assert run.value("book") == seen.book(board)
    assert bars(run.value("daily"), 8) == seen.days(board, DAY - dt.timedelta(days=20))
    assert len(run.value("daily")) >= 14
    minutes = seen.minutes(board_at(run.at("minutes")))
    assert bars(run.value("minutes"), 6) == minutes
    assert len(minutes) > 30
    assert run.error("unknown")[0] == "KisNotFoundError"
    name, text = run.error("abroad")
    assert (name, "MCA00124" in text) == ("KisHTTPError", True)


def check_streams(run: Run, last_fill: int) -> None:
    assert run.value("registered")
    until = run.at("pending everywhere") + 60 * NS_PER_SECOND
    prints = [[price, whole] for price, _, whole in seen.prints(run.at("minutes"), until)]
    heard = [row[1:3] for row in run.told["prices"]]
    assert heard == prints[: len(heard)]
    assert len(heard) >= len(seen.prints(run.at("minutes"), last_fill))
    assert {row[0] for row in run.told["prices"]} == {"005930"}
    assert run.told["last_book"] in seen.books_between(run.at("minutes"), until)
    assert run.told["books"] >= len(heard)


async def check_books(run: Run, emulator: Emulated, mode: str) -> dict[str, Any]:
    """Hold everything the client knows of its account against the ledger of the control port, to the won."""
    ledger = await emulator.ledger(mode)
    board = board_at(run.at("balance"))
    orderable = run.value("orderable")
    assert orderable["amount"] == CASH
    ask = run.value("book")["asks"][0][0]
    assert orderable["qty"] * ask <= CASH < (orderable["qty"] + 1) * ask * 1.001
    numbers = {step: run.value(step)["number"] for step in ("buy", "limit", "bulk", "sell")}
    assert seen.filled(ledger, numbers["buy"]) == executed(run, numbers["buy"]) == 7
    assert seen.filled(ledger, numbers["limit"]) == executed(run, numbers["limit"]) == 0
    part = seen.filled(ledger, numbers["bulk"])
    assert 0 < part < THIN_QUANTITY
    assert executed(run, numbers["bulk"]) == part
    assert seen.filled(ledger, numbers["sell"]) == executed(run, numbers["sell"]) == 3
    fills = [(row["number"], row["price"]) for row in run.told["notices"] if row["raw"][13] == "2"]
    assert fills == [(fill["number"], fill["price"]) for fill in ledger["fills"]]
    assert {row["account"] for row in run.told["notices"]} == {ACCOUNT}
    balance = run.value("balance")
    assert [[s, q, c, p] for s, q, _, c, p in balance["stocks"]] == seen.holdings(ledger, board)
    assert {s: q for s, q, *_ in balance["stocks"]} == ledger["holdings"]
    assert balance["cash"] == seen.settled(ledger)
    assert ledger["balanced"]
    return ledger


def check_rows(run: Run, ledger: dict[str, Any]) -> None:
    before = {row["number"]: row for row in run.value("daily orders")}
    after = {row["number"]: row for row in run.value("orders everywhere")}
    bulk = run.value("bulk")["number"]
    assert before[bulk]["pending"] == THIN_QUANTITY - before[bulk]["executed"] > 0
    assert after[bulk]["pending"] == 0
    for number, row in after.items():
        assert row["executed"] == seen.filled(ledger, number)
    cancelled = after[run.value("cancel rest")["number"]]
    assert cancelled["qty"] == THIN_QUANTITY - after[bulk]["executed"]


async def test_real_domain_from_login_to_the_profit_of_the_day(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST) as emulator:
        run = await drive(python, "drive_python_kis.py", tmp_path, emulator, mode="real")
        ledger = await check_books(run, emulator, "real")
        calls = await emulator.control("/calls")
    check_market(run)
    check_streams(run, ledger["fills"][-1]["at"])
    check_rows(run, ledger)
    assert not [line for line in run.told["log"] if "Unhandled" in line or "failed" in line.lower()]
    assert [row["number"] for row in run.value("pending")] == [run.value("limit")["number"]]
    moved = {row["number"]: row for row in run.value("orders everywhere")}[run.value("modify")["number"]]
    assert moved["unit_price"] == run.value("quote")["low_limit"] + 1_500
    assert run.value("balance everywhere") == run.value("balance")
    assert run.value("pending everywhere") == []
    profits = run.value("profits")
    sale = next(fill for fill in ledger["fills"] if fill["side"] == "sell")
    assert [row[:2] + row[3:] for row in profits["rows"]] == [["005930", 3, sale["price"], sale["amount"]]]
    assert profits["fees"] == ledger["fees"]
    assert run.value("profits everywhere") == profits
    assert run.told["changed"] == []
    assert [(key["mode"], key["violations"]) for key in calls["keys"]] == [("real", 0)]


async def test_mock_domain_quotes_on_the_real_host_and_trades_on_the_mock_one(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST) as emulator:
        run = await drive(python, "drive_python_kis.py", tmp_path, emulator, mode="mock")
        ledger = await check_books(run, emulator, "mock")
        calls = {key["mode"]: key for key in (await emulator.control("/calls"))["keys"]}
        accounts = (await emulator.control("/state"))["accounts"]
    check_market(run)
    check_streams(run, ledger["fills"][-1]["at"])
    check_rows(run, ledger)
    assert accounts == [f"mock:{ACCOUNT}"]
    # It takes the notice abroad of the mock domain to the real stream, which knows no such id.
    assert [line for line in run.told["log"] if "Unhandled" in line or "failed" in line.lower()] == [
        "RTC Unhandled control message: H0GSCNI9.tester(OPSP8991) SUBSCRIBE ERROR : invalid tr_id"
    ]
    assert {"FHKST01010100", "FHKST03010100", "FHKST03010200", "CTPF1604R"} <= set(calls["real"]["by_tr"])
    assert not any(tr.startswith(("T", "V")) for tr in calls["real"]["by_tr"])
    assert set(calls["mock"]["by_tr"]) - {"FHKST01010200"} == {tr for tr in calls["mock"]["by_tr"] if tr[0] == "V"}
    for step in ("pending", "modify", "profits"):
        assert run.error(step)[0] == "NotImplementedError"
    assert run.told["changed"] == []


@pytest.mark.parametrize(("trade_fields", "notice_fields"), [(46, 26), (47, 26)])
async def test_later_schemas_are_dropped_frame_by_frame(
    python: Path, tmp_path: Path, trade_fields: int, notice_fields: int
) -> None:
    async with emulated(trade_fields=trade_fields, notice_fields=notice_fields) as emulator:
        run = await drive(python, "drive_python_kis.py", tmp_path, emulator, mode="real", part="streams")
        ledger = await emulator.ledger("real")
    assert ledger["holdings"] == {"005930": 7}
    assert (run.value("registered"), run.value("heard or dropped")) == (True, True)
    assert bool(run.told["prices"]) == (trade_fields == 46)
    assert bool(run.told["books"]) == (trade_fields == 46)
    assert run.told["notices"] == []
    dropped = set(re.findall(r"Failed to parse message: (\w+) Invalid data length: (\d+)", "\n".join(run.told["log"])))
    trades = {("H0STCNT0", "47"), ("H0STASP0", "60")} if trade_fields == 47 else set()
    assert dropped == {("H0STCNI0", "26"), *trades}


async def test_limits_as_the_client_meets_them(python: Path, tmp_path: Path) -> None:
    async with emulated() as emulator:
        run = await drive(python, "drive_python_kis.py", tmp_path, emulator, mode="real", part="limits")
        calls = await emulator.control("/calls")
    assert run.value("burst") == 40
    (key,) = calls["keys"]
    assert key["violations"] >= 1
    assert key["peak_per_second"] <= 18
    name, text = run.error("second token")
    assert (name, "EGW00133" in text, "(403)" in text) == ("KisHTTPError", True, True)
    assert calls["token_refusals"] == 1
    assert run.value("in use")
    assert run.error("too many")[0] == "ValueError"


async def test_refusals_reach_the_client_in_its_own_words(python: Path, tmp_path: Path) -> None:
    async with emulated(**OLDEST) as emulator:
        run = await drive(python, "drive_python_kis.py", tmp_path, emulator, mode="real", part="refusals")
        ledger = await emulator.ledger("real")
    assert run.error("no such name")[0] == "KisNotFoundError"
    codes = {
        "off the grid": "APBK0506",
        "without shares": "APBK0400",
        "without cash": "APBK0952",
        "twice": "APBK1664",
    }
    for step, code in codes.items():
        name, text = run.error(step)
        assert (name, code in text, "RT_CD: 7" in text) == ("KisAPIError", True, True), step
    assert (ledger["fills"], ledger["working"], ledger["balanced"]) == ([], 0, True)


@pytest.mark.parametrize(
    ("mode", "fault", "code"), [("real", "KisMarketNotOpenedError", "APBK0919"), ("mock", "KisAPIError", "40100000")]
)
async def test_order_on_a_saturday_is_refused_as_on_no_day_of_business(
    python: Path, tmp_path: Path, mode: str, fault: str, code: str
) -> None:
    async with emulated(**OLDEST, start=instant_at(SATURDAY, 100_000)) as emulator:
        run = await drive(python, "drive_python_kis.py", tmp_path, emulator, mode=mode, part="closed")
    name, text = run.error("closed")
    assert (name, code in text) == (fault, True)
