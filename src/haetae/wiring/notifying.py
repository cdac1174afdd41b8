"""Messages to people's phones: channels by apprise, in a task of their own that trading never waits for.

Here: ``Mailbox`` (a bounded queue, retries, storms), ``Channels`` (apprise). Not here: which notes are told and in
what words (``live.notices``). A channel that fails is logged by its number, never by its address: addresses hold keys.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import Note
from haetae.domain.notices import Notice, Urgency
from haetae.live import NotifySettings
from haetae.live.notices import Storms, notice_of
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_PAUSES_S = (1.0, 4.0, 16.0)
_LAST_WORDS_S = 10.0
"""Real seconds that the end of a process waits for the last messages."""
_MARKS = {Urgency.NEWS: "info", Urgency.WARNING: "warning", Urgency.PAGE: "failure"}


class Sender(Protocol):
    """Hands one message to every channel."""

    async def send(self, notice: Notice) -> bool:
        """Send; returns whether every channel took it."""
        ...

    def send_now(self, notice: Notice) -> bool:
        """Send from any thread, waiting for it; returns whether every channel took it."""
        ...


class Channels:
    """The channels of the settings; messages are in the language of the desk's screens."""

    def __init__(self, settings: NotifySettings, language: str = "") -> None:
        """Open every address; raises ``ConfigError`` that names the place of what cannot be read, never the address."""
        try:
            import apprise
        except ImportError as fault:
            raise ConfigError(
                Text(ko="알림 패키지가 없습니다", en="the package for notifications is missing"),
                expected="apprise",
                found=str(fault),
                next_step="pip install 'haetae[notify]'",
            ) from fault
        self._language = language or os.environ.get("HAETAE_LANG", "ko")
        self._apprise = apprise.Apprise()
        wrong = [str(n) for n, url in enumerate(settings.urls, start=1) if not self._apprise.add(url.reveal())]
        if wrong:
            raise ConfigError(
                Text(
                    ko=f"알림 주소 {', '.join(wrong)}번을 읽을 수 없습니다",
                    en=f"notify address {', '.join(wrong)}: unreadable",
                ),
                expected="tgram://…, slack://…, discord://…, mailto://…, json://…",
                found="HAETAE_NOTIFY__URLS",
                next_step="haetae notify test",
            )
        self.count = len(settings.urls)

    def _parts(self, notice: Notice) -> dict[str, Any]:
        title, body = notice.title.in_language(self._language), notice.body.in_language(self._language)
        return {"title": f"[해태] {title}", "body": body or title, "notify_type": _MARKS[notice.urgency]}

    async def send(self, notice: Notice) -> bool:
        """Send to every channel."""
        return bool(await self._apprise.async_notify(**self._parts(notice)))

    def send_now(self, notice: Notice) -> bool:
        """Send to every channel from the calling thread."""
        return bool(self._apprise.notify(**self._parts(notice)))


class Mailbox:
    """Takes messages at once and sends them when it can; fulfils ``ports.Notifier``.

    Where more wait than the settings allow, the oldest of the least urgent is dropped and counted in the log.
    """

    def __init__(self, sender: Sender, settings: NotifySettings, clock: Clock, pauses_s: tuple[float, ...] = _PAUSES_S):
        """Start the task that sends; ``pauses_s`` are real seconds between the tries of one message."""
        self._sender = sender
        self._settings = settings
        self._clock = clock
        self._pauses_s = pauses_s
        self._storms = Storms(settings.storm_s)
        self._waiting: deque[Notice] = deque()
        self._more = asyncio.Event()
        self._closing = False
        self.sent = 0
        self.failed = 0
        self.dropped = 0
        self._task = asyncio.create_task(self._work(), name="notify")

    def note(self, note: Note) -> None:
        """Tell people of a note, where it is one of those that they are told; returns at once."""
        notice = notice_of(note)
        if notice is not None:
            self.post(notice)

    def post(self, notice: Notice) -> None:
        """Queue a message; returns at once."""
        for ended in self._storms.over(notice.at):
            self._put(ended)
        admitted = self._storms.admit(notice)
        if admitted is not None:
            self._put(admitted)

    async def tell(self, notice: Notice) -> None:
        """Queue a message; see ``ports.Notifier``."""
        self.post(notice)

    def _put(self, notice: Notice) -> None:
        if notice.urgency < self._settings.least:
            return
        if len(self._waiting) >= self._settings.waiting:
            least = min(self._waiting, key=lambda waiting: waiting.urgency)
            self.dropped += 1
            if least.urgency > notice.urgency:
                return
            self._waiting.remove(least)
        self._waiting.append(notice)
        self._more.set()

    async def _work(self) -> None:
        while True:
            while self._waiting:
                await self._send(self._waiting.popleft())
            if self._closing:
                return
            self._more.clear()
            await self._more.wait()

    async def _send(self, notice: Notice) -> None:
        for attempt in range(self._settings.tries):
            if await self._sender.send(notice):
                self.sent += 1
                return
            if self._closing or attempt + 1 == self._settings.tries:
                break
            await asyncio.sleep(self._pauses_s[min(attempt, len(self._pauses_s) - 1)])
        self.failed += 1
        _log.error("notice.not_sent", told=notice.kind, urgency=notice.urgency.name)

    async def close(self) -> None:
        """Send what waits, and the counts of storms, for a few seconds at most."""
        for ended in self._storms.over(self._clock.now(), all_of_them=True):
            self._put(ended)
        self._closing = True
        self._more.set()
        await asyncio.wait({self._task}, timeout=_LAST_WORDS_S)
        if self.dropped or self._waiting:
            _log.error("notice.dropped", count=self.dropped + len(self._waiting))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def open_mailbox(
    settings: NotifySettings, clock: Clock, env: Mapping[str, str]
) -> tuple[Mailbox | None, Channels | None]:
    """Return the mailbox and channels of the settings, none where nobody is to be told."""
    if not settings.urls:
        return None, None
    channels = Channels(settings, env.get("HAETAE_LANG", "ko"))
    return Mailbox(channels, settings, clock), channels


async def tell_at_once(settings: NotifySettings, note: Note, clock: Clock, env: Mapping[str, str]) -> None:
    """Tell people of a note before anything else runs that could; for a few seconds at most."""
    mail, _ = open_mailbox(settings, clock, env)
    if mail is not None:
        mail.note(note)
        await mail.close()


async def send_test(settings: NotifySettings, words: str, env: Mapping[str, str]) -> tuple[int, bool]:
    """Send one message to every channel now; return how many there are, and whether all took it."""
    if not settings.urls:
        return 0, False
    channels = Channels(settings, env.get("HAETAE_LANG", "ko"))
    said = Text(ko=words or "시험 메시지입니다. 이 채널로 소식이 옵니다.", en=words or "A test: news will come here.")
    title = Text(ko="알림 시험", en="notification test")
    took = await channels.send(Notice(0, Urgency.NEWS, "notify.test", title, said, "notify.test"))
    return channels.count, took
