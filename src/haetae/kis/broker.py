"""KIS as ``ports.Broker``: orders sent once, fills from cumulative readings, unknown orders found again.

An order that provably did not reach the order system (nothing left this machine; the gateway refused its pace or its
token) is sent once more within ``order_again_s``, and never otherwise. An answer that comes after the time-out is
adopted when it comes: it names the order, or proves that there is none.

Here: submit, cancel, replace, the reading loop, positions and cash. Not here: outcome classes of a send (`rest`),
what a reading means for an order (`working`), admission and reconciliation (``guards``, ``execution``).

An execution notice is a hint: it only triggers one reading of ``inquire-daily-ccld`` a moment later, however many
notices arrive in that moment. Without notices the same reading is made every ``poll_s`` while an order is open.
All waiting is on the injected clock. A notice that reaches us before the reading gives the fill its time;
KIS sends no execution time in the reading itself.
"""
# long: one account at one broker; the life of an order there reads from top to bottom.

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import structlog

from haetae.domain.account import CashReport
from haetae.domain.errors import HaetaeError, Retryable, WireError
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Order,
    OrderEvent,
    OrderKind,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Side,
    TimeInForce,
)
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Symbol, Won, day_of, instant_at, yyyymmdd
from haetae.kis.pacing import Lane
from haetae.kis.rest import Acked, KisRest, NotSent, Refused, Sent, Unknown
from haetae.kis.stream import KisStream, Records, Taker
from haetae.kis.wire.calls import orders as calls
from haetae.kis.wire.envelope import Reply
from haetae.kis.wire.frames import NOTICES
from haetae.kis.wire.records import NoticeRecord
from haetae.kis.wire.typed import Ask
from haetae.kis.working import OrderRow, Rows, Working
from haetae.krx import Rulebook, is_trading_day
from haetae.ports import Clock, Passing, pass_by

_log = structlog.get_logger(__name__)
_ORDER_KINDS: Mapping[tuple[OrderKind, TimeInForce], str] = {
    (OrderKind.LIMIT, TimeInForce.DAY): "00",
    (OrderKind.MARKET, TimeInForce.DAY): "01",
    (OrderKind.LIMIT, TimeInForce.IOC): "11",
    (OrderKind.LIMIT, TimeInForce.FOK): "12",
    (OrderKind.MARKET, TimeInForce.IOC): "13",
    (OrderKind.MARKET, TimeInForce.FOK): "14",
}
_MODIFY, _CANCEL = "01", "02"
_AGAIN_PAUSE_S = 0.25
"""A server that refused a connection is given a moment before the second try."""
_SEARCH_S, _RARELY_S = 180.0, 60.0
"""Where all that is open is orders of unknown fate, and none is younger than this, the list is read this rarely: what
it has not shown in three minutes nobody waits for, and whoever trades reads the account once a minute anyway."""
_EXPIRY_GRACE_S = 60
"""The last readings of a session may lag its close."""


class KisBroker:
    """One account at KIS. ``start`` before the first order, ``close`` at the end.

    With a driven clock: notices and polls wait on the clock, so a driver that moves it to the next sleeper's
    instant sees fills told in the same order on every run.
    """

    def __init__(self, rest: KisRest, stream: KisStream | None, clock: Clock, *, passing: Passing = pass_by) -> None:
        """Connect nothing yet; without a stream fills come by polling alone."""
        self._passing = passing
        self._rest = rest
        self._stream = stream
        self._clock = clock
        self._settings = rest.settings
        self._account = {"cano": rest.settings.account, "acnt_prdt_cd": rest.settings.product}
        self._events: asyncio.Queue[OrderEvent] = asyncio.Queue()
        self._working: dict[str, Working] = {}
        self._read_rows = Rows()
        self._today = day_of(clock.now())
        self._seen: set[int] = set()
        self._noticed: dict[int, Instant] = {}
        self._sellable: dict[Symbol, Shares] = {}
        self._confirmed: dict[str, Canceled | None] = {}
        self._together: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._wanted = False
        self._polled = 0.0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sends: set[asyncio.Task[Sent]] = set()
        self._late: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Register for execution notices (one registration of the session); without them polling tells the same.

        Raises ``Fatal`` where KIS refuses them for good: the HTS id is wrong, or the key.
        """
        if self._stream is None or not self._settings.hts_id:
            return
        tr_id = NOTICES.tr_id(mock=self._settings.is_mock)
        self._stream.attach(tr_id, Taker(self._notice, self._want_reading))
        try:
            await self._stream.register(tr_id, [self._settings.hts_id])
        except Retryable as fault:
            _log.warning("notices.not_registered", fault=str(fault), found=fault.found)

    async def close(self) -> None:
        """Stop following orders; sends under way are awaited, never cut."""
        if self._sends:
            await asyncio.wait(self._sends)
        tasks = [*self._tasks.values(), *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    async def submit(self, order: ClearedOrder) -> OrderEvent:
        """Send one cleared order once; see ``ports.Broker``."""
        intent = order.intent
        working = Working(
            intent_id=intent.intent_id,
            symbol=intent.symbol,
            side=intent.side,
            quantity=order.quantity,
            limit_price=intent.limit_price,
            sent_at=self._clock.now(),
            known=frozenset(self._seen),
        )
        self._working[intent.intent_id] = working
        self._passing("broker.submit_begun")
        ask = calls.BuyOrder if intent.side is Side.BUY else calls.SellOrder
        asked = ask(
            **self._account,
            pdno=intent.symbol,
            ord_dvsn=_ORDER_KINDS[intent.kind, intent.time_in_force],
            ord_qty=str(order.quantity),
            ord_unpr=str(intent.limit_price),
        )
        try:
            sent = await self._send(asked, Lane.URGENT if intent.escape else Lane.ORDER)
        except asyncio.CancelledError:
            # The request goes on without its caller; a reading finds what became of it.
            working.unknown = True
            self._follow()
            raise
        now = self._clock.now()
        match sent:
            case Acked(reply=reply):
                order_id = self._order_id(reply)
                working.name(order_id)
                if working.numbers[-1] in self._noticed:
                    self._want_reading()
                self._follow()
                self._passing("broker.order_named")
                return Accepted(intent.intent_id, now, order_id)
            case Refused(code=code, text=text):
                del self._working[intent.intent_id]
                self._passing("broker.order_refused")
                return Rejected(intent.intent_id, now, code, text)
            case NotSent(why=why):
                del self._working[intent.intent_id]
                return Rejected(intent.intent_id, now, "NOT_SENT", why)
            case Unknown(why=why, late=late):
                working.unknown = True
                self._await_late(late, lambda sent: self._adopt(working, sent))
                self._want_reading()
                self._follow()
                self._passing("broker.outcome_unknown")
                return OutcomeUnknown(intent.intent_id, now, why)

    async def cancel(self, intent_id: str, order_id: BrokerOrderId) -> OrderEvent:
        """Cancel what is open; ``Canceled`` only once a reading confirms it."""
        self._passing("broker.cancel_begun")
        sent = await self._send(self._change(order_id, _CANCEL, 0), Lane.URGENT)
        self._passing("broker.cancel_sent")
        failure = await self._failed(intent_id, sent, "cancel", lambda _: self._want_reading())
        if failure is not None:
            return failure
        confirmed = await self._confirm(intent_id)
        working = self._working.get(intent_id)
        if confirmed is None and working is not None and working.done and working.filled < working.quantity:
            confirmed = Canceled(intent_id, self._clock.now(), working.filled)
        self._follow()
        self._passing("broker.cancel_read")
        return confirmed or OutcomeUnknown(intent_id, self._clock.now(), "the cancel is taken but not confirmed yet")

    async def _confirm(self, intent_id: str) -> Canceled | None:
        """Return what a reading that begins from now on says of a cancel."""
        self._confirmed[intent_id] = None
        try:
            await self._read_together()
        finally:
            confirmed = self._confirmed.pop(intent_id, None)
        return confirmed

    async def _read_together(self) -> None:
        """Await a reading that begins from now on; all changes of one moment share it.

        One each would be read one after another, and they hold the places that the next sales wait for.
        """
        if self._together is None:
            self._together = asyncio.create_task(self._read_for_changes())
            self._late.add(self._together)  # it may outlive everyone who waits for it
            self._together.add_done_callback(self._late.discard)
        await asyncio.shield(self._together)

    async def _read_for_changes(self) -> None:
        async with self._reading:
            self._together = None  # who comes from here on needs a reading that begins later
            try:
                events = await self._read_now()
            except HaetaeError as fault:  # not confirmed is an answer too
                _log.warning("orders.reading_failed", fault=str(fault), found=fault.found)
                self._want_reading()
                return
        for event in events:
            if isinstance(event, Canceled) and event.intent_id in self._confirmed:
                self._confirmed[event.intent_id] = event
            else:
                self._events.put_nowait(event)

    async def replace(self, intent_id: str, order_id: BrokerOrderId, limit_price: Won) -> OrderEvent:
        """Move the limit price; the broker gives the order a new number."""
        sent = await self._send(self._change(order_id, _MODIFY, limit_price), Lane.ORDER)

        def adopt(late: Sent) -> None:
            if isinstance(late, Acked):
                self._events.put_nowait(self._replaced(intent_id, late, limit_price))

        failure = await self._failed(intent_id, sent, "change", adopt)
        if failure is not None:
            return failure
        assert isinstance(sent, Acked)
        return self._replaced(intent_id, sent, limit_price)

    def _replaced(self, intent_id: str, sent: Acked, limit_price: Won) -> Replaced:
        fresh = self._order_id(sent.reply)
        working = self._working.get(intent_id)
        if working is not None:
            working.name(fresh)
            working.limit_price = limit_price
        self._want_reading()
        self._follow()
        return Replaced(intent_id, self._clock.now(), fresh, limit_price)

    async def orders(self, day: dt.date) -> tuple[BrokerOrder, ...]:
        """Return every order of a day, all pages, cumulative; cancel requests are not orders."""
        await self._rows(day)
        return self._read_rows.orders(day)

    async def positions(self) -> Mapping[Symbol, Shares]:
        """Return shares held; a symbol that comes twice raises ``WireError``, for summing would invent shares."""
        return self._holdings(await self._balance())

    def _holdings(self, replies: list[Reply]) -> Mapping[Symbol, Shares]:
        held: dict[Symbol, Shares] = {}
        sellable: dict[Symbol, Shares] = {}
        for reply in replies:
            for row in reply.many(calls.Holding, about="balance"):
                symbol, shares = row.pdno, row.hldg_qty
                if symbol in held:
                    raise WireError(
                        f"{reply.tr}: {symbol} appears twice in the balance",
                        expected="one row per symbol",
                        found=f"{held[symbol]} and {shares} shares",
                        next_step="ask again; if it stays, compare with the broker's own screen",
                    )
                held[symbol], sellable[symbol] = shares, row.ord_psbl_qty
        self._sellable = sellable
        return {symbol: shares for symbol, shares in sorted(held.items()) if shares}

    def sellable(self) -> Mapping[Symbol, Shares]:
        """Return the shares that may be sold as the newest reading of the positions told them."""
        return self._sellable

    async def cash(self) -> CashReport:
        """Return cash of D+2, which is trade-date cash, and what may be ordered without credit."""
        return await self._cash(await self._balance())

    async def _cash(self, replies: list[Reply]) -> CashReport:
        balance = replies[0].one(calls.AccountCash, about="account")
        asked = calls.BuyingPower(**self._account)
        power = await self._rest.ask(asked, lane=Lane.URGENT, about="buying power")
        return CashReport(balance.prvs_rcdl_excc_amt, power.one(calls.Power, about="account").nrcvb_buy_amt)

    async def balance(self) -> tuple[Mapping[Symbol, Shares], CashReport]:
        """Return holdings and cash of one balance: what ``positions`` and ``cash`` tell, with a call less."""
        replies = await self._balance()
        return self._holdings(replies), await self._cash(replies)

    async def events(self) -> AsyncIterator[OrderEvent]:
        """Yield order events as they become known, each at least once."""
        while True:
            yield await self._events.get()

    def resume(self, order: Order) -> None:
        """Take up an order of an earlier run: what is told from now on begins after ``order.filled``."""
        intent = order.intent
        working = Working(
            intent_id=intent.intent_id,
            symbol=intent.symbol,
            side=intent.side,
            quantity=order.quantity,
            limit_price=intent.limit_price,
            sent_at=intent.at,
            filled=order.filled,
            amount=order.amount,
            unknown=order.order_id is None,
            known=frozenset(int(number.number) for number in order.known),
        )
        if order.order_id is not None:
            working.name(order.order_id)
        self._working[intent.intent_id] = working
        self._passing("broker.order_resumed")
        self._want_reading()
        self._follow()

    async def refresh(self) -> None:
        """Read the day's orders now and tell what is new; raises what the reading raises."""
        self._passing("broker.reading_begun")
        for event in await self._reads():
            self._passing("broker.event_read")
            self._events.put_nowait(event)
            self._passing("broker.event_told")

    def _change(self, order_id: BrokerOrderId, what: str, limit_price: Won) -> calls.OrderChange:
        return calls.OrderChange(
            **self._account,
            krx_fwdg_ord_orgno=order_id.branch,
            orgn_odno=f"{int(order_id.number):010d}",
            rvse_cncl_dvsn_cd=what,
            ord_unpr=str(limit_price),
        )

    def _order_id(self, reply: Reply) -> BrokerOrderId:
        ack = reply.one(calls.OrderAck, about="order ack")
        return BrokerOrderId(day_of(self._clock.now()), ack.KRX_FWDG_ORD_ORGNO.strip(), str(ack.ODNO))

    async def _send(self, asked: Ask, lane: Lane) -> Sent:
        """Send in a task of its own: cancelling the caller never cancels the request."""
        task = asyncio.create_task(self._send_at_most_twice(asked, lane))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
        return await asyncio.shield(task)

    async def _send_at_most_twice(self, asked: Ask, lane: Lane) -> Sent:
        began = self._clock.monotonic()
        sent = await self._rest.order(asked, lane=lane)
        match sent:
            case NotSent(again=True, why=why):
                await self._clock.sleep(_AGAIN_PAUSE_S)
            case Refused(again=True, code=why):
                pass  # the pace holds the second try back, the token is got anew
            case _:
                return sent
        if self._clock.monotonic() - began > self._settings.order_again_s:
            return sent
        _log.warning("order.sent_again", operation=asked.operation.name, why=why)
        return await self._rest.order(asked, lane=lane)

    def _await_late(self, late: asyncio.Task[Sent] | None, adopt: Callable[[Sent], None]) -> None:
        """Take an answer that comes after its time-out, if one comes."""
        if late is None:
            return

        async def wait(late: asyncio.Task[Sent]) -> None:
            sent = await asyncio.shield(late)
            if not isinstance(sent, Unknown):
                _log.warning("order.answered_late", answer=type(sent).__name__)
            adopt(sent)

        task = asyncio.create_task(wait(late))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _adopt(self, working: Working, sent: Sent) -> None:
        """Settle an unknown order by its late answer, unless a reading has found it already."""
        now, intent_id = self._clock.now(), working.intent_id
        match sent:
            case Acked(reply=reply) if working.unknown:
                order_id = self._order_id(reply)
                working.name(order_id)
                self._events.put_nowait(Accepted(intent_id, now, order_id))
            case Acked(reply=reply) if int(self._order_id(reply).number) not in working.numbers:
                _log.error("order.adopted_wrongly", intent_id=intent_id, numbers=working.numbers)
            case Refused(code=code, text=text) if working.unknown:
                self._working.pop(intent_id, None)
                self._events.put_nowait(Rejected(intent_id, now, code, text))
        self._want_reading()

    async def _failed(self, intent_id: str, sent: Sent, what: str, adopt: Callable[[Sent], None]) -> OrderEvent | None:
        """Return the event of a change that was not taken, None if it was."""
        now = self._clock.now()
        match sent:
            case Acked():
                return None
            case Refused(code=code, text=text):
                await self._read_together()
                return Rejected(intent_id, now, code, text, change=True)
            case NotSent(why=why):
                return Rejected(intent_id, now, "NOT_SENT", why, change=True)
            case Unknown(why=why, late=late):
                self._await_late(late, adopt)
                self._want_reading()
                return OutcomeUnknown(intent_id, now, f"{what}: {why}")

    async def _balance(self) -> list[Reply]:
        return await self._rest.ask_pages(calls.Balance(**self._account), lane=Lane.URGENT, about="balance")

    async def _rows(self, day: dt.date) -> dict[int, OrderRow]:
        text = str(yyyymmdd(day))
        asked = calls.DayOrders(**self._account, inqr_strt_dt=text, inqr_end_dt=text)
        # Whether a lost order arrived is asked before all else; what only confirms would halve the pace of a list.
        replies = await self._rest.ask_pages(
            asked, lane=Lane.URGENT, about=f"orders of {day}", in_turn=not self._is_searching()
        )
        return self._read_rows.read(replies, day)

    async def _reads(self) -> list[OrderEvent]:
        """Read all pages of each day with an open order once and return what is new, in order of sending."""
        async with self._reading:
            return await self._read_now()

    async def _read_now(self) -> list[OrderEvent]:
        self._wanted = False
        today = day_of(self._clock.now())
        if today != self._today:
            self._today = today
            self._seen.clear()
            self._noticed.clear()
        open_days = {day_of(working.sent_at) for working in self._working.values() if working.open}
        events: list[OrderEvent] = []
        for day in sorted(open_days | {today}):
            events += self._tell(day, await self._rows(day))
        return events

    def _tell(self, day: dt.date, found: dict[int, OrderRow]) -> list[OrderEvent]:
        now = self._clock.now()
        closed = self._is_over(day, now)
        mine = [working for working in self._working.values() if day_of(working.sent_at) == day]
        claimed = {number for working in mine for number in working.numbers}
        events: list[OrderEvent] = []
        for working in mine:
            if working.unknown:
                settings = self._settings
                row = working.adopt(
                    found, claimed, day, skew_s=settings.clock_skew_s, within_s=settings.unknown_window_s
                )
                if row is not None:
                    claimed.add(row.number)
                    events.append(working.accepted(row, day, now))
                elif closed:
                    working.done = True
                    _log.error("order.never_found", intent_id=working.intent_id, symbol=working.symbol)
            filled_at = max((self._noticed.get(number, 0) for number in working.numbers), default=0)
            events += working.tell(found, now, filled_at or now, closed=closed)
            if working.contradicted:
                _log.error("order.cumulative_fell", intent_id=working.intent_id, told=working.filled)
        if day == self._today:
            self._seen.update(found)
        return events

    def _is_over(self, day: dt.date, now: Instant) -> bool:
        if not is_trading_day(day):
            return True
        return now >= Rulebook.on(day).session.close_at + _EXPIRY_GRACE_S * NS_PER_SECOND

    def _notice(self, records: Records) -> None:
        for values in records:
            record = NoticeRecord.decode(values)
            if record.executed:
                at = instant_at(day_of(self._clock.now()), record.clock)
                self._noticed[record.number] = max(at, self._noticed.get(record.number, 0))
            if record.executed or record.refused or record.change != "0" or record.acceptance == "3":
                self._want_reading()

    def _want_reading(self) -> None:
        self._wanted = True
        self._task("reading", self._read_soon)

    def _follow(self) -> None:
        self._task("poll", self._poll)

    def _task(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.create_task(work())

    async def _read_soon(self) -> None:
        while self._wanted:
            await self._clock.sleep(self._settings.notice_delay_s)
            if self._wanted:  # else another reading began meanwhile, and sees what the notice told of
                self._wanted = False
                await self._try_reading()

    async def _poll(self) -> None:
        while any(working.open for working in self._working.values()):
            await self._clock.sleep(self._settings.poll_s)
            if self._is_awaited() or self._clock.monotonic() - self._polled >= _RARELY_S:
                self._polled = self._clock.monotonic()
                await self._try_reading()

    def _is_awaited(self) -> bool:
        """Whether a reading may soon tell something: of an order with a number, or of one just sent."""
        return self._is_searching() or any(one.open and not one.unknown for one in self._working.values())

    def _is_searching(self) -> bool:
        """Whether it is not known of an order just sent if it arrived."""
        since = self._clock.now() - round(_SEARCH_S * NS_PER_SECOND)
        return any(one.open and one.unknown and one.sent_at > since for one in self._working.values())

    async def _try_reading(self) -> None:
        try:
            await self.refresh()
        except HaetaeError as fault:
            _log.warning("orders.reading_failed", fault=str(fault), found=fault.found)
