"""``review_day``: every leg that was decided, executed or not, with the same label for both.

The outcome is the return of the leg's side from the decision's price to the price ``horizon_minutes``
later (or the last one known), after cost. For a leg that was refused, reduced to nothing or never
filled it is what would have been earned: a counterfactual, marked by ``executed=False``. Labelling
only what was executed would make every gate look wise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from haetae.domain.learning import TradeReview
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_MINUTE, Instant, Symbol, Won
from haetae.review.settings import ReviewSettings
from haetae.review.story import Execution, Made, read_story

_BP = 10_000.0

PriceAt = Callable[[Symbol, Instant], Won | None]
"""Last price of a symbol at or before an instant, None if there is none; known at that instant."""


def review_day(
    entries: Iterable[tuple[int, Instant, str, Any]],
    price_at: PriceAt,
    *,
    resolved_at: Instant,
    settings: ReviewSettings | None = None,
) -> tuple[TradeReview, ...]:
    """Return a review of each decision whose outcome is known at ``resolved_at``, by time then id.

    Parameters
    ----------
    entries : a day's journal entries.
    price_at : prices for outcomes; nothing later than ``resolved_at`` is asked for.
    """
    chosen = settings or ReviewSettings()
    story = read_story(entries)
    by_decision: dict[str, list[Execution]] = {}
    for done in story.executions.values():
        by_decision.setdefault(done.decision_id, []).append(done)
    found = []
    for made in sorted(story.decisions.values(), key=lambda item: (item.at, item.decision_id)):
        due = made.at + chosen.horizon_minutes * NS_PER_MINUTE
        review = _review(
            made, by_decision.get(made.decision_id, []), price_at, min(due, resolved_at), resolved_at, chosen
        )
        if review is not None:
            found.append(review)
    return tuple(found)


def _review(
    made: Made, done: list[Execution], price_at: PriceAt, due: Instant, resolved_at: Instant, settings: ReviewSettings
) -> TradeReview | None:
    data = made.data
    symbol, side = str(data["symbol"]), Side(data["side"])
    before, after = int(data["last"]), price_at(symbol, due)
    if before <= 0 or after is None or after <= 0:
        return None
    quantity = sum(item.quantity for item in done)
    amount = sum(item.amount for item in done)
    cost = sum(item.cost for item in done)
    executed = quantity > 0
    average = amount // quantity if executed else 0
    entry = amount / quantity if executed else float(before)
    sign = 1.0 if side is Side.BUY else -1.0
    cost_bp = cost / amount * _BP if executed else settings.round_trip_bp / 2.0
    outcome = sign * (after / entry - 1.0) * _BP - cost_bp
    slippage = sign * (entry / before - 1.0) * _BP if executed else 0.0
    return TradeReview(
        decision_id=made.decision_id,
        symbol=symbol,
        side=side,
        status=str(data["status"]),
        executed=executed,
        quantity=quantity if executed else int(data["proposed"]),
        planned_price=int(data["limit_price"]),
        average_price=average,
        slippage_bp=round(slippage, 4),
        outcome_bp=round(outcome, 4),
        cost=cost,
        label=_label(outcome, settings.flat_bp, executed=executed),
        resolved_at=resolved_at,
    )


def _label(outcome_bp: float, flat_bp: float, *, executed: bool) -> str:
    """Return ``gain``/``loss``/``flat`` for what was done, ``missed_…``/``spared_…`` for what was not."""
    if abs(outcome_bp) <= flat_bp:
        return "flat"
    if executed:
        return "gain" if outcome_bp > 0 else "loss"
    return "missed_gain" if outcome_bp > 0 else "spared_loss"
