"""From a lake to what a training learns from: names of the day's highest turnover, their features, their yardsticks.

Only the columns that ever take part are kept; a day's members are chosen by what was known after its close.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.learning import FeatureSpec
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.features import catalogue, daily, refusals
from haetae.features.sets import FeatureSet, Float64Array, Grain, Inputs
from haetae.ml import yardsticks
from haetae.ml.membership import largest, median_turnover
from haetae.ml.training import FeatureTable, FloatArray, TrainingSettings
from haetae.research.beside import sector_numbers
from haetae.research.market import DailyMarket, load
from haetae.wiring.lakes import LakeAt, open_lake
from haetae.wiring.selection import INDEX

_OF_OTHERS = frozenset({"foreign_won", "institution_won", "individual_won", "sector", "imbalance"})
"""Inputs of features beside bars and an index; a lake of bars alone does not hold them."""

Build = Callable[[Panel], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all horizons share; arrays are ``(n_days, n_symbols)`` of the kept columns."""

    panel: Panel
    table: FeatureTable
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
        return sector_numbers(self.sectors)


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
        A set of daily features of the catalogue.
    alter : callable, optional
        Another table in place of the set's, for features that no set holds (notebooks, tests).

    Raises
    ------
    ConfigError
        If there is no such set of daily features.
    DataError
        If the lake has no daily bars, too few of them, or nobody to learn from.
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
    chosen = _daily_set(features)
    refusals.refuse_short_history(chosen, len(market.panel))
    inputs = market.inputs()
    values = chosen.batch(inputs)[:, kept]
    everyday = values if chosen is daily.SET else daily.SET.batch(inputs)[:, kept]
    table = FeatureTable(chosen.names, chosen.hash, np.ascontiguousarray(values), _absent(chosen.specs, values))
    panel = market.panel.columns(kept)
    given = table if alter is None else alter(table)
    return Ground(
        panel=panel,
        table=given,
        one_line=yardsticks.one_line_scores(everyday, daily.NAMES),
        who=np.ascontiguousarray(who[:, kept]),
        size=np.ascontiguousarray(size[:, kept]),
        sectors=tuple(market.history[symbol][-1].sector for symbol in panel.symbols),
        build=lambda part: chosen.batch(Inputs(part, index_close=_levels(inputs, part))),
        market=market,
        altered="" if alter is None else hashlib.blake2b(given.values.tobytes(), digest_size=8).hexdigest(),
    )


def _daily_set(name: str) -> FeatureSet:
    chosen = catalogue.named(name)
    if chosen.grain is not Grain.DAILY:
        raise ConfigError(
            Text(ko=f"'{name}' 은 일봉의 특징 집합이 아닙니다", en=f"'{name}' is no set of daily features"),
            expected=", ".join(each.name for each in catalogue.SETS.values() if each.grain is Grain.DAILY),
            found=chosen.grain.value,
            next_step="--features daily",
        )
    return chosen


def _levels(inputs: Inputs, part: Panel) -> Float64Array | None:
    # The leak audit builds features again from fewer rows and names.
    return None if inputs.index_close is None else inputs.index_close[np.searchsorted(inputs.panel.days, part.days)]


def _absent(specs: Sequence[FeatureSpec], values: FloatArray) -> frozenset[str]:
    named = (k for k, spec in enumerate(specs) if _OF_OTHERS.intersection(spec.inputs))
    return frozenset(specs[k].name for k in named if not np.isfinite(values[..., k]).any())
