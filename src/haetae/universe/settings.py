"""Settings of the universe; a reason stands beside every default.

None of them was chosen by looking at what a selection earned later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from haetae.domain.errors import ConfigError, Text

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

KNOWN_FLAGS: Final = frozenset({*EXCLUDED_FLAGS, "short_overheated", "vi"})
"""Status words that may bar; a word outside would bar nobody and is refused."""

PARTS: Final = ("value", "quality", "momentum", "low_volatility", "liquidity")
"""The parts of a score, in the order in which they are told."""


class MissingParts(Enum):
    """What becomes of a symbol of which a part of the score cannot be known on the day; it is flagged each time."""

    REWEIGHT = "reweight"
    """The parts that are known share the whole weight in their proportions."""
    NEUTRAL = "neutral"
    """The missing part counts as the middle rank."""
    EXCLUDE = "exclude"
    """A symbol without value or quality is left out, with its reason; other parts are reweighted."""


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
    """50 billion won; checked only where the market cap is known on the day."""
    max_idle_days: int = 6
    """Of the last 60 sessions; a tenth without trade means prices cannot be relied on."""
    excluded_flags: tuple[str, ...] = EXCLUDED_FLAGS
    """Words that bar; ``short_overheated`` is not among them: it lasts three sessions and says nothing of the firm."""
    sector_cap: int = 20
    """Names of one sector (40 %); a wider cap than funds use, because KRX weight sits in few sectors."""
    buffer: int = 10
    """Ranks below the cut that a former member may fall to and stay; 20 % change a month, not 25 % (2020-2021)."""
    value_weight: float = 0.20
    """Mean rank of earnings yield and book-to-price; two figures, for each alone is fooled by one odd year."""
    quality_weight: float = 0.20
    """Mean rank of return on equity, little debt and operating margin; keeps value from being a list of the dying."""
    momentum_weight: float = 0.15
    """Rank of the return from 252 to 21 sessions ago; the last month is left out because it tends to turn back."""
    low_volatility_weight: float = 0.15
    """Rank of minus the 60-day volatility; the hardest one-line score to beat on this market."""
    liquidity_weight: float = 0.30
    """Rank of the 60-day median turnover; first because fills decide what a minute desk can do."""
    missing_parts: MissingParts = MissingParts.REWEIGHT
    """Reweighted, because a lake without statements must not choose by what it lacks; never zero, always flagged."""
    max_statement_age_days: int = 550
    """From the end of its period: a year, the 90 days of filing, a quarter of patience; older ones count as missing."""
    min_momentum_rows: int = 126
    """Known daily returns of the last 252; half a year, below it the figure is another one and counts as missing."""
    prices_adjusted: bool = False
    """True for adjusted bars: their level knows later splits, so price floor, market cap and value are left out."""

    def __post_init__(self) -> None:
        """Refuse what no selection can be made with, all faults at once."""
        least = {
            "size": 1,
            "sector_cap": 1,
            "min_history_rows": 1,
            "max_statement_age_days": 1,
            "min_momentum_rows": 1,
            "buffer": 0,
            "min_listed_days": 0,
            "min_price_won": 0,
            "min_turnover_won": 0,
            "min_market_cap_won": 0,
            "max_idle_days": 0,
        }
        faults = [
            f"{name} {getattr(self, name)} < {floor}" for name, floor in least.items() if getattr(self, name) < floor
        ]
        weights = self.weights
        faults += [f"{part}_weight {weight}" for part, weight in weights.items() if not 0 <= weight < math.inf]
        faults += [f"excluded_flags {word!r}" for word in self.excluded_flags if word not in KNOWN_FLAGS]
        if not faults and sum(weights.values()) <= 0:
            faults.append("every weight is 0")
        if faults:
            raise ConfigError(
                Text(ko="유니버스 설정이 맞지 않습니다", en="the settings of the universe do not fit"),
                expected=Text(
                    ko="0 이상의 하한, 1 이상의 종목 수·업종 한도, 0 이상이고 합이 0보다 큰 가중치, 아는 상태 낱말",
                    en="floors of 0 or more, a size and a sector cap of 1 or more, weights of 0 or more that are not "
                    "all 0, known status words",
                ),
                found=", ".join(faults),
                next_step=Text(
                    ko="[research.universe] 또는 --set 의 그 값을 고치세요",
                    en="mend those values in [research.universe] or in --set",
                ),
            )

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each part, in the order of ``PARTS``; they need not sum to 1."""
        return MappingProxyType({part: float(getattr(self, f"{part}_weight")) for part in PARTS})
