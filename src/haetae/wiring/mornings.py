"""The morning of a trading day: the checks before the open are made, told, and heeded.

A restart in the middle of a day makes them too, save those that the running day answers itself: positions are
compared by its first reading, base prices are in the journal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from haetae.domain.events import Note, OperatorState, SessionStart
from haetae.domain.units import Symbol
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings
from haetae.krx import Rulebook
from haetae.live import LiveSettings
from haetae.ports import Clock
from haetae.store.lake import Lake
from haetae.universe.settings import UniverseSettings
from haetae.wiring import operators, preopen
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import process_dice
from haetae.wiring.journal_places import begun, open_journal
from haetae.wiring.notifying import Mailbox
from haetae.wiring.preopen import End, Morning
from haetae.wiring.selection import Market

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the checks look at."""

    folder: Path
    lake: Lake
    kis: KisSettings
    settings: LiveSettings
    real_money: bool
    universe: UniverseSettings = field(default_factory=UniverseSettings)
    mail: Mailbox | None = None
    env: Mapping[str, str] | None = None


async def examine(
    ground: Ground,
    clock: Clock,
    day: dt.date,
    market: Market,
    session: SessionStart,
    held: Mapping[Symbol, int],
    *,
    opened: bool,
) -> Morning:
    """Make every check and tell what came of it; raises ``ConfigError`` where the day must not begin.

    ``opened`` says that the journal has begun this day already: it goes on, it does not begin.
    """
    morning, now = Morning(), clock.now()
    async with KisRest(ground.kis, clock, process_dice("kis.rest")) as rest:
        answers = await preopen.ask_broker(rest, clock, day, session.symbols)
    close = Rulebook.on(day).session.close_at
    preopen.check_token(morning, answers.token_left_s, now, close, answers.fault)
    preopen.check_clock(morning, answers.skew_s, watched=ground.kis.watches_clock)
    preopen.check_disk(morning, ground.folder, ground.settings)
    journal = ground.folder / "journal.db"
    if begun(journal, ground.env):
        with open_journal(journal, env=ground.env, read_only=True) as written:
            preopen.check_journal(morning, written)
    preopen.check_holiday(morning, ground.lake, day, told=answers.trades, live=ground.real_money)
    listed = [item.symbol for item in market.instruments]
    preopen.check_universe(morning, market.universe.symbols, listed, ground.universe.size)
    if not opened:
        preopen.check_bases(morning, session.base_prices, answers.bases)
        preopen.check_positions(morning, answers.positions, held)
    _tell(morning, ground, now)
    return morning


def _tell(morning: Morning, ground: Ground, now: int) -> None:
    for check in morning.checks:
        _log.info("preopen.checked", check=check.name, end=check.end.name, found=str(check.found))
    if morning.worst is End.OK:
        return
    failed = morning.worst >= End.HALT
    names = [check.name for check in morning.failing(End.HALT if failed else End.WARN)]
    data = {"checks": names, "found": "; ".join(str(check.found) for check in morning.failing())}
    if ground.mail is not None:
        ground.mail.note(Note(now, "preopen.failed" if failed else "preopen.warned", data))
    if morning.worst is End.STOP:
        raise morning.refusal()
    if morning.worst is End.HALT:
        why = "; ".join(f"{check.name}: {check.found}" for check in morning.failing(End.HALT))
        operators.give(ground.folder, OperatorState.HALT, who="checks before the open", why=why, clock=SystemClock())


def heeding(session: SessionStart, morning: Morning) -> SessionStart:
    """Return the session with the broker's base prices, and without the names whose base price jumped."""
    return replace(
        session,
        base_prices={**session.base_prices, **morning.base_prices},
        tradable=session.tradable - morning.frozen,
    )
