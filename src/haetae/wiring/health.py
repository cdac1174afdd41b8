"""Whether this machine can run the product now: libraries, calendar, folder, service.

Here: the checks behind ``haetae health``, which an image, a unit or a release asks before it counts as
alive. Not here: keys, hosts and accounts, which are the owner's to examine and not a supervisor's.
"""

from __future__ import annotations

import os
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.units import day_of
from haetae.krx.calendar import next_trading_day
from haetae.wiring import heartbeat
from haetae.wiring.clocks import SystemClock

NATIVE = ("numpy", "numba", "pyarrow", "duckdb", "cryptography", "sklearn", "lightgbm", "xgboost", "catboost")
"""Libraries with compiled parts; what is missing from a system shows when they are loaded."""
ENOUGH_BYTES = 1 << 30
"""A trading day writes some tens of megabytes; less than this free and the disk is the next failure."""
STILL_S = 60.0
"""A desk beats twice a second while it trades and takes its sign away in the end; one that did neither is dead."""
_ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; ``found`` is empty where all is well."""

    name: str
    what: Text
    found: str = ""


def _libraries() -> Check:
    broken = []
    for name in NATIVE:
        try:
            import_module(name)
        except (ImportError, OSError) as fault:
            broken.append(f"{name}: {fault}")
    return Check("libraries", Text(ko="컴파일된 라이브러리", en="compiled libraries"), "; ".join(broken))


def _calendar() -> Check:
    what = Text(ko="거래소 달력", en="calendar of the exchange")
    try:
        next_trading_day(day_of(SystemClock().now()))
    except HaetaeError as fault:
        return Check("calendar", what, str(fault))
    return Check("calendar", what)


def _folder(home: Path) -> Check:
    what = Text(ko="자료 폴더", en="data folder")
    if not home.is_dir():
        return Check("folder", what, f"{home}: absent")
    if not os.access(home, os.W_OK):
        return Check("folder", what, f"{home}: not writable")
    free = shutil.disk_usage(home).free
    return Check("folder", what, f"{home}: {free >> 20} MiB free" if free < ENOUGH_BYTES else "")


def _desks(home: Path) -> Check:
    """A desk that lives and does not move is what its own watch cannot page when the whole process hangs (P07)."""
    what = Text(ko="데스크의 맥박", en="a desk's sign of life")
    still = []
    for folder in (home, *sorted(path for path in home.glob("*") if path.is_dir())):
        sign = heartbeat.read(folder)
        if sign is not None and time.time() - sign.beat > STILL_S:
            still.append(f"{folder.name}: process {sign.pid}, {time.time() - sign.beat:.0f} s")
    return Check("desk", what, "; ".join(still))


def _service(url: str) -> Check:
    what = Text(ko="서비스", en="service")
    if urlsplit(url).scheme not in ("http", "https"):
        return Check("service", what, f"{url}: not http")
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_S):  # noqa: S310 - the scheme was checked
            return Check("service", what)
    except (OSError, urllib.error.URLError, ValueError) as fault:
        return Check("service", what, f"{url}: {fault}")


def examine(home: Path | None, url: str = "", *, deep: bool = False) -> tuple[Check, ...]:
    """Return the checks that were asked for: the calendar always, the libraries only where ``deep``."""
    checks = [_calendar()]
    if deep:
        checks.append(_libraries())
    if home is not None:
        checks += [_folder(home), _desks(home)]
    if url:
        checks.append(_service(url))
    return tuple(checks)
