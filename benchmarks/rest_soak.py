"""rest-soak: 20 000 REST calls against the emulator, at the pace it permits and without one refusal.

The emulator runs in a process of its own, its clock several times as fast as the machine's, its limit counted in a
strict sliding second of that clock (18 calls, as on the real domain). Ours asks with 24 callers through the client's
pacer; one call in eight is a trading call. How fast the clock may run is measured first: a second of it must be long
against the hiccups of the machine, or the figure would be of the machine and not of the client. The peer is what a
client does that has no proof: as many callers behind a timer that lets a call go every eighteenth of a second, and what
is refused is lost; it makes fewer calls. Last comes a shorter run of ours at the machine's own speed. `share` is calls
served in permitted calls of the time they took, `refused` what the gate refused.

    PYTHONPATH=src python benchmarks/rest_soak.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

import aiohttp

from haetae.emulator.server import open_service
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.kis.limits import calls_per_second
from haetae.kis.pacing import Lane
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import ScaledClock

CALLS, TRIAL_CALLS, PEER_CALLS, SLOW_CALLS = 20_000, 400, 2_000, 720
TRIAL_SPEED, FASTEST = 4.0, 10.0
LOSS = 0.015
"""Share of an emulated second that the machine's own hiccups may cost."""
CALLERS = 24
MARKET = MarketSettings(seed=20261127, listed=120, history_sessions=40, live_sessions=2)
PERMITTED = calls_per_second(Mode.REAL, MARKET.first_live_day)
GATE = 0.97


async def serve(speed: float) -> None:
    """Run the emulator and say where; ends when its input does."""
    settings = EmulatorSettings(MARKET, rest_real_port=0, rest_mock_port=0, ws_real_port=0, ws_mock_port=0, speed=speed)
    async with open_service(settings) as (_, ready):
        print(json.dumps(ready), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def emulator(speed: float):
    """Give the addresses of an emulator in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", str(speed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


KEYS = {"appkey": "PSSOAK" + "0" * 30, "appsecret": "s" * 180}
PRICE = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}
POWER = {"CANO": "50123456", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_DVSN": "01"}


async def ours(ready: dict[str, Any], clock: ScaledClock, calls: int) -> dict[str, Any]:
    """Make the calls through the client."""
    settings = KisSettings(
        rest_url=ready["rest_real"],
        ws_url=ready["ws_real"],
        app_key=KEYS["appkey"],
        app_secret=Secret(KEYS["appsecret"]),
        account=POWER["CANO"],
        mode=Mode.REAL,
    )
    async with KisRest(settings, clock) as rest:
        await rest.prepare()

        async def ask(number: int) -> None:
            name, asked = ("inquire-price", PRICE) if number % 8 else ("inquire-psbl-order", POWER)
            await rest.call(name, asked, lane=Lane.DATA)

        took = await crowd(calls, ask, clock)
        return {"emulated_s": took, "repeats": rest.counts.repeats}


async def by_timer(ready: dict[str, Any], clock: ScaledClock, calls: int) -> dict[str, Any]:
    """Make the calls behind a timer."""
    due = clock.monotonic()
    url = ready["rest_real"] + "/uapi/domestic-stock/v1/quotations/inquire-price"
    async with aiohttp.ClientSession() as http:
        grant = {"grant_type": "client_credentials", **KEYS}
        async with http.post(ready["rest_real"] + "/oauth2/tokenP", json=grant) as answer:
            token = (await answer.json())["access_token"]
        headers = {**KEYS, "authorization": f"Bearer {token}", "tr_id": "FHKST01010100", "custtype": "P"}

        async def ask(_: int) -> None:
            nonlocal due
            due = max(due + 1 / PERMITTED, clock.monotonic())
            await clock.sleep(due - clock.monotonic())
            async with http.get(url, params=PRICE, headers=headers) as answer:
                await answer.read()

        return {"emulated_s": await crowd(calls, ask, clock)}


async def crowd(calls: int, ask: Callable[[int], Awaitable[None]], clock: ScaledClock) -> float:
    """Let all callers make the calls together; returns the seconds of the emulator's clock they took."""
    left = iter(range(calls))

    async def caller() -> None:
        for number in left:
            await ask(number)

    began = clock.monotonic()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return clock.monotonic() - began


async def soak(speed: float, calls: int, client: Callable[..., Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Return what one client got of one emulator."""
    with emulator(speed) as ready:
        clock = ScaledClock(int(ready["now"]), time.time_ns(), speed)
        cpu = time.process_time()
        figures = await client(ready, clock, calls)
        cpu = time.process_time() - cpu
        async with aiohttp.ClientSession() as http, http.get(ready["control"] + "/calls") as answer:
            told = await answer.json()
    served = sum(row["calls"] for row in told["keys"])
    return {
        **figures,
        "speed": speed,
        "served": served,
        "share": served / (PERMITTED * figures["emulated_s"]),
        "refused": told["violations"],
        "most_in_a_second": max(row["peak_per_second"] for row in told["keys"]),
        "client_cpu_us_per_call": 1e6 * cpu / calls,
    }


async def affordable_speed() -> float:
    """Return how fast the emulator's clock may run on this machine as it is now."""
    trial = await soak(TRIAL_SPEED, TRIAL_CALLS, ours)
    lost_s = (1 / trial["share"] - 1) / TRIAL_SPEED  # real seconds of every second's slots that went to hiccups
    return round(min(FASTEST, max(1.0, LOSS / max(lost_s, 1e-6))), 1)


async def measure() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return ours, the timer's, and ours at the machine's own speed."""
    speed = await affordable_speed()
    return (
        await soak(speed, CALLS, ours),
        await soak(speed, PEER_CALLS, by_timer),
        await soak(1.0, SLOW_CALLS, ours),
    )


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both and return the figures; write them to ``out_json`` if given."""
    mine, timer, slow = asyncio.run(measure())
    peer_s = timer["emulated_s"] * CALLS / max(1, timer["served"])
    figures: dict[str, Any] = {
        "workload": f"rest-soak: {CALLS} calls, {PERMITTED} a second permitted",
        "ours_s": mine["emulated_s"],
        "peer": f"a timer of 1/{PERMITTED} s before each call, the same callers; what is refused is lost",
        "peer_s": peer_s,
        "ratio": peer_s / mine["emulated_s"],
        "gate": GATE,
        "passed": all(one["share"] >= GATE and one["refused"] == 0 for one in (mine, slow)),
        "ours": mine,
        "timer": timer,
        "ours_at_1x": slow,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(float(sys.argv[2])))
    else:
        print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
