"""The doctor compares the calendar with what the broker last said of the coming days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pytest

from haetae.krx import is_trading_day
from haetae.ports.tables import HOLIDAYS
from haetae.store.lake import Lake
from haetae.wiring.doctor import Level, _calendar

MONDAY = dt.date(2026, 11, 23)


def told(
    lake: Path, asked: dt.date, *, count: int = 24, closed: Collection[dt.date] = (), opened: Collection[dt.date] = ()
) -> None:
    """Write what a broker says on a day of the days from then on."""
    rows = []
    for day in (asked + dt.timedelta(days=offset) for offset in range(count)):
        trades = (is_trading_day(day) or day in opened) and day not in closed
        rows.append({"source": "kis", "day": day, "open": trades, "settles": trades, "as_of": asked})
    Lake(lake).write("holidays", pa.Table.from_pylist(rows, HOLIDAYS), keys=("source", "day"))


def test_nothing_is_known_before_the_broker_was_asked(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        level, said, step = _calendar(folder, MONDAY)
        assert level is Level.WARN
        assert "not compared" in said.en
        assert step is not None
        assert "collect holidays" in step.en


def test_a_broker_that_agrees_is_fine_for_a_week(tmp_path: Path) -> None:
    told(tmp_path, MONDAY)
    level, said, step = _calendar(tmp_path, MONDAY)
    assert (level, step) == (Level.OK, None)
    assert "2026-12-16" in said.en
    assert _calendar(tmp_path, MONDAY + dt.timedelta(days=7))[0] is Level.OK
    level, _, step = _calendar(tmp_path, MONDAY + dt.timedelta(days=8))
    assert level is Level.WARN
    assert step is not None


@pytest.mark.parametrize(
    ("other", "level"),
    [
        ({"closed": {dt.date(2026, 11, 25)}}, Level.FAIL),
        ({"opened": {dt.date(2026, 11, 28)}}, Level.FAIL),
        ({"closed": {dt.date(2026, 11, 30)}}, Level.FAIL),
        ({"closed": {dt.date(2026, 12, 1)}}, Level.WARN),
    ],
)
def test_a_broker_that_says_otherwise_stops_a_day_that_is_near(tmp_path: Path, other: dict, level: Level) -> None:
    told(tmp_path, MONDAY, **other)
    found, said, step = _calendar(tmp_path, MONDAY)
    (day,) = next(iter(other.values()))
    assert found is level
    assert str(day) in said.ko
    assert step is not None
    assert "closures.py" in step.en


def test_the_newer_word_counts_and_days_gone_by_do_not(tmp_path: Path) -> None:
    told(tmp_path, MONDAY, closed={dt.date(2026, 11, 24), dt.date(2026, 11, 26)})
    told(tmp_path, MONDAY + dt.timedelta(days=1), closed={dt.date(2026, 11, 24)})
    assert _calendar(tmp_path, MONDAY + dt.timedelta(days=2))[0] is Level.OK


def test_the_end_of_the_table_is_told_in_time(tmp_path: Path) -> None:
    late = dt.date(2027, 11, 2)
    told(tmp_path, late)
    assert _calendar(tmp_path, late - dt.timedelta(days=1))[0] is not Level.FAIL
    level, said, _ = _calendar(tmp_path, late)
    assert level is Level.WARN
    assert "2027" in said.en
