"""A small synthetic market that contract tests share; it is never changed, so one is enough."""

from functools import cache

from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings

SMALL = MarketSettings(seed=11, listed=120, history_sessions=30, live_sessions=3)
DAY = SMALL.first_live_day


@cache
def small_world() -> World:
    return build_world(SMALL)
