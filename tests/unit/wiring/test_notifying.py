"""Messages leave for a real receiver on this machine, in a task nothing waits for, and never show an address."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web

from haetae.cli import main
from haetae.config import load
from haetae.domain.errors import ConfigError, HaetaeError, JournalError, Text
from haetae.domain.events import Note
from haetae.domain.notices import Notice, Urgency
from haetae.domain.secret import Secret
from haetae.domain.units import NS_PER_SECOND
from haetae.live import NotifySettings
from haetae.wiring import trading_days
from haetae.wiring.clocks import SystemClock
from haetae.wiring.floor import last_word
from haetae.wiring.notifying import Channels, Mailbox, open_mailbox
from haetae.wiring.records import write_json
from haetae.wiring.venues import TradeSettings
from rigs.paper_broker import DrivenClock

KEY = "very-secret-key"


class Receiver:
    """Takes what apprise sends as JSON; refuses the first ``refuse``, waits ``slow_s``."""

    def __init__(self, *, refuse: int = 0, slow_s: float = 0.0) -> None:
        self.refuse = refuse
        self.slow_s = slow_s
        self.told: list[dict[str, str]] = []
        self.asked = 0

    async def _take(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        if self.asked <= self.refuse:
            return web.Response(status=503)
        self.told.append(json.loads(await request.text()))
        return web.Response(text="ok")

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/{tail:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        return f"json://127.0.0.1:{port}/{KEY}/"

    async def __aexit__(self, *told: object) -> None:
        await self._runner.cleanup()


def settings(url: str, **more) -> NotifySettings:
    return NotifySettings(urls=(Secret(url),), **more)


async def test_a_fill_and_an_escape_reach_the_receiver_in_both_languages() -> None:
    receiver = Receiver()
    async with receiver as url:
        for language in ("ko", "en"):
            box = Mailbox(Channels(settings(url), language), settings(url), DrivenClock(0))
            box.note(Note(0, "fill.booked", {"symbol": "005930", "quantity": 3}))
            box.note(Note(1, "escape.raised", {"level": "EXIT_ALL"}))
            box.note(Note(2, "proposal.planned", {"legs": 3}))
            await box.close()
            assert (box.sent, box.failed) == (2, 0)
    assert [told["title"] for told in receiver.told] == [
        "[해태] 체결", "[해태] 변동성 탈출", "[해태] filled", "[해태] volatility escape",
    ]  # fmt: skip
    assert receiver.told[0]["message"] == "symbol=005930, quantity=3"
    assert [told["type"] for told in receiver.told[:2]] == ["info", "failure"]


async def test_posting_never_waits_however_slow_the_channel() -> None:
    async with Receiver(slow_s=0.4) as url:
        box = Mailbox(Channels(settings(url)), settings(url), DrivenClock(0))
        began = time.perf_counter()
        for n in range(50):
            box.note(Note(n, "order.rejected", {"code": str(n)}))
        took = time.perf_counter() - began
        assert took < 0.2
        beats = 0
        until = time.perf_counter() + 0.3
        while time.perf_counter() < until:
            await asyncio.sleep(0.005)
            beats += 1
        assert beats > 15, "the loop goes on while a channel is slow"
        box._task.cancel()


async def test_a_channel_that_fails_is_asked_again_and_then_given_up() -> None:
    receiver = Receiver(refuse=2)
    async with receiver as url:
        box = Mailbox(Channels(settings(url)), settings(url), DrivenClock(0), pauses_s=(0.01,))
        box.note(Note(0, "run.failed", {"fault": "x"}))
        for _ in range(200):
            if box.sent:
                break
            await asyncio.sleep(0.02)
        assert (box.sent, box.failed, receiver.asked) == (1, 0, 3)
        receiver.refuse = 10**6
        box.note(Note(1, "execution.exceeded", {}))
        for _ in range(200):
            if box.failed:
                break
            await asyncio.sleep(0.02)
        assert (box.sent, box.failed, receiver.asked) == (1, 1, 3 + settings(url).tries)
        await box.close()


class Stuck:
    """A sender that never ends."""

    async def send(self, notice: Notice) -> bool:
        await asyncio.Event().wait()
        raise AssertionError

    def send_now(self, notice: Notice) -> bool:
        raise AssertionError


async def test_where_too_many_wait_the_least_urgent_goes_and_pages_stay() -> None:
    box = Mailbox(Stuck(), NotifySettings(waiting=3), DrivenClock(0))
    for n in range(3):
        box.note(Note(n, "order.rejected", {"code": str(n)}))
    box.note(Note(3, "run.failed", {}))
    box.note(Note(4, "fill.booked", {}))
    assert sorted(each.kind for each in box._waiting) == ["order.rejected", "order.rejected", "run.failed"]
    assert box.dropped == 2
    box._task.cancel()


async def test_only_what_is_urgent_enough_is_sent_and_a_storm_is_counted() -> None:
    receiver = Receiver()
    async with receiver as url:
        quiet = settings(url, least=2)
        box = Mailbox(Channels(quiet), quiet, DrivenClock(0))
        for n in range(30):
            box.note(Note(n, "fill.booked", {}))
            await box.tell(Notice(n, Urgency.PAGE, "x", Text(ko="가", en="a"), Text(ko="", en=""), "same"))
        await box.close()
    assert len(receiver.told) == 2
    assert "29건 더" in receiver.told[1]["title"]


def test_addresses_come_from_the_environment_alone_and_never_show(tmp_path) -> None:
    url = f"json://127.0.0.1:1/{KEY}"
    found = load([], {"HAETAE_NOTIFY__URLS": f"{url}, json://127.0.0.1:2/{KEY}"}).notify
    assert len(found.urls) == 2
    assert KEY not in repr(found)
    file = tmp_path / "s.toml"
    file.write_text(f'[notify]\nurls = ["{url}"]\n')
    with pytest.raises(ConfigError) as refused:
        load([file], {})
    assert KEY not in refused.value.found


def test_an_address_that_does_not_read_is_told_by_its_place() -> None:
    with pytest.raises(ConfigError) as refused:
        Channels(NotifySettings(urls=(Secret("json://127.0.0.1:1/"), Secret(f"nonsense-{KEY}"))))
    assert "2" in str(refused.value)
    assert KEY not in f"{refused.value} {refused.value.found} {refused.value.expected}"


async def test_nobody_to_tell_is_no_mailbox() -> None:
    assert open_mailbox(NotifySettings(), DrivenClock(0), {}) == (None, None)


async def test_the_command_sends_one_message_and_says_so(capsys, monkeypatch, tmp_path) -> None:
    receiver = Receiver()
    account = ("--account", str(tmp_path))
    async with receiver as url:
        monkeypatch.setenv("HAETAE_NOTIFY__URLS", url)
        told = tmp_path / "n.json"
        words = ["notify", "test", "--words", "점심", "--json", str(told), *account]
        assert await asyncio.to_thread(main.main, words) == 0
        receiver.refuse = 10**6
        assert await asyncio.to_thread(main.main, ["notify", "test", *account]) == 7
    assert receiver.told[0]["message"] == "점심"
    assert json.loads(told.read_text()) == {"channels": 1, "sent": True}
    monkeypatch.delenv("HAETAE_NOTIFY__URLS")
    assert await asyncio.to_thread(main.main, ["notify", "test", *account]) == 1
    assert KEY not in "".join(capsys.readouterr())


async def test_a_desk_that_keeps_crashing_calls_a_person_before_it_refuses_to_start(tmp_path: Path) -> None:
    now = SystemClock().now()
    for part in ("lake", "models"):
        (tmp_path / part).mkdir()
    write_json(tmp_path / "starts.json", {"starts": [now - n * NS_PER_SECOND for n in range(5, 0, -1)]})
    receiver = Receiver()
    async with receiver as url:
        asked = TradeSettings(tmp_path)
        with pytest.raises(HaetaeError, match="keeps crashing"):
            await trading_days.trade(asked, {"HAETAE_NOTIFY__URLS": url}, SimpleNamespace())
    assert [told["title"] for told in receiver.told] == ["[해태] 되풀이되는 종료: 멈춤"]
    assert "5 crashes within 600 s" in receiver.told[0]["message"]


def test_who_was_replaced_says_so_and_who_failed_says_that() -> None:
    fault = JournalError("x", expected="x", found="the disk is full", next_step="x")
    assert last_word(1, fault, replaced=True).kind == "lease.lost"
    assert last_word(1, fault, replaced=False) == Note(1, "run.failed", {"fault": str(fault), "found": fault.found})
