"""The question of an allocation, with everything known at the decision, and its answer.

Here: ``Request``, ``Allocation`` and its ``Outcome``. All weights are shares of equity, arrays are
aligned with ``symbols``, which are sorted by code: so the order in which a caller lists names
cannot matter. Not here: how an answer is found (``methods``, ``optimiser``), shares (``lots``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from haetae.domain.learning import Targets
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.units import Symbol, Weight
from haetae.portfolio.settings import Fallback, Limits, Method

FloatArray = NDArray[np.float64]

DUST = 1e-6
"""Changes of a weight below a millionth of equity are the solver's noise and are not made."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What is held, what may be held, and what is thought of each name.

    Attributes
    ----------
    held : (n,) float64
        Present weights of equity.
    wanted : (n,) bool
        Names that may be bought. Others keep or lose weight.
    tradable : (n,) bool
        Names that can be traded now; the others keep exactly what is held.
    expected : (n,) float64
        Expected return over the horizon; NaN is no opinion, such a name is not bought.
    covariance : (n, n) float64
        Of returns over the same horizon.
    caps : (n,) float64
        Largest weight of each name.
    sectors : (n,) int64
        Place in ``sector_names``, -1 without a sector.
    sector_caps : (n_sectors,) float64
    buy_cost, sell_cost : (n,) float64
        Cost of a trade as a share of its amount: fees both ways, the tax in ``sell_cost`` only.
    impact : (n,) float64
        A trade of weight ``x`` costs ``impact * |x| ** 1.5`` more; 0 where there is none.
    risk_aversion : float
        Weight of half the variance against return and cost.
    """

    day: dt.date
    symbols: tuple[Symbol, ...]
    held: FloatArray
    wanted: BoolArray
    tradable: BoolArray
    expected: FloatArray
    covariance: FloatArray
    caps: FloatArray
    sectors: Int64Array
    sector_names: tuple[str, ...]
    sector_caps: FloatArray
    buy_cost: FloatArray
    sell_cost: FloatArray
    impact: FloatArray
    risk_aversion: float
    limits: Limits

    def __post_init__(self) -> None:
        """Check shapes and order, and make the arrays read-only."""
        n = len(self.symbols)
        if list(self.symbols) != sorted(set(self.symbols)):
            raise ValueError("request symbols must be distinct and sorted by code")
        for name in (
            "held", "wanted", "tradable", "expected", "caps", "sectors", "buy_cost", "sell_cost", "impact",
        ):  # fmt: skip
            column = getattr(self, name)
            if column.shape != (n,):
                raise ValueError(f"request column {name} has shape {column.shape}, expected ({n},)")
            column.flags.writeable = False
        if self.covariance.shape != (n, n):
            raise ValueError(f"request covariance has shape {self.covariance.shape}, expected ({n}, {n})")
        if self.sector_caps.shape != (len(self.sector_names),):
            raise ValueError("request has another number of sector caps than of sectors")
        if n and not (self.sectors.min() >= -1 and self.sectors.max() < len(self.sector_names)):
            raise ValueError("request names a sector that is not listed")
        self.covariance.flags.writeable = False
        self.sector_caps.flags.writeable = False

    @classmethod
    def of(
        cls,
        day: dt.date,
        *,
        held: Mapping[Symbol, Weight],
        wanted: Mapping[Symbol, float],
        symbols: tuple[Symbol, ...],
        covariance: FloatArray,
        limits: Limits | None = None,
        tradable: frozenset[Symbol] | None = None,
        sectors: Mapping[Symbol, str] | None = None,
        caps: Mapping[Symbol, float] | None = None,
        sector_caps: Mapping[str, float] | None = None,
        buy_cost: Mapping[Symbol, float] | None = None,
        sell_cost: Mapping[Symbol, float] | None = None,
        impact: Mapping[Symbol, float] | None = None,
        risk_aversion: float = 10.0,
    ) -> Request:
        """Return a request from mappings; the order of any of them does not matter.

        Parameters
        ----------
        held : weight of each name held; all of them must be among ``symbols``
        wanted : names that may be bought, with their expected return over the horizon (NaN: no opinion)
        symbols, covariance : rows and columns of the covariance, any order
        caps, sector_caps : exceptions from ``limits``
        buy_cost, sell_cost, impact : missing names cost nothing
        """
        rules = limits or Limits()
        names = tuple(sorted(symbols))
        unknown = (set(held) | set(wanted)) - set(names)
        if unknown or len(set(names)) != len(names):
            raise ValueError(f"names without a row of the covariance, or twice: {sorted(unknown)}")
        place = {symbol: k for k, symbol in enumerate(symbols)}
        order = np.array([place[s] for s in names], dtype=np.int64)

        def column(known: Mapping[Symbol, float] | None, otherwise: float) -> FloatArray:
            return np.array([(known or {}).get(s, otherwise) for s in names], dtype=np.float64)

        belongs = [(sectors or {}).get(s, "") for s in names]
        sector_names = tuple(sorted({name for name in belongs if name}))
        return cls(
            day=day,
            symbols=names,
            held=column(held, 0.0),
            wanted=np.array([s in wanted for s in names], dtype=np.bool_),
            tradable=np.array([tradable is None or s in tradable for s in names], dtype=np.bool_),
            expected=column(wanted, np.nan),
            covariance=np.ascontiguousarray(covariance[np.ix_(order, order)], dtype=np.float64),
            caps=column(caps, rules.max_weight),
            sectors=np.array([sector_names.index(name) if name else -1 for name in belongs], dtype=np.int64),
            sector_names=sector_names,
            sector_caps=np.array([(sector_caps or {}).get(name, rules.sector_cap) for name in sector_names]),
            buy_cost=column(buy_cost, 0.0),
            sell_cost=column(sell_cost, 0.0),
            impact=column(impact, 0.0),
            risk_aversion=risk_aversion,
            limits=rules,
        )

    def in_sector(self, number: int) -> BoolArray:
        """Return which names belong to a sector."""
        return self.sectors == number


class Outcome(Enum):
    """What became of a request; all but ``SOLVED`` are answered by the fallback."""

    SOLVED = "solved"
    NOTHING_WANTED = "nothing_wanted"
    NO_HISTORY = "no_history"
    BAD_INPUT = "bad_input"
    INFEASIBLE = "infeasible"
    SOLVER_FAILED = "solver_failed"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One of the limits that cannot be met together.

    ``limit`` is its present value; ``needed`` is the value that would do if every other limit stays as
    it is, NaN where no value of this one alone would.
    """

    name: str
    limit: float
    needed: float

    def __str__(self) -> str:
        """Return ``turnover_cap 0.1 (needs 0.32)``."""
        tail = f" (needs {self.needed:.4g})" if np.isfinite(self.needed) else ""
        return f"{self.name} {self.limit:.4g}{tail}"


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Target weights and how they came about.

    Attributes
    ----------
    weights : (n,) float64
        Aligned with ``symbols``; equal to ``held`` where nothing is to be done.
    detail : str
        What was wrong, empty if nothing was: the input, the solver's word.
    conflicts : tuple of Conflict
        An irreducible set: without any one of them the others can be met.
    fallback : Fallback or None
        Which one answered; None if the method did.
    expected, cost, variance, variance_held, turnover : float
        Of ``weights``: expected return and variance over the horizon, cost and turnover of the way there.
    """

    day: dt.date
    method: Method
    symbols: tuple[Symbol, ...]
    held: FloatArray
    weights: FloatArray
    outcome: Outcome
    detail: str = ""
    conflicts: tuple[Conflict, ...] = ()
    fallback: Fallback | None = None
    expected: float = 0.0
    cost: float = 0.0
    variance: float = float("nan")
    variance_held: float = float("nan")
    turnover: float = 0.0

    @property
    def reason(self) -> str:
        """Why a fallback answered, in one line; empty if the method did."""
        if self.outcome is Outcome.SOLVED:
            return ""
        told = " + ".join(str(conflict) for conflict in self.conflicts) or self.detail
        means = f"; {self.fallback.value}" if self.fallback else ""
        return f"{self.outcome.value}: {told}{means}" if told else f"{self.outcome.value}{means}"

    def changes(self) -> dict[Symbol, Weight]:
        """Return the target weights of the names to be traded, by code."""
        moved = np.flatnonzero((self.weights > self.held) | (self.weights < self.held))
        return {self.symbols[k]: float(self.weights[k]) for k in moved}

    def targets(self) -> Targets:
        """Return weights of all names with a target or a holding, as ``construct`` does."""
        kept = np.flatnonzero((self.weights > 0.0) | (self.held > 0.0))
        return Targets(self.day, {self.symbols[k]: float(self.weights[k]) for k in kept}, self.reason)
