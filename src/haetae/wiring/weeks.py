"""Days of paper trading under a script of faults: the market in one process, the desk in another that may be killed.

The market is an emulator that outlives the desk, with the script's own faults of line, broker and market. The desk is
the product's own command in a process that this one kills, stops and starts again as a supervisor would. In the end
the emulator's ledger, which no fault can touch, is compared with what the desk's journal says.

Here: starting, striking, starting again. Not here: the script (``week_script``), what a desk does (``trading_days``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from haetae.domain.errors import ConfigError, HaetaeError, Text
from haetae.domain.units import day_of, instant_at
from haetae.kis.settings import KisSettings
from haetae.krx.calendar import next_trading_day
from haetae.wiring.accounts import KeyFile, write_account
from haetae.wiring.child import Control
from haetae.wiring.demo.hindsight import reconcile
from haetae.wiring.demo.stages import CASH
from haetae.wiring.desk_folder import open_folder, read_facts
from haetae.wiring.exchange import ACCOUNT
from haetae.wiring.records import write_json
from haetae.wiring.screen import Screen
from haetae.wiring.venues import TradeSettings, start_emulator
from haetae.wiring.week_script import Strike, Week, read_week

_LOOK_S = 0.03
_AGAIN_S = 0.5
"""A supervisor's pause before it starts a desk again."""
_MOST_STARTS = 12
_REFUSED_WITHIN_S = 60.0
_KILL, _PAUSE, _SECOND = "P01", "P05", "P08"


@dataclass(slots=True)
class _Told:
    """What happened to the desk's process."""

    strikes: list[dict[str, Any]] = field(default_factory=list)
    starts: int = 0
    ends: list[int] = field(default_factory=list)


async def trade_under_faults(
    settings: TradeSettings, script: Path, env: Mapping[str, str], screen: Screen
) -> dict[str, Any]:
    """Trade the sessions of the settings under a script; returns the desk's facts with ``week`` added.

    ``week`` holds the strikes at the process, the emulator's faults with how often each struck, and ``agrees``:
    whether journal and ledger are equal to the won.
    """
    if not settings.emulator or settings.sessions < 1:
        raise ConfigError(
            Text(ko="장애 스크립트는 에뮬레이터에서만", en="a script of faults needs an emulator of its own"),
            expected="--emulator --sessions 5",
            found=f"sessions {settings.sessions}",
            next_step=f"haetae trade paper --emulator --sessions 5 --faults {script}",
        )
    week = read_week(script)
    facts = open_folder(settings.out, settings.source)
    if (settings.out / "journal.db").exists():
        raise ConfigError(
            Text(ko="이 폴더의 저널은 다른 시장의 것입니다", en="the folder's journal belongs to another market"),
            expected=Text(ko="새 폴더", en="a new folder"),
            found=str(settings.out / "journal.db"),
            next_step="--out data/week",
        )
    write_json(settings.out / "facts.json", facts)
    emulator_script = settings.out / "faults.toml"
    emulator_script.write_text(week.emulator, encoding="utf-8")
    async with aiohttp.ClientSession(trust_env=False) as http:
        exchange, evening = await start_emulator(
            settings.out, facts, http, emulator_script if week.has_faults else None
        )
        try:
            first = day_of(evening)
            for shock in week.shocks:
                day = next_trading_day(first, shock.day)
                await exchange.control.shock(instant_at(day, shock.at), shock.minutes, shock.return_bp)
            await exchange.control.advance(evening)
            account = _account(settings.out, exchange.kis)
            told = await _run(
                settings, week, exchange.control, str(exchange.process.ready["control"]), account, screen, first
            )
            return await _judged(settings.out, exchange.control, told)
        finally:
            await exchange.process.stop()


def _account(out: Path, kis: KisSettings) -> Path:
    """Write the account of the emulator as a folder that the desk and a kill read."""
    folder = out / "account"
    read = KeyFile(
        mode=kis.mode,
        app_key=kis.app_key,
        app_secret=kis.app_secret.reveal(),
        account=kis.account,
        product=kis.product,
        hts_id=kis.hts_id,
        rest_url=kis.rest_url,
        ws_url=kis.ws_url,
    )
    write_account(folder, read, again=True)
    return folder


def _command(settings: TradeSettings, control: str, account: Path, sessions: int) -> list[str]:
    words = [sys.executable, "-m", "haetae.cli.main", "trade", "paper", "--out", str(settings.out)]
    words += ["--control", control, "--account", str(account), "--sessions", str(sessions)]
    words += [
        part
        for path in settings.files
        if path.name not in ("base.toml", "paper.toml")
        for part in ("--config", str(path))
    ]
    if settings.strategy:
        words += ["--strategy", settings.strategy]
        words += [part for name, value in settings.parameters.items() for part in ("--set", f"{name}={value}")]
    return words


async def _run(
    settings: TradeSettings,
    week: Week,
    control: Control,
    address: str,
    account: Path,
    screen: Screen,
    first: Any,
) -> _Told:
    told = _Told()
    due = [(instant_at(next_trading_day(first, strike.day), strike.at), strike) for strike in week.strikes]
    due.sort(key=lambda pair: pair[0])
    with (settings.out / "desk.log").open("ab") as log:
        while (left := settings.sessions - _closed(settings.out)) > 0:
            told.starts += 1
            if told.starts > _MOST_STARTS:
                raise HaetaeError(
                    Text(ko="데스크가 되풀이해 죽습니다", en="the desk keeps dying"),
                    expected=Text(ko="거래일의 끝", en="the end of a trading day"),
                    found=f"{told.starts - 1} starts, exits {told.ends}",
                    next_step=f"{settings.out / 'desk.log'}, {settings.out / 'haetae.log'}",
                )
            screen.say(
                Text(
                    ko=f"데스크 시작 {told.starts}번째, 남은 {left}일", en=f"desk start {told.starts}, {left} days left"
                )
            )
            words = _command(settings, address, account, left)
            desk = await asyncio.create_subprocess_exec(*words, stdout=log, stderr=log, start_new_session=True)
            try:
                await _strike(desk, due, control, words, told, screen)
                told.ends.append(await desk.wait())
            finally:
                if desk.returncode is None:
                    desk.kill()
                    await desk.wait()
            await asyncio.sleep(_AGAIN_S)
    return told


async def _strike(
    desk: asyncio.subprocess.Process,
    due: list[tuple[int, Strike]],
    control: Control,
    words: list[str],
    told: _Told,
    screen: Screen,
) -> None:
    """Strike the desk at every moment that is due, until it ends."""
    while due and desk.returncode is None:
        now = int((await control.state())["now"])
        if now < due[0][0]:
            await asyncio.wait({asyncio.ensure_future(desk.wait())}, timeout=_LOOK_S)
            continue
        strike = due.pop(0)[1]
        record: dict[str, Any] = {"id": strike.id, "day": strike.day, "at": now}
        told.strikes.append(record)
        screen.say(Text(ko=f"장애 {strike.id}: {strike.day}일째", en=f"fault {strike.id}: day {strike.day}"))
        if strike.id == _KILL:
            os.kill(desk.pid, signal.SIGKILL)
            return
        if strike.id == _PAUSE:
            os.kill(desk.pid, signal.SIGSTOP)
            await asyncio.sleep(strike.seconds)
            os.kill(desk.pid, signal.SIGCONT)
        elif strike.id == _SECOND:
            os.kill(desk.pid, signal.SIGSTOP)  # it holds its folder all the same, and the day does not end meanwhile
            second = await asyncio.create_subprocess_exec(
                *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )
            record["exit"] = await _end_of(second)
            os.kill(desk.pid, signal.SIGCONT)


async def _end_of(second: asyncio.subprocess.Process) -> int:
    """Return how a second desk ended; one that was let in is ended here, and shows as killed."""
    try:
        return await asyncio.wait_for(second.wait(), _REFUSED_WITHIN_S)
    except TimeoutError:
        second.kill()
        return await second.wait()


def _closed(out: Path) -> int:
    return len(read_facts(out).get("sessions", []))


async def _judged(out: Path, control: Control, told: _Told) -> dict[str, Any]:
    """Return the desk's facts with what the week came to, and keep them."""
    facts = read_facts(out)
    write_json(out / "ledger.json", await control.ledger(ACCOUNT))
    sides = reconcile(out / "journal.db", out / "ledger.json", CASH)
    facts["reconciliation"] = sides
    struck = [{"id": each["id"], "fired": each["fired"]} for each in await control.faults()]
    facts["week"] = {
        "agrees": sides["journal"] == sides["emulator"],
        "starts": told.starts,
        "ends": told.ends,
        "strikes": told.strikes,
        "faults": struck,
        "kinds_struck": sorted({row["id"] for row in struck if row["fired"]} | {row["id"] for row in told.strikes}),
        "escapes": [day["day"] for day in facts.get("sessions", []) if day["escape"]["orders"]],
    }
    write_json(out / "facts.json", facts)
    return facts
