"""One budget for all processes of a host: real processes, one of them killed, and files nobody can use."""

import asyncio
import fcntl
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from haetae.kis.budget import LOST_S, WINDOW_S, Lane, Rule
from haetae.kis.pace_file import Pace, SharedPace
from haetae.kis.pacing import Pacer
from haetae.wiring.clocks import SystemClock
from unit.kis.test_pacing import most_in_a_window

CHILD = Path(__file__).with_name("pace_child.py")
RATE = 40.0


class Server:
    """Answers lines after a random delay, counts each at a random moment of it, and remembers who asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str]] = []
        self._dice = random.Random(7)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await asyncio.sleep(self._dice.uniform(0, 0.04))
            self.seen.append((time.monotonic(), line.decode().strip()))
            await asyncio.sleep(self._dice.uniform(0, 0.04))
            writer.write(b"ok\n")
        writer.close()

    def arrivals(self, since: float = 0.0) -> list[float]:
        return [at for at, _ in self.seen if at >= since]


async def child(port: int, file: Path, seconds: float, lane: str = "DATA") -> asyncio.subprocess.Process:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [str(CHILD), str(port), str(file), str(RATE), str(seconds), lane]
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, env=env)


async def test_processes_that_share_a_key_share_its_budget_and_one_that_dies_harms_nobody(tmp_path):
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    file = tmp_path / "pace.json"
    children = [await child(port, file, 5.0) for _ in range(3)]
    async with asyncio.timeout(30):
        while len(server.seen) < 20:  # noqa: ASYNC110 - the first calls of any process
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        children[0].send_signal(signal.SIGKILL)
        await asyncio.gather(*(process.wait() for process in children))
    listener.close()
    arrivals = server.arrivals()
    assert most_in_a_window(arrivals) <= RATE
    middle = [at for at in arrivals if arrivals[0] + 1 <= at <= arrivals[-1] - 1]
    assert len(middle) / (middle[-1] - middle[0]) >= 0.75 * RATE
    assert file.stat().st_mode & 0o777 == 0o600


async def test_an_exit_of_another_process_goes_before_waiting_data(tmp_path):
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    file = tmp_path / "pace.json"
    data = await child(port, file, 60.0)
    clock = SystemClock()
    pacer = Pacer(clock, lambda: Rule.of(RATE, burst=1), store=SharedPace(file), lease_s=2.0)
    async with asyncio.timeout(30):
        while len(server.seen) < 60:  # noqa: ASYNC110 - data is at full pace
            await asyncio.sleep(0.01)
    waits = []
    for _ in range(15):
        before = clock.monotonic()
        (await pacer.turn(Lane.URGENT)).answered()
        waits.append(clock.monotonic() - before)
    data.kill()
    await data.wait()
    listener.close()
    assert sorted(waits)[len(waits) // 2] < 2.5 / RATE


RULE = Rule(10)


def wait_of(store: SharedPace, now: float) -> float:
    done, wait = store.change(lambda pace: pace.calls.wait_s(RULE, Lane.URGENT, now), now)
    assert done
    return wait or 0.0


def take(store: SharedPace, now: float, times: int = 1) -> None:
    def work(pace: Pace) -> None:
        for number in range(times):
            pace.calls.take(RULE, Lane.URGENT, now, f"call {number}", asked_at=now, lease_s=20.0)

    store.change(work, now)


def test_what_one_process_took_another_knows(tmp_path):
    first, second = SharedPace(tmp_path / "deep" / "pace.json"), SharedPace(tmp_path / "deep" / "pace.json")
    take(first, 100.0, 10)
    assert wait_of(second, 100.0) == pytest.approx(WINDOW_S)


def test_a_garbled_file_holds_everybody_until_what_was_under_way_was_counted(tmp_path):
    file = tmp_path / "pace.json"
    take(SharedPace(file), 100.0)
    file.write_bytes(b'{"boot": "')
    assert wait_of(SharedPace(file), 100.0) == pytest.approx(WINDOW_S + LOST_S)
    assert wait_of(SharedPace(file), 100.0) == pytest.approx(WINDOW_S + LOST_S)


def test_a_file_of_another_start_of_the_machine_counts_for_nothing(tmp_path):
    file = tmp_path / "pace.json"
    take(SharedPace(file), 100.0, 10)
    file.write_text(file.read_text().replace('"boot":"', '"boot":"other'))
    assert wait_of(SharedPace(file), 100.0) <= 0


def test_a_file_of_a_clock_that_is_far_ahead_counts_for_nothing(tmp_path):
    file = tmp_path / "pace.json"
    take(SharedPace(file), 1e9, 10)
    assert wait_of(SharedPace(file), 100.0) <= 0


def test_a_file_that_was_removed_is_made_anew(tmp_path):
    store = SharedPace(tmp_path / "pace.json")
    take(store, 100.0)
    (tmp_path / "pace.json").unlink()
    take(store, 100.0)
    assert (tmp_path / "pace.json").exists()


def test_a_place_that_cannot_be_written_leaves_this_process_its_own_budget(tmp_path):
    (tmp_path / "file").write_text("no folder")
    store = SharedPace(tmp_path / "file" / "pace.json")
    take(store, 100.0, 10)
    assert wait_of(store, 100.0) == pytest.approx(WINDOW_S)


async def test_a_process_that_stands_still_with_the_lock_does_not_stop_an_exit(tmp_path):
    file = tmp_path / "pace.json"
    clock = SystemClock()
    pacer = Pacer(clock, lambda: Rule(10, window_s=600.0, is_even=False), store=SharedPace(file))
    (await pacer.turn(Lane.URGENT)).answered()
    with file.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = clock.monotonic()
        turn = await asyncio.wait_for(pacer.turn(Lane.URGENT), 30)
        assert clock.monotonic() - before > 0.3
        turn.answered()
    await asyncio.sleep(0.05)
    # The file knows the first; the second was this process's alone, and what it owed is written without harm.
    assert pacer.used() == pytest.approx(0.1)
    (await pacer.turn(Lane.URGENT)).answered()
    assert pacer.used() == pytest.approx(0.2)
