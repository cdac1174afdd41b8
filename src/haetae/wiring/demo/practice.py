"""Stages "policy" and "backtest": PPO on the collected minutes, and the kernel's verdict on it.

The sessions are split in time: train, validate (chooses the seed), test (is only reported). The
backtest walks the test sessions on the compiled kernel with the costs of their days, beside every
baseline, and writes one self-contained page.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from haetae.backtest import Listing, ReportNotes, html, measure
from haetae.domain.errors import Text
from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, yyyymmdd
from haetae.features import minute
from haetae.registry.registry import Registry
from haetae.rl import EnvSettings, Learned, LearnSettings, Material, PpoSettings, learn
from haetae.wiring.demo.learning import take_over
from haetae.wiring.desks import DECISION_MINUTES, FIRST_DECISION_MINUTE
from haetae.wiring.dice import rng
from haetae.wiring.screen import Screen
from haetae.wiring.selection import Market

ENVIRONMENT = EnvSettings(decision_minutes=DECISION_MINUTES, begin_minute=FIRST_DECISION_MINUTE)
"""In the first minutes every market looks wild and the spread is at its widest."""
START_SCORE = -0.4
"""Weights of 1.6 % at the start: an untrained policy is four fifths invested and must learn when not to be."""
PARTS = (0.55, 0.2, 0.25)
"""Shares of the sessions for training, validation and test; eight sessions still leave two to test on."""


def scores_by_minute(panel: Panel, market: Market, daily_scores: np.ndarray) -> np.ndarray:
    """Return for each minute the out-of-sample rank score of the day before, ``(n_bars, n_symbols)``.

    A score of day *d* is known after its close, so it serves the minutes of the next session only.
    """
    column = {symbol: k for k, symbol in enumerate(market.panel.symbols)}
    places = np.array([column[symbol] for symbol in panel.symbols])
    row_before = np.searchsorted(market.panel.days, panel.days, side="left") - 1
    scores = daily_scores[np.maximum(row_before, 0)][:, places]
    return np.where((row_before >= 0)[:, None] & np.isfinite(scores), scores, 0.0).astype(np.float32)


def practise(
    panel: Panel,
    market: Market,
    daily_scores: np.ndarray,
    seed: int,
    screen: Screen,
    *,
    updates: int,
    seeds: int,
) -> Learned:
    """Train a policy per seed, choose one by validation, evaluate all on the test sessions."""
    instruments: Mapping[Symbol, Instrument] = {item.symbol: item for item in market.instruments}
    first_base = {symbol: int(price) for symbol, price in zip(panel.symbols, _base_prices(panel, market), strict=True)}
    material = Material(
        panel=panel,
        features=minute.batch(panel),
        feature_names=minute.NAMES,
        scores=scores_by_minute(panel, market, daily_scores),
        listing=Listing(instruments={s: instruments[s] for s in panel.symbols}, base_prices=first_base),
    )
    steps = updates * seeds + 2
    done = 0

    def tell(_stage: str, _done: int, _total: int, _figures: Mapping[str, float]) -> None:
        nonlocal done
        done += 1
        screen.progress(Text(ko="PPO 학습", en="PPO"), min(done, steps), steps)

    ppo = PpoSettings(updates=updates, score_bias=START_SCORE)
    # The matrices are small: one thread takes 1.9 s where two that wait for each other take 9 s.
    with threadpool_limits(limits=1, user_api="blas"):
        return learn(
            material,
            {seed + k: rng(seed + k, "policy") for k in range(seeds)},
            rng(seed, "random baseline"),
            LearnSettings(env=ENVIRONMENT, ppo=ppo, parts=PARTS),
            tell=tell,
        )


def keep(learned: Learned, registry: Registry) -> str:
    """Store the policy and put it in charge; returns its id."""
    card = registry.put(learned.card, learned.files)
    take_over(registry, card, "demo: newest policy, test figures printed")
    return card.model_id


def figures_of(learned: Learned) -> dict[str, Any]:
    """Return the training's figures with the test part as name to figures, the policy among them."""
    told = dict(learned.figures)
    told["test"] = {
        "policy": {"return": measure(learned.test_run).total_return},
        **{run.name: {"return": measure(run).total_return} for run in learned.test_benchmarks},
    }
    told["test_detail"] = learned.figures["test"]
    return told


def report(learned: Learned, path: Path, *, synthetic: bool) -> dict[str, Any]:
    """Write the page of the test run and return its figures beside every baseline's."""
    windows = learned.figures["windows"]
    notes = ReportNotes(
        trials=int(learned.figures["trials"]),
        survivorship="레이크에 있는 종목만 다룹니다." if not synthetic else "상장폐지가 없는 시장입니다.",
        window=f"시험 구간 {windows['test']['from']}~{windows['test']['to']} ({windows['test']['sessions']}거래일)",
        synthetic=synthetic,
    )
    page = html(learned.test_run, learned.test_benchmarks, title="해태 백테스트: 강화학습 정책", notes=notes)
    path.write_text(page, encoding="utf-8")
    return {
        "engine": "sim.batch",
        "policy": measure(learned.test_run).as_json(),
        "baselines": {run.name: measure(run).as_json() for run in learned.test_benchmarks},
        "report": str(path),
    }


def _base_prices(panel: Panel, market: Market) -> np.ndarray:
    """Return the last close before the panel's first session: where its limits are taken from."""
    row = int(np.searchsorted(market.panel.days, yyyymmdd(day_from(int(panel.days[0]))), side="left")) - 1
    column = {symbol: k for k, symbol in enumerate(market.panel.symbols)}
    return market.panel.close[max(row, 0)][[column[symbol] for symbol in panel.symbols]]
