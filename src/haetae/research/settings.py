"""Settings of the research flow; a reason stands beside every default.

All of them were set before the flow first ran on real bars; nothing was tuned on its result.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from haetae.backtest import BacktestSettings
from haetae.ml.settings import RankerKind, RankerSettings, WalkForwardSettings
from haetae.portfolio import Constraints
from haetae.universe import UniverseSettings


@dataclass(frozen=True, slots=True)
class ResearchSettings:
    """One run of the flow, from the lake to the report."""

    first_test: dt.date | None = None
    """First day that is scored out of sample; None takes the first after the warm-up below."""
    warm_up_sessions: int = 246
    """A trading year before the first test day; at most a third of the lake's sessions is taken."""
    horizon_sessions: int = 5
    """A week: long enough to be worth a 0.2 % tax, short enough to leave many independent labels."""
    rebalance_sessions: int = 10
    """Two weeks between decisions; scores move slower than their labels end."""
    min_training_turnover_won: int = 500_000_000
    """20-day mean of what a symbol must trade to be learned from; the universe's own floor."""
    max_training_idle: float = 0.1
    """Share of the last 60 sessions without trade."""
    round_trip_bp: float = 34.0
    """In the decile spread: fees 2.8, sale tax 20 to 23, slippage of a tick each way about 10."""
    kinds: tuple[RankerKind, ...] = (RankerKind.LIGHTGBM, RankerKind.XGBOOST, RankerKind.CATBOOST)
    """Rankers to try; the first one's scores drive the portfolio, whatever the others show."""
    seed_count: int = 5
    """Fits per fold of the first ranker under different seeds; their scores are averaged as ranks."""
    other_seed_count: int = 1
    """The same of the other rankers, which stand beside the first: one seed shows whether they differ at all."""
    shuffled_controls: int = 2
    """Fits on labels dealt out anew: an alarm for leaks. One shows luck, two show its size."""
    control_thinning: int = 10
    """Controls learn from a tenth of the training sessions; a leak would show all the same."""
    index: str = "0001"
    """KOSPI, in the broker's code."""
    universe: UniverseSettings = field(default_factory=UniverseSettings)
    workers: int = 2
    """Fits at the same time, one thread each: two single threads do more than one fit on two. Scores do not depend
    on it."""
    ranker: RankerSettings = field(default_factory=RankerSettings)
    walk: WalkForwardSettings = field(default_factory=lambda: WalkForwardSettings(sample_every=7, test_rows=126))
    """Every seventh training session: five-day labels of the sessions between say much the same again, and weekdays
    take turns. Half a year between refits: a window of two years changes by a quarter. Both pay for five seeds, and for
    a study of five years of the whole market within five minutes on two cores."""
    constraints: Constraints = field(default_factory=Constraints)
    backtest: BacktestSettings = field(default_factory=BacktestSettings)
