"""Settings of the portfolio's construction; a reason stands beside every default."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from enum import Enum

from haetae.domain.errors import ConfigError, Text


@dataclass(frozen=True, slots=True)
class Constraints:
    """What target weights must obey; all weights are shares of equity."""

    names: int = 20
    """Names held; more than twenty of fifty is the market, fewer lets one name decide."""
    keep_rank: int = 30
    """A held name stays until it falls below this place; saves a 0.2 % tax on every wobble."""
    max_weight: float = 0.08
    """One name; a limit-down day of it then costs 2.4 % of equity."""
    cash_floor: float = 0.02
    """Never invested; pays fees, and limit orders reserve above the last price."""
    band: float = 0.01
    """Smaller changes of a weight are left alone; they cost more than they mend."""
    turnover_cap: float = 1.0
    """Most that one construction buys and sells together; halves a full replacement."""


class Method(Enum):
    """How weights are found. The first four need no extra, the last two the extra ``optimise``."""

    EQUAL_WEIGHT = "equal_weight"
    INVERSE_VOLATILITY = "inverse_volatility"
    RISK_PARITY = "risk_parity"
    HIERARCHICAL = "hierarchical"
    MINIMUM_VARIANCE = "minimum_variance"
    SCORE_COST = "score_cost"

    @property
    def needs_solver(self) -> bool:
        """Whether the method states a convex problem for the optimiser."""
        return self in (Method.MINIMUM_VARIANCE, Method.SCORE_COST)


class Fallback(Enum):
    """What is proposed when the limits cannot all be met or the inputs or the solver fail."""

    HOLD = "hold"
    """Everything held stays."""
    SHRINK = "shrink"
    """Names over a limit are sold toward it as far as turnover allows; nothing is bought."""


class Candidates(Enum):
    """Which names a policy may buy."""

    BEST_SCORED = "best_scored"
    """The best scored ones; without scores nothing is proposed."""
    ALL = "all"
    """Every tradable name of the universe, scores or not; ``score_cost`` still needs a score to buy."""


class Estimator(Enum):
    """How the covariance of daily returns is estimated."""

    LEDOIT_WOLF = "ledoit_wolf"
    EXPONENTIAL = "exponential"


def _refuse(name: str, expected: str, found: object) -> ConfigError:
    return ConfigError(
        Text(f"포트폴리오 설정 {name} 값이 잘못되었습니다", f"the portfolio setting {name} is wrong"),
        expected=expected,
        found=str(found),
        next_step=Text(f"설정에서 {name} 값을 고치십시오.", f"correct {name} in the settings"),
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What every allocation must obey; all weights are shares of equity."""

    max_weight: float = 0.08
    """One name; a limit-down day of it then costs 2.4 % of equity."""
    sector_cap: float = 0.3
    """One sector together; names of one industry fall together. Names without a sector have none."""
    cash_floor: float = 0.02
    """Never invested; pays fees, and limit orders reserve above the last price."""
    invested_floor: float = 0.0
    """Least that is invested; 0 lets a policy go to cash, which is the safe direction."""
    turnover_cap: float = 1.0
    """Most that one allocation buys and sells together; halves a full replacement."""
    band: float = 0.01
    """Smaller changes are left alone by the methods that do not weigh costs themselves."""
    fallback: Fallback = Fallback.SHRINK
    """Selling toward the limits is never the larger risk; holding a name over its cap may be."""

    def __post_init__(self) -> None:
        """Refuse numbers that are no shares of equity."""
        for part in fields(self):
            value = getattr(self, part.name)
            top = 2.0 if part.name == "turnover_cap" else 1.0
            if isinstance(value, float | int) and not (math.isfinite(value) and 0.0 <= value <= top):
                raise _refuse(part.name, f"0 ... {top:g}", value)
        if self.invested_floor > 1.0 - self.cash_floor:
            raise _refuse("invested_floor", f"<= 1 - cash_floor = {1.0 - self.cash_floor:g}", self.invested_floor)


@dataclass(frozen=True, slots=True)
class CovarianceSettings:
    """How risk is read from daily returns."""

    estimator: Estimator = Estimator.LEDOIT_WOLF
    look_back_sessions: int = 750
    """Three years: fifty names need far more rows than names; older markets were other markets."""
    half_life_sessions: int = 120
    """Of the exponential weights: half a year, long enough for the correlations of fifty names."""
    full_history_sessions: int = 60
    """From a quarter of returns on a name's own numbers are used; below, its risk is borrowed."""

    def __post_init__(self) -> None:
        """Refuse windows in which nothing can be estimated."""
        for name in ("look_back_sessions", "half_life_sessions", "full_history_sessions"):
            if getattr(self, name) < 2:
                raise _refuse(name, ">= 2", getattr(self, name))


@dataclass(frozen=True, slots=True)
class CostSettings:
    """What a trade costs beside fee and tax."""

    half_spread_ticks: float = 0.5
    """Half of a spread of one tick, the narrowest there is and the usual one of large names."""
    slippage_bp: float = 2.0
    """Late by a second or two: the price that was decided on is rarely the price that is met."""
    impact: float = 0.0
    """Factor of the square-root law (cost = factor x daily volatility x sqrt(trade / day's turnover));
    0 leaves it out. About 1 fits what is published (Almgren 2005; Toth 2011); an account below a
    thousandth of the day's turnover does not need it."""

    def __post_init__(self) -> None:
        """Refuse costs that would pay for trading."""
        for part in fields(self):
            value = getattr(self, part.name)
            if not (math.isfinite(value) and value >= 0.0):
                raise _refuse(part.name, ">= 0", value)


@dataclass(frozen=True, slots=True)
class AllocationSettings:
    """Everything that chooses and bounds an allocation."""

    method: Method = Method.SCORE_COST
    candidates: Candidates = Candidates.BEST_SCORED
    """The optimiser sizes, the scores choose; without a model ``all`` is the honest setting."""
    names: int = 20
    """Names that the methods without expected returns spread over; see ``Constraints.names``."""
    keep_rank: int = 30
    """A held name stays among them until it falls below this place; see ``Constraints.keep_rank``."""
    risk_aversion: float = 10.0
    """Weight of half the variance against return, over the horizon; ten holds a book of KOSPI
    volatility about fully invested at a skill of ``information_coefficient``."""
    information_coefficient: float = 0.04
    """Correlation of scores with what came; what daily rankers show out of sample (rank IC 0.03 to 0.05)."""
    horizon_sessions: int = 10
    """Over which return, risk and cost are weighed; the two weeks between decisions."""
    limits: Limits = field(default_factory=Limits)
    covariance: CovarianceSettings = field(default_factory=CovarianceSettings)
    costs: CostSettings = field(default_factory=CostSettings)

    def __post_init__(self) -> None:
        """Refuse numbers without meaning."""
        if self.names < 1 or self.keep_rank < 1 or self.horizon_sessions < 1:
            raise _refuse("names, keep_rank, horizon_sessions", ">= 1", (self.names, self.keep_rank))
        if not (math.isfinite(self.risk_aversion) and self.risk_aversion > 0.0):
            raise _refuse("risk_aversion", "> 0", self.risk_aversion)
        if not 0.0 <= self.information_coefficient <= 1.0:
            raise _refuse("information_coefficient", "0 ... 1", self.information_coefficient)
