"""Small sweeps for tests: a ground, strategies with known behaviour, and work that kills its worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from haetae.backtest import Ground, Listing
from haetae.backtest.sweep.points import Job, Outcome, Status, key_of
from haetae.backtest.sweep.space import Parameters
from haetae.backtest.sweep.work import Arrays, Run
from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.store.lake import Lake
from haetae.wiring.grounds import Stretch
from panels import daily_panel


def stretch_on(panel: Panel, first: int = 60) -> Stretch:
    """Return a panel as a stretch where everything may be bought."""
    ground = Ground(panel, first, Listing(), np.ones(panel.close.shape, np.bool_))
    return Stretch(ground, "bars-of-a-test", "", None, False)


def stretch(days: int = 300, symbols: int = 6, seed: int = 5, first: int = 60) -> Stretch:
    """Return seeded daily bars as a stretch."""
    return stretch_on(daily_panel(days, symbols, seed), first)


def fill_lake(folder: Path, days: int = 300, symbols: int = 6, seed: int = 5) -> str:
    """Write seeded daily bars into a lake and return its symbols as the command line takes them."""
    panel = daily_panel(days, symbols, seed)
    columns = {name: getattr(panel, name).ravel() for name in ("open", "high", "low", "close", "volume")}
    stamps = [day_from(int(day)) for day in panel.days for _ in panel.symbols]
    rows = {"symbol": pa.array(list(panel.symbols) * len(panel)), "day": pa.array(stamps, pa.date32()), **columns}
    Lake(folder).write("daily", pa.table(rows), keys=("symbol", "day"))
    return ",".join(panel.symbols)


def jobs(points: Iterable[Parameters], first: int = 0, last: int = 1) -> list[Job]:
    """Return points as jobs."""
    return [Job(place, key_of(each), each, first, last) for place, each in enumerate(points)]


@dataclass(frozen=True)
class Fatal:
    """Work that kills its process at one point: every time, or only where ``mercy`` has no file yet."""

    at: int
    mercy: str = ""

    def open(self, arrays: Arrays) -> Run:
        """Return what sums the shared array, multiplied."""
        total = float(arrays["numbers"].sum())

        def run(job: Job) -> Outcome:
            number = int(job.parameters["number"])
            if number == self.at and not (self.mercy and Path(self.mercy).exists()):
                if self.mercy:
                    Path(self.mercy).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return Outcome(job, Status.DONE, {"total_return": total * number}, np.full(2, total * number))

        return run


@dataclass(frozen=True)
class Damaged:
    """Work whose data cannot be used."""

    def open(self, arrays: Arrays) -> Run:
        """Refuse the arrays."""
        raise DataError("the bars are damaged", expected="bars", found="none", next_step="collect them again")
