"""``run_demo``: the stages in their order, each timed, recorded, and skipped when already done.

The trading stage is one piece: interrupted, it starts again on a new journal and the old one is
kept beside it, because the emulated broker forgets its accounts with its process.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from haetae import __version__
from haetae.domain.errors import Text
from haetae.wiring import lakes
from haetae.wiring.clocks import SystemClock
from haetae.wiring.deciders import model_name
from haetae.wiring.demo.folder import Folder, free_folder
from haetae.wiring.demo.stages import FULL, SHORT, Stages
from haetae.wiring.logs import logging_to
from haetae.wiring.records import write_json
from haetae.wiring.screen import Screen

DEFAULT_OUT = Path("data/demo")
STAGES = (
    ("market", Text(ko="KIS 에뮬레이터 시작", en="start the KIS emulator")),
    ("collect", Text(ko="수집: KIS 클라이언트 → 레이크", en="collect: KIS client → lake")),
    ("select", Text(ko="피처, 공포·탐욕 지수, 종목 50 선정", en="features, fear & greed, universe of 50")),
    ("minutes", Text(ko="50종목 분봉 수집", en="collect minutes of the fifty")),
    ("learn", Text(ko="순위 모델: LightGBM, XGBoost, CatBoost", en="rankers: LightGBM, XGBoost, CatBoost")),
    ("policy", Text(ko="강화학습: PPO", en="reinforcement learning: PPO")),
    ("backtest", Text(ko="백테스트와 보고서", en="backtest and report")),
    ("trade", Text(ko="거래: 두 세션", en="trade: two sessions")),
    ("review", Text(ko="회고", en="review")),
    ("reconcile", Text(ko="대조", en="reconcile")),
)
_NEED_MARKET = ("collect", "minutes", "trade")


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the command line says."""

    out: Path | None = None
    lake: Path | None = None
    seed: int = 7
    fresh: bool = False
    short: bool = False
    json_file: Path | None = None


async def run_demo(settings: DemoSettings, screen: Screen) -> dict[str, Any]:
    """Run every stage that is not done yet and return the facts."""
    identity = {
        "version": __version__,
        "seed": settings.seed,
        "short": settings.short,
        "lake": str(settings.lake.resolve()) if settings.lake else "",
    }
    if model := model_name(os.environ):
        identity["model"] = model
    if settings.lake is not None:
        lakes.require_bars(settings.lake)
    if settings.out is not None:
        folder = Folder(settings.out, identity, fresh=settings.fresh)
    else:
        folder = free_folder(DEFAULT_OUT, identity, fresh=settings.fresh)
    stages = Stages(SHORT if settings.short else FULL, folder, screen, seed=settings.seed, replay=settings.lake)
    try:
        with logging_to(folder.path / "haetae.log"):
            try:
                await _run_stages(stages, folder, screen)
            finally:
                await stages.close()
        if settings.json_file is not None:
            write_json(settings.json_file, folder.facts)
        return folder.facts
    finally:
        folder.close()


async def _run_stages(stages: Stages, folder: Folder, screen: Screen) -> None:
    peak, clock = 0, SystemClock()
    async with aiohttp.ClientSession(trust_env=False) as session:
        for number, (name, title) in enumerate(STAGES, start=1):
            screen.stage(number, len(STAGES), title)
            needed = name == "market" and not all(folder.finished(other) for other in _NEED_MARKET)
            if folder.finished(name) and not needed:
                screen.say(Text(ko="이전 실행의 결과를 씁니다", en="taken from an earlier run"))
                continue
            began = clock.monotonic()
            found = await (stages.market(session) if name == "market" else getattr(stages, name)())
            own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            peak = max(peak, own + stages.peak_mb(), int(folder.facts.get("rss_mb", 0)))
            folder.finish(name, clock.monotonic() - began, {**found, "rss_mb": peak})
