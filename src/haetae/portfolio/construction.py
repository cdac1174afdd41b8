"""Scores to target weights: the best names, inverse volatility, capped, with little trading.

The result obeys, for any input (each a property test):

- every weight is at least 0 and at most ``max_weight``, or at most what is held already;
- the sum is at most ``1 - cash_floor``, or at most what is held already;
- names that cannot be traded keep exactly what is held;
- the sum of absolute changes is at most ``turnover_cap``;
- a change smaller than ``band`` of a name that stays is not made.

Long only; the rest is cash. Not here: whole shares, limit prices, orders (``execution``).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence

from haetae.domain.learning import Targets
from haetae.domain.units import Symbol, Weight
from haetae.portfolio.settings import Constraints

_DUST = 1e-9


def best_names(ranked: Sequence[Symbol], held: Mapping[Symbol, Weight], names: int, keep_rank: int) -> list[Symbol]:
    """Return the names to hold, those that stay first.

    Parameters
    ----------
    ranked : best first
    names, keep_rank : how many; a held name stays until it falls below the place ``keep_rank``
    """
    staying = [symbol for symbol in ranked[:keep_rank] if held.get(symbol, 0.0) > _DUST][:names]
    fresh = [symbol for symbol in ranked if symbol not in set(staying)]
    return staying + fresh[: max(0, names - len(staying))]


def _capped(raw: dict[Symbol, float], budget: float, cap: float) -> dict[Symbol, float]:
    # Share the budget in proportion; what is above the cap goes to the others until nothing is.
    weights: dict[Symbol, float] = {}
    open_names = dict(raw)
    left = budget
    while open_names and left > _DUST:
        total = sum(open_names.values())
        over = [symbol for symbol, part in open_names.items() if left * part / total > cap]
        if not over:
            weights |= {symbol: left * part / total for symbol, part in open_names.items()}
            break
        for symbol in over:
            weights[symbol] = cap
            left -= cap
            del open_names[symbol]
    return weights


def _inverse_volatility(chosen: list[Symbol], volatility: Mapping[Symbol, float]) -> dict[Symbol, float]:
    known = sorted(v for v in (volatility.get(s, math.nan) for s in chosen) if math.isfinite(v) and v > 0)
    middle = known[len(known) // 2] if known else 1.0
    floor = middle / 4.0  # a name that hardly moved lately must not take the book
    raw = {}
    for symbol in chosen:
        own = volatility.get(symbol, math.nan)
        raw[symbol] = 1.0 / max(own if math.isfinite(own) and own > 0 else middle, floor)
    return raw


def construct(
    day: dt.date,
    scores: Mapping[Symbol, float],
    volatility: Mapping[Symbol, float],
    held: Mapping[Symbol, Weight],
    limits: Constraints | None = None,
    *,
    tradable: Iterable[Symbol] | None = None,
) -> Targets:
    """Return target weights for every name held or wanted.

    Parameters
    ----------
    scores : mapping of symbol to score
        Higher is better, any scale; NaN means no opinion. Held names without a score are sold.
    volatility : mapping of symbol to float
        Any measure of risk; unknown values take the median of the chosen names.
    held : mapping of symbol to weight
        Present weights of equity.
    tradable : iterable of symbol, optional
        What can be traded now; None means everything.

    Returns
    -------
    Targets
        Weights of all names with a target or a holding (0 means sell). ``reason`` is
        ``no_scores`` when no tradable name has a score: everything held is then kept.
    """
    rules = limits or Constraints()
    free = None if tradable is None else frozenset(tradable)
    frozen = {s: w for s, w in held.items() if free is not None and s not in free}
    ranked = sorted(
        (s for s, value in scores.items() if math.isfinite(value) and (free is None or s in free)),
        key=lambda s: (-scores[s], s),
    )
    if not ranked:
        return Targets(day, dict(sorted(held.items())), "no_scores")
    budget = max(0.0, 1.0 - rules.cash_floor - sum(frozen.values()))
    free_held = {s: w for s, w in held.items() if s not in frozen}
    chosen = best_names(ranked, free_held, rules.names, rules.keep_rank)
    wanted = _capped(_inverse_volatility(chosen, volatility), budget, rules.max_weight)
    moves: dict[Symbol, float] = {}
    for symbol in sorted(set(wanted) | (set(held) - set(frozen))):
        target, now = wanted.get(symbol, 0.0), held.get(symbol, 0.0)
        if target <= 0.0 or abs(target - now) >= rules.band:
            moves[symbol] = target - now
    kept = {s: w for s, w in held.items() if s not in moves}
    sold = sum(held.get(s, 0.0) + min(change, 0.0) for s, change in moves.items())
    room = max(0.0, 1.0 - rules.cash_floor - sum(kept.values()) - sold)
    bought = sum(change for change in moves.values() if change > 0)
    squeeze = min(1.0, room / bought) if bought > _DUST else 1.0
    moves = {s: change * squeeze if change > 0 else change for s, change in moves.items()}
    traded = sum(abs(change) for change in moves.values())
    pace = min(1.0, rules.turnover_cap / traded) if traded > _DUST else 1.0
    weights = {s: max(0.0, held.get(s, 0.0) + change * pace) for s, change in moves.items()} | kept
    weights = {s: w for s, w in sorted(weights.items()) if w > _DUST or held.get(s, 0.0) > 0.0}
    return Targets(day, weights)
