"""What every driver of a client needs: the emulator's clock, a list of steps with what came of each, the report.

Runs in the clients' environment: standard library only. Here: the control port, the report file, and the proof that no
file of a client's package was changed. Not here: any client.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

NS_PER_SECOND = 1_000_000_000


class Market:
    """The emulator as a test holds it: its clock and its ledger. No client knows of it."""

    def __init__(self, control: str) -> None:
        """Remember the address of the control port."""
        self._control = control

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self._control + path, data), timeout=30) as answer:
            return json.load(answer)

    def now(self) -> int:
        """Return the emulator's instant, nanoseconds."""
        return int(self._call("/state")["now"])

    def registrations(self) -> int:
        """Return how many registrations all sessions hold."""
        return sum(int(line["registrations"]) for line in self._call("/state")["lines"])

    def sent(self) -> int:
        """Return how many data frames were put out in all sessions."""
        return sum(int(line["sent"]) for line in self._call("/state")["lines"])

    def step(self, seconds: float) -> None:
        """Take the market forward; returns when every frame up to then was written."""
        self._call("/clock", {"advance_to": self.now() + round(seconds * NS_PER_SECOND)})

    def run(self, speed: float) -> None:
        """Let the clock run so many times as fast as the machine's."""
        self._call("/clock", {"speed": speed})

    def pause(self) -> None:
        """Stop the clock where it is."""
        self._call("/clock", {"pause": True})


class Steps:
    """The report of a run: by name what was read, or the error that came, and the market's instant."""

    def __init__(self, market: Market) -> None:
        """Begin an empty report."""
        self.market = market
        self.told: dict[str, dict[str, Any]] = {}

    def take(self, name: str, act: Callable[[], Any], read: Callable[[Any], Any] = lambda value: value) -> Any:
        """Do one step and return what it gave; ``read`` turns that into plain values. A failure ends the driver."""
        step = self._begun(name)
        value = act()
        step["value"] = read(value)
        return value

    def refused(self, name: str, act: Callable[[], Any], fault: type[Exception]) -> None:
        """Do one step that the client is expected to end with an error; one that succeeds is told as a value."""
        step = self._begun(name)
        try:
            step["value"] = str(act())
        except fault as found:
            step["error"], step["text"] = type(found).__name__, str(found)[:800]

    def _begun(self, name: str) -> dict[str, Any]:
        step: dict[str, Any] = {"at": self.market.now()}
        self.told[name] = step
        return step

    def wait(self, name: str, wanted: Callable[[], bool], limit_s: float = 10.0) -> bool:
        """Wait until something has arrived; tells in the report whether it did."""
        end = time.monotonic() + limit_s
        while not wanted() and time.monotonic() < end:
            time.sleep(0.02)
        arrived = bool(wanted())
        self.told[name] = {"value": arrived}
        return arrived


def changed_files(distribution: str) -> list[str]:
    """Return the files of an installed package that differ from what its wheel recorded."""
    found = []
    for file in importlib.metadata.distribution(distribution).files or ():
        if file.hash is None or "__pycache__" in str(file):
            continue
        digest = hashlib.new(file.hash.mode, Path(str(file.locate())).read_bytes()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            found.append(str(file))
    return found


def given() -> dict[str, Any]:
    """Return what the test asks of a driver: addresses, keys, symbols, where the report goes."""
    return json.loads(sys.argv[1])


def report(asked: dict[str, Any], steps: Steps, **more: Any) -> None:
    """Write the report where the test asked for it."""
    Path(asked["report"]).write_text(json.dumps({"steps": steps.told, **more}, ensure_ascii=False), encoding="utf-8")
