"""An audit as faces run it: a strategy by name on a stretch of a lake, or of the synthetic market.

Here: the dice, and what the record says beside the findings. Not here: the checks (``backtest.audit``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from haetae import __version__
from haetae.backtest import BacktestSettings, Result
from haetae.backtest.audit import Audit, Subject, audit
from haetae.backtest.strategies import run_strategy, spoken_period
from haetae.domain.units import Symbol
from haetae.policies import Strategy
from haetae.wiring.dice import rng
from haetae.wiring.grounds import Stretch
from haetae.wiring.strategies import code_digest

SCHEMA = "backtest_audit/1"

Progress = Callable[[str, int, int], None]


def run_audit(
    strategy: Strategy,
    stretch: Stretch,
    *,
    settings: BacktestSettings | None = None,
    seed: int = 7,
    noise_runs: int = 20,
    progress: Progress | None = None,
) -> tuple[Audit, Mapping[str, Any]]:
    """Return the findings on a strategy and the record of them; equal arguments give an equal record.

    Every run makes the strategy anew from the same class and parameters, so what a class or a module keeps is found.
    """

    def again() -> Strategy:
        return type(strategy)(**strategy.parameters)

    settings = settings or BacktestSettings()

    def at_costs(multiple_ppm: int) -> Result:
        return run_strategy(again(), stretch.ground, settings=replace(settings, cost_multiple_ppm=multiple_ppm))

    found = audit(
        Subject(again, stretch.ground, settings),
        lambda check: rng(seed, f"audit.{check}"),
        noise_runs=noise_runs,
        rerun=at_costs,
        tell=progress,
    )
    first, last = spoken_period(stretch.ground)
    symbols: tuple[Symbol, ...] = stretch.ground.panel.symbols
    record = {
        "schema": SCHEMA,
        "haetae": __version__,
        **found.as_json(),
        "strategy": {"name": strategy.title(), "parameters": strategy.parameters, "code": code_digest(strategy)},
        "from": first,
        "to": last,
        "symbols": len(symbols),
        "data": stretch.data,
        "survivorship": stretch.survivorship,
        "seed": seed,
        "noise_runs": noise_runs,
    }
    return found, record
