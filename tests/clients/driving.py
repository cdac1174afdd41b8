"""An emulator in this process and a client in a process of its own: started, watched, its report read.

Here: the settings of an emulator on free ports whose clock stands, one run of a driver with a folder of its own as
home, the small market all tests of this folder share, and names in it. Not here: any client, any expectation.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

from contract.worlds import DAY, SMALL, small_world
from haetae.domain.units import Instant, instant_at
from haetae.emulator.board import Board
from haetae.emulator.server import open_service
from haetae.emulator.service import Service
from haetae.emulator.settings import EmulatorSettings
from haetae.wiring.clocks import SystemClock

HERE = Path(__file__).parent
OPEN = instant_at(DAY, 100_000)
CASH = 100_000_000
ACCOUNT = "12345678-01"
SYMBOL = "005930"
APP_KEY, MOCK_KEY, SECRET = "PSreal" + "0" * 30, "PSmock" + "0" * 30, "s" * 180


def settings(**changes: Any) -> EmulatorSettings:
    """Return an emulator on free ports at 10:00, its clock standing, limits of the real service in force."""
    ports = dict.fromkeys(("rest_real_port", "rest_mock_port", "ws_real_port", "ws_mock_port", "control_port"), 0)
    given = {"market": SMALL, "start": OPEN, "speed": 0.0, "initial_cash": CASH, **ports, **changes}
    return EmulatorSettings(**given)


@dataclass(frozen=True, slots=True)
class Emulated:
    """A running emulator and where it listens."""

    service: Service
    ready: Mapping[str, Any]

    async def control(self, path: str) -> dict[str, Any]:
        """Return what the control port answers."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.ready['control']}{path}") as answer:
            return await answer.json()

    async def ledger(self, mode: str) -> dict[str, Any]:
        """Return the books of the account of a domain."""
        books = (await self.control(f"/ledger?account={ACCOUNT}"))["accounts"]
        return next(book for book in books if book["mode"] == mode)


@contextlib.asynccontextmanager
async def emulated(**changes: Any) -> AsyncIterator[Emulated]:
    """Serve the small market while the context is open; tokens expire on the clock of this machine."""
    async with open_service(settings(**changes), small_world(), wall=SystemClock().now) as (service, ready):
        yield Emulated(service, ready)


def board_at(instant: Instant) -> Board:
    """Return what the market showed at an instant."""
    return Board(small_world(), instant)


@cache
def thin_name() -> tuple[str, int]:
    """Return a name that trades little, and more shares of it than its next two minutes can fill."""
    world = small_world()
    board = board_at(OPEN)
    minutes = world.minutes(world.row[DAY])
    ahead = slice(60, 62)
    found = []
    for symbol, column in world.column.items():
        traded = minutes.volume[ahead, column]
        price = board.sight(symbol).upper if board.instrument(symbol) else 0
        if traded.min() > 100 and price and not board.halted(symbol) and not board.is_fund(symbol):
            found.append((int(traded.sum()) * price, symbol, int(traded.sum())))
    _, symbol, traded = min(found)
    return symbol, traded


@dataclass(frozen=True, slots=True)
class Run:
    """What a driver reported, and what it printed."""

    told: Mapping[str, Any]
    output: str

    def value(self, step: str) -> Any:
        """Return what a step read; fails with the client's own words where it did not succeed."""
        found = self.told["steps"].get(step)
        assert found is not None, f"{step} was not reached: {list(self.told['steps'])}\n{self.output[-3000:]}"
        assert "value" in found, f"{step}: {found}\n{self.output[-3000:]}"
        return found["value"]

    def error(self, step: str) -> tuple[str, str]:
        """Return name and words of the error a step was expected to end with."""
        found = self.told["steps"][step]
        assert "error" in found, f"{step} succeeded: {found}"
        return found["error"], found["text"]

    def at(self, step: str) -> Instant:
        """Return the market's instant when a step began."""
        return int(self.told["steps"][step]["at"])


async def drive(
    python: Path, script: str, home: Path, emulator: Emulated, *, limit_s: float = 120.0, **asked: Any
) -> Run:
    """Run a driver to its end and return its report.

    It sees a home, a working folder and an environment of its own, so neither a token cache nor a setting of this
    machine reaches it.
    """
    given = _asked(home, emulator, asked)
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(HERE / script),
        json.dumps(given),
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), limit_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return _read(script, Path(given["report"]), process.returncode, printed.decode(errors="replace"))


def _asked(home: Path, emulator: Emulated, asked: Mapping[str, Any]) -> dict[str, Any]:
    home.mkdir(parents=True, exist_ok=True)
    thin, quantity = thin_name()
    return {
        **{name: emulator.ready[name] for name in ("rest_real", "rest_mock", "ws_real", "ws_mock", "control")},
        "account": ACCOUNT,
        "app_key": APP_KEY,
        "mock_key": MOCK_KEY,
        "app_secret": SECRET,
        "day": DAY.isoformat(),
        "symbol": SYMBOL,
        "thin": thin,
        "thin_quantity": quantity,
        "speed": 20.0,
        "part": "all",
        "ends": False,
        "patience": 10,
        "report": str(home / "report.json"),
        **asked,
    }


def _read(script: str, written: Path, status: int | None, output: str) -> Run:
    assert written.is_file(), f"{script} left no report (exit {status}):\n{output[-6000:]}"
    return Run(json.loads(written.read_text(encoding="utf-8")), output)
