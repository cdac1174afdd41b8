"""One WebSocket session: registrations with awaited acks, frames to their takers, reconnects.

Here: the socket, the keeper that brings what is held to what is wanted, heart beats, watchdogs, counters. Not here:
what frames mean (`feed`, `broker`), which pairs come first (`registrations`), how long to wait after a loss
(`reconnects`), the codec (`wire.frames`).

A pair counts as held when its ack has come, and not before. When a session is lost, and again when the next one holds
what it should, every taker's ``gap`` is called: missed messages are never repeated by KIS and must be fetched by REST.
A session counts as lost when nothing comes for ``silence_s``, or no data for ``data_silence_s`` while the taker of
prices expects some, heart beats or not. The server may stand still where ``silence_s`` is None.
"""
# long: one session from the connect to its loss; the tasks of its life read together.

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog

from haetae.domain.errors import BrokerError, Fatal, WireError
from haetae.kis import refusals
from haetae.kis.carrier import Socket, SocketCarrier, SocketCarriers, SocketLost
from haetae.kis.carrier_aiohttp import AiohttpSockets
from haetae.kis.reconnects import Reconnects
from haetae.kis.registrations import Pair, Rank, Registrations
from haetae.kis.settings import KisSettings
from haetae.kis.wire import control
from haetae.kis.wire.control import Ack, Ping, Subscription
from haetae.kis.wire.frames import STREAMS, CipherKey, Frame, is_data, parse_frame, records
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_ECHO_S = 0.2
"""Heart beats are answered at most five times a second, however many come."""
_LOOKS = 4
"""Looks of the watchdog in the shortest silence it bears, whether prices are expected at all."""
_LEAST_LOOK_S = 0.01
_PASSES, _SPAN_S = 5, 10.0
"""Registrations change at most five times in ten seconds: endless changes get a key blocked."""
_AGAIN_S = 30.0
"""A pair that got no ack is tried again after this."""
_PATIENCE_S = 300.0
"""A market that stands still (circuit breaker) must not look like abuse: silence is borne longer each time."""
_IN_USE_FOR_GOOD = 3
"""A session of our own that the server has not noticed the end of is gone by the third try."""
_LOST = "LOST"
"""Ours: the session ended before the ack came."""
_AGAIN = frozenset({_LOST, control.APPROVAL_UNKNOWN, control.APPKEY_IN_USE, "OPSP0007", "OPSP0009", "OPSP8999"})
_WHOLE_SESSION = frozenset({control.APPROVAL_UNKNOWN, control.APPKEY_IN_USE})
_HOPELESS = frozenset({"OPSP0010", "OPSP8995", "OPSP9994", "OPSP9996"})
"""The key itself is not taken: every further message would be refused too."""
Records = list[list[str]]


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes the messages of a TR.

    ``take`` gets the records of a frame, or ``take_frame``, where given, the frame itself, not encrypted; ``gap`` is
    called when messages may have been missed.
    """

    take: Callable[[Records], None]
    gap: Callable[[], None]
    take_frame: Callable[[Frame], None] | None = None


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
    expects_data : callable or None
        Whether prices should be coming now; asked by the watchdog.
    """

    def __init__(
        self,
        settings: KisSettings,
        clock: Clock,
        approve: Callable[..., Awaitable[str]],
        dice: np.random.Generator | None = None,
        *,
        carry: SocketCarriers = AiohttpSockets,
    ) -> None:
        """Connect nothing yet.

        ``approve`` asks for an approval key, ``dice`` spread the pauses after losses, ``carry`` makes what opens
        sockets.
        """
        self._settings = settings
        self._clock = clock
        self._approve = approve
        self._dice = dice
        self._carry = carry
        self._approval = self._refused_approval = ""
        self._takers: dict[str, Taker] = {}
        self._registrations = Registrations(settings.registrations)
        self._reconnects = Reconnects()
        self._keys: dict[str, CipherKey] = {}
        self._acks: dict[Pair, asyncio.Future[Ack]] = {}
        self._socket: Socket | None = None
        self._settled = asyncio.Event()
        self._changed = asyncio.Event()
        self._news = asyncio.Event()
        self._begun = self._done = self._awaited = 0
        self._passes: deque[float] = deque(maxlen=_PASSES)
        self._is_closing = False
        self._runner: asyncio.Task[None] | None = None
        self._fatal: BrokerError | None = None
        self._heard = self._fed = self._echoed = 0.0
        self._patience_s = settings.data_silence_s or 0.0
        self._longest_s = self._judged_at = 0.0
        self.received = 0
        self.malformed = 0
        self.reconnects = 0
        self.expects_data: Callable[[], bool] | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer to a registration, or the session itself, is awaited."""
        return bool(self._acks) or self._awaited > 0

    @property
    def connected(self) -> bool:
        """Whether the session is open and has been asked for everything it should hold."""
        return self._settled.is_set()

    @property
    def is_resting(self) -> bool:
        """Whether the stream flapped and rests, so that REST carries on alone."""
        return self._reconnects.is_resting

    @property
    def is_key_in_use(self) -> bool:
        """Whether another session holds the app key, and goes on doing so: a second desk, or another program."""
        return self._reconnects.in_use >= _IN_USE_FOR_GOOD

    @property
    def free(self) -> int:
        """Registrations that what is wanted leaves; below 0 where some will not be held."""
        return self._registrations.free

    def holds(self, tr_id: str, tr_key: str) -> bool:
        """Whether a pair is registered now: its ack has come and the session lives."""
        return (tr_id, tr_key) in self._registrations.held

    def count(self, tr_id: str) -> int:
        """Return how many pairs of a TR are registered now."""
        return sum(held == tr_id for held, _ in self._registrations.held)

    def target(self, tr_id: str) -> frozenset[str]:
        """Return the keys of a TR that are held or will be, as far as there is room."""
        return frozenset(key for tr, key in self._registrations.target() if tr == tr_id)

    def attach(self, tr_id: str, taker: Taker) -> None:
        """Name who takes the messages of a TR."""
        self._takers[tr_id] = taker

    def want(self, tr_id: str, tr_keys: Iterable[str], rank: Rank) -> None:
        """Want pairs held as far as there is room, now and after every reconnect; returns at once.

        Wanting a pair again ranks it anew; where that changes who is held, the others give way first.
        """
        self._registrations.want([(tr_id, key) for key in tr_keys], rank)
        self._changed.set()
        self._run_on()

    async def register(self, tr_id: str, tr_keys: Iterable[str]) -> None:
        """Register pairs that must be held and wait for their acks; opens the session if there is none.

        Raises ``Fatal`` where the session has no room (the 42nd pair) or KIS refuses for good, ``Retryable``
        where no ack came: then the pairs are still wanted and will be held when that is possible.
        """
        pairs = list(dict.fromkeys((tr_id, key) for key in tr_keys))
        if not self._registrations.room_for(pairs):
            raise refusals.no_room(len(pairs), self._registrations.limit)
        before = self._begun
        self.want(tr_id, [key for _, key in pairs], Rank.NEEDED)
        settings = self._settings
        try:
            async with asyncio.timeout(settings.connect_timeout_s + 2 * settings.ack_timeout_s):
                await self._resolved(pairs, before)
        except TimeoutError:
            raise refusals.no_ack(len(pairs), settings.ack_timeout_s, "nothing") from None
        refused = [pair for pair in pairs if pair in self._registrations.refused]
        if refused:
            code = self._registrations.refused[refused[0]]
            self._registrations.drop(refused)
            raise refusals.registration(refused[0], code)

    async def settle(self) -> bool:
        """Wait, not for long, until the session has been asked for what is wanted; returns whether it has."""
        settings = self._settings
        before = self._begun
        self._awaited += 1
        try:
            async with asyncio.timeout(settings.connect_timeout_s + settings.ack_timeout_s):
                while self._fatal is None and (self._done <= before or not self.connected):
                    await self._news.wait()
        except TimeoutError:
            return False
        finally:
            self._awaited -= 1
        return self._fatal is None

    async def unregister(self, tr_id: str, tr_keys: Iterable[str]) -> None:
        """Give registrations back; unknown pairs are ignored."""
        pairs = [(tr_id, key) for key in tr_keys]
        self._registrations.drop(pairs)
        held = [pair for pair in pairs if pair in self._registrations.held]
        socket = self._socket
        if held and socket is not None and await self._subscribe(socket, held, register=False):
            await socket.close()  # with it end its registrations; the next session has a key that is known

    async def close(self) -> None:
        """End the session for good."""
        self._is_closing = True
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        self._runner = None

    def _run_on(self) -> None:
        if self._runner is None or self._runner.done():
            self._fatal, self._is_closing = None, False
            self._runner = asyncio.create_task(self._run())

    async def _resolved(self, pairs: list[Pair], before: int) -> None:
        """Return when every pair is held or refused; raises when a pass begun after ``before`` settled neither."""
        known = self._registrations
        while missing := [pair for pair in pairs if pair not in known.held and pair not in known.refused]:
            if self._fatal is not None:
                raise self._fatal
            if self._done > before:
                raise refusals.no_ack(len(missing), self._settings.ack_timeout_s, "a session without them")
            await self._news.wait()

    def _tell_news(self) -> None:
        """Wake those who wait for a pass of the keeper, or for the end of all hope."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _run(self) -> None:
        url = self._settings.ws_url.rstrip("/") + "/tryitout"
        carrier = self._carry(self._settings)
        try:
            while True:
                self.received = 0
                why, lived_s = await self._session(carrier, url)
                if self._fatal is not None:
                    _log.error("stream.stopped", why=why, found=self._fatal.found)
                    self._tell_news()
                    return
                self.reconnects += 1
                in_use = why == control.APPKEY_IN_USE
                pause = self._reconnects.pause_s(self._clock.monotonic(), lived_s, key_in_use=in_use)
                pause *= 1.0 if self._dice is None else 0.75 + 0.5 * float(self._dice.random())
                is_odd = self.is_resting or self.is_key_in_use
                (_log.error if is_odd else _log.warning)(
                    "stream.lost", why=why, pause_s=pause, reconnects=self.reconnects, resting=self.is_resting
                )
                await self._clock.sleep(pause)
        finally:
            await carrier.close()

    async def _session(self, carrier: SocketCarrier, url: str) -> tuple[str, float | None]:
        """Run one session to its end; returns why it ended and how many seconds there was a connection."""
        opened: float | None = None
        try:
            self._approval = await self._approve(refused=self._refused_approval)
            socket = await self._connect(carrier, url)
            opened = self._clock.monotonic()
            try:
                why = await self._live(socket)
            finally:
                await socket.close()
            return why, self._clock.monotonic() - opened
        except Fatal as fault:
            self._fatal = fault
            return str(fault), opened
        except (SocketLost, OSError, TimeoutError, BrokerError) as fault:
            lived = None if opened is None else self._clock.monotonic() - opened
            return f"{type(fault).__name__}: {fault}"[:200], lived
        finally:
            self._end()

    async def _connect(self, carrier: SocketCarrier, url: str) -> Socket:
        """Open a socket within the machine's seconds for it; until then a market in step with us waits."""
        self._awaited += 1
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s + self._settings.read_timeout_s):
                return await carrier.connect(url)
        finally:
            self._awaited -= 1

    async def _live(self, socket: Socket) -> str:
        """Read, keep registrations and watch until one of the three ends; returns why."""
        self._socket = socket
        self._heard = self._fed = asyncio.get_running_loop().time()
        tasks = [asyncio.create_task(work) for work in (self._read(socket), self._keep(socket), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in done).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self) -> None:
        """Forget the session and tell everybody that messages are missed from now on."""
        self._socket = None
        was_open = bool(self._registrations.held)
        self._settled.clear()
        self._registrations.lost()
        self._keys.clear()
        for (tr_id, tr_key), ack in self._acks.items():
            if not ack.done():
                ack.set_result(Ack(tr_id, tr_key, "9", _LOST, "the session ended"))
        self._acks.clear()
        if was_open and not self._is_closing:
            self._tell_gap()

    def _tell_gap(self) -> None:
        for taker in self._takers.values():
            taker.gap()

    async def _keep(self, socket: Socket) -> str:
        """Bring what is held to what is wanted, again whenever that changes; returns why the session must end."""
        known = self._registrations
        while True:
            self._changed.clear()
            self._begun += 1
            surplus = known.surplus()
            ended = await self._subscribe(socket, surplus, register=False)
            asked = known.missing()
            ended = ended or await self._subscribe(socket, asked)
            if ended:
                return ended
            if not self._settled.is_set():
                self._settled.set()
                self._reconnects.opened()
                if self.reconnects:
                    self._tell_gap()
            self._done = self._begun
            self._tell_news()
            if surplus or asked:
                self._passes.append(self._clock.monotonic())
            await self._changed_or(_AGAIN_S if known.missing() else None)
            if len(self._passes) == _PASSES:
                await self._clock.sleep(self._passes[0] + _SPAN_S - self._clock.monotonic())

    async def _changed_or(self, seconds: float | None) -> None:
        """Wait until what is wanted changes, or for so long."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _watch(self) -> str:
        """Return when the session has been silent for too long; never where the server may stand still."""
        settings = self._settings
        if settings.silence_s is None:
            await asyncio.Event().wait()
        assert settings.silence_s is not None
        loop = asyncio.get_running_loop()
        expected = False
        while True:
            now = loop.time()
            due = self._heard + settings.silence_s
            if now >= due:
                return f"silent for {settings.silence_s:g} s"
            before, expected = expected, self._is_data_expected()
            if not (before and expected):  # what is expected since a moment ago has been missed for no longer
                self._fed = max(self._fed, now)
            elif now >= self._fed + self._patience_s:
                patience, self._patience_s = self._patience_s, min(_PATIENCE_S, 2 * self._patience_s)
                return f"no data for {patience:g} s"
            if expected:
                due = min(due, self._fed + self._patience_s)
            look_s = min(settings.silence_s, self._patience_s or settings.silence_s) / _LOOKS
            await asyncio.sleep(max(_LEAST_LOOK_S, min(look_s, due - now)))

    def _is_data_expected(self) -> bool:
        settings = self._settings
        return settings.data_silence_s is not None and self.expects_data is not None and self.expects_data()

    async def _read(self, socket: Socket) -> str:
        loop = asyncio.get_running_loop()
        while True:
            try:
                text = await socket.receive()
            except SocketLost as fault:
                return str(fault)
            self._heard = loop.time()
            if is_data(text):
                self._mind_the_gap()
                self._take(text)
            elif ended := await self._answer(socket, text):
                return ended

    def _mind_the_gap(self) -> None:
        """Note that data came; patience that was learnt is kept while the server's own pauses are long."""
        self._longest_s = max(self._longest_s, self._heard - self._fed)
        self._fed = self._heard
        shortest = self._settings.data_silence_s or 0.0
        if self._heard - self._judged_at > _PATIENCE_S:
            if self._longest_s < shortest / 2:
                self._patience_s = shortest
            self._longest_s, self._judged_at = 0.0, self._heard

    def _take(self, text: str) -> None:
        taker, frame = None, None
        try:
            frame = parse_frame(text)
            taker = self._takers.get(frame.tr_id)
            if taker is not None and taker.take_frame is not None:
                taker.take_frame(frame)
            elif taker is not None:
                taker.take(records(frame, self._keys.get(frame.tr_id)))
        except WireError as fault:
            self.malformed += 1
            _log.error("stream.frame_malformed", fault=str(fault), found=fault.found)
            if taker is not None:
                taker.gap()
            if frame is not None and frame.encrypted:
                self._ask_for_key_again(frame.tr_id)
        self.received += 1

    def _ask_for_key_again(self, tr_id: str) -> None:
        """Register an encrypted stream anew: its ack carries the key."""
        held = self._registrations.held
        for pair in [pair for pair in held if pair[0] == tr_id]:
            held.discard(pair)
        self._changed.set()

    async def _answer(self, socket: Socket, text: str) -> str:
        """Take a control message; returns why the session must end, blank where it goes on."""
        try:
            message = control.read_control(text)
        except WireError as fault:
            self.malformed += 1
            _log.error("stream.message_malformed", fault=str(fault), found=fault.found)
            return ""
        if isinstance(message, Ping):
            if self._heard - self._echoed >= _ECHO_S:
                self._echoed = self._heard
                await self._say(socket, message.text)
            return ""
        if message.key is not None:
            self._keys[message.tr_id] = message.key
        waiting = self._acks.get((message.tr_id, message.tr_key))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        elif message.code in _WHOLE_SESSION | _HOPELESS:  # these come without the pair they answer
            return self._ended_by(message)
        elif message.active and self._registrations.wants((message.tr_id, message.tr_key)):
            self._judge((message.tr_id, message.tr_key), message)  # an ack that came late
        return ""

    async def _say(self, socket: Socket, text: str) -> None:
        async with asyncio.timeout(self._settings.ack_timeout_s):
            await socket.send(text)

    async def _subscribe(self, socket: Socket, pairs: list[Pair], *, register: bool = True) -> str:
        """Send all messages, then await all acks; returns why the session must end, blank where it goes on."""
        if not pairs:
            return ""
        loop = asyncio.get_running_loop()
        waiting: dict[Pair, asyncio.Future[Ack]] = {pair: loop.create_future() for pair in pairs}
        self._acks.update(waiting)
        try:
            for tr_id, tr_key in pairs:
                asked = Subscription(self._approval, tr_id, tr_key, register=register)
                await self._say(socket, control.build_subscription(asked))
            await asyncio.wait(waiting.values(), timeout=self._settings.ack_timeout_s)
            answered = [(pair, future.result()) for pair, future in waiting.items() if future.done()]
        except (TimeoutError, SocketLost) as fault:
            return f"{type(fault).__name__} while registering"
        finally:
            for pair in pairs:
                self._acks.pop(pair, None)
        if not answered and not self._registrations.held:
            return "no answer to any registration"
        for pair, ack in answered:
            ended = self._judge(pair, ack) if register else self._given_back(pair, ack)
            if ended:
                return ended
        silent = len(pairs) - len(answered)
        if silent:
            _log.warning("stream.ack_missing", asked=len(pairs), silent=silent)
        return ""

    def _given_back(self, pair: Pair, ack: Ack) -> str:
        if ack.code == _LOST:
            return "lost while giving back"
        if ack.code in _WHOLE_SESSION | _HOPELESS:
            return self._ended_by(ack)
        if ack.code not in {control.UNSUBSCRIBED, control.NOT_SUBSCRIBED}:
            _log.warning("stream.not_given_back", tr_id=pair[0], code=ack.code)
        self._registrations.held.discard(pair)
        return ""

    def _judge(self, pair: Pair, ack: Ack) -> str:
        """Take an ack to a registration; returns why the session must end, blank where it goes on."""
        known = self._registrations
        is_encrypted = pair[0] in STREAMS and STREAMS[pair[0]].encrypted
        if ack.active:
            if is_encrypted and pair[0] not in self._keys:
                _log.error("stream.key_missing", tr_id=pair[0])
            else:
                known.held.add(pair)
            return ""
        if ack.code in _WHOLE_SESSION | _HOPELESS or ack.code == _LOST:
            return self._ended_by(ack)
        if ack.code == control.TOO_MANY:
            _log.error("stream.limit_lower", limit=len(known.held), found=ack.text)
            known.full()
        elif ack.code not in _AGAIN:
            _log.error("stream.registration_refused", tr_id=pair[0], code=ack.code, text=ack.text)
            known.refused[pair] = ack.code
        return ""

    def _ended_by(self, ack: Ack) -> str:
        if ack.code == control.APPROVAL_UNKNOWN and self._approval:
            self._refused_approval, self._approval = self._approval, ""
        if ack.code in _HOPELESS:
            self._fatal = refusals.registration((ack.tr_id, ack.tr_key), ack.code)
        return ack.code
