"""The emulator on loopback ports: REST and WebSocket of both domains, and the control port.

Here: ``serve``, an async context manager that binds the five ports and keeps the market moving.
Binds 127.0.0.1 only. Not here: sockets at work (``service``), answers (``core``), control calls (``control``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import numpy as np

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Instant, instant_at
from haetae.emulator.clock import EmulatorClock
from haetae.emulator.control import Control
from haetae.emulator.core import Core
from haetae.emulator.doors import Door
from haetae.emulator.market import World, synthesize
from haetae.emulator.service import Service
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.emulator.tls import Authority
from haetae.kis.wire.operations import Mode


def first_instant(settings: EmulatorSettings) -> Instant:
    """Return where the clock starts: the setting, or 10:00 of the first live day."""
    return settings.start if settings.start is not None else instant_at(settings.market.first_live_day, 100_000)


def build_world(settings: MarketSettings) -> World:
    """Return the synthetic market of a seed."""
    return synthesize(settings, np.random.Generator(np.random.Philox(key=[settings.seed, 0])))


@asynccontextmanager
async def serve(
    settings: EmulatorSettings,
    world: World | None = None,
    authority: Authority | None = None,
    *,
    wall: Callable[[], Instant] | None = None,
) -> AsyncIterator[dict[str, object]]:
    """Run an emulator while the context is open; yields where it listens (see ``open_service``)."""
    async with open_service(settings, world, authority, wall=wall) as (_, ready):
        yield ready


@asynccontextmanager
async def open_service(
    settings: EmulatorSettings,
    world: World | None = None,
    authority: Authority | None = None,
    *,
    wall: Callable[[], Instant] | None = None,
) -> AsyncIterator[tuple[Service, dict[str, object]]]:
    """Run an emulator while the context is open; yields it with where it listens.

    Parameters
    ----------
    settings : EmulatorSettings
    world : World, optional
        The market behind it; the synthetic one of the settings' seed by default.
    authority : Authority, optional
        Certificates for REST over TLS; none: plain HTTP.
    wall : callable, optional
        The clock of the clients, where that is not the market's: a token's expiry is told on the later of both.

    Yields
    ------
    Service, dict
        ``rest_real``, ``rest_mock``, ``ws_real``, ``ws_mock``, ``control`` (addresses), ``pid``, ``now``, and ``ca``
        where there is an authority.

    Raises
    ------
    ConfigError
        If a port is taken or may not be bound, or a fault cannot happen here; nothing stays bound then.
    """
    loop = asyncio.get_running_loop()
    start = first_instant(settings)
    core = Core(world or build_world(settings.market), settings, start, beat=loop.time, wall=wall)
    _refuse_tls_faults(core, authority)
    service = Service(core, EmulatorClock(start, speed=settings.speed, beat=loop.time), authority)
    doors = _doors(settings, service, authority)
    ready: dict[str, object] = {}
    pump: asyncio.Task[None] | None = None
    try:
        for door in doors:
            await door.open()
            ready[door.name] = door.address
        service.doors = {door.name: door for door in doors[:-1]}
        service.addresses = {door.name: door.address for door in doors}
        ready["pid"] = os.getpid()
        ready["now"] = start
        if authority is not None:
            ready["ca"] = str(authority.ca_file)
        await service.obey()
        pump = service.pumping = asyncio.create_task(service.pump())
        yield service, ready
    finally:
        if pump is not None:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
        await service.hang_up()
        for door in doors:
            await door.close()


def _doors(settings: EmulatorSettings, service: Service, authority: Authority | None) -> list[Door]:
    """Return the five doors; the control port is the last."""
    context = authority.context() if authority is not None else None
    scheme = "https" if authority is not None else "http"
    return [
        Door("rest_real", settings.rest_real_port, service.rest(Mode.REAL), scheme, context=context),
        Door("rest_mock", settings.rest_mock_port, service.rest(Mode.MOCK), scheme, context=context),
        Door("ws_real", settings.ws_real_port, service.socket(Mode.REAL), "ws"),
        Door("ws_mock", settings.ws_mock_port, service.socket(Mode.MOCK), "ws"),
        Door("control", settings.control_port, Control(service).handle, "http"),
    ]


def _refuse_tls_faults(core: Core, authority: Authority | None) -> None:
    wanting = [armed.fault for armed in core.faults.armed if armed.fault.entry.needs == "tls"]
    if wanting and authority is None:
        raise ConfigError(
            Text(ko=f"{wanting[0].entry.id} 에는 TLS 가 필요합니다", en=f"{wanting[0].entry.id} needs TLS"),
            expected="--tls DIR",
            found=f"line {wanting[0].line} of {core.settings.faults}",
            next_step=Text(ko="--tls 를 주거나 그 장애를 빼세요", en="give --tls, or leave that fault out"),
        )
