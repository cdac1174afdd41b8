"""The kill switch as a process of its own: tell the desk, see whether it listens, else cancel at the broker.

It needs the account's keys and, where it exists, the token file; no journal, no lake, no service, no free disk. The
order of things: the wish is written into the desk's folder (a disk that refuses is told and passed over), a running
desk is given a second to take it, and where nobody does every open order of the account is cancelled over a
connection of this process, at the permitted pace, then read again until none is left or the time is over.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.events import OperatorState
from haetae.domain.orders import BrokerOrder, BrokerOrderId
from haetae.domain.units import day_of
from haetae.kis.broker import KisBroker
from haetae.kis.pacing import Lane
from haetae.kis.rest import Acked, KisRest, Refused, Sent, Unknown
from haetae.kis.settings import KisSettings
from haetae.kis.wire.calls.orders import OrderChange
from haetae.ports import Clock
from haetae.wiring import heartbeat, operators
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import process_dice
from haetae.wiring.livegate import for_cancels

LISTEN_S = 1.0
"""How long a running desk is given: it looks twice a second."""
_LOOK_S = 0.02
_PAUSES_S = (0.2, 1.0, 2.0)
"""Real seconds between the rounds: the list lags the cancels; what is open after the last is told."""
_CANCEL = "02"
Say = Callable[[Text], None]


@dataclass(slots=True)
class Outcome:
    """What a kill came to.

    ``written`` says that the wish lies in the folder, ``taken_by`` is the desk's process (0: nobody listened),
    ``open_left`` the numbers of orders that were open at the last reading; ``fault`` what kept the broker from us.
    """

    state: str
    written: bool = False
    taken_by: int = 0
    asked_broker: bool = False
    cancelled: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    open_left: list[str] = field(default_factory=list)
    seconds_to_last_cancel: float = 0.0
    fault: str = ""

    @property
    def done(self) -> bool:
        """Whether the wish is in force: a desk follows it, or nothing is open at the broker."""
        return bool(self.taken_by) or (self.asked_broker and not self.open_left and not self.fault)


def tell(
    folder: Path, state: OperatorState, *, people: tuple[str, ...], why: str, say: Say, clock: Clock | None = None
) -> tuple[bool, int]:
    """Write the wish, once for each name; return whether it lies there and how far a desk must read to know it."""
    try:
        for who in people:
            operators.give(folder, state, who=who, why=why, clock=clock or SystemClock())
    except (OSError, HaetaeError) as fault:
        found = fault.found if isinstance(fault, HaetaeError) else fault.strerror
        say(Text(ko=f"데스크 폴더에 쓰지 못했습니다: {found}", en=f"the desk's folder was not written: {found}"))
        return False, 0
    return True, operators.written_to(folder)


async def listened(folder: Path, read_to: int, within_s: float = LISTEN_S) -> int:
    """Return the process that has read so far, 0 when nobody has in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while True:
        sign = heartbeat.read(folder)
        if sign is None or sign.is_old():
            return 0
        if sign.read_to >= read_to:
            return sign.pid
        if loop.time() >= until:
            return 0
        await asyncio.sleep(_LOOK_S)


async def cancel_everything(kis: KisSettings, outcome: Outcome, say: Say, day: dt.date) -> None:
    """Cancel every open order of the account on a day and read until none is left."""
    outcome.asked_broker = True
    async with KisRest(kis, SystemClock(), process_dice("kis.kill")) as rest:
        try:
            await _rounds(rest, kis, outcome, say, day)
        except HaetaeError as fault:
            outcome.fault = f"{fault} ({fault.found})"
            say(
                Text(ko=f"증권사에 닿지 못했습니다: {outcome.fault}", en=f"the broker was not reached: {outcome.fault}")
            )


async def _rounds(rest: KisRest, kis: KisSettings, outcome: Outcome, say: Say, day: dt.date) -> None:
    # The reading of a day's orders is served on both domains; the list of what may be changed is not.
    broker = KisBroker(rest, None, SystemClock())
    loop = asyncio.get_running_loop()
    began = loop.time()
    for pause_s in _PAUSES_S:
        found = await _open_orders(broker, day, outcome)
        if not found:
            return
        say(Text(ko=f"미체결 {len(found)}건 취소 중", en=f"cancelling {len(found)} open orders"))
        left = [order for order in found if order.order_id.number not in outcome.cancelled]
        await asyncio.gather(*(_cancel(rest, kis, order, outcome, say) for order in left))
        outcome.seconds_to_last_cancel = round(loop.time() - began, 3)
        await asyncio.sleep(pause_s)
    await _open_orders(broker, day, outcome)


async def _open_orders(broker: KisBroker, day: dt.date, outcome: Outcome) -> list[BrokerOrder]:
    found = [order for order in await broker.orders(day) if order.open_quantity > 0]
    outcome.open_left = [order.order_id.number for order in found]
    return found


async def _cancel(rest: KisRest, kis: KisSettings, order: BrokerOrder, outcome: Outcome, say: Say) -> None:
    sent = await rest.order(_change(kis, order.order_id), lane=Lane.URGENT)
    number = order.order_id.number
    match sent:
        case Acked():
            outcome.cancelled.append(number)
            say(Text(ko=f"취소 접수 {order.symbol} {number}", en=f"cancel taken: {order.symbol} {number}"))
        case _:
            outcome.refused[number] = _why(sent)
            why = outcome.refused[number]
            told = f"{order.symbol} {number}: {why}"
            say(Text(ko=f"취소 안 됨 {told}", en=f"not cancelled: {told}"))


def _why(sent: Sent) -> str:
    match sent:
        case Refused(code=code, text=text):
            return f"{code} {text}"
        case Unknown(why=why):
            return f"unknown: {why}"
        case _:
            return getattr(sent, "why", "not sent")


def _change(kis: KisSettings, order_id: BrokerOrderId) -> OrderChange:
    return OrderChange(
        cano=kis.account,
        acnt_prdt_cd=kis.product,
        krx_fwdg_ord_orgno=order_id.branch,
        orgn_odno=f"{int(order_id.number):010d}",
        rvse_cncl_dvsn_cd=_CANCEL,
        ord_unpr="0",
    )


def connection_of(account: Path, env: Mapping[str, str]) -> Callable[[heartbeat.Sign | None], KisSettings]:
    """Return how a kill finds its connection: the account its desk named last, else the given folder of keys."""

    def connect(sign: heartbeat.Sign | None) -> KisSettings:
        return for_cancels(Path(sign.account) if sign is not None and sign.account else account, env, ())

    return connect


async def kill(
    folder: Path,
    state: OperatorState,
    *,
    people: tuple[str, ...],
    why: str,
    say: Say,
    connection: Callable[[heartbeat.Sign | None], KisSettings],
    direct: bool = False,
) -> Outcome:
    """Bring a state about; see the module.

    Parameters
    ----------
    people : names under which the wish is written, one line each.
    connection : gives the account's connection; asked only where the broker has to be.
    direct : ask the broker even where a desk has taken the wish.
    """
    outcome = Outcome(state.value)
    sign = heartbeat.read(folder)
    outcome.written, read_to = tell(folder, state, people=people, why=why, say=say)
    if outcome.written:
        outcome.taken_by = await listened(folder, read_to)
    if state is OperatorState.HALT and (direct or not outcome.taken_by):
        try:
            kis = connection(sign)
        except HaetaeError as fault:
            outcome.fault = f"{fault} ({fault.found})"
        else:
            await cancel_everything(kis, outcome, say, _market_day(kis, sign))
    return outcome


def _market_day(kis: KisSettings, sign: heartbeat.Sign | None) -> dt.date:
    """Return the day whose orders are open: today, or that of an emulator's market as its desk last told it."""
    if kis.is_local and sign is not None and sign.day:
        return dt.date.fromisoformat(sign.day)
    return day_of(SystemClock().now())
