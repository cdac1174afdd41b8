"""Each code of the inspection is given where it should be, and nowhere else."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from haetae.collector.quality import inspect_daily, inspect_minutes, repetitions
from haetae.collector.settings import CollectorSettings
from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.krx.calendar import trading_days
from haetae.ports.tables import DAILY, MINUTE

DAYS = trading_days(dt.date(2026, 10, 1), dt.date(2026, 11, 20))
SETTINGS = CollectorSettings(long_halt_sessions=3)


def series(symbol: str, days=DAYS, **changes: dict[int, int]) -> list[dict[str, object]]:
    """Return quiet daily rows, with values changed at positions: ``close={3: 9}``."""
    rows = []
    for index, day in enumerate(days):
        row = {"symbol": symbol, "day": day, "open": 100, "high": 110, "low": 90, "close": 100, "volume": 5}
        row |= {"turnover": 0, "halted": False, "adjusted": False, "source": ""}
        rows.append(row | {name: at[index] for name, at in changes.items() if index in at})
    return rows


def findings(rows: list[dict[str, object]], **more: object) -> list[tuple[str, str, dt.date]]:
    found = inspect_daily(pa.Table.from_pylist(rows, DAILY), SETTINGS, **more)
    return [(row["symbol"], row["code"], row["day"]) for row in found.to_pylist()]


def test_quiet_series_have_no_findings() -> None:
    assert findings(series("A") + series("B"), listed=["A", "B"], until=DAYS[-1]) == []


def test_no_rows_have_no_findings() -> None:
    assert findings([]) == []


def test_a_gap_inside_a_series_is_found_once_with_its_first_day() -> None:
    rows = series("A") + series("B", DAYS[:4] + DAYS[7:])
    assert findings(rows) == [("B", "MISSING_SESSIONS", DAYS[4])]


def test_a_gap_is_measured_in_sessions_not_in_days() -> None:
    chuseok = [day for day in DAYS if (day - dt.timedelta(days=1)) not in DAYS]
    assert chuseok
    assert findings(series("A")) == []


def test_a_listed_name_without_the_last_session_ends_early() -> None:
    rows = series("A", DAYS[:-1]) + series("B")
    assert findings(rows, listed=["A", "B", "C"], until=DAYS[-1]) == [
        ("A", "ENDS_EARLY", DAYS[-1]), ("C", "ENDS_EARLY", DAYS[-1])
    ]  # fmt: skip


def test_a_row_on_a_closed_day_is_found() -> None:
    sunday = dt.date(2026, 11, 1)
    days = tuple(sorted([*DAYS, sunday]))
    assert ("A", "CLOSED_DAY", sunday) in findings(series("A", days))


def test_days_outside_the_calendar_are_not_judged() -> None:
    assert findings(series("A", (dt.date(1999, 9, 16), dt.date(1999, 9, 20)))) == []


@pytest.mark.parametrize("change", [{"high": {2: 99}}, {"low": {2: 101}}, {"open": {2: 80}}, {"low": {2: 0}}])
def test_prices_that_do_not_enclose_one_another_are_found(change) -> None:
    assert findings(series("A", **change)) == [("A", "PRICES_CROSSED", DAYS[2])]


@pytest.mark.parametrize(("close", "found"), [(130, False), (131, True), (70, False), (69, True)])
def test_a_move_beyond_the_daily_limit_is_found(close: int, found: bool) -> None:
    last = len(DAYS) - 1
    rows = series("A", high={last: 140}, low={last: 60}, close={last: close})
    assert findings(rows) == ([("A", "JUMP", DAYS[-1])] if found else [])


def test_another_symbol_at_another_price_is_no_jump() -> None:
    dear = [row | {"open": 9_000, "high": 9_000, "low": 9_000, "close": 9_000} for row in series("B")]
    assert findings(series("A") + dear) == []


@pytest.mark.parametrize(("sessions", "found"), [(2, False), (3, True)])
def test_only_a_long_halt_is_found(sessions: int, found: bool) -> None:
    rows = series("A", volume=dict.fromkeys(range(sessions), 0)) + series("B", volume={len(DAYS) - 1: 0})
    assert findings(rows) == ([("A", "LONG_HALT", DAYS[0])] if found else [])


DAY = DAYS[-1]
OPEN = instant_at(DAY, 90_000)


def minute_findings(volumes: list[int], close: int = 100, start: int = OPEN) -> list[str]:
    rows = [
        {"symbol": "A", "day": DAY, "start": start + index * NS_PER_MINUTE, "open": 100, "high": 110, "low": 90,
         "close": close, "volume": volume}
        for index, volume in enumerate(volumes)
    ]  # fmt: skip
    daily = pa.Table.from_pylist(series("A", (DAY,), volume={0: 1_000}), DAILY)
    return inspect_minutes(pa.Table.from_pylist(rows, MINUTE), daily).column("code").to_pylist()


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"volumes": [600, 400]}, []),
        ({"volumes": [600, 391]}, []),
        ({"volumes": [600, 389]}, ["VOLUME_DIFFERS"]),
        ({"volumes": [600, 400], "close": 101}, ["CLOSE_DIFFERS"]),
        ({"volumes": [600, 400], "start": OPEN - NS_PER_MINUTE}, ["OUTSIDE_SESSION"]),
        ({"volumes": [600, 400], "start": instant_at(DAY, 152_800)}, []),
        ({"volumes": [600, 400], "start": instant_at(DAY, 153_000) - NS_PER_MINUTE}, ["OUTSIDE_SESSION"]),
        ({"volumes": []}, []),
    ],
)
def test_minutes_must_lie_in_the_session_and_agree_with_the_day(given, codes) -> None:
    assert minute_findings(**given) == codes


def test_a_key_sent_twice_is_a_finding() -> None:
    rows = pa.Table.from_pylist(series("A", (DAY, DAY)), DAILY)
    (found,) = repetitions("daily", ("symbol", "day"), "A", DAY, rows).to_pylist()
    assert (found["code"], found["detail"]) == ("DUPLICATE_ROWS", "1 of 2 rows repeat a key")
    assert len(repetitions("daily", ("symbol", "day"), "A", DAY, rows.slice(1))) == 0
