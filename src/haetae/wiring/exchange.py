"""The demo's market: one emulator process, its control port, the client's settings, its clocks."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire.operations import Mode
from haetae.wiring.child import Control, EmulatorProcess
from haetae.wiring.clocks import ScaledClock, SystemClock

ACCOUNT = "50012345"
COLLECT_SPEED = 120.0
"""Market seconds per second while collecting: 15 calls a second of market time are 1 800 of ours."""


@dataclass(slots=True)
class Exchange:
    """A running emulator as the stages use it."""

    process: EmulatorProcess
    control: Control
    kis: KisSettings

    async def running_clock(self) -> ScaledClock:
        """Let the market's clock run and return a clock that reads the same time."""
        await self.control.run_at(COLLECT_SPEED)
        state = await self.control.state()
        return ScaledClock(start=int(state["now"]), wall_start=SystemClock().now(), speed=COLLECT_SPEED)


async def open_exchange(
    session: aiohttp.ClientSession,
    folder: Path,
    *,
    seed: int,
    listed: int,
    history: int,
    evening: dt.date,
    sessions: int,
    cash: int,
    replay: Path | None,
    faults: Path | None = None,
) -> tuple[Exchange, dict[str, Any]]:
    """Start an emulator that stands at 18:00 of ``evening``; returns it with its state.

    The keys are made from the seed: the emulator takes any well-formed pair, the real service none.
    A stepped market may stand still, so silence is no fault of the socket, and notices do not get lost
    on loopback, so open orders are read once a minute.
    """
    arguments = ["--free-ports", "--with-parent", "--seed", str(seed), "--speed", "0", "--token-clock", "market"]
    arguments += ["--listed", str(listed), "--history", str(history)]
    arguments += ["--clock", f"{evening}T18:00:00", "--cash", str(cash)]
    if replay is not None:
        arguments += ["--replay", str(replay), "--sessions", str(sessions)]
    if faults is not None:
        arguments += ["--faults", str(faults)]
    process = EmulatorProcess(arguments, folder / "emulator.log")
    ready = await process.start()
    key = hashlib.sha256(f"demo:{seed}".encode()).hexdigest()
    kis = KisSettings(
        rest_url=str(ready["rest_real"]),
        ws_url=str(ready["ws_real"]),
        app_key=("PSDEMO" + key)[:36],
        app_secret=Secret((key * 3)[:180]),
        account=ACCOUNT,
        mode=Mode.REAL,
        hts_id="haetae",
        token_file=folder / "token.json",
        silence_s=None,
        poll_s=60.0,
        index_poll_s=60.0,
    )
    control = Control(str(ready["control"]), session)
    return Exchange(process, control, kis), await control.state()
