"""Settings of a simulated run; money in won, counts in sessions or bars."""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.units import Won


@dataclass(frozen=True, slots=True)
class BacktestSettings:
    """How a run starts and how long an unfinished rebalance is worked.

    Attributes
    ----------
    cash : won
        100 million: an amount at which whole shares and the volume cap are felt but do not rule.
    work_sessions : int
        Sessions an unfilled target is re-ordered (day orders expire every evening). 3: a locked
        limit or a thin day is usually over by then; a delisted name must not be chased for ever.
    work_bars : int
        The same in bars for minute panels. 5: after five minutes the decision is old.
    min_order_won : won
        Smaller differences are left alone. 50,000: below it the fee is rounding noise.
    cash_floor_ppm : int
        Share of equity that targets may not spend, in parts per million. 5,000 (0.5 %): the fee
        and one tick of slippage of a full investment fit in it.
    delay_bars : int
        Bars that pass between a decision and its first order, beyond the one every order waits. 0:
        an order meets the next bar. More asks how much of a result hangs on being fast.
    cost_multiple_ppm : int
        Fees, taxes and slippage times this, in parts per million. 1,000,000: as they are. Other
        values ask how much of a result hangs on the costs being right; see ``charges``.
    """

    cash: Won = 100_000_000
    work_sessions: int = 3
    work_bars: int = 5
    min_order_won: Won = 50_000
    cash_floor_ppm: int = 5_000
    delay_bars: int = 0
    cost_multiple_ppm: int = 1_000_000

    def __post_init__(self) -> None:
        """Refuse orders before their decision and costs that pay us."""
        if self.delay_bars < 0 or self.cost_multiple_ppm < 0:
            raise ValueError("a delay cannot be negative, and costs cannot pay us: both are at least 0")
