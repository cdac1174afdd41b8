"""Which sessions and which names a long run is about."""

from __future__ import annotations

import datetime as dt

from haetae.domain.market import Kind
from haetae.emulator.board import Board
from haetae.emulator.server import build_world, first_instant
from haetae.krx.calendar import next_trading_day
from soaking.serving import Market

FIRST = dt.date(2026, 11, 23)


def sessions(days: int) -> list[dt.date]:
    """Return so many sessions from the first live day on."""
    found = [FIRST]
    while len(found) < days:
        found.append(next_trading_day(found[-1]))
    return found


def largest(market: Market, count: int) -> list[str]:
    """Return the largest common shares that are listed at the start."""
    settings = market.settings()
    board = Board(build_world(settings.market), first_instant(settings))
    listed = [item for symbol in board.world.symbols if (item := board.instrument(symbol)) is not None]
    common = [one for one in listed if one.kind is Kind.COMMON]
    common.sort(key=lambda one: (-one.base_price * one.shares_outstanding, one.symbol))
    return [one.symbol for one in common[:count]]
