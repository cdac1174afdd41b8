"""Starts that did not end well: five within ten minutes stop the desk until a person has looked (P04).

A start is written down before anything else and struck out when the process ends in order, or with an error of its
own words that a restart cannot mend (wrong settings, a shut gate). What is left are crashes: kill -9, out of memory, a
fault that ended the process. A release by a person begins the count anew.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

from haetae.domain.errors import ConfigError, HaetaeError, Text
from haetae.domain.events import OperatorState
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.live import LiveSettings
from haetae.ports import Clock
from haetae.wiring import operators
from haetae.wiring.records import write_json

FILE, LOCK = "starts.json", "desk.lock"


class Starts:
    """The starts of one folder; times are the machine's, for crashes happen to machines."""

    def __init__(self, folder: Path, clock: Clock, settings: LiveSettings) -> None:
        """Take the folder; raises ``ConfigError`` where another desk runs in it (P08)."""
        self._lock = (folder / LOCK).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise ConfigError(
                Text(ko="이 폴더에서 이미 데스크가 돕니다", en="a desk runs in this folder already"),
                expected=Text(ko="폴더 하나에 데스크 하나", en="one desk in a folder"),
                found=str(folder),
                next_step=Text(ko="먼저 실행한 것을 끝내세요", en="end the one that was started first"),
            ) from None
        self._folder = folder
        self._clock = clock
        self._settings = settings

    def begin(self) -> None:
        """Write a start down; raises ``HaetaeError`` and latches the halt where too many ended badly."""
        now = self._clock.now()
        recent = self._recent(now)
        if len(recent) >= self._settings.crashes:
            why = f"{len(recent)} crashes within {self._settings.crash_window_s} s"
            operators.give(self._folder, OperatorState.HALT, who="supervisor", why=why, clock=self._clock)
            raise HaetaeError(
                Text(ko=f"되풀이해 죽어서 멈췄습니다: {len(recent)}번", en=f"it keeps crashing and was stopped: {why}"),
                expected=Text(ko="끝까지 도는 하루", en="a day that runs to its end"),
                found=why,
                next_step=Text(
                    ko="haetae.log 를 보고, 고친 뒤 haetae kill --release --yes-release 이름",
                    en="read haetae.log, mend it, then haetae kill --release --yes-release NAME",
                ),
            )
        self._write([*recent, now])

    def ended(self, fault: BaseException | None = None) -> None:
        """Strike the newest start out, unless a fault ended it that another start may meet again by itself."""
        if fault is None or isinstance(fault, ConfigError | KeyboardInterrupt):
            self._write(self._recent(self._clock.now())[:-1])
        self._lock.close()

    def _recent(self, now: Instant) -> list[Instant]:
        try:
            told = [int(at) for at in json.loads((self._folder / FILE).read_text(encoding="utf-8"))["starts"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        since = max(now - self._settings.crash_window_s * NS_PER_SECOND, self._released_at())
        return [at for at in told if since < at <= now]

    def _released_at(self) -> Instant:
        wishes = operators.given(self._folder)
        released = [
            each.at for each in wishes if isinstance(each, operators.Order) and each.state is OperatorState.ACTIVE
        ]
        return max(released, default=0)

    def _write(self, starts: list[Instant]) -> None:
        write_json(self._folder / FILE, {"starts": starts})
