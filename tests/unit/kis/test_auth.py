"""The token's life: one owner for all processes, kept, renewed, never asked for twice a minute."""

import asyncio
import datetime as dt
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from haetae.domain.errors import ConfigError, Retryable
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.kis.auth import Approvals, Tokens
from haetae.kis.settings import KisSettings, Secret
from haetae.wiring.clocks import DrivenClock

START = 1_795_390_200 * NS_PER_SECOND
DAY_S = 86_400
HOUR = 3_600 * NS_PER_SECOND
MONDAY = dt.date(2026, 11, 23)
SUNDAY = dt.date(2026, 11, 22)


class Issuer:
    """A KIS that gives out tokens, refuses them for a while, or gives the same again."""

    def __init__(self, clock: DrivenClock) -> None:
        self.clock = clock
        self.asked: list[float] = []
        self.fail = 0
        self.same = ""

    async def __call__(self) -> tuple[str, int]:
        self.asked.append(self.clock.monotonic())
        await asyncio.sleep(0)
        if self.fail:
            self.fail -= 1
            raise Retryable("no token")
        return self.same or f"token-{len(self.asked)}", self.clock.now() + DAY_S * NS_PER_SECOND


def settings(file=None, **changed) -> KisSettings:
    return KisSettings(
        rest_url=changed.get("rest_url", "http://127.0.0.1:1"),
        ws_url="ws://127.0.0.1:1",
        app_key=changed.get("app_key", "k" * 36),
        app_secret=Secret("s" * 180),
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
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert await Tokens(settings(file), clock, issue).token() == "token-1"
    assert len(issue.asked) == 1


async def test_tokens_of_different_servers_and_keys_never_mix(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    file = tmp_path / "token.json"
    first = await Tokens(settings(file), clock, issue).token()
    other_server = await Tokens(settings(file, rest_url="http://127.0.0.1:2"), clock, issue).token()
    other_key = await Tokens(settings(file, app_key="o" * 36), clock, issue).token()
    assert len({first, other_server, other_key}) == 3
    assert await Tokens(settings(file), clock, issue).token() == first


async def test_entries_of_servers_that_are_long_gone_leave_the_file(tmp_path):
    clock = DrivenClock(START)
    file = tmp_path / "token.json"
    await Tokens(settings(file), clock, Issuer(clock)).token()
    clock.advance(START + 8 * 24 * HOUR)
    await Tokens(settings(file, app_key="o" * 36), clock, Issuer(clock)).token()
    assert len(json.loads(file.read_text())) == 1


async def test_a_dropped_token_is_replaced_only_after_the_minute(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(tmp_path / "token.json"), clock, issue)
    tokens.drop(await tokens.token())
    assert await driven(clock, tokens.token()) == "token-2"
    assert issue.asked[1] - issue.asked[0] >= 60


async def test_an_order_does_not_wait_a_minute_for_a_token(tmp_path):
    clock = DrivenClock(START)
    tokens = Tokens(settings(tmp_path / "token.json"), clock, Issuer(clock))
    tokens.drop(await tokens.token())
    with pytest.raises(Retryable, match="no new token yet"):
        await tokens.token(within_s=5, for_order=True)


async def test_a_restart_does_not_shorten_the_minute(tmp_path):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    file = tmp_path / "token.json"
    tokens = Tokens(settings(file), clock, issue)
    tokens.drop(await tokens.token())
    assert await driven(clock, Tokens(settings(file), clock, issue).token()) == "token-2"
    assert issue.asked[1] - issue.asked[0] >= 60


async def test_a_clock_that_was_set_back_does_not_shorten_the_minute(tmp_path):
    clock, earlier = DrivenClock(START), DrivenClock(START - 24 * HOUR)
    file = tmp_path / "token.json"
    await Tokens(settings(file), clock, Issuer(clock)).token()
    issue = Issuer(earlier)
    assert await driven(earlier, Tokens(settings(file), earlier, issue).token()) == "token-1"
    assert issue.asked == [earlier.monotonic()]
    assert earlier.now() >= START - 24 * HOUR + 60 * NS_PER_SECOND


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


async def test_calls_that_were_refused_together_drop_one_token_once():
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(), clock, issue)
    bad = await tokens.token()
    with capture_logs() as told:
        for _ in range(5):
            tokens.drop(bad)
    assert [entry["log_level"] for entry in told] == ["warning"]
    assert await driven(clock, tokens.token()) == "token-2"
    tokens.drop(bad)
    assert await tokens.token() == "token-2"


async def test_a_token_is_renewed_before_it_dies():
    clock = DrivenClock(START)
    tokens = Tokens(settings(), clock, Issuer(clock))
    await tokens.token()
    clock.advance(START + 20 * HOUR)
    assert await tokens.token() == "token-2"


@pytest.mark.parametrize(
    ("issued", "asked", "renewed"),
    [
        ((SUNDAY, 200_000), (MONDAY, 82_000), True),  # would die at 20:00, within the aftermarket
        ((SUNDAY, 210_000), (MONDAY, 82_000), False),  # lives to 21:00
        ((MONDAY, 50_000), (MONDAY, 82_000), False),  # younger than six hours: KIS would give the same again
        ((SUNDAY, 140_000), (MONDAY, 100_000), True),  # in the session: the sooner the better
        ((SUNDAY, 120_000), (SUNDAY, 200_000), False),  # no session on a Sunday
    ],
)
async def test_a_token_that_would_not_outlive_the_session_is_renewed_before_it(issued, asked, renewed):
    clock = DrivenClock(instant_at(*issued))
    tokens = Tokens(settings(), clock, Issuer(clock))
    await tokens.token()
    clock.advance(instant_at(*asked))
    assert await tokens.token() == ("token-2" if renewed else "token-1")


async def test_an_early_renewal_that_fails_changes_nothing_and_is_tried_again_a_minute_later():
    clock = DrivenClock(instant_at(SUNDAY, 200_000))
    issue = Issuer(clock)
    tokens = Tokens(settings(), clock, issue)
    await tokens.token()
    clock.advance(instant_at(MONDAY, 82_000))
    issue.fail = 1
    assert await tokens.token() == "token-1"
    assert await tokens.token() == "token-1"
    assert len(issue.asked) == 2
    clock.advance(instant_at(MONDAY, 82_100))
    assert await tokens.token() == "token-3"


async def test_an_early_renewal_never_holds_an_order():
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(), clock, issue)
    await tokens.token()
    clock.advance(START + 20 * HOUR)
    assert await tokens.token(for_order=True) == "token-1"
    assert len(issue.asked) == 1


async def test_where_kis_gives_the_same_token_again_it_is_not_asked_every_minute():
    clock = DrivenClock(START)
    issue = Issuer(clock)
    issue.same = "the same"
    tokens = Tokens(settings(), clock, issue)
    await tokens.token()
    clock.advance(START + 20 * HOUR)
    for minute in range(30):
        clock.advance(START + 20 * HOUR + 60 * minute * NS_PER_SECOND)
        assert await tokens.token() == "the same"
    assert len(issue.asked) == 2


async def test_while_kis_gives_no_token_reads_keep_the_old_one_and_orders_stay():
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(), clock, issue)
    old = await tokens.token()
    clock.advance(START + 2 * HOUR)
    tokens.drop(old)
    issue.fail = 3
    with capture_logs() as told:
        assert await tokens.token() == old
        assert await tokens.token() == old
        with pytest.raises(Retryable):
            await tokens.token(within_s=5, for_order=True)
        clock.advance(clock.now() + 60 * NS_PER_SECOND)
        with pytest.raises(Retryable):
            await tokens.token(within_s=5, for_order=True)
    assert len(issue.asked) == 3
    assert [entry["log_level"] for entry in told] == ["error", "error"]


async def test_the_second_failure_is_for_a_person_to_see_and_a_success_forgets_the_first():
    clock = DrivenClock(START)
    tokens = Tokens(settings(), clock, Issuer(clock))
    levels = []
    for works in (False, True, False, False):
        clock.advance(clock.now() + HOUR)
        token = await tokens.token()
        if works:
            tokens.worked(token)
        with capture_logs() as told:
            tokens.drop(token)
        levels.append(told[0]["log_level"])
    assert levels == ["warning", "warning", "error", "error"]


async def test_a_broken_file_is_no_obstacle(tmp_path):
    file = tmp_path / "token.json"
    for content in ("{broken", "[]", '{"x": 1}', "[" * 100_000, "\0"):
        file.write_text(content, encoding="utf-8")
        file.chmod(0o600)
        clock = DrivenClock(START)
        assert await Tokens(settings(file), clock, Issuer(clock)).token() == "token-1"
        assert await Tokens(settings(file), clock, Issuer(clock)).token() == "token-1"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
async def test_a_file_that_others_can_read_is_refused_with_the_way_out(tmp_path, mode):
    file = tmp_path / "token.json"
    clock = DrivenClock(START)
    await Tokens(settings(file), clock, Issuer(clock)).token()
    file.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        await Tokens(settings(file), clock, Issuer(clock)).token()
    assert caught.value.expected == "0600"
    assert str(caught.value.next_step) == f"chmod 600 {file}"
    assert f"{mode:04o}" in caught.value.found


async def test_a_place_that_cannot_be_written_is_said_before_kis_is_asked(tmp_path):
    (tmp_path / "file").write_text("no folder")
    clock = DrivenClock(START)
    issue = Issuer(clock)
    with pytest.raises(ConfigError, match="token file"):
        await Tokens(settings(tmp_path / "file" / "token.json"), clock, issue).token()
    assert issue.asked == []


async def test_a_disk_that_fills_up_later_costs_the_file_not_the_token(tmp_path, monkeypatch):
    clock = DrivenClock(START)
    issue = Issuer(clock)
    tokens = Tokens(settings(tmp_path / "token.json"), clock, issue)
    first = await tokens.token()
    clock.advance(START + 2 * HOUR)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    tokens.drop(first)
    assert await tokens.token() == "token-2"
    assert await tokens.token(for_order=True) == "token-2"
    (kept,) = json.loads((tmp_path / "token.json").read_text()).values()
    assert kept["token"] == first


async def test_a_new_file_is_on_the_disk_before_it_takes_the_name_of_the_old_one(tmp_path, monkeypatch):
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda it: (done.append(os.readlink(f"/proc/self/fd/{it}")), fsync(it))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (done.append("renamed"), replace(self, to))[1])
    clock = DrivenClock(START)
    await Tokens(settings(tmp_path / "token.json"), clock, Issuer(clock)).token()
    fresh, folder = str(tmp_path / "token.json.new"), str(tmp_path)
    assert done == [fresh, "renamed", folder] * 2


async def test_a_token_never_shows_itself():
    clock = DrivenClock(START)
    tokens = Tokens(settings(), clock, Issuer(clock))
    await tokens.token()
    assert "token-1" not in repr(tokens._grant)


CHILD = """
import asyncio, os, sys
from pathlib import Path
from unit.kis.test_auth import settings
from haetae.kis.auth import Tokens
from haetae.wiring.clocks import SystemClock

async def main():
    clock, asked = SystemClock(), Path(sys.argv[2])

    async def issue():
        with asked.open("a") as file:
            file.write(f"{os.getpid()}\\n")
        await asyncio.sleep(0.3)
        return f"token-of-{os.getpid()}", clock.now() + 86_400 * 10**9

    print(await Tokens(settings(Path(sys.argv[1])), clock, issue).token())

asyncio.run(main())
"""


async def test_processes_that_start_together_share_one_issue(tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parents[2])])}
    arguments = ["-c", CHILD, str(tmp_path / "token.json"), str(tmp_path / "asked")]
    children = [
        await asyncio.create_subprocess_exec(sys.executable, *arguments, env=env, stdout=asyncio.subprocess.PIPE)
        for _ in range(4)
    ]
    told = [(await child.communicate())[0].decode().splitlines()[-1] for child in children]
    assert len(set(told)) == 1
    assert told[0].startswith("token-of-")
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


async def test_an_approval_key_is_kept_for_its_life_and_replaced_where_it_is_not_known():
    clock = DrivenClock(START)
    asked: list[float] = []

    async def issue() -> str:
        asked.append(clock.monotonic())
        return f"approval-{len(asked)}"

    approvals = Approvals(clock, issue)
    assert await approvals.key() == await approvals.key() == "approval-1"
    clock.advance(START + 2 * HOUR)
    assert await approvals.key(refused="approval-1") == "approval-2"
    assert await approvals.key(refused="approval-1") == "approval-2"
    clock.advance(START + 26 * HOUR)
    assert await approvals.key() == "approval-3"
    assert await driven(clock, approvals.key(refused="approval-3")) == "approval-4"
    assert asked[3] - asked[2] >= 1
