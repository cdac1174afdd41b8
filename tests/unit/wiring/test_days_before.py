"""What a morning tells the guards of the days before."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae import agent
from haetae.domain.events import Note, TrackRecord
from haetae.domain.learning import TradeReview
from haetae.domain.orders import Side
from haetae.domain.units import instant_at
from haetae.journal import JournalDb
from haetae.live.recovery import COMMAND
from haetae.ports.tables import TABLES
from haetae.store.lake import Lake
from haetae.wiring.days_before import STEPS, before, changed_today, track_record
from haetae.wiring.desks import Before, session_start
from haetae.wiring.reviews import REVIEW
from rigs.desk_day import DAY, codes, instruments

MONDAY, WEDNESDAY = DAY, DAY + dt.timedelta(days=2)


def started(day: dt.date, equity: int) -> Note:
    return Note(instant_at(day, 85_000), "session.started", {"day": day.isoformat(), "equity": equity})


def made(name: str, confidence: float, **changes: str) -> Note:
    usual = {"decider": agent.DECIDER, "status": "MODEL_APPROVE", "side": "buy"}
    order = {"symbol": "000100", "action": "approve", "proposed": 1, "quantity": 1, "limit_price": 50_000}
    data = {"decision_id": name, "confidence": confidence, **order, **usual, **changes}
    return Note(instant_at(MONDAY, 100_000), "decision.made", data)


def came(name: str, outcome: float, day: dt.date = MONDAY) -> TradeReview:
    at = instant_at(day, 153_000)
    return TradeReview(name, "000100", Side.BUY, "MODEL_APPROVE", True, 1, 1, 1, 0.0, outcome, 0, "gain", at)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    friday = MONDAY - dt.timedelta(days=3)
    long_ago = MONDAY - dt.timedelta(days=59)
    notes = [
        started(friday, 103), started(MONDAY, 100), started(MONDAY + dt.timedelta(days=1), 102),
        started(WEDNESDAY, 999),
        made("D1", 0.7), made("D2", 0.74), made("D3", 0.9), made("D4", 0.7, decider="other"),
        made("D5", 0.7, status="BELOW_THRESHOLD"), made("D6", 0.7, side="sell"), made("D7", 0.7), made("D8", 0.7),
    ]  # fmt: skip
    reviews = [came(f"D{n}", 5.0) for n in (1, 4, 5, 6)] + [came("D2", 0.0), came("D3", -1.0)]
    reviews += [came("D7", 5.0, long_ago), came("D8", 5.0, WEDNESDAY)]
    with JournalDb(path) as book:
        book.append(COMMAND, [(note.at, note) for note in notes], durable=False)
        book.append(REVIEW, [(review.resolved_at, review) for review in reviews], durable=True)
    return path


def test_week_peak_and_record_are_those_of_the_days_before(journal: Path, tmp_path: Path) -> None:
    known = before(WEDNESDAY, journal, Lake(tmp_path / "lake"), {})
    assert (known.week_equity, known.peak_equity, known.decider) == (100, 103, agent.DECIDER)
    rows = {row.confidence: (row.right, row.count) for row in known.record}
    assert rows == {**dict.fromkeys(STEPS, (0, 0)), 0.7: (1, 2), 0.9: (0, 1)}


def test_a_week_that_has_not_begun_and_a_desk_without_a_journal_know_nothing(journal: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert before(MONDAY, journal, lake, {}).week_equity == 0
    assert before(MONDAY, journal, lake, {}).peak_equity == 103
    assert before(MONDAY, tmp_path / "none.db", lake, {}) == Before(decider=agent.DECIDER)


def test_names_whose_base_changed_overnight_are_told_but_not_for_a_cash_dividend(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert changed_today(lake, MONDAY) == frozenset()
    rows = [
        {"symbol": symbol, "day": day, "kind": kind, "ratio": 5.0, "detail": "", "as_of": day}
        for symbol, day, kind in (
            ("000100", MONDAY, "split"), ("000110", MONDAY, "dividend"), ("000120", WEDNESDAY, "split"),
        )
    ]  # fmt: skip
    table = TABLES["corporate_actions"]
    lake.write("corporate_actions", pa.Table.from_pylist(rows, schema=table.schema), keys=table.keys)
    assert changed_today(lake, MONDAY) == {"000100"}


def test_confidence_is_classed_by_where_its_class_begins() -> None:
    assert track_record([]) == ()
    rows = track_record([(0.5, True), (0.599, False), (0.95, True), (1.0, True), (0.3, True)])
    assert [row for row in rows if row.count] == [TrackRecord(0.5, 2, 3), TrackRecord(0.95, 2, 2)]


def test_a_morning_tells_flags_closes_and_the_closed_list() -> None:
    names = codes(3)
    listed = instruments(names)
    listed[names[0]] = replace(listed[names[0]], flags=frozenset({"caution"}))
    facts = {"closes": dict.fromkeys(names, 50_000), "turnover": dict.fromkeys(names, 10**9), "scores": {}}
    known = Before(frozenset({names[1], "999999"}), 7, 9, "model-1", (TrackRecord(0.5, 1, 2),))
    told = session_start(0, names, listed, **facts, fear_greed=50.0, universe=names[:2], before=known)
    assert told.flags == {names[0]: frozenset({"caution"})} and told.universe == frozenset(names[:2])
    assert told.previous_closes == dict.fromkeys(names, 50_000) and told.unadjusted == {names[1]}
    assert (told.week_equity, told.peak_equity, told.decider, len(told.record)) == (7, 9, "model-1", 1)
    plain = session_start(0, names, listed, **facts, fear_greed=50.0)
    assert plain.universe == frozenset() and plain.decider == "" and np.all(plain.week_equity == 0)
