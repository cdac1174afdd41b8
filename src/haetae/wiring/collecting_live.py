"""Running sessions into the lake: the feed and the collector of one connection.

Apart from ``collecting`` because the feed brings the compiled reader of frames, which no other collection needs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from haetae.collector.collector import Collector
from haetae.collector.jobs import Progress, Shop
from haetae.collector.live import LiveCollector, SessionReport, coming_session
from haetae.kis.feed import KisFeed
from haetae.ports import BarLake
from haetae.wiring.collecting import Connection, Names, choose


async def collect_live(
    connection: Connection,
    lake: BarLake,
    names: Names,
    sessions: int,
    progress: Progress,
    tell: Callable[[SessionReport], None],
    greet: Callable[[dt.date], None] = lambda day: None,
) -> None:
    """Collect running sessions, one after the other; 0 sessions is for ever.

    Sessions that an earlier process left provisional are repaired first. ``greet`` is called with the day of a session
    before it is waited for.
    """
    collector = Collector(connection.source, lake, connection.clock, connection.settings, progress)
    symbols, _ = await choose(collector, "live", names)
    shop = Shop(connection.source, lake, connection.clock, connection.settings, progress)
    try:
        live = LiveCollector(shop, KisFeed(connection.rest, connection.stream, connection.clock), symbols)
        await live.repair_pending()
        done = 0
        while not sessions or done < sessions:
            greet(coming_session(connection.clock.now()))
            tell(await live.session())
            done += 1
    finally:
        await connection.stream.close()
