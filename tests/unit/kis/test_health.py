"""Failures of the last minute, and the breaker that holds data back."""

from hypothesis import given
from hypothesis import strategies as st

from haetae.kis.health import OPEN_AFTER, SPAN_S, Breaker, Meter


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=60))
def test_the_ratio_is_that_of_the_last_minute(steps):
    meter, seen, now = Meter(), [], 0.0
    for pause, failed in steps:
        now += pause
        meter.count(now, failed=failed)
        seen.append((now, failed))
        recent = [one for at, one in seen if at > now - SPAN_S]
        assert meter.calls(now) == len(recent)
        assert meter.error_ratio(now) == sum(recent) / len(recent)
    assert meter.error_ratio(now + SPAN_S + 1) == 0.0


def test_data_stops_after_failures_in_a_row_and_one_probe_at_a_time_finds_out():
    breaker = Breaker()
    for n in range(OPEN_AFTER - 1):
        assert breaker.count(float(n), failed=True) is False
        assert breaker.wait_s(float(n)) == 0
    assert breaker.count(10.0, failed=True) is True
    assert breaker.is_open
    assert breaker.wait_s(10.0) == 1.0
    assert breaker.wait_s(11.0) == 0.0  # the probe
    assert breaker.wait_s(11.0) > 0  # nobody else meanwhile
    assert breaker.count(12.0, failed=True) is False
    waits = []
    now = 12.0
    for _ in range(7):
        start = now
        while (wait := breaker.wait_s(now)) > 0:
            now += wait
        waits.append(now - start)
        breaker.count(now, failed=True)
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert breaker.count(now, failed=False) is True
    assert breaker.wait_s(now) == 0.0


def test_a_probe_that_is_never_answered_does_not_close_the_way_for_ever():
    breaker = Breaker()
    for _ in range(OPEN_AFTER):
        breaker.count(0.0, failed=True)
    assert breaker.wait_s(5.0) == 0.0
    now, asked = 5.0, 0
    while breaker.wait_s(now) > 0:
        now += breaker.wait_s(now)
        asked += 1
        assert asked < 100
    assert now <= 25.0


def test_one_answer_forgets_the_failures_before_it():
    breaker = Breaker()
    for _ in range(3):
        for _ in range(OPEN_AFTER - 1):
            breaker.count(0.0, failed=True)
        breaker.count(0.0, failed=False)
    assert not breaker.is_open
