"""Desks before a day begins: settings, warm-up, what is known before the open, and the plan to replay it.

A journal holds a day's events and commands. What it does not hold is the desk the day began with:
settings, symbols and the minutes that filled the look-backs. ``journal.plan.json`` beside it names
them by the lake's version, so that the day can be folded again to the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from haetae.config.reading import Leaf, Tree, build
from haetae.desk import DeskSettings, DeskState, open_desk, warm
from haetae.domain.account import Book
from haetae.domain.errors import DataError, Text
from haetae.domain.events import SessionStart, TrackRecord
from haetae.domain.learning import Lesson
from haetae.domain.market import Instrument
from haetae.domain.panel import Panel, empty_panel
from haetae.domain.units import Instant, Symbol, Won
from haetae.ledger import open_book
from haetae.ports.tables import daily_table
from haetae.store.lake import Lake

WARM_SESSIONS = 3
"""Sessions whose minutes fill the look-backs and the usual volatility before the first decision."""
DECISION_MINUTES, FIRST_DECISION_MINUTE = 30, 20
"""The clock of the policies: trained for a decision each half hour from 09:20, when the open has settled."""
_HALTING = frozenset({"halted", "liquidation"})


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What a trading day began with: symbols, and the version of the lake's minutes it was warmed by."""

    day: dt.date
    symbols: tuple[Symbol, ...]
    minute_version: int
    settings: DeskSettings | None = None
    """The desk's settings of the day; none where they are the defaults with the plan's clock."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All days of a journal."""

    lake: Path
    cash: int
    decision_minutes: int
    first_decision_minute: int
    days: tuple[DayPlan, ...]


def plan_path(journal: Path) -> Path:
    """Return where the plan of a journal lies."""
    return journal.with_suffix(".plan.json")


def plan_record(plan: Plan, journal: Path) -> dict[str, Any]:
    """Return a plan as JSON values, the lake's path relative to the journal."""
    return {
        "format": "haetae.plan/1",
        "lake": os.path.relpath(plan.lake, journal.parent),
        "cash": plan.cash,
        "decision_minutes": plan.decision_minutes,
        "first_decision_minute": plan.first_decision_minute,
        "days": [
            {
                "day": p.day.isoformat(),
                "symbols": list(p.symbols),
                "minute_version": p.minute_version,
                "desk": settings_record(p.settings) if p.settings else None,
            }
            for p in plan.days
        ],
    }


def read_plan(journal: Path) -> Plan:
    """Return the plan beside a journal; raises ``DataError`` if it is missing or torn."""
    path = plan_path(journal)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Plan(
            lake=(journal.parent / record["lake"]).resolve(),
            cash=int(record["cash"]),
            decision_minutes=int(record["decision_minutes"]),
            first_decision_minute=int(record["first_decision_minute"]),
            days=tuple(
                DayPlan(
                    dt.date.fromisoformat(d["day"]),
                    tuple(d["symbols"]),
                    int(d["minute_version"]),
                    settings_of(d["desk"]) if d.get("desk") else None,
                )
                for d in record["days"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DataError(
            Text(ko=f"{path} 를 읽을 수 없습니다", en=f"cannot read {path}"),
            expected=Text(ko="저널 옆의 계획 파일", en="the plan file beside the journal"),
            found=str(fault)[:120],
            next_step=Text(ko="저널을 만든 폴더에서 다시 실행하세요", en="replay the journal where it was made"),
        ) from fault


def settings_record(settings: DeskSettings) -> dict[str, Any]:
    """Return a desk's settings as JSON values, every field named."""

    def plain(value: Any) -> Any:
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, frozenset):
            return sorted(value)
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        return [plain(part) for part in value] if isinstance(value, tuple | list) else value

    record: dict[str, Any] = plain(asdict(settings))
    return record


def settings_of(record: Mapping[str, Any]) -> DeskSettings:
    """Return the settings a record names; raises ``ValueError`` with every fault."""

    def tree(table: Mapping[str, Any]) -> Tree:
        return {name: tree(part) if isinstance(part, dict) else Leaf(part, "plan") for name, part in table.items()}

    faults: list[str] = []
    settings = build(DeskSettings, tree(record), faults)
    if faults:
        raise ValueError("; ".join(faults))
    assert isinstance(settings, DeskSettings)
    return settings


def desk_settings(decision_minutes: int, first_decision_minute: int) -> DeskSettings:
    """Return the desk's settings with the policy's own clock: it was trained for these decisions."""
    return DeskSettings(decision_minutes=decision_minutes, first_decision_minute=first_decision_minute)


def initial_desk(
    lake: Lake, plan: DayPlan, book: Book, settings: DeskSettings, lessons: tuple[Lesson, ...] = ()
) -> DeskState:
    """Return the desk before a day: books carried over, features warmed by the sessions before."""
    rows = lake.read("minute", symbols=plan.symbols[:1], version=plan.minute_version)
    before = sorted(day for day in set(rows.column("day").to_pylist()) if day < plan.day)[-WARM_SESSIONS:]
    minutes = empty_panel()
    if before:
        minutes = lake.panel("minute", plan.symbols, before[0], before[-1], version=plan.minute_version)
    return warm(open_desk(settings, book, lessons), minutes, _sessions_before(lake, plan, settings.daily_history))


def _sessions_before(lake: Lake, plan: DayPlan, count: int) -> Panel | None:
    """Return the newest daily bars before a day, none where the lake has no daily table."""
    versions = lake.versions()
    table = daily_table(versions)
    if table not in versions or not count:
        return None
    first = plan.day - dt.timedelta(days=count * 3 // 2 + 30)  # five sessions a week, and holidays
    return lake.panel(table, plan.symbols, first, plan.day - dt.timedelta(days=1))


def opening_book(plan: Plan) -> Book:
    """Return the books before the first day; a journal's own opening note replaces them."""
    return open_book(plan.cash)


@dataclass(frozen=True, slots=True)
class Before:
    """What is known from before a morning; the fields are those of ``SessionStart``."""

    unadjusted: frozenset[Symbol] = frozenset()
    week_equity: Won = 0
    peak_equity: Won = 0
    decider: str = ""
    record: tuple[TrackRecord, ...] = ()


def session_start(
    at: Instant,
    symbols: Sequence[Symbol],
    instruments: Mapping[Symbol, Instrument],
    *,
    closes: Mapping[Symbol, int],
    turnover: Mapping[Symbol, int],
    scores: Mapping[Symbol, float],
    fear_greed: float,
    universe: Collection[Symbol] = (),
    before: Before | None = None,
) -> SessionStart:
    """Return what the desk knows before the open: all of it from the close before.

    ``closes`` are the last closes: the base prices of the day unless a corporate action intervened, which ``before``
    tells. ``universe`` is the closed list of names that may be bought; what is held beside it may only be sold.
    """
    ordered = tuple(sorted(symbols))
    known = before or Before()
    return SessionStart(
        at=at,
        symbols=ordered,
        base_prices={s: closes[s] for s in ordered},
        scores={s: float(scores.get(s, 0.0)) for s in ordered},
        tradable=frozenset(s for s in ordered if not instruments[s].flags & _HALTING),
        fear_greed=fear_greed,
        markets={s: instruments[s].market.value for s in ordered},
        sectors={s: instruments[s].sector for s in ordered},
        average_turnover={s: turnover[s] for s in ordered},
        kinds={s: instruments[s].kind.value for s in ordered},
        universe=frozenset(universe),
        flags={s: instruments[s].flags for s in ordered if instruments[s].flags},
        previous_closes={s: closes[s] for s in ordered},
        unadjusted=known.unadjusted & frozenset(ordered),
        week_equity=known.week_equity,
        peak_equity=known.peak_equity,
        decider=known.decider,
        record=known.record,
    )
