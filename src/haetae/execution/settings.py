"""Settings of planning and reconciliation, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """How target weights become legs."""

    entry_collar_bp: int = 50
    """Buy limit above the last price: crosses the spread of liquid names, pays no more than 0.5 %."""

    exit_collar_bp: int = 150
    """Sell limit below the last price: leaving matters more than price."""

    band_ppm: int = 5_000
    """No leg for a change below 0.5 % of equity: such trades cost more than they mend."""

    min_order_won: int = 100_000
    """Smaller orders are dominated by the tick; a full exit is exempt."""

    cash_floor_ppm: int = 100_000
    """Ten percent of equity stays cash, as guard G14 demands; planning beyond it only makes denials."""

    max_legs: int = 12
    """Legs per proposal: one minute's budget of orders (guard G18), largest convictions first."""

    reserve_ppm: int = 3_000
    """Cash kept beside each buy for fees: 0.3 %, above any fee of the market (guard G15 uses the same)."""


@dataclass(frozen=True, slots=True)
class ReconcileSettings:
    """When a difference between our books and the broker's is what."""

    lag_reads: int = 3
    """A difference is only believed after three successive equal readings; before, the list may lag."""

    lag_s: int = 30
    """… of which the first and the last lie at least this far apart: holdings were seen to follow fills by seconds."""

    hidden_s: int = 240
    """An order the broker named and does not list for so long is a person's matter; lists lagged up to two minutes."""

    orderable_ppm: int = 3_000
    """What may be ordered can be below cash by 0.3 % without an order: the broker keeps fees aside."""

    settle_s: int = 120
    """No unknown order is called absent before 120 s: lists were seen to lag acceptance by over 30 s."""

    fee_tolerance_ppm: int = 500
    """Cash may differ by 0.05 % of the day's turnover: the broker's fee rounding is known next morning."""

    fee_tolerance_won: int = 1_000
    """Floor of that tolerance for days of little turnover."""

    adopt_before_s: int = 2
    """A row may be stamped this long before our send: clocks differ."""

    adopt_after_s: int = 15
    """…and this long after it: the deadline of the call plus ten seconds."""
