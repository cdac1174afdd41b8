"""The dated calendar against the packaged one, against traded index days, and by answer."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import exchange_calendars
import pytest

from haetae.domain.errors import MarketRuleError
from haetae.krx import closes_at, is_trading_day, next_trading_day, opens_at, previous_trading_day, trading_days
from haetae.krx.calendar import reason_closed
from haetae.krx.closures import CLOSURES, FIRST_YEAR, LAST_YEAR, OTHER_HOURS

START, END = dt.date(FIRST_YEAR, 1, 1), dt.date(LAST_YEAR, 12, 31)
ERRORS_FILE = Path(__file__).parents[2] / "golden/krx/xkrx_errors.csv"
ERRORS_OF = "4.13.2"
SESSIONS_FILE = Path(__file__).parents[4] / "shared/data/kr_calendar/xkrx_sessions_1990_2026.parquet"


@pytest.fixture(scope="module")
def package() -> exchange_calendars.ExchangeCalendar:
    return exchange_calendars.get_calendar("XKRX", start=START.isoformat(), end=END.isoformat())


@pytest.fixture(scope="module")
def errors() -> dict[dt.date, tuple[str, str]]:
    """Days on which the package is known to be wrong: what it says, what is so."""
    with ERRORS_FILE.open(encoding="utf-8") as file:
        return {dt.date.fromisoformat(row["day"]): (row["xkrx"], row["really"]) for row in csv.DictReader(file)}


def ours(day: dt.date) -> str:
    if not is_trading_day(day):
        return "closed"
    return "-".join(f"{time // 10_000:02d}:{time // 100 % 100:02d}" for time in (opens_at(day), closes_at(day)))


def test_our_days_and_hours_differ_from_the_package_only_where_it_is_known_to_be_wrong(package, errors) -> None:
    table = package.schedule
    theirs = {
        stamp.date(): "-".join(time.tz_convert("Asia/Seoul").strftime("%H:%M") for time in times)
        for stamp, *times in zip(table.index, table["open"], table["close"], strict=True)
    }
    span = (START + dt.timedelta(days=offset) for offset in range((END - START).days + 1))
    found = {day: (theirs.get(day, "closed"), ours(day)) for day in span if theirs.get(day, "closed") != ours(day)}
    if exchange_calendars.__version__ == ERRORS_OF:
        assert found == errors
    else:  # a newer package may have mended some, and may not bring new ones
        assert found.items() <= errors.items()


@pytest.mark.realdata
def test_our_days_are_the_days_on_which_the_index_traded() -> None:
    if not SESSIONS_FILE.exists():
        pytest.skip(f"{SESSIONS_FILE} is not beside the checkout")
    import pyarrow.parquet as pq

    rows = pq.read_table(SESSIONS_FILE).to_pylist()
    traded = {row["date"] for row in rows if row["index_traded"] and row["date"] >= START}
    last = max(traded)
    assert set(trading_days(START, last)) == traded
    later = {row["date"] for row in rows if row["date"] > last}
    assert set(trading_days(last + dt.timedelta(days=1), dt.date(2026, 12, 31))) == later


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (dt.date(2026, 6, 3), "지방선거일"),
        (dt.date(2026, 7, 17), "제헌절"),
        (dt.date(2026, 12, 31), "연말 휴장"),
        (dt.date(2025, 1, 27), "임시공휴일"),
        (dt.date(2023, 5, 29), "부처님오신날 대체공휴일"),
        (dt.date(2024, 5, 1), "근로자의 날"),
    ],
)
def test_known_closures_carry_their_reason(day: dt.date, reason: str) -> None:
    assert not is_trading_day(day)
    assert reason_closed(day) == reason


def test_every_row_is_a_weekday_with_a_reason_and_a_source_and_no_row_repeats() -> None:
    assert len({row.day for row in CLOSURES}) == len(CLOSURES)
    for row in CLOSURES:
        day = dt.date(row.day // 10_000, row.day // 100 % 100, row.day % 100)
        assert day.weekday() < 5
        assert row.reason
        assert row.source
        if day > dt.date(2026, 12, 31):
            assert "projected" in row.source
    for row in OTHER_HOURS:
        assert row.source
        assert ("projected" in row.source) is (row.day > 20_261_231)
    assert [row.day for row in OTHER_HOURS] == sorted(row.day for row in OTHER_HOURS)


def test_every_year_opens_late_on_its_first_day_and_closes_on_its_last_weekday() -> None:
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        first = next_trading_day(dt.date(year, 1, 1))
        assert opens_at(first) == 100_000
        last = previous_trading_day(dt.date(year, 12, 31))
        assert opens_at(last) == 90_000
        weekdays = [dt.date(year, 12, day) for day in range(25, 32) if dt.date(year, 12, day).weekday() < 5]
        assert not is_trading_day(weekdays[-1])


def test_neighbours_skip_holidays_and_undo_each_other() -> None:
    assert next_trading_day(dt.date(2026, 9, 23)) == dt.date(2026, 9, 28)
    assert previous_trading_day(dt.date(2026, 9, 27)) == dt.date(2026, 9, 23)
    assert next_trading_day(dt.date(2026, 11, 20), 2) == dt.date(2026, 11, 24)
    for day in trading_days(dt.date(2024, 1, 1), dt.date(2024, 12, 31)):
        assert previous_trading_day(next_trading_day(day, 3), 3) == day


@pytest.mark.parametrize("day", [dt.date(2009, 12, 31), dt.date(2028, 1, 3)])
def test_a_year_without_a_table_is_an_error_and_not_a_guess(day: dt.date) -> None:
    with pytest.raises(MarketRuleError):
        is_trading_day(day)


def test_hours_of_a_closed_day_are_an_error_that_names_the_next_trading_day() -> None:
    with pytest.raises(MarketRuleError) as caught:
        opens_at(dt.date(2026, 6, 3))
    assert "2026-06-04" in str(caught.value.next_step)
    with pytest.raises(MarketRuleError):
        next_trading_day(dt.date(2027, 12, 30))
