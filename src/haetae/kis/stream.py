"""One WebSocket session: registrations with awaited acks, frames to their takers, reconnects.

Here: the socket, approval key, registration, heart beat, backoff, counters. Not here: what frames mean (`feed`,
`broker`), the codec (`wire.frames`). After every reconnect all registrations are made anew and every taker's
``gap`` is called, for missed messages are never repeated by KIS and must be fetched by REST.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import aiohttp
import structlog

from haetae.domain.errors import BrokerError, Fatal, HaetaeError, Retryable, Text, WireError
from haetae.kis.settings import KisSettings
from haetae.kis.wire import control
from haetae.kis.wire.control import Ack, Ping, Subscription
from haetae.kis.wire.frames import STREAMS, CipherKey, is_data, parse_frame, records
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Without jitter: an app key has one session, so there is no crowd to spread."""
_LARGEST_MESSAGE = 4 * 2**20
_LOST = "LOST"
"""Ours: the session ended before the ack came."""
Pair = tuple[str, str]
Records = list[list[str]]


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes the records of a TR: ``take`` per frame, ``gap`` when messages may have been missed."""

    take: Callable[[Records], None]
    gap: Callable[[], None]


class KisStream:
    """The WebSocket session of one app key, shared by notices and prices.

    Attributes
    ----------
    received : int
        Data messages taken in the present session, each counted after its taker has worked on it.
    malformed : int
        Data messages that did not parse; each one also calls the taker's ``gap``.
    reconnects : int
        Times the session was lost and opened again.
    """

    def __init__(self, settings: KisSettings, clock: Clock, approve: Callable[..., Awaitable[str]]) -> None:
        """Connect nothing yet; ``approve`` asks for an approval key."""
        self._settings = settings
        self._clock = clock
        self._approve = approve
        self._approval = self._refused = ""
        self._takers: dict[str, Taker] = {}
        self._pairs: dict[Pair, None] = {}
        self._keys: dict[str, CipherKey] = {}
        self._acks: dict[Pair, asyncio.Future[Ack]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._open = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._fatal: BrokerError | None = None
        self.received = 0
        self.malformed = 0
        self.reconnects = 0

    @property
    def busy(self) -> bool:
        """Whether an answer to a registration is awaited."""
        return bool(self._acks)

    @property
    def connected(self) -> bool:
        """Whether the session is open and all registrations are made."""
        return self._open.is_set()

    @property
    def free(self) -> int:
        """Registrations the session still has room for."""
        return self._settings.registrations - len(self._pairs)

    def attach(self, tr_id: str, taker: Taker) -> None:
        """Name who takes the records of a TR."""
        self._takers[tr_id] = taker

    async def register(self, tr_id: str, tr_keys: Iterable[str]) -> None:
        """Register pairs and wait for their acks; opens the session if there is none.

        Raises ``Fatal`` where the session has no room (the 42nd pair) or KIS refuses for good, ``Retryable``
        where no ack came.
        """
        fresh = [pair for pair in dict.fromkeys((tr_id, key) for key in tr_keys) if pair not in self._pairs]
        if len(fresh) > self.free:
            raise Fatal(
                Text(
                    ko=f"실시간 등록 {len(self._pairs) + len(fresh)}건은 한도를 넘습니다",
                    en=f"{len(self._pairs) + len(fresh)} registrations exceed the limit",
                ),
                code=control.TOO_MANY,
                expected=f"at most {self._settings.registrations}",
                found=str(len(self._pairs) + len(fresh)),
                next_step="leave symbols to the REST tier",
            )
        await self._connected()
        await self._subscribe(fresh)
        self._pairs.update(dict.fromkeys(fresh))

    async def unregister(self, tr_id: str, tr_keys: Iterable[str]) -> None:
        """Give registrations back; unknown pairs are ignored."""
        known = [(tr_id, key) for key in tr_keys if (tr_id, key) in self._pairs]
        for pair in known:
            del self._pairs[pair]
        if self.connected:
            await self._subscribe(known, register=False)

    async def close(self) -> None:
        """End the session for good."""
        for task in (self._renewal, self._runner):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._runner = self._renewal = None
        self._open.clear()

    async def _connected(self) -> None:
        if self._runner is None or self._runner.done():
            self._fatal = None
            self._runner = asyncio.create_task(self._run())
        opened = asyncio.create_task(self._open.wait())
        try:
            await asyncio.wait({opened, self._runner}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
        if self._fatal is not None:
            raise self._fatal

    async def _run(self) -> None:
        failures = 0
        url = self._settings.ws_url.rstrip("/") + "/tryitout"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout_s)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                self.received = 0
                why = await self._session(session, url)
                if self._fatal is not None:
                    return
                failures = 0 if self.received else failures + 1
                self.reconnects += 1
                pause = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
                _log.warning("stream.lost", why=why, pause_s=pause, reconnects=self.reconnects)
                await self._clock.sleep(pause)

    async def _session(self, session: aiohttp.ClientSession, url: str) -> str:
        """Run one session to its end and return why it ended."""
        try:
            if not self._approval:
                self._approval = await self._approve(refused=self._refused)
            async with session.ws_connect(url, max_msg_size=_LARGEST_MESSAGE, compress=0) as socket:
                self._socket = socket
                self._renewal = asyncio.create_task(self._renew(socket))
                return await self._read(socket)
        except Fatal as fault:
            self._fatal = fault
            return str(fault)
        except (aiohttp.ClientError, OSError, TimeoutError, BrokerError) as fault:
            return f"{type(fault).__name__}: {fault}"
        finally:
            self._open.clear()
            self._socket = None
            if self._renewal is not None:
                self._renewal.cancel()
            for (tr_id, tr_key), ack in self._acks.items():
                if not ack.done():
                    ack.set_result(Ack(tr_id, tr_key, "9", _LOST, "the session ended"))
            self._acks.clear()

    async def _renew(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            await self._subscribe(list(self._pairs))
        except HaetaeError as fault:
            if isinstance(fault, Fatal):
                self._fatal = fault
            _log.warning("stream.registration_failed", fault=str(fault))
            await socket.close()
            return
        self._open.set()
        if self.reconnects:
            for taker in self._takers.values():
                taker.gap()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        silence = self._settings.silence_s
        while True:
            message = await socket.receive(timeout=silence)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return f"{message.type.name} {socket.close_code or ''}"
            text: str = message.data
            if is_data(text):
                self._take(text)
            else:
                await self._answer(socket, text)

    def _take(self, text: str) -> None:
        taker = None
        try:
            frame = parse_frame(text)
            taker = self._takers.get(frame.tr_id)
            if taker is not None:
                taker.take(records(frame, self._keys.get(frame.tr_id)))
        except WireError as fault:
            self.malformed += 1
            _log.error("stream.frame_malformed", fault=str(fault), found=fault.found)
            if taker is not None:
                taker.gap()
        self.received += 1

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
        try:
            message = control.read_control(text)
        except WireError as fault:
            self.malformed += 1
            _log.error("stream.message_malformed", fault=str(fault), found=fault.found)
            return
        if isinstance(message, Ping):
            await socket.send_str(message.text)
            return
        if message.key is not None:
            self._keys[message.tr_id] = message.key
        waiting = self._acks.pop((message.tr_id, message.tr_key), None)
        if waiting is None and message.code in {control.APPKEY_IN_USE, control.APPROVAL_UNKNOWN}:
            waiting = next(iter(self._acks.values()), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def _subscribe(self, pairs: list[Pair], *, register: bool = True) -> None:
        """Send all registrations, then await all acks."""
        socket = self._socket
        if socket is None:
            raise Retryable("the stream is not connected", next_step="wait for the reconnect")
        loop = asyncio.get_running_loop()
        waiting: dict[Pair, asyncio.Future[Ack]] = {pair: loop.create_future() for pair in pairs}
        self._acks.update(waiting)
        try:
            for tr_id, tr_key in pairs:
                asked = Subscription(self._approval, tr_id, tr_key, register=register)
                await socket.send_str(control.build_subscription(asked))
            async with asyncio.timeout(self._settings.ack_timeout_s):
                for pair, future in waiting.items():
                    self._judge(pair, await future, register=register)
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise Retryable(
                Text(ko="실시간 등록 응답이 없습니다", en="no answer to a registration"),
                expected=f"{len(pairs)} acks within {self._settings.ack_timeout_s} s",
                found=type(fault).__name__,
                next_step="the session is opened anew",
            ) from fault
        finally:
            for pair in pairs:
                self._acks.pop(pair, None)

    def _judge(self, pair: Pair, ack: Ack, *, register: bool) -> None:
        wanted = ack.active if register else ack.code in {control.UNSUBSCRIBED, control.NOT_SUBSCRIBED}
        encrypted = pair[0] in STREAMS and STREAMS[pair[0]].encrypted
        if wanted and not (register and encrypted and pair[0] not in self._keys):
            return
        if ack.code == control.APPROVAL_UNKNOWN:
            self._refused, self._approval = self._approval, ""
        again = ack.code in {_LOST, control.APPROVAL_UNKNOWN, control.APPKEY_IN_USE, "OPSP0007", "OPSP0009"}
        raise (Retryable if again else Fatal)(
            Text(ko=f"실시간 등록 거절 {pair[0]}: {ack.text}", en=f"registration of {pair[0]} refused: {ack.text}"),
            code=ack.code,
            expected="SUBSCRIBE SUCCESS",
            found=f"{ack.code} {ack.text}",
            next_step="check approval key, HTS id and other sessions of this app key",
        )
