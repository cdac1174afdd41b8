"""The emulator of a long run: a process of its own, stepped or running, and its board as the oracle.

Here: `Market` (what is run), `emulator` (the process, from outside), and the process itself. A line on its input asks
for what its board holds; the end of its input ends it. Not here: faults (`days`), who collects (`collecting`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.emulator.board import Board
from haetae.emulator.server import open_service
from haetae.emulator.settings import EmulatorSettings, MarketSettings, OutageSettings
from haetae.ports.tables import INDEX_MINUTE, MINUTE

_BEAT_S = 0.5
"""Real seconds between two heart beats of the stream: a stepped day is over in seconds."""


@dataclass(frozen=True, slots=True)
class Market:
    """What an emulator is started with; ``at`` is the clock on ``start``, hhmmss."""

    start: str
    at: int
    first_live_day: str
    live_sessions: int
    speed: float
    seed: int = 20261127
    listed: int = 120
    history_sessions: int = 40
    maintenance: bool = False

    def settings(self) -> EmulatorSettings:
        """Return the settings of the emulator."""
        shape = MarketSettings(
            seed=self.seed,
            listed=self.listed,
            history_sessions=self.history_sessions,
            live_sessions=self.live_sessions,
            first_live_day=dt.date.fromisoformat(self.first_live_day),
        )
        return EmulatorSettings(
            shape,
            rest_real_port=0,
            rest_mock_port=0,
            ws_real_port=0,
            ws_mock_port=0,
            start=instant_at(dt.date.fromisoformat(self.start), self.at),
            speed=self.speed,
            outages=OutageSettings(maintenance=self.maintenance),
            ping_interval_s=_BEAT_S,
        )


def minutes(board: Board, symbols: Sequence[str], days: Sequence[dt.date]) -> pa.Table:
    """Return every traded minute that the board shows, by symbol and start."""
    rows = [
        (symbol, day, start, *bar[:5])
        for symbol in symbols
        for day in days
        for start, _, bar in board.minute_rows(symbol, day)
    ]
    return _table(rows, MINUTE)


def index_minutes(board: Board, codes: Sequence[str], days: Sequence[dt.date]) -> pa.Table:
    """Return every minute of the indices that the board shows; the closing auction's begins with the close, as told."""
    rows = [
        (code, day, start if end - start <= NS_PER_MINUTE else end, *bar[:5])
        for code in codes
        for day in days
        for start, end, bar in board.index_minutes(code, day)
    ]
    return _table(rows, INDEX_MINUTE)


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema)


async def serve(market: Market) -> None:
    """Run the emulator, say where, and tell what its board holds when asked; ends when its input does."""
    async with open_service(market.settings()) as (service, ready):
        print(json.dumps(ready), flush=True)
        while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
            asked = json.loads(line)
            days = [dt.date.fromisoformat(day) for day in asked["days"]]
            told = {"minutes": minutes, "indices": index_minutes}[asked["what"]]
            pq.write_table(told(service.core.board, asked["names"], days), asked["to"])
            print("{}", flush=True)


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator from outside."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def holds(self, what: str, names: Sequence[str], days: Sequence[dt.date], folder: Path) -> pa.Table:
        """Return the ``minutes`` or ``indices`` of its board."""
        to = folder / f"{what}.parquet"
        asked = {"what": what, "names": list(names), "days": [str(day) for day in days], "to": str(to)}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()
        return pq.read_table(to)

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make one control call."""
        request = urllib.request.Request(
            self.ready["control"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())


@contextmanager
def emulator(market: Market, log: Path) -> Iterator[Emulator]:
    """Run an emulator while the context is open."""
    command = [sys.executable, str(Path(__file__).resolve()), json.dumps(dataclasses.asdict(market))]
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True, bufsize=1
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text(errors="replace")[-2000:]
        yield Emulator(process, json.loads(line))
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve(Market(**json.loads(sys.argv[1]))))
