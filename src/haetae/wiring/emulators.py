"""The emulator as a process: its market (seeded, or the bars of a lake), its signals, its end."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import os
import signal
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.units import NS_PER_SECOND
from haetae.emulator.market import World
from haetae.emulator.replay import world_of_lake
from haetae.emulator.server import open_service
from haetae.emulator.settings import EmulatorSettings
from haetae.emulator.tls import open_authority
from haetae.krx.calendar import is_trading_day, next_trading_day, previous_trading_day
from haetae.ports.tables import daily_table
from haetae.wiring.clocks import SystemClock
from haetae.wiring.lakes import open_lake

_LOOK_S = 1.0
"""Real seconds between two looks whether the parent still lives."""


class Ending(Enum):
    """Why an emulator ended."""

    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"
    ORPHANED = "orphaned"


def replayed(settings: EmulatorSettings) -> tuple[EmulatorSettings, World]:
    """Return the market of the lake in ``settings.replay``, and the settings that fit it.

    Where the lake ends before the first live day, its last ``live_sessions`` sessions become the live ones.
    """
    assert settings.replay is not None
    lake = open_lake(settings.replay)
    name = daily_table(lake.versions())
    last = next((table.last_day for table in lake.describe() if table.table == name), None)
    if last is None:
        raise DataError(
            Text(ko="재생할 일봉이 없습니다", en="there are no daily bars to replay"),
            expected=Text(ko="일봉 표가 있는 레이크", en="a lake with a daily table"),
            found=str(settings.replay),
            next_step=Text(
                ko="먼저 `haetae lake import --kind daily 경로`", en="first `haetae lake import --kind daily PATH`"
            ),
        )
    market = settings.market
    if last < market.first_live_day:
        first = previous_trading_day(last, market.live_sessions - 1) if market.live_sessions > 1 else last
        market = dataclasses.replace(market, first_live_day=first)
    return dataclasses.replace(settings, market=market), world_of_lake(lake, market)


def _refuse_closed(day: dt.date) -> None:
    if not is_trading_day(day):
        raise ConfigError(
            Text(ko=f"{day} 은 거래일이 아닙니다", en=f"{day} is no trading day"),
            expected=Text(ko="장이 열리는 날", en="a day the exchange opens"),
            found=f"{day:%Y-%m-%d (%a)}",
            next_step=f"--first-day {next_trading_day(day)}",
        )


def _today() -> dt.datetime:
    """Return the machine's time: certificates are valid on it, whatever the market's clock says."""
    return dt.datetime.fromtimestamp(SystemClock().now() / NS_PER_SECOND, dt.UTC)


async def run_emulator(
    settings: EmulatorSettings,
    announce: Callable[[Mapping[str, object]], None],
    *,
    with_parent: bool,
    wall_tokens: bool = False,
) -> Ending:
    """Serve until a signal comes, or, ``with_parent``, until the process that started this one is gone.

    ``announce`` is called once, with the addresses, when every port listens. ``wall_tokens`` tells the expiry of a
    token on the machine's clock where that is ahead of the market's: programs that live by the machine's clock take
    a token of the market's past for dead and issue another for every call.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Ending] = loop.create_future()

    def end(why: Ending) -> None:
        if not ended.done():
            ended.set_result(why)

    loop.add_signal_handler(signal.SIGINT, end, Ending.INTERRUPTED)
    loop.add_signal_handler(signal.SIGTERM, end, Ending.TERMINATED)
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            end(Ending.ORPHANED)
        elif not ended.done():
            loop.call_later(_LOOK_S, look)

    if with_parent:
        look()
    _refuse_closed(settings.market.first_live_day)
    chosen, world = (settings, None) if settings.replay is None else replayed(settings)
    authority = (
        open_authority(chosen.tls, dt.datetime.fromtimestamp(SystemClock().now() / NS_PER_SECOND, dt.UTC))
        if chosen.tls is not None
        else None
    )
    wall = SystemClock().now if wall_tokens else None
    async with open_service(chosen, world, authority, wall=wall) as (service, ready):
        announce(ready)
        assert service.pumping is not None
        ends: set[asyncio.Future[Any]] = {ended, service.pumping}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            service.pumping.result()  # a market that stands still is a defect, told with its traceback
        return await ended
