"""The flow on a small market: every stage, resumed stages, oracle scores, refusals."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from haetae import krx
from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.domain.units import instant_at, yyyymmdd
from haetae.ml.labels import forward_returns
from haetae.ml.settings import RankerKind, RankerSettings, WalkForwardSettings
from haetae.portfolio import Constraints
from haetae.research import STAGES, ResearchSettings, market, models, portfolios, run, universes
from haetae.universe import UniverseSettings
from haetae.universe.names import LONG_AGO
from random_panels import daily_panel, perturbed_after

SESSIONS = 300
SMALL = ResearchSettings(
    min_training_turnover_won=0,
    shuffled_controls=1,
    control_thinning=2,
    universe=UniverseSettings(size=10, min_turnover_won=0, min_listed_days=0, min_price_won=0),
    ranker=RankerSettings(rounds=15, depth=3, min_leaf=20),
    walk=WalkForwardSettings(train_rows=120, min_train_rows=30, test_rows=60),
    constraints=Constraints(names=5, keep_rank=7, max_weight=0.25),
)


def _market_days(panel: Panel) -> Panel:
    """Move a random panel onto real sessions of the exchange."""
    days = krx.trading_days(dt.date(2021, 1, 4), dt.date(2023, 6, 30))[: len(panel)]
    return dataclasses.replace(
        panel,
        days=np.array([yyyymmdd(day) for day in days], dtype=np.int32),
        start=np.array([instant_at(day, 90_000) for day in days], dtype=np.int64),
        end=np.array([instant_at(day, 153_000) for day in days], dtype=np.int64),
    )


class _PanelLake:
    """A lake of one daily panel, as research reads it."""

    def __init__(self, panel: Panel | None) -> None:
        self._panel = panel

    def versions(self) -> Mapping[str, int]:
        return {"daily": 3} if self._panel is not None else {}

    def notes(self, table: str) -> Mapping[str, str]:
        return {"made": "random prices"} if table == "daily" else {}

    def digest(self, table: str, version: int | None = None) -> str:
        return f"{table}@{version}"

    def panel(
        self, table: str, symbols: Any = None, start: Any = None, end: Any = None, *, version: int | None = None
    ) -> Panel:
        assert (table, version) == ("daily", 3)
        assert self._panel is not None
        return self._panel

    def read(self, table: str, *, symbols: Sequence[str] | None = None, **_span: Any) -> pa.Table:
        assert table == "daily"
        return pa.table({"adjusted": [False]})


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        self.seconds += 1.0
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("research does not wait")


def _dice(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, len(name)])


@functools.cache
def _panel() -> Panel:
    return _market_days(daily_panel(5, symbols=24, sessions=SESSIONS))


def _run(folder: Path, settings: ResearchSettings = SMALL, told: list[str] | None = None) -> Any:
    return run(
        _PanelLake(_panel()),
        settings,
        folder=folder,
        seed=7,
        dice=functools.partial(_dice, 7),
        clock=_Clock(),
        progress=None if told is None else lambda stage, done, total: told.append(f"{stage} {done}/{total}"),
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("research")
    return folder, _run(folder)


def test_every_stage_leaves_a_manifest_and_the_figures_stand_beside_baselines(outcome: tuple[Path, Any]) -> None:
    _, made = outcome
    assert tuple(manifest.stage for manifest in made.manifests) == STAGES
    figures = made.figures
    assert len(figures["universe"]["symbols"]) == 10
    assert figures["features"]["count"] >= 24
    assert set(figures["ml"]["models"]) == {"lightgbm"}
    assert set(figures["ml"]["yardsticks"]) == {"low_volatility_60", "reversal_5", "momentum_20", "momentum_12_1"}
    assert len(figures["ml"]["shuffled_labels"]) == 1
    beside = set(figures["backtest"]["benchmarks"])
    assert {"cash", "buy_and_hold", "equal_weight", "momentum_12_1", "reversal_5", "low_volatility_60"} <= beside
    assert {"random_names", "perfect_foresight", "low_volatility_60_same_rules"} <= beside
    assert figures["backtest"]["metrics"]["taxes_won"] > 0
    assert set(figures["seconds"]) == {*STAGES, "all"}
    assert json.loads(json.dumps(figures, allow_nan=False)) == json.loads(json.dumps(figures))
    assert "plotly" in made.html
    assert "random prices" in made.html
    ((card, files),) = made.artefacts
    assert card.kind == "ranker"
    assert set(files) == {"model.txt", "manifest.json"}


def test_a_second_run_reuses_every_stage_and_gives_the_same_figures(outcome: tuple[Path, Any]) -> None:
    folder, first = outcome
    told: list[str] = []
    again = _run(folder, told=told)
    assert again.figures["reused"] == list(STAGES[1:])
    assert again.manifests == first.manifests
    assert again.html == first.html
    assert again.artefacts[0][0] == first.artefacts[0][0]
    assert not any("lightgbm" in line for line in told)


def test_a_run_elsewhere_gives_the_same_hashes(outcome: tuple[Path, Any], tmp_path: Path) -> None:
    _, first = outcome
    assert _run(tmp_path).manifests == first.manifests


def test_a_changed_setting_remakes_only_what_depends_on_it(outcome: tuple[Path, Any]) -> None:
    folder, _ = outcome
    tighter = dataclasses.replace(SMALL, constraints=dataclasses.replace(SMALL.constraints, names=4))
    assert _run(folder, tighter).figures["reused"] == ["universe", "features", "models"]


def test_the_future_changes_no_earlier_universe_and_no_earlier_eligibility() -> None:
    from haetae.features import daily

    panel = _panel()
    row = 200
    later = perturbed_after(panel, row, 9)
    known, other = (market.load(_PanelLake(each), "0001") for each in (panel, later))
    before, after = (universes.monthly(each, 130, SMALL.universe) for each in (known, other))
    assert {r: s for r, s in before.items() if r <= row} == {r: s for r, s in after.items() if r <= row}
    assert before != after
    eligible = [models.eligible(each, daily.build(each.panel), SMALL)[: row + 1] for each in (known, other)]
    np.testing.assert_array_equal(*eligible)


def test_months_cover_every_row_from_the_first_snapshot_on() -> None:
    known = market.load(_PanelLake(_panel()), "0001")
    snapshots = universes.monthly(known, 130, SMALL.universe)
    files, figures = universes.to_files(snapshots)
    block = universes.members(json.loads(files["months.json"]), known.panel)
    assert (block[129:].sum(axis=1) == 10).all()
    assert not block[:129].any()
    assert figures["months"] == len(snapshots) > 5
    assert 0.0 <= figures["churn"] < 1.0


def _ground() -> tuple[market.DailyMarket, portfolios.Arena]:
    known = market.load(_PanelLake(_panel()), "0001")
    files, _ = universes.to_files(universes.monthly(known, 130, SMALL.universe))
    block = universes.members(json.loads(files["months.json"]), known.panel)
    return known, portfolios.arena(known, block, 130, SMALL)


def test_scores_that_know_the_future_win_and_their_opposite_loses() -> None:
    known, ground = _ground()
    future = forward_returns(known.panel, SMALL.rebalance_sessions).values[:, ground.columns]
    ends = {}
    for name, scores in (("oracle", future), ("fool", -future)):
        _, result = portfolios.constructed(ground, scores, SMALL.constraints, SMALL, name)
        ends[name] = result.equity[-1] / result.initial_cash
    assert ends["oracle"] > 1.5
    assert ends["fool"] < 0.8


def test_replayed_targets_give_the_same_money_to_the_won() -> None:
    from haetae import backtest

    _, ground = _ground()
    scores = np.random.default_rng(1).normal(size=ground.panel.close.shape).astype(np.float32)
    targets, result = portfolios.constructed(ground, scores, SMALL.constraints, SMALL, "noise")
    again = backtest.run(ground.traded, targets, name="noise", listing=ground.listing, settings=SMALL.backtest)
    np.testing.assert_array_equal(again.equity, result.equity)


def test_all_three_libraries_pass_through_the_flow(tmp_path: Path) -> None:
    every = dataclasses.replace(SMALL, kinds=tuple(RankerKind), shuffled_controls=0, seed_count=2)
    made = _run(tmp_path, every)
    assert set(made.figures["ml"]["models"]) == {"lightgbm", "xgboost", "catboost"}
    assert len(made.artefacts) == 3
    assert {"xgboost_same_rules", "catboost_same_rules"} <= set(made.figures["backtest"]["benchmarks"])
    assert len(made.figures["ml"]["models"]["xgboost"]["seed_rank_ic"]) == 2


def test_an_empty_lake_and_a_short_history_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for lake in (_PanelLake(None), _PanelLake(_market_days(daily_panel(1, symbols=5, sessions=60)))):
        with pytest.raises(DataError) as refusal:
            run(lake, SMALL, folder=tmp_path, seed=1, dice=functools.partial(_dice, 1), clock=_Clock())
        assert refusal.value.next_step
    assert not list(tmp_path.iterdir())


def test_a_lake_of_bars_only_gets_instruments_from_its_codes() -> None:
    panel = _panel()
    known = market.load(_PanelLake(panel), "0001")
    listed = {item.symbol: item for item in known.instruments(dt.date(2022, 1, 3))}
    late = panel.symbols[1]
    assert listed[late].listed_on > dt.date(2021, 1, 4)
    assert listed[panel.symbols[0]].listed_on == LONG_AGO
    assert known.index_close is None
    assert known.adjusted
