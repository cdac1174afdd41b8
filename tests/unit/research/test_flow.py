"""The flow on a small market: every stage, resumed stages, oracle scores, refusals."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haetae.domain.errors import ConfigError, DataError
from haetae.ml.committee import members_of
from haetae.ml.labels import forward_returns
from haetae.ml.promotion import MADE_BY, METRICS
from haetae.ml.settings import RankerKind
from haetae.research import ResearchSettings, eligible, market, portfolios, universes
from haetae.research.flow import run
from haetae.research.pictures import pictures
from haetae.research.plan import STAGES
from haetae.research.shelf import Shelf
from haetae.universe.names import LONG_AGO
from random_panels import daily_panel, perturbed_after
from research_market import SMALL, Clock, PanelLake, dice, market_days, panel


def _run(folder: Path, settings: ResearchSettings = SMALL, told: list[str] | None = None, **more: Any) -> Any:
    return run(
        PanelLake(panel()),
        settings,
        folder=folder,
        seed=7,
        dice=functools.partial(dice, 7),
        clock=Clock(),
        progress=None if told is None else lambda stage, done, total: told.append(f"{stage} {done}/{total}"),
        **more,
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("research")
    return folder, _run(folder)


def test_every_stage_leaves_a_manifest_and_the_figures_stand_beside_baselines(outcome: tuple[Path, Any]) -> None:
    folder, made = outcome
    assert tuple(manifest.stage for manifest in made.manifests) == STAGES
    figures = made.figures
    assert len(figures["universe"]["symbols"]) == 10
    assert figures["features"]["count"] >= 24
    assert set(figures["ml"]["models"]) == {"lightgbm"}
    assert set(figures["ml"]["yardsticks"]) == {"low_volatility_60", "reversal_5", "momentum_20", "momentum_12_1"}
    assert len(figures["ml"]["shuffled_labels"]) == 1
    beside = set(figures["backtest"]["benchmarks"])
    assert {"cash", "buy_and_hold", "equal_weight", "momentum_12_1", "reversal_5", "low_volatility_60"} <= beside
    assert "cap_weight" not in beside  # nobody knows the listed shares of a lake of bars only
    assert {"random_names", "perfect_foresight", "low_volatility_60_same_rules"} <= beside
    assert figures["backtest"]["metrics"]["taxes_won"] > 0
    assert set(figures["seconds"]) == {*STAGES, "all"}
    assert json.loads(json.dumps(figures, allow_nan=False)) == json.loads(json.dumps(figures))
    assert "plotly" in made.html
    assert "random prices" in made.html
    ((card, files),) = made.artefacts
    assert card.kind == "ranker"
    assert set(files) == {"m00.model.txt", "m00.manifest.json", "manifest.json"}
    assert set(card.metrics) >= {name for name in METRICS if name.startswith("test_") and "excess" not in name} - {
        "test_daily_return"
    }
    assert set(card.metrics) >= {"sharpe", "sharpe_spread", "sharpe_sessions", "trials", "pbo"}
    assert all(card.provenance[name] for name in (*MADE_BY, "family", "test_from", "test_to"))
    assert len(members_of(card, files, card.feature_hash)) == 1
    assert [trial.parameters["scores"] for trial in made.trials] == ["lightgbm"]
    assert figures["keys"] == {path.parent.name: path.name for path in folder.glob("*/*") if path.parent.name != "fits"}
    for place in ("decay", "deciles", "rolling", "periods", "turnover", "importance", "years"):
        assert f'id="{place}"' in made.html
    assert figures["verdict"]["ko"] in made.html


def test_a_second_run_reuses_every_stage_and_gives_the_same_figures(outcome: tuple[Path, Any]) -> None:
    folder, first = outcome
    told: list[str] = []
    again = _run(folder, told=told)
    assert again.figures["reused"] == list(STAGES[1:])
    assert again.manifests == first.manifests
    assert again.html == first.html
    assert again.artefacts[0][0] == first.artefacts[0][0]
    assert not any("fits" in line for line in told)


def test_a_run_elsewhere_gives_the_same_hashes(outcome: tuple[Path, Any], tmp_path: Path) -> None:
    _, first = outcome
    assert _run(tmp_path).manifests == first.manifests


def test_a_changed_setting_remakes_only_what_depends_on_it(outcome: tuple[Path, Any]) -> None:
    folder, _ = outcome
    tighter = dataclasses.replace(SMALL, constraints=dataclasses.replace(SMALL.constraints, names=4))
    assert _run(folder, tighter).figures["reused"] == ["universe", "features", "models"]


def test_one_more_seed_fits_only_that_seed(outcome: tuple[Path, Any]) -> None:
    folder, _ = outcome
    before = {path.name for path in (folder / "fits").iterdir()}
    made = _run(folder, dataclasses.replace(SMALL, seed_count=2), until="models")
    assert len({path.name for path in (folder / "fits").iterdir()} - before) == 1
    assert made.figures["reused"] == ["universe", "features"]
    assert len(made.figures["ml"]["models"]["lightgbm"]["seeds"]) == 2
    assert (made.html, made.artefacts, made.trials) == ("", (), ())


def test_a_stage_is_made_anew_on_demand_and_gives_the_same(outcome: tuple[Path, Any]) -> None:
    folder, first = outcome
    again = _run(folder, until="portfolio", anew="portfolio")
    assert again.figures["reused"] == ["universe", "features", "models"]
    assert again.manifests == first.manifests[:5]
    with pytest.raises(ConfigError, match="no such stage"):
        _run(folder, until="everything")


def test_trials_of_other_studies_deflate_and_its_own_do_not_count_twice(outcome: tuple[Path, Any]) -> None:
    folder, first = outcome
    own = first.trials[0]
    again = _run(folder, tried=first.trials)
    assert again.manifests == first.manifests
    others = [dataclasses.replace(own, code=f"c{n}", sharpe=own.sharpe + 0.05 * n) for n in range(4)]
    elsewhere = dataclasses.replace(others[0], code="far", first=dt.date(2010, 1, 4), last=dt.date(2010, 6, 1))
    found = _run(folder, tried=[*others, elsewhere, dataclasses.replace(others[0], family="sma_cross")])
    assert found.figures["backtest"]["trials"] == 5
    assert found.figures["reused"] == ["universe", "features", "models", "portfolio"]
    assert found.artefacts[0][0].metrics["trials"] == 5.0


CHILD = """
import os, signal, sys
from pathlib import Path
from research_market import SMALL, Clock, PanelLake, dice, panel
import functools
from haetae.research.flow import run
def dying(stage, done, total):
    if stage == "models:fits" and done == total - 1:
        os.kill(os.getpid(), signal.SIGKILL)
run(PanelLake(panel()), SMALL, folder=Path(sys.argv[1]), seed=7, dice=functools.partial(dice, 7), clock=Clock(),
    progress=dying)
"""


def test_a_run_killed_within_a_stage_goes_on_from_the_pieces_it_had(outcome: tuple[Path, Any], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    kept = {path.name for path in (tmp_path / "fits").iterdir() if not path.name.startswith(".")}
    assert kept
    told: list[str] = []
    resumed = _run(tmp_path, told=told)
    assert resumed.figures["reused"] == ["universe", "features"]
    assert kept < {path.name for path in (tmp_path / "fits").iterdir()}
    assert resumed.manifests == outcome[1].manifests
    assert resumed.html == outcome[1].html


def test_stored_stages_are_listed_and_a_damaged_one_is_told(outcome: tuple[Path, Any], tmp_path: Path) -> None:
    folder, made = outcome
    listed = {manifest.stage: whole for key, manifest, whole in Shelf(folder).manifests() if key in str(made.figures)}
    assert listed == dict.fromkeys(STAGES[1:], True)
    shelf = Shelf(tmp_path)
    key = shelf.stage("models", "c", {}, (), lambda: ({"answer.json": b"42"}, {})).key
    (tmp_path / "models" / key / "answer.json").write_bytes(b"43")
    ((_, _, whole),) = shelf.manifests()
    assert not whole


def test_the_future_changes_no_earlier_universe_and_no_earlier_eligibility() -> None:
    from haetae.features import daily

    bars = panel()
    row = 200
    later = perturbed_after(bars, row, 9)
    known, other = (market.load(PanelLake(each), "0001") for each in (bars, later))
    before, after = (universes.monthly(each, 130, SMALL.universe) for each in (known, other))
    assert {r: s for r, s in before.items() if r <= row} == {r: s for r, s in after.items() if r <= row}
    assert before != after
    who = [eligible.eligible(each, daily.build(each.panel), SMALL)[: row + 1] for each in (known, other)]
    np.testing.assert_array_equal(*who)


def test_months_cover_every_row_from_the_first_snapshot_on() -> None:
    known = market.load(PanelLake(panel()), "0001")
    snapshots = universes.monthly(known, 130, SMALL.universe)
    files, figures = universes.to_files(snapshots)
    block = universes.members(json.loads(files["months.json"]), known.panel)
    assert (block[129:].sum(axis=1) == 10).all()
    assert not block[:129].any()
    assert figures["months"] == len(snapshots) > 5
    assert 0.0 <= figures["churn"] < 1.0


def _ground() -> tuple[market.DailyMarket, portfolios.Arena]:
    known = market.load(PanelLake(panel()), "0001")
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
    every = dataclasses.replace(SMALL, kinds=tuple(RankerKind), shuffled_controls=2, seed_count=2)
    made = _run(tmp_path, every)
    one, two = made.figures["ml"]["shuffled_labels"]
    assert one["all"]["mean"] != two["all"]["mean"]
    drawn = pictures(made.figures["ml"], "lightgbm")
    assert [line["x"] for line in drawn["decay"]["data"]] == [["1", "2", "3", "5", "10", "20"]] * 8
    assert [line["name"] for line in drawn["turnover"]["data"]] == ["lightgbm", "catboost", "ensemble", "xgboost"]
    assert "visible" not in drawn["turnover"]["data"][0]
    assert set(made.figures["ml"]["models"]) == {"lightgbm", "xgboost", "catboost", "ensemble"}
    assert len(made.artefacts) == 3
    assert {"xgboost_same_rules", "ensemble_same_rules"} <= set(made.figures["backtest"]["benchmarks"])
    assert len(made.figures["ml"]["models"]["lightgbm"]["seed_rank_ic"]) == 2
    assert len(made.figures["ml"]["models"]["xgboost"]["seed_rank_ic"]) == 1


def test_an_empty_lake_and_a_short_history_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for lake in (PanelLake(None), PanelLake(market_days(daily_panel(1, symbols=5, sessions=60)))):
        with pytest.raises(DataError) as refusal:
            run(lake, SMALL, folder=tmp_path, seed=1, dice=functools.partial(dice, 1), clock=Clock())
        assert refusal.value.next_step
    assert not list(tmp_path.iterdir())


def test_a_lake_of_bars_only_gets_instruments_from_its_codes() -> None:
    bars = panel()
    known = market.load(PanelLake(bars), "0001")
    listed = {item.symbol: item for item in known.instruments(dt.date(2022, 1, 3))}
    late = bars.symbols[1]
    assert listed[late].listed_on > dt.date(2021, 1, 4)
    assert listed[bars.symbols[0]].listed_on == LONG_AGO
    assert known.index_close is None
    assert known.adjusted
