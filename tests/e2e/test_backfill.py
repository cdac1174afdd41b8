"""``haetae collect backfill`` against the market's board: complete, in the fewest calls, at no more than the pace."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc
import pytest

from haetae.domain.units import instant_at
from haetae.emulator.board import Board
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.krx.calendar import trading_days
from haetae.store.lake import Lake
from rigs.running import ENVIRONMENT, haetae

LAST = dt.date(2026, 11, 20)
NAMES, PAGE, PERMITTED = 6, 120, 18
MARKET = MarketSettings(seed=7, listed=120, history_sessions=40, live_sessions=2)


@pytest.fixture(scope="module")
def market() -> Iterator[dict[str, Any]]:
    """An emulator on an evening that runs four times as fast as ours."""
    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", "--free-ports", "--seed", str(MARKET.seed)]
    command += ["--listed", str(MARKET.listed), "--history", str(MARKET.history_sessions)]
    command += ["--sessions", "2", "--clock", f"{LAST}T18:00", "--speed", "4"]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())
        child.terminate()
        assert child.wait(10) == 0


@pytest.fixture(scope="module")
def board() -> Board:
    return Board(build_world(MARKET), instant_at(LAST, 180_000))


def calls(market: dict[str, Any]) -> dict[str, Any]:
    with urllib.request.urlopen(market["control"] + "/calls", timeout=10) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("sessions", [2, 11])
def test_a_backfill_brings_every_minute_of_the_board_in_the_fewest_calls(market, board, tmp_path, sessions) -> None:
    days = trading_days(LAST - dt.timedelta(days=30), LAST)[-sessions:]
    facts, before = tmp_path / "facts.json", sum(row["calls"] for row in calls(market)["keys"])
    haetae(
        "collect", "backfill", "--kind", "minute", "--top", NAMES, "--from", days[0], "--to", days[-1],
        "--lake", tmp_path / "lake", "--control", market["control"], "--json", facts,
    )  # fmt: skip
    closing, held = json.loads(facts.read_text()), Lake(tmp_path / "lake").read("minute")
    symbols = pc.unique(held.column("symbol")).to_pylist()
    truth = {
        (symbol, start): bar[:5]
        for symbol in symbols
        for day in days
        for start, _, bar in board.minute_rows(symbol, day)
    }
    names = ("open", "high", "low", "close", "volume")
    keys = zip(held.column("symbol").to_pylist(), held.column("start").to_pylist(), strict=True)
    rows = list(zip(*(held.column(name).to_pylist() for name in names), strict=True))
    assert len(held) == len(truth)
    assert dict(zip(keys, rows, strict=True)) == truth
    least = sum(-(-sum(one == symbol for one, _ in truth) // PAGE) for symbol in symbols)
    told = calls(market)
    assert (closing["gaps"], closing["calls"], closing["least_calls"]) == (0, least, least)
    assert sum(row["calls"] for row in told["keys"]) - before == least
    assert told["violations"] == 0
    assert max(row["peak_per_second"] for row in told["keys"]) <= PERMITTED
    assert closing["least_seconds"] == pytest.approx(least / PERMITTED)


def test_the_command_keeps_the_pace_of_the_markets_clock_and_not_of_the_machines(market, tmp_path) -> None:
    facts = tmp_path / "facts.json"
    haetae(
        "collect", "backfill", "--kind", "minute", "--top", NAMES, "--from", "2026-11-09", "--to", LAST,
        "--lake", tmp_path / "lake", "--control", market["control"], "--json", facts,
    )  # fmt: skip
    closing = json.loads(facts.read_text())
    # At the pace of the machine every eighteen calls take four of the market's seconds.
    assert closing["rate"] > 1.2 * PERMITTED / 4
    assert closing["rate"] <= PERMITTED
