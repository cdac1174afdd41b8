"""``train ml`` on a small lake: figures per model and seed, models that score alike live, nothing done twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

import random_panels
from haetae.cli.main import main
from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.units import day_from
from haetae.features import daily
from haetae.ml import artefact
from haetae.ml.labels import forward_returns
from haetae.ml.settings import RankerKind, RankerSettings
from haetae.ml.splits import Window, Windows
from haetae.ml.training import FeatureTable, TrainingSettings
from haetae.ml.transforms import Scaling, TransformSettings
from haetae.registry.registry import Registry
from haetae.registry.trials import TrialBook
from haetae.wiring import training
from haetae.wiring.lakes import LakeAt
from haetae.wiring.training_ground import ground_of

SPANS = ("2020-01-02:2021-02-28", "2021-03:2021-05", "2021-06-01:2021-08-10")
WINDOWS = Windows(
    Window(dt.date(2020, 1, 2), dt.date(2021, 2, 28)),
    Window(dt.date(2021, 3, 1), dt.date(2021, 5, 31)),
    Window(dt.date(2021, 6, 1), dt.date(2021, 8, 10)),
)
SMALL = TrainingSettings(
    horizons=(1,),
    kinds=(RankerKind.LIGHTGBM,),
    seeds=2,
    universe_top=20,
    shuffled_controls=1,
    ranker=RankerSettings(rounds=8, depth=3, min_leaf=20, early_stopping=True),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    bars = random_panels.daily_panel(5, symbols=24, sessions=420)
    lines = ["symbol,date,open,high,low,close,volume"]
    for column, symbol in enumerate(bars.symbols):
        for row in np.flatnonzero(bars.traded[:, column]):
            cells = [getattr(bars, name)[row, column] for name in ("open", "high", "low", "close", "volume")]
            lines.append(",".join([symbol, day_from(int(bars.days[row])).isoformat(), *map(str, cells)]))
    (folder / "bars.csv").write_text("\n".join(lines))
    at = folder / "lake"
    assert (
        main(["lake", "import", "--kind", "daily", str(folder / "bars.csv"), "--prices", "adjusted", "--lake", str(at)])
        == 0
    )
    return at


def _plain(figures: object) -> object:
    """Return figures without what differs from run to run."""
    told = json.loads(json.dumps(figures, default=str))
    for name in ("seconds", "rss_mb", "files", "trials"):
        told.pop(name)
    for found in [
        *told["results"],
        *(s for h in told["horizons"].values() for m in h["models"].values() for s in m["seeds"]),
    ]:
        found.pop("reused")
    return told


def test_the_command_gives_the_rank_ic_of_each_model_and_seed(lake: Path, tmp_path: Path) -> None:
    train, valid, test = SPANS
    words = ["train", "ml", "--lake", lake, "--train", train, "--valid", valid, "--test", test, "--horizon", "1,5"]
    words += ["--seeds", "2", "--rounds", "6", "--universe-top", "20", "--threads", "1"]
    words += ["--json", tmp_path / "found.json", "--out", tmp_path / "out", "--book", tmp_path / "book.jsonl"]
    assert main([str(word) for word in words]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    lines = {(line["model"], line["horizon"], line["seed"]): line for line in found["results"]}
    assert set(lines) == {(kind.value, h, seed) for kind in RankerKind for h in (1, 5) for seed in (7, 8)}
    assert all(-1 <= line["rank_ic"] <= 1 and -1 <= line["valid_rank_ic"] <= 1 for line in lines.values())
    horizon = found["horizons"]["5"]
    assert set(horizon["models"]) == {kind.value for kind in RankerKind}
    assert set(horizon["yardsticks"]) == {"low_volatility_60", "reversal_5", "momentum_20", "momentum_12_1"}
    assert len(horizon["shuffled_labels"]) == 3
    assert horizon["verdict"]["ko"]
    whole = horizon["ensemble"]["test"]
    assert set(whole["decay"]) == {"1", "2", "3", "5", "10", "20"}
    assert set(whole["size"]) == {"small", "middle", "large"} or whole["size"] == {}
    assert horizon["split"]["train"]["purged"] == 5 + 1 + 5 - 1
    assert (tmp_path / "out" / "training.json").is_file()
    book = TrialBook(tmp_path / "book.jsonl").trials()
    assert len(book) == found["trials"]["written"] == 2 * 3 * 2  # horizons, kinds, windows
    assert {trial.family for trial in book} == {"ranker-h1", "ranker-h5"}


@pytest.mark.parametrize("scaling", [Scaling.DAY_RANKS, Scaling.ROBUST_Z])
def test_a_registered_model_scores_a_day_as_it_was_judged(lake: Path, tmp_path: Path, scaling: Scaling) -> None:
    settings = dataclasses.replace(SMALL, seeds=1, transform=TransformSettings(scaling))
    done = training.train(lake, WINDOWS, settings, tmp_path)
    registry = Registry(tmp_path / "registry")
    card, files = registry.get(done.models[0])
    assert {name for name in card.provenance if card.provenance[name]} >= {"code", "data", "trial", "costs", "scaler"}
    wanted = {"test_rank_ic", "test_rank_ic_t", "test_rank_ic_neutral", "valid_rank_ic", "trials", "dsr", "test_net_bp"}
    assert wanted <= set(card.metrics)
    assert (card.train_from, card.train_to) >= (dt.date(2020, 1, 2), dt.date(2021, 2, 1))
    scorer = artefact.scorer_of(card, files, daily.feature_hash())
    ground = ground_of(LakeAt(str(lake)), settings)
    kept = next((tmp_path / "fits" / "fit").glob("*/scores.npz"))
    judged = np.load(kept)["scores"]
    row = len(judged) - 3
    live = scorer.score(ground.table.values[row], ground.who[row])
    np.testing.assert_array_equal(live, judged[row])
    expected = scorer.expected(live)
    order = np.argsort(live[np.isfinite(live)])
    assert (np.diff(expected[np.isfinite(live)][order]) >= 0).all()
    assert scorer.extras.reference is not None
    assert set(scorer.extras.reference.names) == set(daily.NAMES) - ground.table.absent


def test_an_interrupted_training_goes_on_and_ends_the_same(lake: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(SMALL, search_trials=4)
    whole = training.train(lake, WINDOWS, settings, tmp_path / "whole", seed=3)

    def stop(_label: str | Text, done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(lake, WINDOWS, settings, tmp_path / "cut", seed=3, progress=stop)
    kept = sorted((tmp_path / "cut" / "fits").glob("*/*"))
    assert len(kept) == 4
    stamps = [(path / "manifest.json").stat().st_mtime_ns for path in kept]
    half_written = tmp_path / "cut" / "fits" / "fit" / ".0123456789abcdef.1"
    half_written.mkdir(parents=True)
    (half_written / "model.bin").write_bytes(b"half")
    again = training.train(lake, WINDOWS, settings, tmp_path / "cut", seed=3)
    assert [(path / "manifest.json").stat().st_mtime_ns for path in kept] == stamps
    assert _plain(again.figures) == _plain(whole.figures)
    third = training.train(lake, WINDOWS, settings, tmp_path / "cut", seed=3)
    assert all(line["reused"] for line in third.figures["results"])
    assert third.figures["trials"]["written"] == 0
    assert third.models == again.models


def test_a_search_tells_every_point_and_keeps_the_defaults_unless_validation_is_better(
    lake: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SMALL, seeds=1, search_trials=5)
    done = training.train(lake, WINDOWS, settings, tmp_path, book=tmp_path / "book.jsonl")
    found = done.figures["horizons"]["1"]["search"]["lightgbm"]
    points = found["points"]
    assert len(points) == 5
    assert points[0]["settings"]["rounds"] == 8
    best = max(points, key=lambda point: point["valid_rank_ic"])
    assert found["best"] == best["settings"]
    assert all(point["valid_rank_ic"] == pytest.approx(np.mean(point["folds"])) for point in points)
    assert done.figures["horizons"]["1"]["luck"]["trials"] >= 5
    tried = TrialBook(tmp_path / "book.jsonl").trials()
    assert sum(trial.why == "search" for trial in tried) == 5
    assert all(trial.last <= dt.date(2021, 5, 31) for trial in tried if trial.why == "search")


def test_a_search_without_time_stops_and_says_so(lake: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(SMALL, seeds=1, search_trials=50, search_budget_s=1e-6)
    done = training.train(lake, WINDOWS, settings, tmp_path)
    found = done.figures["horizons"]["1"]["search"]["lightgbm"]
    assert found["out_of_time"]
    assert len(found["points"]) == 1


def test_a_planted_leak_is_refused_by_name(lake: Path, tmp_path: Path) -> None:
    ground = ground_of(LakeAt(str(lake)), SMALL)
    label = forward_returns(ground.panel, 1).values

    def leaking(table: FeatureTable) -> FeatureTable:
        values = np.concatenate([table.values, label[:, :, None]], axis=2)
        return dataclasses.replace(table, names=(*table.names, "tomorrow"), values=values)

    with pytest.raises(DataError, match="label leakage: feature tomorrow"):
        training.train(lake, WINDOWS, SMALL, tmp_path / "out", alter=leaking)
    assert not (tmp_path / "out").exists()


def test_a_column_without_values_is_refused_by_name(lake: Path, tmp_path: Path) -> None:
    def emptied(table: FeatureTable) -> FeatureTable:
        values = table.values.copy()
        values[:, :, 4] = np.nan
        return dataclasses.replace(table, values=values)

    with pytest.raises(DataError, match=f"without a value in the training window: {daily.NAMES[4]}$"):
        training.train(lake, WINDOWS, SMALL, tmp_path / "out", alter=emptied)


def test_other_windows_and_features_are_refused(lake: Path, tmp_path: Path) -> None:
    outside = dataclasses.replace(WINDOWS, test=Window(dt.date(2021, 6, 1), dt.date(2023, 6, 1)))
    with pytest.raises(ConfigError, match="test window is outside the lake"):
        training.train(lake, outside, SMALL, tmp_path / "out")
    with pytest.raises(ConfigError, match="there is no feature set 'weekly'"):
        training.train(lake, WINDOWS, SMALL, tmp_path / "out", features="weekly")
    assert not (tmp_path / "out").exists()
