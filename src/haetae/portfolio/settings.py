"""Settings of the portfolio's construction; a reason stands beside every default."""

from __future__ import annotations

from dataclasses import dataclass


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
