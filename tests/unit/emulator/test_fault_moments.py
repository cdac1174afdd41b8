"""What a fault puts off is due at an instant at which it is really done: else the market would stand still there."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from haetae.emulator.faults.entries import Timebase
from haetae.emulator.faults.stage import Stage


@given(st.integers(1_700_000_000 * 10**9, 1_900_000_000 * 10**9), st.floats(0.0, 600.0))
def test_at_the_instant_it_is_due_a_delayed_action_is_done(now, seconds):
    exchange = SimpleNamespace(now=now)
    stage, done = Stage(exchange, lambda: 0.0), []
    stage.later(seconds, Timebase.MARKET, lambda: done.append(1))
    exchange.now = max(now, stage.next_due())
    stage.do_due(Timebase.MARKET)
    assert done == [1]
