"""From a lake to what a training learns from: names of the day's highest turnover, their features, their yardsticks.

Only the columns that ever take part are kept; a day's members are chosen by what was known after its close.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.learning import FeatureSpec
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.features import daily
from haetae.features.sets import FeatureSet, Inputs
from haetae.ml import yardsticks
from haetae.ml.membership import largest, median_turnover
from haetae.ml.training import FeatureTable, FloatArray, TrainingSettings
from haetae.research.market import DailyMarket, load
from haetae.wiring.lakes import LakeAt, open_lake
from haetae.wiring.selection import INDEX

FEATURE_SETS = ("daily", "alpha")
_OF_OTHERS = frozenset({"foreign_won", "institution_won", "individual_won", "sector", "imbalance"})
"""Inputs of features beside bars and an index; a lake of bars alone does not hold them."""

Build = Callable[[Panel], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all horizons share; arrays are ``(n_days, n_symbols)`` of the kept columns."""

    panel: Panel
    table: FeatureTable
    set_name: str
    one_line: Mapping[str, FloatArray]
    who: BoolArray
    size: FloatArray
    sectors: tuple[str, ...]
    build: Build
    market: DailyMarket
    altered: str
    """Names the values of an altered table; empty for the set's own, which follow from the bars."""

    @property
    def low_volatility(self) -> FloatArray:
        """The score that models must do more than."""
        return self.one_line[yardsticks.LOW_VOLATILITY]

    def sector_numbers(self) -> Int64Array | None:
        """Return the number of each symbol's sector, -1 where unknown; None where none is known."""
        names = sorted({name for name in self.sectors if name})
        places = {name: k for k, name in enumerate(names)}
        return np.array([places.get(name, -1) for name in self.sectors], dtype=np.int64) if names else None


def ground_of(
    lake: LakeAt,
    settings: TrainingSettings,
    features: str = "daily",
    *,
    alter: Callable[[FeatureTable], FeatureTable] | None = None,
) -> Ground:
    """Read a lake and return what a training on it learns from.

    Parameters
    ----------
    features : str
        One of ``FEATURE_SETS``.
    alter : callable, optional
        Another table in place of the set's, for features that no set holds (notebooks, tests).

    Raises
    ------
    ConfigError
        If there is no such set, or the lake has no daily bars.
    """
    market = load(open_lake(lake), INDEX)
    size = median_turnover(market.panel, settings.median_sessions)
    who = largest(size, market.panel.traded & market.common()[None, :], settings.universe_top)
    kept = np.flatnonzero(who.any(axis=0))
    if not len(kept):
        raise DataError(
            Text(ko="학습할 종목이 없습니다", en="there are no names to learn from"),
            expected=Text(
                ko=f"{settings.median_sessions}거래일 이상의 일봉이 있는 보통주",
                en=f"common shares with {settings.median_sessions} sessions of daily bars or more",
            ),
            found=f"{len(market.panel.symbols)} symbols, {len(market.panel)} sessions",
            next_step="haetae lake import --kind daily PATH · haetae collect backfill",
        )
    everyday = daily.build(market.panel, market.index_close)[:, kept]
    names, digest, specs, build = _set(features, market)
    values = everyday if features == "daily" else build(market.panel)[:, kept]
    table = FeatureTable(names, digest, np.ascontiguousarray(values), _absent(specs, values))
    panel = market.panel.columns(kept)
    given = table if alter is None else alter(table)
    return Ground(
        panel=panel,
        table=given,
        set_name=features,
        one_line=yardsticks.one_line_scores(everyday, daily.NAMES),
        who=np.ascontiguousarray(who[:, kept]),
        size=np.ascontiguousarray(size[:, kept]),
        sectors=tuple(market.history[symbol][-1].sector for symbol in panel.symbols),
        build=build,
        market=market,
        altered="" if alter is None else hashlib.blake2b(given.values.tobytes(), digest_size=8).hexdigest(),
    )


def _set(name: str, market: DailyMarket) -> tuple[tuple[str, ...], str, Sequence[FeatureSpec], Build]:
    if name == "daily":
        return daily.NAMES, daily.feature_hash(), daily.SPECS, lambda panel: daily.build(panel, _index(market, panel))
    chosen = _found(name)

    def build(panel: Panel) -> FloatArray:
        points = _index(market, panel)
        levels = None if points is None else np.where(points > 0, points / 100.0, np.nan)
        return chosen.batch(Inputs(panel, index_close=levels))

    return chosen.names, chosen.hash, chosen.specs, build


def _found(name: str) -> FeatureSet:
    try:
        found = importlib.import_module(f"haetae.features.{name}").SET if name in FEATURE_SETS else None
    except ImportError:
        found = None
    if not isinstance(found, FeatureSet):
        raise ConfigError(
            Text(ko=f"'{name}' 특징 집합은 없습니다", en=f"there is no feature set '{name}'"),
            expected=", ".join(FEATURE_SETS),
            found=name,
            next_step="--features daily",
        )
    return found


def _index(market: DailyMarket, panel: Panel) -> Int64Array | None:
    # A part of the rows may be asked for (the leak audit builds features again from fewer bars).
    if market.index_close is None:
        return None
    return market.index_close[np.searchsorted(market.panel.days, panel.days)]


def _absent(specs: Sequence[FeatureSpec], values: FloatArray) -> frozenset[str]:
    named = (k for k, spec in enumerate(specs) if _OF_OTHERS.intersection(spec.inputs))
    return frozenset(specs[k].name for k in named if not np.isfinite(values[..., k]).any())
