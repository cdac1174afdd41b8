"""Looking back: refused legs are labelled like executed ones, the attribution is exact, lessons have no effect."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from haetae.domain.events import Note
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_MINUTE
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.review import ReviewSettings, attribute, propose_lessons, review_day
from rigs.desk_day import CASH, DAY, codes, loose, minutes, open_day, session_start

SYMBOLS = codes(12)
START = session_start(SYMBOLS)
END = Rulebook.on(DAY).session.close_at


@pytest.fixture(scope="module")
def day():
    lived = open_day(SYMBOLS, settings=loose())
    lived.run(START, minutes(SYMBOLS, np.random.default_rng(11), count=150, shock=(100, 5, -0.05)))
    return lived


def entries(lived) -> list:
    records = [("event", 0, event) for event in lived.events]
    records += [("command", c.at if isinstance(c, Note) else 0, c) for c in lived.commands]
    return [(number, at, kind, record) for number, (kind, at, record) in enumerate(records)]


def prices(lived) -> Callable:
    pieces = [e for e in lived.events if hasattr(e, "close")]

    def at(symbol: str, moment: int) -> int | None:
        known = [p for p in pieces if p.end <= moment]
        return int(known[-1].close[SYMBOLS.index(symbol)]) if known else None

    return at


def test_every_decision_is_reviewed_executed_or_not(day) -> None:
    found = review_day(entries(day), prices(day), resolved_at=END)
    decided = [c.data["decision_id"] for c in day.commands if isinstance(c, Note) and c.kind == "decision.made"]
    assert sorted(r.decision_id for r in found) == sorted(decided)
    assert {r.executed for r in found} == {True, False}
    assert {r.status for r in found if not r.executed} >= {"BELOW_THRESHOLD"}
    assert {r.label for r in found if r.executed} <= {"gain", "loss", "flat"}
    assert {r.label for r in found if not r.executed} <= {"missed_gain", "spared_loss", "flat"}


def test_an_outcome_is_the_return_of_its_side_after_cost(day) -> None:
    found = {r.decision_id: r for r in review_day(entries(day), prices(day), resolved_at=END)}
    price = prices(day)
    for note in (c for c in day.commands if isinstance(c, Note) and c.kind == "decision.made"):
        review = found[note.data["decision_id"]]
        after = price(review.symbol, note.at + 60 * NS_PER_MINUTE)
        sign = 1 if review.side is Side.BUY else -1
        entry = review.average_price if review.executed else note.data["last"]
        rough = sign * (after / entry - 1) * 1e4
        assert review.outcome_bp == pytest.approx(
            rough - (review.cost / (review.quantity * entry) * 1e4 if review.executed else 11.4), abs=1.0
        )


def test_the_label_follows_the_outcome_and_the_flat_band(day) -> None:
    wide = review_day(entries(day), prices(day), resolved_at=END, settings=ReviewSettings(flat_bp=1e6))
    assert {r.label for r in wide} == {"flat"}
    for review in review_day(entries(day), prices(day), resolved_at=END):
        if abs(review.outcome_bp) > 5:
            assert (review.label in ("gain", "missed_gain")) == (review.outcome_bp > 0)


def test_nothing_later_than_the_resolution_is_looked_at(day) -> None:
    asked: list[int] = []
    price = prices(day)

    def spying(symbol: str, moment: int) -> int | None:
        asked.append(moment)
        return price(symbol, moment)

    resolved = START.at + 90 * NS_PER_MINUTE
    review_day(entries(day), spying, resolved_at=resolved)
    assert max(asked) <= resolved


def test_the_attribution_adds_up_to_the_change_of_equity(day) -> None:
    closes = {s: day.desk.price(s) for s in SYMBOLS}
    found = attribute(entries(day), open_book(CASH), dict(START.base_prices), closes)
    assert found.total == day.desk.equity - CASH
    assert found.total == found.carried + found.traded - found.costs
    assert sum(found.by_symbol.values()) == found.carried + found.traded
    assert found.costs == day.desk.book.fees + day.desk.book.taxes
    assert found.escaped != 0


def test_lessons_are_candidates_drawn_from_enough_cases_and_never_from_the_future(day) -> None:
    reviews = review_day(entries(day), prices(day), resolved_at=END)
    few = ReviewSettings(min_support=2, min_gain_bp=0.1)
    found = propose_lessons(entries(day), reviews, at=END, settings=few)
    assert found
    assert {lesson.state for lesson in found} == {"candidate"}
    assert all(lesson.support >= 2 and lesson.mean_gain_bp > 0 for lesson in found)
    assert all(set(lesson.evidence) <= {r.decision_id for r in reviews} for lesson in found)
    assert [lesson.mean_gain_bp for lesson in found] == sorted((x.mean_gain_bp for x in found), reverse=True)
    assert propose_lessons(entries(day), reviews, at=END - 1, settings=few) == ()
    assert propose_lessons(entries(day), reviews, at=END, settings=ReviewSettings(min_support=10_000)) == ()
