"""RL: environment steps and training decisions a second on one core.

Fifty symbols, twenty sessions of synthetic minutes, a decision every thirty minutes. A step is one
account's decision with everything that follows it until the next one: weights to whole shares, tick
grid, daily limits, volume cap, partial fills, fees and tax to the won, and the next observation.
The figure is CPU time of one thread; compilation is paid before.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/rl_env.py [OUT.json]
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.features import minute
from haetae.krx import Rulebook
from haetae.krx.calendar import trading_days
from haetae.policies.observe import Scaler, observation_names
from haetae.rl import EnvSettings, PpoSettings
from haetae.rl.accounts import Accounts
from haetae.rl.data import Window, prepare_window
from haetae.rl.ppo import train

SYMBOLS = 50
SESSIONS = 20
SHAPES = ((1, 1), (8, 4), (4, 16), (1, 256))
STEPS = 60
UPDATES = 5


def make_panel(seed: int = 20) -> Panel:
    """Return a seeded random walk on the tick grid over regular sessions."""
    rng = np.random.default_rng(seed)
    days = trading_days(dt.date(2026, 10, 12), dt.date(2026, 12, 31))[:SESSIONS]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    rows = sum(len(starts) for starts, _ in edges)
    path = rng.uniform(20_000, 80_000, SYMBOLS) * np.exp(np.cumsum(rng.normal(0, 0.0008, (rows, SYMBOLS)), axis=0))
    close = path.astype(np.int64) // 100 * 100
    opened = np.vstack([close[:1], close[:-1]])
    return Panel(
        tuple(f"{100 + place:05d}0" for place in range(SYMBOLS)),
        np.concatenate([np.full(len(e[0]), yyyymmdd(d), np.int32) for d, e in zip(days, edges, strict=True)]),
        np.concatenate([starts for starts, _ in edges]),
        np.concatenate([ends for _, ends in edges]),
        opened,
        np.maximum(opened, close),
        np.minimum(opened, close),
        close,
        rng.integers(5_000, 50_000, close.shape),
        np.ones(close.shape, np.bool_),
    )


def _steps_per_second(window: Window, settings: EnvSettings, groups: int, accounts: int) -> float:
    rng = np.random.default_rng(1)
    env = Accounts(window, settings, groups=groups, accounts=accounts)
    env.reset(rng)
    actions = rng.normal(-1.0, 0.6, (STEPS, groups * accounts, SYMBOLS)).astype(np.float32)
    env.step(actions[0], rng)
    begun = process_time()
    for action in actions:
        env.step(action, rng)
    return STEPS * groups * accounts / (process_time() - begun)


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Return the figures, and write them as JSON when a path is given."""
    panel = make_panel()
    features = minute.batch(panel)
    settings = EnvSettings()
    window = prepare_window(panel, features, Scaler.fit(features), settings)
    train_settings = PpoSettings(updates=UPDATES)
    columns = len(observation_names(minute.NAMES))
    env = Accounts(window, settings, groups=train_settings.groups, accounts=train_settings.accounts)
    begun = process_time()
    _, notes = train(env, columns, train_settings, np.random.default_rng(2))
    spent = process_time() - begun
    figures: dict[str, Any] = {
        "benchmark": "rl_env",
        "symbols": SYMBOLS,
        "observation": [SYMBOLS, columns],
        "bars_per_step": settings.decision_minutes,
        "env_steps_per_cpu_s": {
            f"{groups}x{accounts}": round(_steps_per_second(window, settings, groups, accounts))
            for groups, accounts in SHAPES
        },
        "ppo_decisions_per_cpu_s": round(notes[-1].decisions / spent),
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=1))
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
