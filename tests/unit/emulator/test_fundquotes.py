"""Funds: price beside value, now, by minute, by day; what the close is told by all three."""

import datetime as dt
import itertools

import pytest

from haetae.domain.market import Kind
from haetae.domain.units import instant_at
from haetae.kis.wire.calls.charts import FundDays
from haetae.kis.wire.calls.prices import FundMinutes, FundNow
from unit.emulator.asking import FUND, TODAY, ask, rows
from unit.emulator.service_rig import DAY, Desk, shared_world

WORLD = shared_world()
NOW, MINUTES = FundNow(fid_input_iscd=FUND), FundMinutes(fid_input_iscd=FUND)
FIRST = f"{WORLD.days[0]:%Y%m%d}"


def days(first: str = FIRST, last: str = TODAY) -> FundDays:
    return FundDays(fid_input_iscd=FUND, fid_input_date_1=first, fid_input_date_2=last)


def points(text: str) -> int:
    return round(float(text) * 100)


@pytest.mark.parametrize("clock", [83_000, 100_000, 180_000])
def test_the_present_price_is_that_of_the_board_and_the_value_near_it(clock: int) -> None:
    desk = Desk(clock).log_in()
    row, sight = ask(desk, NOW).row("output"), desk.core.board.sight(FUND)
    assert (int(row["stck_prpr"]), int(row["acml_vol"]), int(row["stck_sdpr"])) == (
        sight.last,
        sight.volume,
        sight.base,
    )
    assert points(row["prdy_last_nav"]) == desk.core.board.library.nav_before(FUND)
    nav = points(row["nav"])
    assert abs(nav / (100 * sight.last) - 1) < 0.02
    assert (nav == points(row["prdy_last_nav"])) is (clock < 90_000)
    assert points(row["nav_prdy_vrss"]) == nav - points(row["prdy_last_nav"])
    assert float(row["dprt"]) == pytest.approx(100 * (100 * sight.last - nav) / nav, abs=0.006)
    assert row["mtrt_date"] == "0"


def test_notes_are_funds_and_shares_are_not() -> None:
    desk = Desk().log_in()
    note = next(item.symbol for item in WORLD.instruments if item.kind is Kind.ETN)
    assert ask(desk, NOW, fid_input_iscd=note).rt_cd == "0"
    for asked in (NOW, MINUTES, days()):
        assert ask(desk, asked, fid_input_iscd="005930").code == "APBK0656"


def test_days_are_a_hundred_a_page_and_pages_join_without_a_gap() -> None:
    desk, found, last = Desk().log_in(), [], DAY
    while page := rows(desk, days(last=f"{last:%Y%m%d}")):
        found.append([row["stck_bsop_date"] for row in page])
        last = dt.datetime.strptime(found[-1][-1], "%Y%m%d").date() - dt.timedelta(days=1)  # noqa: DTZ007
    assert [len(page) for page in found] == [100, WORLD.row[DAY] - 100]
    assert [day for page in found for day in page] == [f"{day:%Y%m%d}" for day in reversed(WORLD.days) if day < DAY]


def test_a_day_is_told_after_its_close_and_changes_are_against_the_day_before() -> None:
    assert rows(Desk(152_959).log_in(), days(TODAY)) == []
    found = rows(Desk(153_500).log_in(), days())
    assert found[0]["stck_bsop_date"] == TODAY
    for row, before in itertools.pairwise(found):
        assert points(row["nav_prdy_vrss"]) == points(row["nav"]) - points(before["nav"])
        assert points(row["nav_vrss_prpr"]) == 100 * int(row["stck_clpr"]) - points(row["nav"])
        assert row["cntg_vol"] == ""
    assert rows(Desk(180_000).log_in(), days(TODAY))[0]["nav_prdy_vrss"] == found[0]["nav_prdy_vrss"], (
        "before the range"
    )


def test_the_close_is_the_same_by_minute_by_day_and_now() -> None:
    desk = Desk(180_000).log_in()
    minute, day, now = rows(desk, MINUTES)[0], rows(desk, days())[0], ask(desk, NOW).row("output")
    assert minute["bsop_hour"] == "153000"
    assert minute["nav"] == day["nav"] == now["nav"]
    assert minute["stck_prpr"] == day["stck_clpr"] == now["stck_prpr"]
    assert minute["acml_vol"] == day["acml_vol"] == now["acml_vol"]


def test_minutes_are_those_that_have_ended_newest_first() -> None:
    found = rows(Desk(100_030).log_in(), MINUTES)
    assert [row["bsop_hour"] for row in found] == [f"09{minute:02d}00" for minute in range(59, 29, -1)]
    assert rows(Desk(90_059).log_in(), MINUTES) == []
    assert [row["bsop_hour"] for row in rows(Desk(90_100).log_in(), MINUTES)] == ["090000"]
    sums = [int(row["acml_vol"]) for row in found]
    assert [a - b for a, b in itertools.pairwise(sums)] == [int(row["cntg_vol"]) for row in found[:-1]]


def test_minutes_of_the_closing_auction_repeat_the_last_one_as_in_the_documented_example() -> None:
    desk = Desk(152_530).log_in()
    found = rows(desk, MINUTES)
    assert [row["bsop_hour"] for row in found[:6]] == ["152400", "152300", "152200", "152100", "152000", "151900"]
    still = [{name: text for name, text in row.items() if name != "bsop_hour"} for row in found[:6]]
    assert all(row == still[0] for row in still)
    desk.to(153_500)
    clocks = [row["bsop_hour"] for row in rows(desk, MINUTES)]
    assert clocks[:3] == ["153000", "152900", "152800"]
    assert clocks == sorted(set(clocks), reverse=True)


def test_longer_bars_hold_the_volume_of_their_minutes() -> None:
    desk = Desk(100_000).log_in()
    hours, tens = (rows(desk, MINUTES, fid_hour_cls_code=code) for code in ("3600", "600"))
    assert [row["bsop_hour"] for row in hours] == ["090000"]
    assert [row["bsop_hour"] for row in tens] == ["095000", "094000", "093000", "092000", "091000", "090000"]
    total = desk.core.board.sight(FUND).volume
    assert int(hours[0]["cntg_vol"]) == sum(int(row["cntg_vol"]) for row in tens) == total
    assert hours[0]["nav"] == tens[0]["nav"] == rows(desk, MINUTES)[0]["nav"]


def test_nothing_of_a_later_minute_is_told_earlier() -> None:
    whole = {row["bsop_hour"]: row for row in rows(Desk(101_500).log_in(), MINUTES)}
    desk = Desk(100_000).log_in()
    early = {row["bsop_hour"]: row for row in rows(desk, MINUTES)}
    both = set(whole) & set(early)
    assert len(both) == 15
    assert all(whole[clock] == early[clock] for clock in both)
    assert desk.core.now == instant_at(DAY, 100_000)
