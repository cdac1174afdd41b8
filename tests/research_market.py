"""A small random market as the research flow reads it: a lake of one daily panel, a clock, dice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from haetae import krx
from haetae.domain.panel import Panel
from haetae.domain.units import instant_at, yyyymmdd
from haetae.ml.settings import RankerKind, RankerSettings, WalkForwardSettings
from haetae.portfolio import Constraints
from haetae.research import ResearchSettings
from haetae.universe import UniverseSettings
from random_panels import daily_panel

SMALL = ResearchSettings(
    min_training_turnover_won=0,
    kinds=(RankerKind.LIGHTGBM,),
    seed_count=1,
    shuffled_controls=1,
    control_thinning=2,
    universe=UniverseSettings(size=10, min_turnover_won=0, min_listed_days=0, min_price_won=0),
    ranker=RankerSettings(rounds=15, depth=3, min_leaf=20),
    walk=WalkForwardSettings(train_rows=120, min_train_rows=30, test_rows=60),
    constraints=Constraints(names=5, keep_rank=7, max_weight=0.25),
)


def market_days(panel: Panel) -> Panel:
    """Move a random panel onto real sessions of the exchange."""
    days = krx.trading_days(dt.date(2021, 1, 4), dt.date(2023, 6, 30))[: len(panel)]
    return dataclasses.replace(
        panel,
        days=np.array([yyyymmdd(day) for day in days], dtype=np.int32),
        start=np.array([instant_at(day, 90_000) for day in days], dtype=np.int64),
        end=np.array([instant_at(day, 153_000) for day in days], dtype=np.int64),
    )


@functools.cache
def panel(seed: int = 5) -> Panel:
    """Return twenty-four names over three hundred sessions."""
    return market_days(daily_panel(seed, symbols=24, sessions=300))


class PanelLake:
    """A lake of one daily panel, as research reads it."""

    def __init__(self, bars: Panel | None) -> None:
        self._panel = bars

    def versions(self) -> Mapping[str, int]:
        return {"daily": 3} if self._panel is not None else {}

    def notes(self, table: str) -> Mapping[str, str]:
        return {"made": "random prices"} if table == "daily" else {}

    def digest(self, table: str, version: int | None = None) -> str:
        return f"{table}@{version}"

    def panel(
        self, table: str, symbols: Any = None, start: Any = None, end: Any = None, *, version: int | None = None
    ) -> Panel:
        assert (table, version) == ("daily", 3)
        assert self._panel is not None
        return self._panel

    def read(self, table: str, *, symbols: Sequence[str] | None = None, **_span: Any) -> pa.Table:
        assert table == "daily"
        return pa.table({"adjusted": [False]})


class Clock:
    """A clock that moves a second each time it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        self.seconds += 1.0
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("research does not wait")


def dice(seed: int, name: str) -> np.random.Generator:
    """Return the generator of a purpose."""
    return np.random.default_rng([seed, *name.encode()])
