"""The token's life: kept, renewed, never asked for twice a minute."""

import asyncio
import stat

import pytest

from haetae.domain.errors import Retryable
from haetae.domain.units import NS_PER_SECOND
from haetae.kis.auth import Tokens
from haetae.kis.settings import KisSettings, Secret
from haetae.wiring.clocks import DrivenClock

START = 1_795_390_200 * NS_PER_SECOND
DAY_S = 86_400


class Issuer:
    def __init__(self, clock: DrivenClock) -> None:
        self.clock = clock
        self.asked: list[float] = []
        self.fail = 0

    async def __call__(self) -> tuple[str, int]:
        self.asked.append(self.clock.monotonic())
        await asyncio.sleep(0)
        if self.fail:
            self.fail -= 1
            raise Retryable("no token")
        return f"token-{len(self.asked)}", self.clock.now() + DAY_S * NS_PER_SECOND


def settings(file=None, **changed) -> KisSettings:
    return KisSettings(
        rest_url=changed.get("rest_url", "http://127.0.0.1:1"),
        ws_url="ws://127.0.0.1:1",
        app_key=changed.get("app_key", "key"),
        app_secret=Secret("secret"),
        account="50123456",
        token_file=file,
    )


async def driven(clock: DrivenClock, awaited):
    task = asyncio.create_task(awaited)
    while not task.done():
        for _ in range(5):
            await asyncio.sleep(0)
        wake = clock.next_wake()
        if wake is not None and not task.done():
            clock.advance(wake)
    return task.result()


async def test_many_askers_at_once_cause_one_issue():
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(), clock, issue)
    assert set(await asyncio.gather(*(tokens.token() for _ in range(20)))) == {"token-1"}
    assert len(issue.asked) == 1


async def test_a_token_survives_a_restart_in_a_private_file(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    file = tmp_path / "deep" / "token.json"
    await Tokens(settings(file), clock, issue).token()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await Tokens(settings(file), clock, issue).token() == "token-1"
    assert len(issue.asked) == 1


async def test_tokens_of_different_servers_and_keys_never_mix(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    file = tmp_path / "token.json"
    first = await Tokens(settings(file), clock, issue).token()
    other_server = await Tokens(settings(file, rest_url="http://127.0.0.1:2"), clock, issue).token()
    other_key = await Tokens(settings(file, app_key="other"), clock, issue).token()
    assert len({first, other_server, other_key}) == 3
    assert await Tokens(settings(file), clock, issue).token() == first


async def test_a_dropped_token_is_replaced_only_after_the_minute(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(tmp_path / "token.json"), clock, issue)
    tokens.drop(await tokens.token())
    assert await driven(clock, tokens.token()) == "token-2"
    assert issue.asked[1] - issue.asked[0] >= 60


async def test_a_restart_does_not_shorten_the_minute(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    file = tmp_path / "token.json"
    tokens = Tokens(settings(file), clock, issue)
    tokens.drop(await tokens.token())
    assert await driven(clock, Tokens(settings(file), clock, issue).token()) == "token-2"
    assert issue.asked[1] - issue.asked[0] >= 60


async def test_a_failed_issue_counts_as_asked(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    issue.fail = 1
    tokens = Tokens(settings(tmp_path / "token.json"), clock, issue)
    with pytest.raises(Retryable):
        await tokens.token()
    await driven(clock, tokens.token())
    assert issue.asked[1] - issue.asked[0] >= 60


async def test_dropping_an_old_token_keeps_the_newer_one():
    clock = DrivenClock(START)
    tokens = Tokens(settings(), clock, Issuer(clock))
    good = await tokens.token()
    tokens.drop("some older token")
    assert await tokens.token() == good


async def test_a_token_is_renewed_before_it_dies():
    clock = DrivenClock(START)
    tokens = Tokens(settings(), clock, Issuer(clock))
    await tokens.token()
    clock.advance(START + 20 * 3_600 * NS_PER_SECOND)
    assert await tokens.token() == "token-2"


async def test_a_broken_file_is_no_obstacle(tmp_path):
    file = tmp_path / "token.json"
    file.write_text("{broken", encoding="utf-8")
    clock = DrivenClock(START)
    assert await Tokens(settings(file), clock, Issuer(clock)).token() == "token-1"
