"""The plan of a day: from the calendar, ascending, with one rule for late starts."""

from __future__ import annotations

import datetime as dt

import pytest

from haetae.domain.units import NS_PER_MINUTE, instant_at, kst_text
from haetae.krx import Rulebook
from haetae.krx.calendar import trading_days
from haetae.live.agenda import Late, agenda, at_of, due

ORDINARY, EXAM, NEW_YEAR = dt.date(2026, 11, 23), dt.date(2026, 11, 19), dt.date(2026, 1, 2)


def hours(day: dt.date) -> dict[str, str]:
    return {step.name: kst_text(step.at)[11:16] for step in agenda(Rulebook.on(day))}


def test_an_ordinary_day_runs_from_seven_to_the_copy_of_the_journal() -> None:
    assert hours(ORDINARY) == {
        "catch_up": "07:00", "token": "08:20", "opening_auction": "08:30", "checks": "08:40", "desk": "08:50",
        "open": "09:00", "closing_auction": "15:20", "close": "15:30", "collect": "16:00", "review": "16:00",
        "backup": "16:00",
    }  # fmt: skip


def test_the_day_of_the_exam_shifts_everything_that_follows_the_market() -> None:
    shown = hours(EXAM)
    assert (shown["token"], shown["desk"], shown["open"], shown["close"]) == ("09:20", "09:50", "10:00", "16:30")
    assert (shown["catch_up"], shown["collect"]) == ("07:00", "17:00")


def test_the_first_session_of_the_year_opens_late_and_closes_as_ever() -> None:
    shown = hours(NEW_YEAR)
    assert (shown["open"], shown["close"], shown["desk"]) == ("10:00", "15:30", "09:50")


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_day_of_a_year_has_each_step_once_in_order(year: int) -> None:
    for day in trading_days(dt.date(year, 1, 1), dt.date(year, 12, 31)):
        steps = agenda(Rulebook.on(day))
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert len({step.name for step in steps}) == len(steps) == 11
        at = {step.name: step.at for step in steps}
        assert (
            at["token"] < at["opening_auction"] <= at["checks"] < at["desk"] < at["open"] < at["close"] < at["collect"]
        )


def test_a_late_start_makes_up_what_the_day_stands_on_and_passes_the_market_s_moments() -> None:
    rules = Rulebook.on(ORDINARY)
    now = instant_at(ORDINARY, 101_500)
    states = {step.name: state for step, state in due(agenda(rules), now)}
    assert {name for name, state in states.items() if state == "late"} == {"catch_up", "token", "checks", "desk"}
    assert {name for name, state in states.items() if state == "passed"} == {"opening_auction", "open"}
    assert states["close"] == "waits"
    assert {step.name for step in agenda(rules) if step.late is Late.PASS} == {
        "opening_auction", "open", "closing_auction", "close",
    }  # fmt: skip


def test_a_step_is_due_at_its_very_instant() -> None:
    rules = Rulebook.on(ORDINARY)
    at = at_of(rules, "desk")
    assert {s.name: state for s, state in due(agenda(rules), at)}["desk"] == "late"
    assert {s.name: state for s, state in due(agenda(rules), at - 1)}["desk"] == "waits"
    assert at == rules.session.open_at - 10 * NS_PER_MINUTE


def test_no_day_has_a_step_of_another_name() -> None:
    with pytest.raises(KeyError):
        at_of(Rulebook.on(ORDINARY), "lunch")
