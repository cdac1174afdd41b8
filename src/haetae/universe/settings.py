"""Settings of the universe; a reason stands beside every default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EXCLUDED_FLAGS: Final = (
    "halted",
    "administrative",
    "liquidation",
    "caution",
    "warning",
    "danger",
    "unfaithful_disclosure",
)
"""Status words of the master file that bar a symbol; each is a state the exchange warns of."""


@dataclass(frozen=True, slots=True)
class UniverseSettings:
    """Floors, caps and weights of the selection."""

    size: int = 50
    """The owner's portfolio watches fifty names; 40 live price registrations and a slower tier."""
    min_listed_days: int = 180
    """Calendar days since listing; half a year lets the price find itself after an offering."""
    min_history_rows: int = 61
    """Sessions with a close; below it 60-day figures do not exist."""
    min_price_won: int = 1_000
    """Below it one tick is 0.1 % and more, and most names are distressed."""
    min_turnover_won: int = 500_000_000
    """Median of 60 days; 1 % of it is one position of a 250 million won account at 2 %."""
    min_market_cap_won: int = 50_000_000_000
    """50 billion won; checked only where the shares outstanding are known on the day."""
    max_idle_days: int = 6
    """Of the last 60 sessions; a tenth without trade means prices cannot be relied on."""
    sector_cap: int = 20
    """Names of one sector (40 %); a wider cap than funds use, because KRX weight sits in few sectors."""
    buffer: int = 10
    """Ranks below the cut that a former member may fall to and stay; halves churn at the edge."""
    liquidity_weight: float = 0.5
    """Rank of the 60-day median turnover; first because fills decide what a minute desk can do."""
    momentum_weight: float = 0.25
    """Rank of the return from 252 to 21 days ago (from the first close, if younger)."""
    calm_weight: float = 0.25
    """Rank of minus the 60-day volatility."""
    prices_adjusted: bool = False
    """True for adjusted bars: their level knows later splits, so the price floor is not applied."""
