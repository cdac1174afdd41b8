"""Settings of the rankers and of their trial; a reason stands beside every default."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class RankerKind(Enum):
    """Which library fits the trees."""

    LIGHTGBM = "lightgbm"
    XGBOOST = "xgboost"
    CATBOOST = "catboost"


class Objective(Enum):
    """What the trees are grown for: the squared error of the day's rank, or the order of pairs of a day."""

    REGRESSION = "regression"
    LAMBDARANK = "lambdarank"


class Device(Enum):
    """Where the trees are grown; scores are always computed on the processor."""

    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """Shape of the trees, in the words of all three libraries.

    The values were set before the first fit on real bars and never tuned on a result: daily
    returns hold little signal, so trees are small, leaves large and rows and columns sampled.
    """

    kind: RankerKind = RankerKind.LIGHTGBM
    rounds: int = 200
    """Trees; with the learning rate below, twice as many change rank IC by less than its error."""
    learning_rate: float = 0.05
    depth: int = 5
    """At most 32 leaves a tree: interactions of up to five features."""
    min_leaf: int = 200
    """Rows a leaf must hold; a leaf then spans many days and cannot name one event."""
    row_share: float = 0.7
    column_share: float = 0.7
    l2: float = 5.0
    seed: int = 7
    n_threads: int = 1
    """Threads of the fit; one by default because trading runs on the same machine."""
    objective: Objective = Objective.REGRESSION
    """Regression: on tenths with this little signal the pairs of LambdaRank cost time and add noise."""
    device: Device = Device.CPU
    early_stopping: bool = False
    """Cut the trees where the rank IC on a validation window was best, if there is such a window."""


@dataclass(frozen=True, slots=True)
class WalkForwardSettings:
    """How training and test windows move through the rows (sessions)."""

    train_rows: int = 504
    """Two trading years; older regimes of costs and participants teach little."""
    min_train_rows: int = 60
    """Fewer labelled sessions than this and the fold is not fitted."""
    test_rows: int = 63
    """A quarter between refits."""
    embargo_rows: int = 5
    """Sessions dropped between the last label's end and the first test row, beyond the purge."""
    sample_every: int = 2
    """Every second training session; neighbouring five-day labels overlap and say the same."""


@dataclass(frozen=True, slots=True)
class PromotionSettings:
    """What a model must show before it decides over money; the defaults are also the loosest that are allowed.

    A configuration may ask for more, never for less: a threshold that can be lowered the evening before a promotion
    is none. Loosening is a change of this file, with its reason.
    """

    min_t: float = 3.0
    """Of the out-of-sample rank IC. Harvey, Liu and Zhu (2016), "... and the Cross-Section of Expected Returns":
    after so many published factors 2 is luck, 3 is the least."""
    min_neutral_rank_ic: float = 0.0
    """What is left when the low-volatility rank is taken out must not point the other way."""
    max_control_t: float = 3.0
    """Of fits on shuffled labels, the largest: a leak stands far above, several quiet fits reach 2 by chance."""
    min_deflated_sharpe: float = 0.95
    """The level of Bailey and Lopez de Prado (2014), with every trial of the book counted."""
    max_overfitting: float = 0.05
    """Probability above which Bailey, Borwein, Lopez de Prado and Zhu (2015) would reject a choice."""
    min_excess_t: float = 2.0
    """Of a policy's daily excess over the best benchmark: two standard errors."""
    min_shadow_sessions: int = 20
    """A month of forecasts written down in time, each with its outcome known."""
    max_shortfall_t: float = 2.0
    """Standard errors by which shadow may fall short of the promise before it counts as broken."""

    def __post_init__(self) -> None:
        """Refuse thresholds looser than the defaults."""
        floors = {name: field.default for name, field in type(self).__dataclass_fields__.items()}
        for name, floor in floors.items():
            value = getattr(self, name)
            looser = value > floor if name.startswith("max_") else value < floor
            if looser or value != value:
                side = "at most" if name.startswith("max_") else "at least"
                raise ValueError(f"{name} {value} is looser than allowed: {side} {floor}")


@dataclass(frozen=True, slots=True)
class MlSettings:
    """The section ``[ml]`` of the configuration."""

    promotion: PromotionSettings = field(default_factory=PromotionSettings)
