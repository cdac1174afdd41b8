"""Where a desk trades: an account at the broker, an emulator that runs, or one started for the purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from haetae.config import Settings, load
from haetae.desk import DeskSettings
from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Instant, day_of, instant_at
from haetae.emulator.settings import MarketSettings
from haetae.kis.settings import KisSettings, is_loopback
from haetae.krx.calendar import next_trading_day, previous_trading_day
from haetae.live import NotifySettings
from haetae.ports.tables import daily_table
from haetae.store.lake import Lake
from haetae.wiring import accounts, livegate
from haetae.wiring.child import Control
from haetae.wiring.clocks import ScaledClock, SystemClock
from haetae.wiring.demo.hindsight import reconcile
from haetae.wiring.demo.stages import CASH, FULL, SHOCK_AT, SHOCK_BP, SHOCK_MINUTES, SHORT
from haetae.wiring.desks import DECISION_MINUTES, FIRST_DECISION_MINUTE
from haetae.wiring.exchange import ACCOUNT, Exchange, open_exchange
from haetae.wiring.floor import stall_s
from haetae.wiring.paces import LockstepPace, Pace, RunningPace
from haetae.wiring.records import write_json
from haetae.wiring.screen import Screen

Ledger = Callable[[Path, Path], Awaitable[dict[str, Any]]]
EVENING = 180_000


@dataclass(slots=True)
class Venue:
    """A market to trade on.

    ``forgets`` says that accounts end with the process; ``ledger`` compares the books with the market's
    own, where it can be asked.
    """

    kis: KisSettings
    desk: DeskSettings
    pace: Pace
    close: Callable[[], Awaitable[None]]
    forgets: bool = False
    ledger: Ledger | None = None
    notify: NotifySettings = field(default_factory=NotifySettings)

    def now(self) -> Instant:
        """Return the market's time."""
        return self.pace.now()


@dataclass(frozen=True, slots=True)
class TradeSettings:
    """What the command line says.

    ``emulator`` starts one and steps it; ``control`` is the control port of one that runs already.
    ``sessions`` days are traded, 0 means for ever. ``live`` asks for real money: see ``livegate``. ``strategy`` with
    ``parameters`` decides in place of the model in charge, with play money only.
    """

    out: Path
    source: Path | None = None
    account: Path = accounts.FOLDER
    files: tuple[Path, ...] = ()
    emulator: bool = False
    control: str = ""
    sessions: int = 1
    live: bool = False
    strategy: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


async def open_venue(
    settings: TradeSettings,
    env: Mapping[str, str],
    facts: Mapping[str, Any],
    http: aiohttp.ClientSession,
    screen: Screen,
) -> Venue:
    """Return the market of the settings; the caller closes it."""
    if settings.emulator:
        return await _own_emulator(settings, env, facts, http, screen)
    if settings.live:
        clock = SystemClock()
        found, kis = livegate.pass_gate(settings.account, env, day_of(clock.now()), settings.files)
        return Venue(kis, _desk(found), RunningPace(clock, screen), _nothing, notify=found.notify)
    found, kis = accounts.read_account(settings.account, env, files=settings.files)
    if settings.control:
        return await _running_emulator(settings.control, kis, found, env, http, screen)
    if is_loopback(kis.rest_url):
        raise ConfigError(
            Text(ko="에뮬레이터의 시계를 알 수 없습니다", en="the emulator's clock is not known"),
            expected=Text(ko="에뮬레이터가 알린 control 주소", en="the control address the emulator told"),
            found=kis.rest_url,
            next_step=Text(
                ko="--control 주소, 또는 --emulator 로 새로 띄우기",
                en="--control ADDRESS, or --emulator starts one",
            ),
        )
    return Venue(kis, _desk(found), RunningPace(SystemClock(), screen), _nothing, notify=found.notify)


def _desk(settings: Settings) -> DeskSettings:
    """Return the desk's settings with the clock the policies were trained for."""
    return replace(settings.desk, decision_minutes=DECISION_MINUTES, first_decision_minute=FIRST_DECISION_MINUTE)


async def _nothing() -> None:
    return


def _ledger_of(control: Control, account: str, cash: int) -> Ledger:
    async def compare(journal: Path, folder: Path) -> dict[str, Any]:
        write_json(folder / "ledger.json", await control.ledger(account))
        return reconcile(journal, folder / "ledger.json", cash)

    return compare


async def _own_emulator(
    settings: TradeSettings,
    env: Mapping[str, str],
    facts: Mapping[str, Any],
    http: aiohttp.ClientSession,
    screen: Screen,
) -> Venue:
    exchange, evening = await start_emulator(settings.out, facts, http)
    struck = next_trading_day(MarketSettings().first_live_day)
    await exchange.control.shock(instant_at(struck, SHOCK_AT), SHOCK_MINUTES, SHOCK_BP)
    await exchange.control.advance(evening)
    others = {name: value for name, value in env.items() if not name.startswith("HAETAE_KIS__")}
    found = load(settings.files, others)
    pace = LockstepPace(exchange.control, exchange.kis.app_key, screen, at=evening, stall_s=stall_s(env))
    ledger = _ledger_of(exchange.control, ACCOUNT, CASH)
    return Venue(
        exchange.kis, _desk(found), pace, exchange.process.stop, forgets=True, ledger=ledger, notify=found.notify
    )


async def start_emulator(
    out: Path, facts: Mapping[str, Any], http: aiohttp.ClientSession, faults: Path | None = None
) -> tuple[Exchange, Instant]:
    """Start the emulator of the demo a desk began from; returns it with the evening its lake ends on."""
    identity = facts.get("identity") or {}
    if "seed" not in identity or identity.get("lake"):
        raise ConfigError(
            Text(ko="에뮬레이터의 시장을 알 수 없습니다", en="the emulator's market is not known"),
            expected=Text(ko="가상 시장으로 돌린 데모의 폴더", en="the folder of a demo on the synthetic market"),
            found=str(identity.get("lake") or out),
            next_step=Text(ko="--from data/demo 로 시작하세요", en="begin with --from data/demo"),
        )
    size = SHORT if identity.get("short") else FULL
    first = MarketSettings().first_live_day
    lake = Lake(out / "lake")
    table = daily_table(lake.versions())
    known = next((t.last_day for t in lake.describe() if t.table == table), None)
    exchange, _ = await open_exchange(
        http,
        out,
        seed=int(identity["seed"]),
        listed=size.listed,
        history=size.history,
        evening=previous_trading_day(first),
        sessions=0,
        cash=CASH,
        replay=None,
        faults=faults,
    )
    return exchange, instant_at(max(known or first, previous_trading_day(first)), EVENING)


async def _running_emulator(
    url: str, kis: KisSettings, found: Settings, env: Mapping[str, str], http: aiohttp.ClientSession, screen: Screen
) -> Venue:
    """Join an emulator that runs: in lockstep where its clock stands, on its clock where it runs."""
    if not is_loopback(url):
        raise ConfigError(
            Text(ko="제어 포트는 이 컴퓨터에만 있습니다", en="a control port is on this machine only"),
            expected="http://127.0.0.1:…",
            found=url,
            next_step="haetae emulator run",
        )
    control = Control(url.rstrip("/"), http)
    state = await control.state()
    pace: Pace
    if float(state["speed"]) > 0:
        clock = ScaledClock(start=int(state["now"]), wall_start=SystemClock().now(), speed=float(state["speed"]))
        pace = RunningPace(clock, screen)
    else:
        kis = replace(kis, silence_s=None, poll_s=60.0, index_poll_s=60.0)
        pace = LockstepPace(control, kis.app_key, screen, at=int(state["now"]), stall_s=stall_s(env))
    ledger = _ledger_of(control, kis.account, int((await control.ledger(kis.account)).get("deposits", 0)))
    return Venue(kis, _desk(found), pace, _nothing, ledger=ledger, notify=found.notify)
