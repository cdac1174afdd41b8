"""What KIS allows, by kind of account and day; and what of it a client takes."""

import datetime as dt

import pytest

from haetae.domain.units import instant_at
from haetae.kis.budget import Rule
from haetae.kis.carrier_aiohttp import AiohttpCarrier
from haetae.kis.limits import CALL_RATES, Kind, account_kind, calls_per_second
from haetae.kis.settings import REAL_REST, REAL_STREAM
from haetae.kis.standing import Standing
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import DrivenClock
from unit.kis.test_settings import settings


@pytest.mark.parametrize(
    ("mode", "day", "applied", "calls"),
    [
        (Mode.REAL, dt.date(2026, 4, 19), None, 20),
        (Mode.REAL, dt.date(2026, 4, 20), None, 18),
        (Mode.REAL, dt.date(2030, 1, 1), None, 18),
        (Mode.REAL, dt.date(2015, 1, 1), None, 20),
        (Mode.MOCK, dt.date(2026, 3, 31), None, 2),
        (Mode.MOCK, dt.date(2026, 4, 1), None, 1),
        (Mode.REAL, dt.date(2026, 11, 25), dt.date(2026, 11, 23), 3),
        (Mode.REAL, dt.date(2026, 11, 26), dt.date(2026, 11, 23), 18),
        (Mode.REAL, dt.date(2026, 4, 3), dt.date(2026, 4, 2), 20),
        (Mode.MOCK, dt.date(2026, 11, 23), dt.date(2026, 11, 23), 1),
    ],
)
def test_calls_a_second_by_kind_and_day(mode, day, applied, calls):
    assert calls_per_second(mode, day, applied) == calls


def test_every_row_has_a_source_and_rows_of_a_kind_are_in_order():
    assert all(row.source and row.calls > 0 for row in CALL_RATES)
    for kind in Kind:
        days = [row.since for row in CALL_RATES if row.kind is kind]
        assert days == sorted(set(days))
    assert account_kind(Mode.REAL, dt.date(2026, 11, 23), None) is Kind.REAL


@pytest.mark.parametrize(
    ("rate", "calls", "window_s"),
    [(18, 18, 1.002), (15.9, 15, 1.002), (1, 1, 1.002), (0.5, 1, 2.004), (0.9, 1, 1.1133)],
)
def test_a_rate_becomes_whole_calls_in_a_window(rate, calls, window_s):
    rule = Rule.of(rate, burst=3)
    assert (rule.calls, rule.window_s) == (calls, pytest.approx(window_s, abs=1e-4))
    assert rule.calls / rule.window_s <= rate
    assert Rule.of(float("inf"), burst=1) is None


def rule_of(clock_day: dt.date, **changed) -> Rule | None:
    chosen = settings(**changed)
    return Standing(chosen, DrivenClock(instant_at(clock_day, 90_000)), AiohttpCarrier(chosen))._rule()


def test_on_its_own_hosts_a_setting_may_only_lower_what_kis_allows():
    day = dt.date(2026, 11, 23)
    live = {"rest_url": REAL_REST, "ws_url": REAL_STREAM, "mode": Mode.REAL, "live_allowed": True}
    assert rule_of(day, **live).calls == 18
    assert rule_of(day, **live, calls_per_second=10.0).calls == 10
    assert rule_of(day, **live, calls_per_second=float("inf")).calls == 18
    assert rule_of(day, **live, applied_on=day).calls == 3
    assert rule_of(day, mode=Mode.MOCK).calls == 1
    assert rule_of(day, mode=Mode.MOCK, calls_per_second=50.0).calls == 50
    assert rule_of(day, mode=Mode.MOCK, calls_per_second=float("inf")) is None


def test_the_limit_changes_with_the_day():
    clock = DrivenClock(instant_at(dt.date(2026, 4, 19), 235_959))
    chosen = settings(mode=Mode.REAL)
    standing = Standing(chosen, clock, AiohttpCarrier(chosen))
    assert standing._rule().calls == 20
    clock.advance(instant_at(dt.date(2026, 4, 20), 0))
    assert standing._rule().calls == 18
