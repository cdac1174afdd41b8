"""The emulator on loopback ports: REST and WebSocket of both domains, and the control port.

Here: ``serve``, an async context manager that binds the five ports and keeps the market moving.
Binds 127.0.0.1 only. Not here: sockets at work (``service``), answers (``core``), control calls (``control``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
from aiohttp import web

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Instant, instant_at
from haetae.emulator.clock import EmulatorClock
from haetae.emulator.control import Control
from haetae.emulator.core import Core
from haetae.emulator.market import World, synthesize
from haetae.emulator.service import BODY_LIMIT, Service
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.kis.wire.operations import Mode

HOST = "127.0.0.1"


def first_instant(settings: EmulatorSettings) -> Instant:
    """Return where the clock starts: the setting, or 10:00 of the first live day."""
    return settings.start if settings.start is not None else instant_at(settings.market.first_live_day, 100_000)


def build_world(settings: MarketSettings) -> World:
    """Return the synthetic market of a seed."""
    return synthesize(settings, np.random.Generator(np.random.Philox(key=[settings.seed, 0])))


@asynccontextmanager
async def serve(settings: EmulatorSettings, world: World | None = None) -> AsyncIterator[dict[str, object]]:
    """Run an emulator while the context is open; yields where it listens (see ``open_service``)."""
    async with open_service(settings, world) as (_, ready):
        yield ready


@asynccontextmanager
async def open_service(
    settings: EmulatorSettings, world: World | None = None
) -> AsyncIterator[tuple[Service, dict[str, object]]]:
    """Run an emulator while the context is open; yields it with where it listens.

    Parameters
    ----------
    settings : EmulatorSettings
    world : World, optional
        The market behind it; the synthetic one of the settings' seed by default.

    Yields
    ------
    Service, dict
        ``rest_real``, ``rest_mock``, ``ws_real``, ``ws_mock``, ``control`` (addresses), ``pid``, ``now``.

    Raises
    ------
    ConfigError
        If a port is taken or may not be bound; nothing stays bound then.
    """
    loop = asyncio.get_running_loop()
    start = first_instant(settings)
    core = Core(world or build_world(settings.market), settings, start)
    service = Service(core, EmulatorClock(start, speed=settings.speed, beat=loop.time))
    control = Control(service)
    doors = (
        ("rest_real", settings.rest_real_port, service.rest(Mode.REAL), "http"),
        ("rest_mock", settings.rest_mock_port, service.rest(Mode.MOCK), "http"),
        ("ws_real", settings.ws_real_port, service.socket(Mode.REAL), "ws"),
        ("ws_mock", settings.ws_mock_port, service.socket(Mode.MOCK), "ws"),
        ("control", settings.control_port, control.handle, "http"),
    )
    runners: list[web.AppRunner] = []
    ready: dict[str, object] = {}
    pump: asyncio.Task[None] | None = None
    try:
        for name, port, handler, scheme in doors:
            application = web.Application(client_max_size=BODY_LIMIT)
            application.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=0.5)
            await runner.setup()
            runners.append(runner)
            site = web.TCPSite(runner, HOST, port)
            try:
                await site.start()
            except OSError as fault:
                raise _port_taken(name, port, fault) from fault
            ready[name] = f"{scheme}://{HOST}:{runner.addresses[0][1]}"
        service.addresses = {name: str(address) for name, address in ready.items()}
        ready["pid"] = os.getpid()
        ready["now"] = start
        pump = asyncio.create_task(service.pump())
        yield service, ready
    finally:
        if pump is not None:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
        await service.hang_up()
        for runner in runners:
            await runner.cleanup()


def _port_taken(name: str, port: int, fault: OSError) -> ConfigError:
    return ConfigError(
        Text(
            ko=f"포트 {port}({name})를 열 수 없습니다: {fault.strerror}",
            en=f"port {port} ({name}) cannot be opened: {fault.strerror}",
        ),
        expected=f"a free port on {HOST}",
        found=f"{port}: {fault.strerror}",
        next_step=Text(ko="다른 포트를 주거나 0(빈 포트)을 쓰세요", en="give another port, or 0 for a free one"),
    )
