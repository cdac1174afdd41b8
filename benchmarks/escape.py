"""escape: from the print that triggers to the last sale accepted, and from the press of the kill switch to silence.

An emulator in a process of its own, real sockets on loopback, every answer a tenth of a second late; a desk with
journal, guards and the pace KIS allows holds fifty names, and the market falls. The trigger is the arrival of the print
or of the reading of the index that made the desk sell. A real account may make eighteen calls in any second, and a call
counts from its send to a second after its answer, so fifty orders need two windows however fast anyone is. Two figures
are told: each order from its turn (its place in the queue at that pace) to its answer, and the whole list, beside the
least the pace permits. A single transport fault strikes one order of the list in turn; that order counts as accepted
when the broker has it, by its late answer, by a reading, or by its successor.

The kill switch is pressed twice. Once in the middle of an escape, where eight sales wait for their turn at any moment:
how long after the press did the bytes of an order still leave. Once while fifty orders rest: when was the last cancel
confirmed. For an account of mock investment, one call a second, the arithmetic alone is told: fifty cancels take fifty
seconds there, whoever makes them.

There is no peer: no engine that could be installed here speaks this broker's wire.

    PYTHONPATH=src python benchmarks/escape.py [--faults NAME,NAME|none] [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

from escaping.market import LATENCY, LATENCY_MS, NAMES, Floor, floor, percentiles

from haetae.desk import DeskSettings
from haetae.domain.events import ManualOrder, OperatorCommand, OperatorState
from haetae.domain.orders import OrderStatus, Side
from haetae.guards import EscapeLevel
from haetae.kis.budget import WINDOW_S

GATE_S, FAULT_GATE_S, KILL_GATE_S, CANCELS_GATE_S = 0.5, 2.0, 0.1, 5.0
CALLS = 18
_SEVENTH = 'where = { operation = "order" }\nwhen = { call = 7 }\n'
FAULTS = {
    "reset": f'[[fault]]\nid = "T03"\n{_SEVENTH}what = {{ how = "reset" }}\n',
    "refused": f'[[fault]]\nid = "T09"\n{_SEVENTH}what = {{ how = "EGW00201" }}\n',
    "error": f'[[fault]]\nid = "T08"\n{_SEVENTH}what = {{ status = 500 }}\n',
}
_FIRST_S, _PATIENCE_S, _QUIET_S, _FALL_BP = 60.0, 20.0, 3.0, -900


def wide() -> DeskSettings:
    """Return settings whose limits, within the program's ceilings, deny none of the orders of these parts."""
    base = DeskSettings()
    limits = replace(
        base.limits, orders_per_second=15, orders_per_minute=60, daily_buys_ppm=1_000_000, daily_turnover_ppm=2_000_000,
        max_order_ppm=50_000, entry_below_bp=300, require_reconciled=False, entry_after_open_s=0, same_side_pause_s=0,
        escapes_per_day=500, require_vitals=False,
    )  # fmt: skip
    return replace(base, limits=limits)


async def _until(what: Any, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while not what():
        if time.perf_counter() > until:
            return
        await asyncio.sleep(0.005)


async def flee(fault: str = "") -> dict[str, Any]:
    """Return the seconds of one escape."""
    async with floor(wide()) as at:
        await at.settle()
        await at.arm(LATENCY)
        if fault:
            await at.arm(FAULTS[fault])
        await at.fall(_FALL_BP)
        await _until(lambda: at.times.trigger > 0.0, _FIRST_S)
        await _until(lambda: _all_taken(at), _PATIENCE_S)
        return _told(at, fault)


def _taken(at: Floor) -> dict[str, float]:
    """Return when the broker first had a sale of each name, in seconds after the trigger."""
    orders, found = at.runner.desk.blotter.orders, {}
    for name, (_, ended, answer) in at.times.submits.items():
        order = orders.get(name)
        if order is None or not order.intent.escape or order.order_id is None:
            continue
        when = ended if answer == "Accepted" else at.times.trigger + (order.updated_at - _wall(at)) / 1e9
        symbol = order.intent.symbol
        found[symbol] = min(found.get(symbol, 1e9), when - at.times.trigger)
    return found


def _wall(at: Floor) -> int:
    """Return the instant of the trigger on the desk's own clock."""
    return at.clock.now() - round((time.perf_counter() - at.times.trigger) * 1e9)


def _may_go(at: Floor) -> set[str]:
    """Return the held names that are not halted; the others leave when their interruption ends."""
    return set(at.held) - set(at.runner.desk.halted)


def _all_taken(at: Floor) -> bool:
    return at.runner.desk.escape.level is EscapeLevel.EXIT_ALL and _may_go(at) <= _taken(at).keys()


def _turn_s(place: int) -> float:
    """Return when the call of a place in the queue may leave at the earliest: the first of each window at once."""
    return place // CALLS * (WINDOW_S + LATENCY_MS / 1_000)


def _told(at: Floor, fault: str) -> dict[str, Any]:
    taken = sorted(_taken(at).values())
    own = [max(0.0, seconds - _turn_s(place)) for place, seconds in enumerate(taken)]
    even = [max(0.0, seconds - max(0, place - 3) * WINDOW_S / CALLS) for place, seconds in enumerate(taken)]
    late = [name for name, (_, _, answer) in at.times.submits.items() if answer != "Accepted"]
    return {
        "fault": fault or "none",
        "names": len(at.held),
        "halted": len(at.held) - len(_may_go(at)),
        "accepted": len(taken),
        "level": at.runner.desk.escape.level.name,
        "from_turn": percentiles(even) if even else {},
        "from_window": percentiles(own) if own else {},
        "from_trigger": percentiles(taken) if taken else {},
        "first_s": taken[0] if taken else None,
        "list_s": taken[-1] if taken else None,
        "list_least_s": _turn_s(len(taken) - 1) + LATENCY_MS / 1_000 if taken else None,
        "orders_sent": len(at.times.submits),
        "not_accepted_at_once": len(late),
    }


async def press() -> dict[str, Any]:
    """Return when the last order's bytes left after the kill switch was pressed in the middle of an escape."""
    async with floor(wide()) as at:
        await at.settle()
        await at.arm(LATENCY)
        await at.fall(_FALL_BP)
        await _until(lambda: len(at.times.left) >= NAMES // 3, _FIRST_S)
        waiting = len(at.runner.desk.blotter.working) - len(at.times.left)
        pressed = time.perf_counter()
        at.runner.operate(OperatorCommand(at.clock.now(), OperatorState.HALT, "bench", "drill"))
        await asyncio.sleep(_QUIET_S)
        return {
            "left_before_press": sum(one < pressed for one in at.times.left),
            "waiting_at_press": waiting,
            "left_after_press": sum(one >= pressed for one in at.times.left),
            "last_order_after_press_s": max(0.0, max(at.times.left) - pressed),
            "open_after": len(at.runner.desk.blotter.working),
            "calls": await at.calls(),
        }


async def take_back() -> dict[str, Any]:
    """Return how long the cancels of fifty resting orders take."""
    async with floor(wide()) as at:
        await at.settle()
        state = at.runner.desk
        for n, symbol in enumerate(at.symbols):
            price = at.runner._rules.floor_tick(state.price(symbol) * 1_018 // 1_000)
            order = ManualOrder(at.clock.now(), f"R{n}", symbol, Side.SELL, 1, price, "bench", "drill")
            at.runner.operate(order)
            await asyncio.sleep(1.1 / wide().limits.orders_per_second)
        await _until(lambda: len(_working(at)) >= NAMES, _QUIET_S)
        await at.arm(LATENCY)
        await asyncio.sleep(2 * WINDOW_S)  # what the orders took of the pace is given back
        resting, pressed = len(_working(at)), time.perf_counter()
        at.runner.operate(OperatorCommand(at.clock.now(), OperatorState.HALT, "bench", "drill"))
        await _until(lambda: len(at.runner.desk.blotter.working) == 0, _PATIENCE_S)
        done, left = time.perf_counter() - pressed, len(at.runner.desk.blotter.working)
        return {
            "resting": resting,
            "cancels": len(at.times.taken_back),
            "last_left_s": max(at.times.taken_back, default=0.0) - pressed,
            "all_done_s": done if not left else None,
            "left_open": left,
            "least_s_real": _turn_s(resting - 1) + 2 * LATENCY_MS / 1_000,
            "least_s_mock": (resting - 1) * WINDOW_S + 2 * LATENCY_MS / 1_000,
            "calls": await at.calls(),
        }


def _working(at: Floor) -> list[Any]:
    return [o for o in at.runner.desk.blotter.working.values() if o.status is OrderStatus.WORKING]


async def measure(faults: tuple[str, ...]) -> dict[str, Any]:
    """Run every part, one after the other."""
    plain = await flee()
    print(json.dumps(plain), file=sys.stderr)
    struck = [await flee(name) for name in faults]
    killed, taken_back = await press(), await take_back()
    worst = max((run["from_turn"].get("most_s", 1e9) for run in struck), default=0.0)
    return {
        "workload": f"escape: {NAMES} names, every answer 0.1 s late, {CALLS} calls a second",
        "ours_s": plain["from_turn"].get("p99_s"),
        "peer": None,
        "peer_s": None,
        "ratio": None,
        "escape": plain,
        "escape_struck": struck,
        "struck_worst_s": worst,
        "kill": killed,
        "cancels": taken_back,
        "gates_s": {"escape": GATE_S, "struck": FAULT_GATE_S, "last_order": KILL_GATE_S, "cancels": CANCELS_GATE_S},
        "passed": plain["from_turn"].get("p99_s", 1e9) <= GATE_S
        and worst <= FAULT_GATE_S
        and killed["last_order_after_press_s"] <= KILL_GATE_S
        and taken_back["all_done_s"] is not None
        and taken_back["all_done_s"] <= CANCELS_GATE_S,
    }


def run(out_json: Path | None = None, faults: tuple[str, ...] = tuple(FAULTS)) -> dict[str, Any]:
    """Measure and return the figures; write them to ``out_json`` if given."""
    figures = asyncio.run(measure(faults))
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="The escape and the kill switch on loopback.")
    words.add_argument("--faults", default=",".join(FAULTS))
    words.add_argument("out", nargs="?", type=Path)
    asked = words.parse_args()
    chosen = tuple(name for name in asked.faults.split(",") if name in FAULTS)
    print(json.dumps(run(asked.out, chosen), indent=1))
