"""Looking back on a journal: labels of every decision, the profit by source, candidate lessons.

Here: prices from the lake for ``review``, and the entries a review appends. Not here: what a label or a
lesson is (``review``), who approves one (``lessons``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain import codec
from haetae.domain.account import Book
from haetae.domain.errors import JournalError, Text
from haetae.domain.events import Note
from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.panel import Panel
from haetae.domain.units import Instant, Symbol, Won
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live.recovery import OPENED, RUN, day_entries
from haetae.ports import Clock, Journal
from haetae.ports.tables import daily_table
from haetae.review import Attribution, attribute, propose_lessons, read_story, review_day
from haetae.store.lake import Lake
from haetae.wiring.deciders import open_critic
from haetae.wiring.desks import read_plan
from haetae.wiring.journal_places import open_journal
from haetae.wiring.lessons import LESSON, fold

REVIEW, CRITIQUE = "review", "critique"
"""Kinds of the entries that a review appends beside the lessons."""
CRITIQUES = 12
"""The farthest outcomes of a day are asked about; each call costs money."""


def review(journal_path: Path, lake: Lake, days: Sequence[dt.date]) -> dict[str, Any]:
    """Label every decision of the days, attribute their profit, propose lessons; all into the journal.

    What an earlier review wrote down is not written again: a lesson that was approved stays approved.
    """
    reviews: list[TradeReview] = []
    lessons: list[Lesson] = []
    attributions: list[dict[str, Any]] = []
    with open_journal(journal_path) as journal:
        known = {record.decision_id for _, _, _, record in journal.entries(kind=REVIEW)}
        for day in days:
            entries = list(day_entries(journal, day))
            story = read_story(entries)
            names = {str(made.data["symbol"]) for made in story.decisions.values()}
            names |= {done.symbol for done in story.executions.values()} | set(_opening(journal, day).positions)
            if not names:
                continue
            panel = lake.panel("minute", sorted(names), day, day)
            resolved_at = Rulebook.on(day).session.close_at
            labelled = review_day(entries, _price_at(panel), resolved_at=resolved_at)
            reviews += labelled
            lessons += propose_lessons(entries, labelled, at=resolved_at)
            attributions.append({"day": day.isoformat(), **_attributed(journal, day, entries, lake, sorted(names))})
        fresh = [(r.resolved_at, r) for r in reviews if r.decision_id not in known]
        journal.append(REVIEW, fresh, durable=False)
        told = fold(journal)
        unknown = {lesson.lesson_id: lesson for lesson in lessons if lesson.lesson_id not in told}
        journal.append(LESSON, [(lesson.created_at, lesson) for lesson in unknown.values()], durable=True)
    return {
        "reviews": len(reviews),
        "outcomes": _outcomes(reviews),
        "attribution": attributions,
        "lessons": [_plain(lesson) for lesson in lessons],
    }


def _plain(lesson: Lesson) -> dict[str, Any]:
    told = asdict(lesson)
    return {name: told[name] for name in ("lesson_id", "trigger", "effect", "support", "mean_gain_bp", "state")}


def _price_at(panel: Panel) -> Callable[[Symbol, Instant], Won | None]:
    column = {symbol: k for k, symbol in enumerate(panel.symbols)}

    def price_at(symbol: Symbol, at: Instant) -> Won | None:
        row = int(np.searchsorted(panel.end, at, side="right")) - 1
        if symbol not in column or row < 0:
            return None
        price = int(panel.close[row, column[symbol]])
        return price or None

    return price_at


def _opening(journal: Journal, day: dt.date) -> Book:
    first = next(iter(day_entries(journal, day)), None)
    if first is None:
        return open_book(0)
    book: Book = codec.decode(str(first[3].data["book"]))
    return book


def _attributed(
    journal: Journal, day: dt.date, entries: Sequence[Any], lake: Lake, names: Sequence[Symbol]
) -> dict[str, Any]:
    bars = lake.panel(daily_table(lake.versions()), names, None, day)
    closes = {s: int(bars.close[-1, k]) for k, s in enumerate(bars.symbols)}
    before = {s: int(bars.close[-2, k]) for k, s in enumerate(bars.symbols)}
    found: Attribution = attribute(entries, _opening(journal, day), before, closes)
    told = asdict(found)
    told.pop("by_symbol")
    return told


def _outcomes(reviews: Sequence[TradeReview]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, bool], list[float]] = {}
    for item in reviews:
        groups.setdefault((item.status, item.executed), []).append(item.outcome_bp)
    return [
        {"status": status, "executed": executed, "count": len(values), "mean_bp": round(sum(values) / len(values), 2)}
        for (status, executed), values in sorted(groups.items())
    ]


def days_of(path: Path) -> tuple[dt.date, ...]:
    """Return the trading days a journal holds, in order."""
    with open_journal(path, read_only=True) as journal:
        opened = [
            record.data["day"]
            for _, _, _, record in journal.entries(kind=RUN)
            if isinstance(record, Note) and record.kind == OPENED
        ]
    return tuple(dt.date.fromisoformat(str(day)) for day in dict.fromkeys(opened))


def review_day_of(path: Path, day: dt.date | None = None, lake_dir: Path | None = None) -> dict[str, Any]:
    """Review one day of a journal, the last one by default; prices come from the lake of its plan."""
    days = days_of(path)
    chosen = day or (days[-1] if days else None)
    if chosen is None or chosen not in days:
        raise JournalError(
            Text(ko="저널에 그런 거래일이 없습니다", en="the journal holds no such trading day"),
            expected=f"{days[0]} ~ {days[-1]}" if days else Text(ko="거래한 저널", en="a journal of trading"),
            found=str(chosen) if chosen else Text(ko="거래일 없음", en="no day").en,
            next_step=Text(ko="--date 를 고치세요", en="mend --date"),
        )
    lake = Lake(lake_dir or read_plan(path).lake)
    return {"day": chosen.isoformat(), **review(path, lake, [chosen])}


async def criticise(path: Path, day: dt.date, env: Mapping[str, str], clock: Clock) -> list[dict[str, Any]]:
    """Ask the configured model about the decisions of a day that went furthest either way; none without a model.

    Its words come from a closed list, go into the journal and change nothing.
    """
    critic = open_critic(env, clock)
    if critic is None:
        return []
    with open_journal(path) as journal:
        made = read_story(list(day_entries(journal, day))).decisions
        known = {record.decision_id for _, _, _, record in journal.entries(kind=CRITIQUE)}
        found = {record.decision_id: record for _, _, _, record in journal.entries(kind=REVIEW)}
        open_cases = [found[name] for name in made if name in found and name not in known]
        told = []
        for case in sorted(open_cases, key=lambda item: (-abs(item.outcome_bp), item.decision_id))[:CRITIQUES]:
            said = await critic.critique(case, dict(made[case.decision_id].data))
            journal.append(CRITIQUE, [(said.at, said)], durable=True)
            told.append(asdict(said))
    return told
