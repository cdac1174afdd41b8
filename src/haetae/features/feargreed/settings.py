"""Settings of fear & greed; a reason stands beside every default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_WINDOW: Final = 1_260
"""Five trading years; a longer memory ranks today against another market."""


@dataclass(frozen=True, slots=True)
class FearGreedSettings:
    """Weights, ranking and sources of the index.

    A weight of 0 leaves a component out of the index; it is still computed and shown.
    """

    momentum_weight: float = 1.0
    """Equal weights for each of seven ideas: nothing was fitted, so nothing can have been fitted to hindsight."""
    strength_weight: float = 1.0
    breadth_weight: float = 1.0
    calm_weight: float = 1.0
    appetite_weight: float = 1.0
    foreign_flow_weight: float = 1.0
    bond_haven_weight: float = 0.5
    """Bond and dollar are one idea, the flight to safety, seen from two sides: half a weight each."""
    dollar_haven_weight: float = 0.5
    window_days: int = 252
    """A component is ranked against its own trailing year; a longer window forgets a crash too slowly."""
    least_days: int = 60
    """Days of a component before its rank means anything; until then it counts as missing."""
    least_weight: float = 0.4
    """Share of all weights that must be present, three of the seven ideas; with less a day has no value instead of a
    doubtful one. What bars alone tell in their first year (momentum, breadth, appetite) is just enough."""
    usual_sessions: int = 60
    """Sessions whose volatility up to the same minute tells what is usual there (a quarter)."""
    index: str = "0001"
    """KOSPI in the broker's index codes."""
    volatility_index: str = "VKOSPI"
    """Name in ``index_daily`` of the implied volatility of KOSPI 200; used in place of realised volatility where it is
    known. The collector does not ask for it, so it comes by import."""
    bond_symbols: tuple[str, ...] = ("152380", "148070")
    """Funds of ten-year treasuries (KODEX, KIWOOM): the broker serves their bars like those of a stock, known at the
    close, since 2012. The first one with bars in the lake counts."""
    dollar_symbols: tuple[str, ...] = ("261240", "138230")
    """Funds of dollar futures (KODEX, KIWOOM), for the same reasons."""
    dollar_index: str = "USDKRW"
    """Rate in ``index_daily`` that stands in for the funds; its time of fixing is unknown, so it counts a day late."""

    def __post_init__(self) -> None:
        """Refuse weights and windows that cannot be meant."""
        for name, weight in zip(WEIGHTS, self.weights, strict=True):
            if not 0.0 <= weight < float("inf"):
                raise ValueError(f"{name} must be a number >= 0, found {weight}")
        if sum(self.weights) <= 0.0:
            raise ValueError("at least one weight must be above 0")
        if not 2 <= self.least_days <= self.window_days <= LONGEST_WINDOW:
            raise ValueError(
                f"2 <= least_days <= window_days <= {LONGEST_WINDOW}, found {self.least_days} and {self.window_days}"
            )
        if not 0.0 < self.least_weight <= 1.0:
            raise ValueError(f"least_weight must be above 0 and at most 1, found {self.least_weight}")
        if self.usual_sessions < 20:
            raise ValueError(f"usual_sessions must be at least 20, found {self.usual_sessions}")

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights in the order of the components."""
        return tuple(getattr(self, name) for name in WEIGHTS)


WEIGHTS: Final = (
    "momentum_weight",
    "strength_weight",
    "breadth_weight",
    "calm_weight",
    "appetite_weight",
    "foreign_flow_weight",
    "bond_haven_weight",
    "dollar_haven_weight",
)
"""Fields that hold the weights, in the order of ``components.COMPONENTS``."""
