"""Faults that need no whole session: each is met by the real code that has to withstand it.

Here: ``SCENES``, by fault; each takes a seed and raises ``Unproven`` where something does not hold. Not here: drills
of a session (``rig``), what is proven by tests elsewhere (``faults``).
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from haetae.desk import DeskState, open_desk, step
from haetae.desk.ordering import situation
from haetae.desk.turn import Turn
from haetae.domain.decisions import Allow, Proposal
from haetae.domain.errors import ConfigError, HaetaeError, JournalError
from haetae.domain.events import Note, OperatorState, SessionStart, Submit, Timer
from haetae.domain.orders import Accepted, OrderIntent, OrderKind, Side
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.emulator.accounts import Account
from haetae.emulator.faults.script import read_fault
from haetae.guards import Limits, cleared
from haetae.journal import JournalDb
from haetae.kis.broker import KisBroker
from haetae.kis.rest import KisRest
from haetae.krx import Rulebook
from haetae.krx.calendar import next_trading_day
from haetae.ledger import open_book
from haetae.wiring.dice import rng
from haetae.wiring.drills.drill import Drill, drill_desk
from haetae.wiring.drills.line import LineHttp
from haetae.wiring.drills.loop import Draws, LoopClock, VirtualLoop, run_virtual
from haetae.wiring.drills.market import CASH, begin_session, connection, make_ground
from haetae.wiring.drills.plan import Act, Plan
from haetae.wiring.drills.rig import Rig
from haetae.wiring.drills.shell import Shell
from haetae.wiring.drills.trace import Trace

DAY = dt.date(2026, 11, 23)


class Unproven(HaetaeError):
    """A fault was not withstood."""


def _must(holds: object, what: str, found: object = "") -> None:
    if not holds:
        raise Unproven(what, expected=what, found=str(found) or "otherwise", next_step="run the same seed again")


# ------------------------------------------------------------------ the broker


def number_again(seed: int) -> None:
    """B15: an order number of yesterday comes again today; the two orders are never taken for one."""
    ground = make_ground(seed, DAY, 4, sessions=3)
    loop = VirtualLoop(Draws(rng(seed, "scene.order")))
    clock = LoopClock(loop, instant_at(DAY, 100_000))
    core = ground.core(clock.true(), loop.time)
    shell = Shell(core, clock, Draws(rng(seed, "scene.latency")), Trace(), (0.004, 0.06))
    settings = replace(connection(seed), poll_s=3_600.0)
    symbol = ground.symbols[0]
    desk, _, rules = _desk(seed)

    async def buy(broker: KisBroker, name: str) -> Accepted:
        price = core.board.session.base_prices[symbol]
        low = core.board.session.rules.floor_tick(price * 9 // 10)
        intent = OrderIntent(name, name, symbol, Side.BUY, 3, OrderKind.LIMIT, low, clock.now())
        now = situation(Turn(desk, clock.now(), rules), intent)
        event = await broker.submit(cleared(intent, Allow(("G01",)), now))  # what a guard says is not in question here
        _must(isinstance(event, Accepted), "the order is accepted", event)
        assert isinstance(event, Accepted)
        return event

    async def work() -> tuple[Accepted, Accepted]:
        async with KisRest(settings, clock, carry=lambda told: LineHttp(shell, told, 1)) as rest:
            broker = KisBroker(rest, None, clock)
            first = await buy(broker, "yesterday")
            following = next_trading_day(DAY)
            await clock.sleep((instant_at(following, 100_000) - clock.now()) / NS_PER_SECOND)
            shell.beat()
            fault, _ = read_fault({"id": "B15"})
            assert fault is not None
            core.faults.arm(fault)
            second = await buy(broker, "today")
            for day, event in ((DAY, first), (following, second)):
                numbers = {order.order_id.number for order in await broker.orders(day)}
                _must(event.order_id.number in numbers, f"the list of {day} has its order", numbers)
            await broker.close()
            return first, second

    first, second = run_virtual(loop, work())
    _must(first.order_id.number == second.order_id.number, "the number came again", (first, second))
    _must(first.order_id != second.order_id, "the day is part of an order's name", (first, second))


# ------------------------------------------------------------------ data


def _desk(seed: int) -> tuple[DeskState, SessionStart, Rulebook]:
    ground = make_ground(seed, DAY, 4)
    core = ground.core(instant_at(DAY, 84_000), lambda: 0.0)
    rules = Rulebook.on(DAY)
    session = begin_session(ground, core, instant_at(DAY, 85_000), rng(seed, "scene.market"))
    desk, _ = step(open_desk(drill_desk(), open_book(CASH)), session, rules)
    return desk, session, rules


def strange_universe(seed: int) -> None:
    """D04: unknown codes, doubled weight, a name that may not be traded: nothing of it is ordered."""
    desk, session, rules = _desk(seed)
    shut = session.symbols[0]
    closed, _ = step(
        open_desk(drill_desk(), open_book(CASH)),
        replace(session, tradable=session.tradable - {shut}),
        rules,
    )
    at = instant_at(DAY, 93_000)
    for state, targets in (
        (desk, {"AAPL": 0.02}),
        (desk, {"999999": 0.02}),
        (desk, dict.fromkeys(session.symbols, 0.9)),
        (desk, {session.symbols[1]: float("nan")}),
        (closed, {shut: 0.02}),
    ):
        _, commands = step(state, Proposal(f"P-{seed}", at, "scene", targets), rules)
        _must(not any(isinstance(one, Submit) for one in commands), f"{targets} orders nothing", commands)
        _must(any(isinstance(one, Note) for one in commands), f"{targets} is told", commands)


# ------------------------------------------------------------------ the machine


def _journal(folder: Path, seed: int) -> Path:
    path = folder / "journal.db"
    with JournalDb(path) as journal:
        for number in range(20 + seed % 7):
            journal.append("event", [(number, Timer(number, f"scene-{seed}-{number}"))], durable=True)
    return path


def second_instance(seed: int) -> None:
    """P08: who holds the journal keeps it; a second desk does not start."""
    with TemporaryDirectory(prefix="scene-") as folder:
        path = _journal(Path(folder), seed)
        with JournalDb(path):
            try:
                JournalDb(path).close()
            except JournalError:
                return
        raise Unproven("a second writer is refused", expected="JournalError", found="it opened")


def flipped_bit(seed: int) -> None:
    """S04: a bit of the file is another one: that is found, or nothing that is read has changed."""
    with TemporaryDirectory(prefix="scene-") as folder:
        path = _journal(Path(folder), seed)
        with JournalDb(path, read_only=True) as journal:
            before = [row[3] for row in journal.raw()]
        content = bytearray(path.read_bytes())
        for place in rng(seed, "scene.flip").integers(0, len(content), 12).tolist():
            spoilt = bytearray(content)
            spoilt[place] ^= 1 << (seed + place) % 8
            path.write_bytes(spoilt)
            try:
                with JournalDb(path, read_only=True) as journal:
                    journal.verify()
                    after = [row[3] for row in journal.raw()]
            except JournalError:
                continue
            _must(after == before, "a flipped bit is found, or changes nothing", f"byte {place}")


def edited_row(seed: int) -> None:
    """X08: a row edited by hand breaks the chain."""
    with TemporaryDirectory(prefix="scene-") as folder:
        path = _journal(Path(folder), seed)
        with sqlite3.connect(path) as file:
            file.execute("UPDATE entries SET at = at + 1 WHERE seq = ?", (1 + seed % 20,))
        file.close()
        try:
            with JournalDb(path, read_only=True) as journal:
                journal.verify()
        except JournalError:
            return
        raise Unproven("an edited row is found", expected="JournalError", found="it verifies")


def yesterdays_journal(seed: int) -> None:
    """S06: an older journal is put back, at any moment: the desk is behind the broker, says so, and invents nothing."""
    ground = make_ground(1 + seed, DAY, 6)
    dice = rng(seed, "scene.restored")
    at = instant_at(DAY, 145_000) + int(dice.integers(0, 19 * 60)) * NS_PER_SECOND
    released = at + 150 * NS_PER_SECOND
    acts = (
        Act(at, "S06", "restore", 0.2 + 0.75 * float(dice.random())),
        Act(released, "S06", "operator", text=OperatorState.ACTIVE.value),
    )
    desk = drill_desk(50, 3, 120)
    rig = Rig(Drill(seed, ground, instant_at(DAY, 144_500), Plan(ids=("S06",), acts=acts), desk=desk, trades=0.9))
    evidence = rig.run()
    early = [one for one in evidence.seen.orders if at < one.left <= released and not one.change]
    _must(not early, "nothing is ordered until a person has looked", [one.intent_id for one in early])
    epochs: dict[str, set[int]] = {}
    for sent in evidence.seen.orders:
        if not sent.change:
            epochs.setdefault(sent.intent_id, set()).add(sent.epoch)
    _must(all(len(of) == 1 for of in epochs.values()), "no order is sent by two processes", epochs)
    booked = {name for name, order in (evidence.desk or evidence.initial).blotter.orders.items() if order.filled}
    unknown = [sent for sent in evidence.seen.orders if sent.number and not sent.change and sent.epoch == 1]
    lost = [sent for sent in unknown if sent.intent_id not in booked and _filled(evidence.account, sent.number)]
    told = [one for *_, one in evidence.entries if isinstance(one, Note) and one.kind == "reconcile.differed"]
    _must(not lost or told, "what the journal does not know is told as a difference", [sent.intent_id for sent in lost])
    frozen = {sent.symbol for sent in lost}
    bought = [one for one in evidence.seen.orders if one.epoch > 1 and one.side == "buy" and one.symbol in frozen]
    _must(not bought, "a name with unknown executions is not bought again", [one.intent_id for one in bought])
    _must(evidence.account.balanced, "the broker's ledger balances")


def _filled(account: Account, number: int) -> int:
    row = account.row_of(DAY, number)
    return row.filled if row is not None else 0


# ------------------------------------------------------------------ settings


def _refused(make: Callable[[], object], what: str) -> None:
    try:
        made = make()
    except ConfigError:
        return
    raise Unproven(what, expected="ConfigError", found=repr(made)[:80])


def wrong_limits(seed: int) -> None:
    """O02: a limit tenfold by a slip of the hand, or below zero, is refused when it is read."""
    names = sorted(Limits.ceilings)
    name = names[seed % len(names)]
    for value, what in ((Limits.ceilings[name] * 10 + 10, "above its ceiling"), (-1, "below zero")):
        changed: dict[str, Any] = {name: value}
        _refused(partial(Limits, **changed), f"{name} {what} is refused")


def address_outside(seed: int) -> None:
    """X03: no address but the broker's own, and those of this machine, can be configured."""
    good = connection(seed)
    for address in (
        "http://169.254.169.254",
        "https://example.com",
        "http://10.0.0.1:9443",
        "http://127.0.0.1.example.com",
    ):
        _refused(partial(replace, good, rest_url=address), f"{address} is refused")
        _refused(partial(replace, good, ws_url=address.replace("http", "ws")), f"{address} is refused")


SCENES: Mapping[str, Callable[[int], None]] = {
    "B15": number_again,
    "D04": strange_universe,
    "P08": second_instance,
    "S04": flipped_bit,
    "S06": yesterdays_journal,
    "O02": wrong_limits,
    "X03": address_outside,
    "X08": edited_row,
}
"""What is met in a scene of its own."""

DAYS: Mapping[str, tuple[dt.date, ...]] = {
    "M09": (
        dt.date(2025, 11, 13),
        dt.date(2026, 11, 19),
        dt.date(2026, 1, 2),
        dt.date(2025, 1, 2),
        dt.date(2026, 2, 13),
    ),
    "M10": (
        dt.date(2025, 3, 4),
        dt.date(2026, 4, 20),
        dt.date(2026, 9, 11),
        dt.date(2026, 9, 14),
        dt.date(2026, 9, 15),
    ),
    "C03": (
        dt.date(2026, 7, 31),
        dt.date(2026, 12, 29),
        dt.date(2024, 2, 29),
        dt.date(2026, 3, 9),
        dt.date(2025, 11, 3),
    ),
}
"""Days of the calendar that are a fault by themselves, one a seed: late opens, days after holidays, new hours, ends."""
