"""The emulator as a server: REST answers and WebSocket trade records for a second of its processor.

The emulator runs as a process of its own, as a user starts it; what loads it is this process. The figures are
answers and records for each CPU second of the server (user and system time, from the kernel), so that neighbours on
the machine and the client's own work do not count; answers and records for a second of the wall stand beside them.

REST: a few kept connections, one request after the other on each, three calls in turn (present price, the last thirty
minutes, the present prices of thirty names), every answer read whole and its ``rt_cd`` checked; the clock runs, the
limits on calls are off. Included: HTTP, keys and token, the market's state, JSON; rows that have not changed since they
were last asked for are kept as text, so that a name asked for again before it trades costs less than the first time.
Peer: a bare aiohttp application that answers a constant body of the same size; what is left of its speed is what the
emulator adds to the library.

WebSocket: several keys with forty symbols each, a whole session stepped minute by minute, each subscriber reads every
frame. Included: the market's tape, texts, frames, sockets. Peer: the same records made one by one as record objects,
without any socket.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/emulator.py [OUT.json]
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.emulator.board import Board
from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.kis.wire.frames import build_frame
from haetae.kis.wire.records import TradeRecord

CONNECTIONS, ANSWERS, ROUNDS = 4, 6_000, 3
KEYS, SYMBOLS, MINUTES = 4, 40, 300
SECRET = "S" * 180
QUOTES = "/uapi/domestic-stock/v1/quotations/"
_COUNT = re.compile(r"0\|H0STCNT0\|(\d{3})\|")


def cpu_s(pid: int) -> float:
    """Return the user and system seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def process(*command: str) -> Iterator[tuple[int, str]]:
    """Run a program of ours; yields its id and its first line."""
    env = {**os.environ, "HAETAE_EMULATOR__LIMITS__REAL_CALLS_PER_SECOND": "0"}
    with subprocess.Popen([sys.executable, *command], env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.pid, child.stdout.readline()
        finally:
            child.terminate()


def emulator(*more: str) -> Any:
    return process("-m", "haetae.cli.main", "emulator", "run", "--free-ports", *more)


# ---------------------------------------------------------------- REST


def requests(symbols: tuple[str, ...], token: str) -> list[bytes]:
    """Return one round of requests: the three calls for each of some symbols."""
    head = {"authorization": f"Bearer {token}", "appkey": "K" * 36, "appsecret": SECRET, "custtype": "P"}
    slots = "&".join(f"FID_COND_MRKT_DIV_CODE_{n}=J&FID_INPUT_ISCD_{n}={s}" for n, s in enumerate(symbols[:30], 1))
    made = []
    for symbol in symbols:
        item = f"FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD={symbol}"
        calls = (
            (f"inquire-price?{item}", "FHKST01010100"),
            (f"inquire-time-itemchartprice?{item}&FID_INPUT_HOUR_1=&FID_PW_DATA_INCU_YN=Y", "FHKST03010200"),
            (f"intstock-multprice?{slots}", "FHKST11300006"),
        )
        for path, tr_id in calls:
            lines = [f"GET {QUOTES}{path} HTTP/1.1", "Host: broker", f"tr_id: {tr_id}"]
            lines += [f"{name}: {value}" for name, value in head.items()]
            made.append("\r\n".join([*lines, "", ""]).encode())
    return made


async def load(port: int, made: list[bytes], answers: int, check: bytes) -> tuple[float, int]:
    """Ask over a few kept connections; returns seconds of the wall and bytes of an answer on average."""
    left, size = [answers], [0]

    async def one(offset: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        place = offset
        while left[0] > 0:
            left[0] -= 1
            writer.write(made[place % len(made)])
            place += 1
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            size[0] += length
            if check not in body[:40]:
                raise ValueError(body[:200])
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one(place * 7) for place in range(CONNECTIONS)))
    return time.perf_counter() - begun, size[0] // answers


async def rounds(pid: int, run: Callable[[], Awaitable[tuple[float, int]]]) -> dict[str, Any]:
    """Measure several rounds, the first thrown away; returns medians."""
    per_cpu, per_wall, size = [], [], 0
    await run()
    for _ in range(ROUNDS):
        before = cpu_s(pid)
        wall, size = await run()
        per_cpu.append(ANSWERS / (cpu_s(pid) - before))
        per_wall.append(ANSWERS / wall)
    return {
        "answers_per_cpu_s": round(statistics.median(per_cpu)),
        "answers_per_wall_s": round(statistics.median(per_wall)),
        "bytes_per_answer": size,
    }


async def token_of(url: str) -> str:
    async with aiohttp.ClientSession() as session:
        body = {"grant_type": "client_credentials", "appkey": "K" * 36, "appsecret": SECRET}
        async with session.post(f"{url}/oauth2/tokenP", data=json.dumps(body)) as answer:
            return str((await answer.json())["access_token"])


def measure_rest(symbols: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"connections": CONNECTIONS, "answers": ANSWERS * ROUNDS}
    with emulator() as (pid, line):
        url = json.loads(line)["rest_real"]
        port = int(url.rsplit(":", 1)[1])
        made = requests(symbols, asyncio.run(token_of(url)))
        found["mixed"] = asyncio.run(rounds(pid, lambda: load(port, made, ANSWERS, b'"rt_cd"')))
        for place, name in enumerate(("inquire_price", "minute_chart", "multprice")):
            only = made[place::3]
            found[name] = asyncio.run(rounds(pid, lambda only=only: load(port, only, ANSWERS, b'"rt_cd"')))
    return found


BARE = """
import asyncio, sys
from aiohttp import web
async def main():
    body = b'{"rt_cd": "0"' + b" " * (int(sys.argv[1]) - 14) + b"}"
    async def answer(request):
        return web.Response(body=body, content_type="application/json")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def measure_bare(size: int, symbols: tuple[str, ...]) -> dict[str, Any]:
    made = requests(symbols, "T" * 256)
    with process("-c", BARE, str(size)) as (pid, line):
        return asyncio.run(rounds(pid, lambda: load(int(line), made, ANSWERS, b'"rt_cd"')))


# ---------------------------------------------------------------- WebSocket


async def subscribe(session: aiohttp.ClientSession, ready: dict[str, Any], key: str, symbols: list[str]) -> Any:
    body = {"grant_type": "client_credentials", "appkey": key, "secretkey": SECRET}
    async with session.post(f"{ready['rest_real']}/oauth2/Approval", data=json.dumps(body)) as answer:
        approval = (await answer.json())["approval_key"]
    ws = await session.ws_connect(f"{ready['ws_real']}/tryitout", max_msg_size=0, autoping=True)
    header = {"approval_key": approval, "custtype": "P", "tr_type": "1", "content-type": "utf-8"}
    for symbol in symbols:
        await ws.send_str(json.dumps({"header": header, "body": {"input": {"tr_id": "H0STCNT0", "tr_key": symbol}}}))
        assert json.loads((await ws.receive()).data)["body"]["rt_cd"] == "0"
    return ws


async def read(ws: Any) -> tuple[int, int]:
    """Return frames and records until the session ends."""
    frames = records = 0
    async for message in ws:
        match = _COUNT.match(message.data)
        if match:
            frames += 1
            records += int(match[1])
    return frames, records


async def stream(pid: int, ready: dict[str, Any], symbols: tuple[str, ...]) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        sockets = []
        for place in range(KEYS):
            chosen = [symbols[(place * SYMBOLS + offset) % len(symbols)] for offset in range(SYMBOLS)]
            sockets.append(await subscribe(session, ready, f"{place:036d}", chosen))
        readers = [asyncio.create_task(read(ws)) for ws in sockets]
        now = int(ready["now"])
        before, begun = cpu_s(pid), time.perf_counter()
        for minute in range(MINUTES):
            body = json.dumps({"advance_to": now + (minute + 1) * NS_PER_MINUTE})
            async with session.post(f"{ready['control']}/clock", data=body) as answer:
                sent = sum((await answer.json())["ws_sent"].values())
        spent, wall = cpu_s(pid) - before, time.perf_counter() - begun
        for ws in sockets:
            await ws.close()
        counted = [await reader for reader in readers]
    frames, records = (sum(column) for column in zip(*counted, strict=True))
    assert frames == sent
    return {
        "subscribers": KEYS,
        "symbols_each": SYMBOLS,
        "records": records,
        "frames": frames,
        "records_per_cpu_s": round(records / spent),
        "records_per_wall_s": round(records / wall),
        "server_cpu_s": round(spent, 2),
    }


def measure_ws(symbols: tuple[str, ...]) -> dict[str, Any]:
    with emulator("--speed", "0") as (pid, line):
        return asyncio.run(stream(pid, json.loads(line), symbols))


def measure_objects(world: World, board: Board, records: int) -> float:
    """Return the CPU seconds that as many records take as record objects and frames, without sockets."""
    session = board.session
    tape, chosen = session.tape, [(symbol, world.column[symbol]) for symbol in world.symbols[:SYMBOLS]]
    made, row, begun = 0, 0, time.process_time()
    while made < records:
        asks, bids, sizes = (part.tolist() for part in session.best(row))
        rows = []
        for symbol, k in chosen:
            if not tape.volume[row, k]:
                continue
            figures = (tape.price, tape.volume, tape.cumulative, tape.turnover, tape.opened, tape.high, tape.low)
            values = [int(part[row, k]) for part in figures]
            base = int(session.base[k])
            record = TradeRecord(symbol, session.day, 100_000, *values, asks[k], bids[k], sizes[k], sizes[k], base)
            rows.append(record.encode())
        for first in range(0, len(rows), 20):
            build_frame("H0STCNT0", rows[first : first + 20])
        made += len(rows)
        row = (row + 1) % len(tape.end)
    return (time.process_time() - begun) * records / made


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Return the figures, and write them as JSON when a path is given."""
    settings = MarketSettings()
    world = build_world(settings)
    board = Board(world, instant_at(settings.first_live_day, 100_000))
    symbols = tuple(symbol for symbol in world.symbols if board.instrument(symbol) is not None)
    rest = measure_rest(symbols[:30])
    bare = measure_bare(rest["mixed"]["bytes_per_answer"], symbols[:30])
    ws = measure_ws(symbols)
    ours, peer = 1 / rest["mixed"]["answers_per_cpu_s"], 1 / bare["answers_per_cpu_s"]
    figures: dict[str, Any] = {
        "workload": "KIS-shaped REST answers and trade records of one emulator process",
        "ours_s": ours,
        "peer": "bare aiohttp application, constant body of the same size",
        "peer_s": peer,
        "ratio": ours / peer,
        "rest": rest,
        "rest_peer": bare,
        "ws": ws,
        "ws_peer": {
            "records_as_objects_per_cpu_s": round(ws["records"] / measure_objects(world, board, ws["records"])),
        },
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=1))
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
