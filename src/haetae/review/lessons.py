"""Candidate lessons: rules drawn from reviews by counting, never by prose.

A candidate is a trigger over known facts and an effect that can only lower risk (veto, reduce) or
asks for a looser gate to be tested. It is written down with its evidence and has no effect:
promotion needs later decisions, a bound on the gain, and a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.orders import Side
from haetae.domain.units import Instant, minute_of_day
from haetae.review.settings import ReviewSettings
from haetae.review.story import Made, read_story

_Fact = Callable[[Made], str | None]


def _hour(made: Made) -> str | None:
    return f"hour={minute_of_day(made.at) // 60:02d}"


def _confidence(made: Made) -> str | None:
    value = float(made.data["confidence"])
    if value <= 0.0:
        return None
    step = int(value * 20) / 20
    return f"confidence in [{step:.2f}, {step + 0.05:.2f})"


def _escape(made: Made) -> str | None:
    level = str(made.data["escape_level"])
    return None if level == "NORMAL" else f"escape_level={level}"


def _status(made: Made) -> str | None:
    status = str(made.data["status"])
    return f"status={status}" if status in ("BELOW_THRESHOLD", "MODEL_REJECT", "MODEL_REDUCE") else None


def _symbol(made: Made) -> str | None:
    return f"symbol={made.data['symbol']}"


_FACTS: tuple[_Fact, ...] = (_hour, _confidence, _escape, _status, _symbol)


def propose_lessons(
    entries: Iterable[tuple[int, Instant, str, Any]],
    reviews: Sequence[TradeReview],
    *,
    at: Instant,
    settings: ReviewSettings | None = None,
) -> tuple[Lesson, ...]:
    """Return candidate lessons on entries (buys), strongest first; ``state`` is always ``candidate``.

    Only reviews with ``resolved_at <= at`` count: a lesson never knows the future.
    """
    chosen = settings or ReviewSettings()
    story = read_story(entries)
    groups: dict[tuple[str, bool], list[TradeReview]] = {}
    for review in reviews:
        made = story.decisions.get(review.decision_id)
        if made is None or review.side is not Side.BUY or review.resolved_at > at:
            continue
        for fact in _FACTS:
            trigger = fact(made)
            if trigger is not None:
                groups.setdefault((trigger, review.executed), []).append(review)
    found = []
    for (trigger, executed), cases in sorted(groups.items()):
        mean = sum(case.outcome_bp for case in cases) / len(cases)
        if len(cases) < chosen.min_support or abs(mean) < chosen.min_gain_bp:
            continue
        if executed and mean < 0.0:
            effect, gain = "veto", -mean
        elif not executed and mean > 0.0:
            effect, gain = "test_looser_gate", mean
        else:
            continue
        evidence = tuple(case.decision_id for case in cases)
        found.append(
            Lesson(
                lesson_id=_name(trigger, effect, evidence),
                trigger=trigger,
                effect=effect,
                evidence=evidence,
                support=len(cases),
                mean_gain_bp=round(gain, 4),
                state="candidate",
                created_at=at,
            )
        )
    return tuple(sorted(found, key=lambda lesson: (-lesson.mean_gain_bp, lesson.lesson_id)))


def _name(trigger: str, effect: str, evidence: Sequence[str]) -> str:
    text = "|".join((trigger, effect, *evidence))
    return "L" + hashlib.sha256(text.encode()).hexdigest()[:15]
