"""event: the desk with every guard on the simulated exchange under a Python strategy, beside NautilusTrader 2.0.

Workload M: 50 symbols, sixty sessions of 381 minute bars, SMA(20)/SMA(60) cross long or flat, 2 % of equity each, whole
shares, commission and sale tax of the KRX. Both sides get the same arrays and decide at every minute but the two that
end a session; both must send the same number of orders. Ours sends limit orders that cross the spread by half a
percent, since no guard lets a market order enter, and fills at the next bar's open; the peer sends market orders and
fills at the close. Every guard of ours looks at every order, with limits that deny nothing. The peer is measured twice:
on the workload, its costs written in Python since its own models know no sale tax, and plain, with its own flat fee
and sizes that need no valuation. They run in turns; a figure is CPU time, the median of the rounds.

Then, in ours alone: the state's size and the time per slice at the end against the beginning (``--sessions 250`` is a
year), with the offline rules reviewing every leg, and with every event and command encoded as the journal does.

    PYTHONPATH=src python benchmarks/event.py [--sessions N] [--rounds N] [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import argparse
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import peers
from eventing import ours, peer
from eventing.workload import CASH, FAST, FRACTION, SLOW, make_panel

from haetae import agent
from haetae.backtest.episode import Decide, Record, Track, run_episode
from haetae.desk import ReviewMode, open_desk
from haetae.domain.codec import encode
from haetae.domain.decisions import AgentReply, Brief
from haetae.domain.panel import Panel
from haetae.domain.units import Instant
from haetae.ledger import open_book

SESSIONS, ROUNDS = 60, 3
FEE_PPB, TAX_PPB = 140_527, 2_000_000
BARS = 381
GATE = 1.0
_SHORT = 5
"""Sessions of the runs that only show what a review or a journal adds."""


def nobody(_brief: Brief, _at: Instant) -> AgentReply | None:
    """The review is off: no leg is asked about."""
    return None


def rules_of_the_house(brief: Brief, at: Instant) -> AgentReply:
    """The offline rules answer at once."""
    return AgentReply(brief.leg.leg_id, at, agent.DECIDER, agent.answer(brief))


def live(panel: Panel, decide: Decide = nobody, record: Record | None = None) -> tuple[float, Track]:
    """Return CPU seconds of a run over the panel, and where it ended."""
    review = ReviewMode.OFF if decide is nobody else ReviewMode.ASK
    desk, venue = open_desk(ours.settings(review), open_book(CASH)), ours.venue(panel)
    began = process_time()
    track = run_episode(desk, venue, ours.sessions(panel), ours.Cross(), decide, record)
    return process_time() - began, track


def aging(panel: Panel) -> dict[str, Any]:
    """Return how the state and the time of a slice grow over the sessions."""
    desk, venue, strategy = open_desk(ours.settings(), open_book(CASH)), ours.venue(panel), ours.Cross()
    sizes, times = [], []
    for session in ours.sessions(panel):
        began = process_time()
        track = run_episode(desk, venue, [session], strategy, nobody)
        times.append((process_time() - began) / len(track.rows) * 1e6)
        desk, venue = track.desk, track.venue
        sizes.append(len(pickle.dumps((desk, venue), protocol=5)))
    third = max(1, len(sizes) // 3)
    return {
        "sessions": len(sizes),
        "state_bytes_first_third": int(median(sizes[:third])),
        "state_bytes_last_third": int(median(sizes[-third:])),
        "us_per_slice_first_third": median(times[:third]),
        "us_per_slice_last_third": median(times[-third:]),
    }


def beside(panel: Panel, rounds: int) -> dict[str, Any]:
    """Run both sides in turns; the peer's figures are none where it is absent."""
    try:
        python = peers.NAUTILUS.interpreter()
    except peers.Absent as why:
        python, absent = None, str(why)
    quiet = [int(end) for row, end in enumerate(panel.end.tolist()) if row % BARS >= BARS - 2]
    facts = {"fast": FAST, "slow": SLOW, "fraction": FRACTION, "cash": CASH, "quiet": quiet, "fee_ppb": FEE_PPB}
    runs: dict[str, list[dict[str, Any]]] = {"costs": [], "plain": []}
    seconds: list[float] = []
    track = None
    with tempfile.TemporaryDirectory() as place:
        kinds: dict[str, Callable[[], dict[str, Any]]] = {}
        for kind, tax in (("costs", TAX_PPB), ("plain", 0)):
            folder = Path(place) / kind
            folder.mkdir()
            peer.hand_over(panel, folder, {**facts, "tax_ppb": tax, "stake": 0 if tax else int(CASH * FRACTION)})
            if python is not None:
                kinds[kind] = lambda folder=folder: peer.run(python, folder)
        for _ in range(rounds):
            for kind, call in kinds.items():
                runs[kind].append(call())
            took, track = live(panel)
            seconds.append(took)
    assert track is not None
    ours_s, bars = median(seconds), panel.close.size
    figures: dict[str, Any] = {
        "ours_s": ours_s,
        "ours_bars_per_s": bars / ours_s,
        "ours_us_per_slice": ours_s / len(panel) * 1e6,
        "ours_orders": track.orders,
        "ours_final_equity_won": track.desk.equity,
        "peer": f"absent ({absent})" if python is None else f"nautilus_trader {runs['costs'][0]['version']}",
    }
    for kind, made in runs.items():
        for name in ("run_s", "build_s") if made else ():
            figures[f"peer_{kind}_{name}"] = median(run[name] for run in made)
        if made:
            figures[f"peer_{kind}_orders"] = made[0]["orders"]
            figures[f"peer_{kind}_final_equity_won"] = made[0]["equity"]
            figures[f"ratio_{kind}"] = figures[f"peer_{kind}_run_s"] / ours_s
    figures["ratio"] = figures.get("ratio_costs")
    return figures


def run(out_json: Path | None = None, sessions: int = SESSIONS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and return the figures; write them to ``out_json`` if given."""
    panel, short = make_panel(sessions), make_panel(min(_SHORT, sessions))
    live(make_panel(1))  # compiled code is loaded
    told: list[int] = []

    def journal(event: object, commands: tuple[object, ...]) -> None:
        told.append(len(encode(event)) + sum(len(encode(command)) for command in commands))

    plain, _ = live(short)
    reviewed, reviewed_track = live(short, rules_of_the_house)
    encoded, _ = live(short, record=journal)
    slices = len(short)
    figures = {
        "workload": "M",
        "bars": panel.close.size,
        "slices": len(panel),
        **beside(panel, rounds),
        "gate": GATE,
        "aging": aging(panel),
        "short_us_per_slice": plain / slices * 1e6,
        "short_reviewed_us_per_slice": reviewed / slices * 1e6,
        "short_reviewed_orders": reviewed_track.orders,
        "short_journal_us_per_slice": encoded / slices * 1e6,
        "short_journal_bytes_per_slice": sum(told) / slices,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="The event layer beside its peer.")
    words.add_argument("--sessions", type=int, default=SESSIONS)
    words.add_argument("--rounds", type=int, default=ROUNDS)
    words.add_argument("out", nargs="?", type=Path)
    asked = words.parse_args()
    print(json.dumps(run(asked.out, asked.sessions, asked.rounds), indent=1))
