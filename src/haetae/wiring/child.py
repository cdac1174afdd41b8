"""The emulator as a process of its own, and its control port.

The demo talks to the broker's wire over real sockets; only the market's clock and the scripted
shock go through the control port, which no trading code can reach.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.units import Instant

_LAST_WORDS_S = 2.0


class Control:
    """Client of the emulator's control port."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        """Remember where the port is; the session is the caller's to close."""
        self._url = url
        self._session = session

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        async with self._session.request(method, self._url + path, json=body) as answer:
            text = await answer.text()
            if answer.status != 200:
                raise HaetaeError(
                    Text(ko="에뮬레이터 제어 포트가 거절했습니다", en="the emulator's control port refused"),
                    expected="HTTP 200",
                    found=f"HTTP {answer.status}: {text[:200]}",
                    next_step=Text(ko="emulator.log 를 확인하세요", en="read emulator.log"),
                )
            record: dict[str, Any] = json.loads(text)
            return record

    async def advance(self, to: Instant) -> dict[str, Any]:
        """Move the market to an instant; returns when every frame up to it has been written."""
        return await self._call("POST", "/clock", {"advance_to": to})

    async def run_at(self, speed: float) -> dict[str, Any]:
        """Let the market's clock run so many times as fast as the wall."""
        return await self._call("POST", "/clock", {"speed": speed})

    async def pause(self) -> dict[str, Any]:
        """Stop the market's clock where it is."""
        return await self._call("POST", "/clock", {"pause": True})

    async def shock(self, at: Instant, minutes: int, return_bp: int) -> dict[str, Any]:
        """Script a fall of the whole market."""
        return await self._call("POST", "/shock", {"at": at, "minutes": minutes, "return_bp": return_bp})

    async def ledger(self, account: str) -> dict[str, Any]:
        """Return the oracle: every fill, cash and holdings of an account."""
        return await self._call("GET", f"/ledger?account={account}")

    async def calls(self) -> dict[str, Any]:
        """Return how many calls were served and how many broke the rate limit."""
        return await self._call("GET", "/calls")

    async def faults(self) -> list[dict[str, Any]]:
        """Return the faults of the script: how often each was met, and how often it struck."""
        told: Any = await self._call("GET", "/faults")
        return list(told)

    async def state(self) -> dict[str, Any]:
        """Return clock, seed and market size."""
        return await self._call("GET", "/state")


class EmulatorProcess:
    """Starts ``haetae emulator run`` on free loopback ports and stops it again."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        """Keep the command line; nothing runs before ``start``."""
        self._arguments = arguments
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.ready: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return self._process.pid if self._process else 0

    def peak_mb(self) -> int:
        """Return the most memory it has used, from the kernel; 0 where the kernel does not say."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return 0
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
        return 0

    async def start(self, timeout_s: float = 60.0) -> dict[str, Any]:
        """Start and wait for the line that says where the ports are."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        told_before = len(self._log.read_text(errors="replace")) if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "haetae.cli.main",
                "emulator",
                "run",
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=dict(os.environ),
                start_new_session=True,
            )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
            self.ready = json.loads(line)
        except (TimeoutError, ValueError) as fault:
            with contextlib.suppress(TimeoutError):  # it told its fault and is on its way out
                await asyncio.wait_for(self._process.wait(), _LAST_WORDS_S)
            await self.stop()
            told = self._log.read_text(errors="replace")[told_before:]
            tail = " · ".join(line.strip() for line in told.splitlines()[-4:])
            raise HaetaeError(
                Text(ko="에뮬레이터가 시작하지 못했습니다", en="the emulator did not start"),
                expected="one JSON line with its addresses",
                found=tail or "no output",
                next_step=Text(ko=f"{self._log} 를 확인하세요", en=f"read {self._log}"),
            ) from fault
        return self.ready

    async def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), 5.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
