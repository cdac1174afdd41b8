"""The kill switch from outside: real processes, a real emulator, no desk, no journal, no disk to write on."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from haetae.cli import main
from haetae.domain.errors import ConfigError
from haetae.domain.events import OperatorState
from haetae.kis.rest import Acked, KisRest
from haetae.kis.wire.calls.orders import BuyOrder
from haetae.kis.wire.calls.prices import DaySoFar, PriceNow
from haetae.kis.wire.operations import Mode
from haetae.krx import Rulebook
from haetae.wiring import heartbeat, killing, operators
from haetae.wiring.accounts import KeyFile, write_account
from haetae.wiring.child import Control
from haetae.wiring.clocks import SystemClock
from haetae.wiring.dice import process_dice
from haetae.wiring.livegate import for_cancels
from rigs.running import ENVIRONMENT, ROOT, haetae

DAY = "2026-11-23"
SECRET = "k" * 180


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One stepped emulator at ten o'clock for all; each test trades with an account of its own."""
    words = ["emulator", "run", "--free-ports", "--with-parent", "--speed", "0", "--listed", "120", "--history", "30"]
    process = subprocess.Popen(
        [sys.executable, "-m", "haetae.cli.main", *words, "--sessions", "1", "--clock", f"{DAY}T10:00"],
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd=ROOT,
    )
    yield json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.wait(10)


NUMBERS = itertools.count(50_012_301)


@pytest.fixture
def account(served, tmp_path):
    """The folder of keys of a fresh account."""
    number = next(NUMBERS)
    key = f"PSKILL{number}".ljust(36, "0")
    read = KeyFile(Mode.REAL, key, SECRET, str(number), "01", "", served["rest_real"], served["ws_real"])
    write_account(tmp_path / "account", read)
    return tmp_path / "account"


async def violations(served) -> int:
    async with aiohttp.ClientSession(trust_env=False) as http:
        return int((await Control(served["control"], http).calls())["violations"])


async def open_orders(account: Path, count: int) -> None:
    """Leave orders far below the market: they rest."""
    kis = for_cancels(account, {}, ())
    rules = Rulebook.on(dt.date.fromisoformat(DAY))
    async with KisRest(kis, SystemClock(), process_dice("test")) as rest:
        row = (await rest.ask(PriceNow(fid_input_iscd="005930"))).one(DaySoFar)
        price = rules.floor_tick(row.stck_sdpr * 8 // 10)
        for _ in range(count):
            asked = BuyOrder(
                cano=kis.account, acnt_prdt_cd=kis.product, pdno="005930", ord_dvsn="00",
                ord_qty="1", ord_unpr=str(price),
            )  # fmt: skip
            sent = await rest.order(asked)
            assert isinstance(sent, Acked), sent


def sign_of(desk: Path, *, pid: int, account: Path, beat: float | None = None, read_to: int = 0) -> None:
    told = heartbeat.Sign(pid, time.time() if beat is None else beat, read_to, False, str(account), DAY)
    fields = {name: getattr(told, name) for name in told.__slots__}
    (desk / heartbeat.FILE).write_text(json.dumps(fields) + "\n")


def dead_pid() -> int:
    gone = subprocess.Popen(["true"])
    gone.wait()
    return gone.pid


async def pressed(desk: Path, account: Path, state: OperatorState = OperatorState.HALT, **more) -> killing.Outcome:
    return await killing.kill(
        desk, state, people=("owner",), why="drill", say=lambda text: None,
        connection=lambda sign: for_cancels(account, {}, ()), **more,
    )  # fmt: skip


async def test_with_nobody_there_every_open_order_is_cancelled_at_the_broker(tmp_path: Path, served, account) -> None:
    await open_orders(account, 7)
    sign_of(tmp_path, pid=dead_pid(), account=account)
    outcome = await pressed(tmp_path, account)
    assert outcome.done
    assert (outcome.taken_by, len(outcome.cancelled), outcome.open_left) == (0, 7, [])
    assert await violations(served) == 0, "inside the rate limit"
    assert operators.given(tmp_path)[0].state is OperatorState.HALT
    again = await pressed(tmp_path, account)
    assert (again.cancelled, again.done) == ([], True), "pressed twice, nothing is done twice"


async def test_a_folder_that_cannot_be_written_keeps_nobody_from_cancelling(tmp_path: Path, account) -> None:
    """O03, and the full disk: nothing has to be written."""
    await open_orders(account, 2)
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / operators.FILE).mkdir()  # whoever opens it for writing is refused, root or not
    sign_of(desk, pid=dead_pid(), account=account)
    outcome = await pressed(desk, account)
    assert (outcome.written, len(outcome.cancelled), outcome.open_left, outcome.done) == (False, 2, [], True)


async def test_a_desk_that_has_read_the_wish_is_believed_and_the_broker_left_alone(tmp_path: Path) -> None:
    async def desk() -> None:
        while not (size := operators.written_to(tmp_path)):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        sign_of(tmp_path, pid=os.getpid(), account=tmp_path, read_to=size)

    sign_of(tmp_path, pid=os.getpid(), account=tmp_path)
    reading = asyncio.create_task(desk())
    outcome = await pressed(tmp_path, tmp_path / "no-keys-here")
    await reading
    assert (outcome.taken_by, outcome.asked_broker, outcome.done) == (os.getpid(), False, True)


async def test_a_desk_that_lives_and_does_not_read_is_given_a_second(tmp_path: Path) -> None:
    sign_of(tmp_path, pid=os.getpid(), account=tmp_path)

    async def beating() -> None:
        while True:
            sign_of(tmp_path, pid=os.getpid(), account=tmp_path)
            await asyncio.sleep(0.1)

    beat = asyncio.create_task(beating())
    began = time.monotonic()
    outcome = await pressed(tmp_path, tmp_path / "no-keys-here")
    beat.cancel()
    assert 0.9 < time.monotonic() - began < 5.0
    assert outcome.taken_by == 0
    assert "no account" in outcome.fault or "account" in outcome.fault
    assert not outcome.done


@pytest.mark.parametrize(("pid", "beat"), [(os.getpid(), 0.0), (None, None)], ids=["beat", "process"])
def test_a_sign_is_old_when_its_beat_or_its_process_is_gone(
    tmp_path: Path, pid: int | None, beat: float | None
) -> None:
    sign_of(tmp_path, pid=pid or dead_pid(), account=tmp_path, beat=beat)
    found = heartbeat.read(tmp_path)
    assert found is not None
    assert found.is_old()


def test_a_heartbeat_needs_no_space_after_its_first_and_ends_with_nobody_there(tmp_path: Path) -> None:
    sign = heartbeat.Heartbeat(tmp_path, live=True, account=tmp_path, day=DAY)
    size = (tmp_path / heartbeat.FILE).stat().st_size
    sign.beat(123_456_789)
    told = heartbeat.read(tmp_path)
    assert told is not None
    assert (told.pid, told.read_to, told.live, told.day, told.is_old()) == (os.getpid(), 123_456_789, True, DAY, False)
    assert (tmp_path / heartbeat.FILE).stat().st_size == size
    sign.close()
    assert heartbeat.read(tmp_path) is None


def test_a_release_is_confirmed_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["kill", "--release", "--out", str(tmp_path)]) == ConfigError.exit_code
    assert "--yes-release" in capsys.readouterr().err
    assert operators.given(tmp_path) == ()
    assert main.main(["kill", "--release", "--yes-release", "kim", "--out", str(tmp_path)]) == 0
    assert operators.given(tmp_path)[0].who == "kim"


def test_real_money_is_released_by_two_people_and_not_by_one_twice(tmp_path: Path) -> None:
    file = operators.OperatorFile(tmp_path, people=2)
    clock = SystemClock()

    def say(state: OperatorState, who: str) -> list[OperatorState]:
        operators.give(tmp_path, state, who=who, why="t", clock=clock)
        return [wish.state for wish in file.fresh() if isinstance(wish, operators.Order)]

    assert say(OperatorState.HALT, "kim") == [OperatorState.HALT]
    assert say(OperatorState.ACTIVE, "kim") == []
    assert say(OperatorState.ACTIVE, "Kim ") == []
    assert say(OperatorState.REDUCE_ONLY, "kim") == [OperatorState.REDUCE_ONLY], (
        "stopping takes one, and ends the count"
    )
    assert say(OperatorState.ACTIVE, "lee") == []
    assert say(OperatorState.ACTIVE, "kim") == [OperatorState.ACTIVE]


def test_two_releases_that_lie_too_far_apart_do_not_agree(tmp_path: Path) -> None:
    class Late(SystemClock):
        def now(self) -> int:
            return super().now() + 601 * 1_000_000_000

    file = operators.OperatorFile(tmp_path, people=2)
    operators.give(tmp_path, OperatorState.ACTIVE, who="kim", why="t", clock=SystemClock())
    operators.give(tmp_path, OperatorState.ACTIVE, who="lee", why="t", clock=Late())
    assert file.fresh() == ()


def test_the_command_tells_what_it_did_and_keeps_it_as_json(tmp_path: Path) -> None:
    told = tmp_path / "kill.json"
    done = haetae("kill", "--halt", "--out", tmp_path, "--account", tmp_path / "none", "--json", told)
    assert "도는 데스크가 없습니다" in done.stdout
    record = json.loads(told.read_text())
    assert (record["state"], record["written"], record["asked_broker"], record["done"]) == ("halt", True, False, True)


def test_a_desk_that_was_killed_and_a_broker_that_does_not_answer_is_a_failure(tmp_path: Path) -> None:
    sign_of(tmp_path, pid=dead_pid(), account=tmp_path / "none")
    done = haetae("kill", "--halt", "--out", tmp_path, check=False)
    assert done.returncode == 1
    assert "취소하지 못했습니다" in done.stdout


async def test_after_kill_9_of_a_desk_and_without_its_journal_the_command_still_cancels(tmp_path, account) -> None:
    await open_orders(account, 3)
    desk = tmp_path / "desk"
    desk.mkdir()
    words = (
        "import sys,time;from pathlib import Path;from haetae.wiring.heartbeat import Heartbeat;"
        f"h=Heartbeat(Path(sys.argv[1]),live=False,account=Path(sys.argv[2]),day='{DAY}');"
        "(Path(sys.argv[1])/'journal.db').write_bytes(b'x');print('up',flush=True);\n"
        "while True: h.beat(0); time.sleep(0.1)"
    )
    running = subprocess.Popen(  # noqa: ASYNC220 - it is killed a moment later
        [sys.executable, "-c", words, str(desk), str(account)], stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=ROOT
    )
    assert running.stdout is not None
    running.stdout.readline()
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    (desk / "journal.db").unlink()
    done = await asyncio.to_thread(haetae, "kill", "--out", desk, "--json", tmp_path / "k.json")
    record = json.loads((tmp_path / "k.json").read_text())
    assert (len(record["cancelled"]), record["open_left"], record["done"]) == (3, [], True)
    assert "증권사에서 3건 취소, 남은 0건" in done.stdout
