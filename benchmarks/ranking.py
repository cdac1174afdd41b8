"""ranking: who orders the next day and the next week best on real Korean bars: Qlib's benchmark, ours, one line.

``HAETAE_DAILY_BARS`` names a file of daily bars from 2019 to 2023; without it the bars are seeded noise, on which
nothing must be found. Learned from 2019-2021, stopped by 2022, judged on 2023; nothing was chosen by a figure of
2023. Each day's 200 common shares of the highest median turnover over sixty sessions, by what was known at its close.

- Qlib: its Alpha158 and the parameters of its published LightGBM benchmark, its own processors and label (close to
  close) over one day and over five; days without trade are missing, as its stores have them.
- ours: the LightGBM ranker of ``haetae train ml`` with its default settings on the sets ``daily`` and ``alpha``.
- one-line scores of the set ``daily``.

One measure for all: the rank correlation with what could be earned from the next open on, raw and after low volatility
is taken out, its Newey-West t, and the best tenth against the worst before and after the costs of the exchange;
beside it the raw correlation with Qlib's own label. A model is several fits; its scores are their mean rank in the day.

    PYTHONPATH=src python benchmarks/ranking.py [OUT.json]
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lake_import
import numpy as np
import peers
from factoring import bins
from factoring.ground import grid, spans
from numpy.typing import NDArray

from haetae.ml import quality, training
from haetae.ml.ensemble import mean_of_ranks
from haetae.ml.judge import Judge
from haetae.ml.labels import forward_returns
from haetae.ml.splits import Window, Windows, fixed_split
from haetae.store.importer import ImportPlan, Prices, import_files
from haetae.store.lake import Lake
from haetae.wiring.lakes import LakeAt
from haetae.wiring.training_ground import Ground, ground_of

FloatArray = NDArray[np.float32]

HORIZONS = (1, 5)
SETS = ("daily", "alpha")
SEEDS = 3
SETTINGS = training.TrainingSettings()
WINDOWS = Windows(
    Window(dt.date(2019, 1, 1), dt.date(2021, 12, 31)),
    Window(dt.date(2022, 1, 1), dt.date(2022, 12, 31)),
    Window(dt.date(2023, 1, 1), dt.date(2023, 12, 31)),
)
DRIVE = Path(__file__).resolve().parent / "factoring" / "drive_qlib.py"


def qlib_scores(ground: Ground, folder: Path) -> tuple[dict[int, FloatArray], dict[str, Any]]:
    """Return the peer's scores of the test year by horizon and what it tells of its fits; raises ``peers.Absent``."""
    python = peers.QLIB.interpreter()
    store, out = folder / "store", folder / "scores.npz"
    bins.write_store(ground.panel, store, {"top": spans(ground.panel, ground.who)})
    seeds = (each.seed for each in training.seeds(SETTINGS.ranker, SEEDS))
    words = (",".join(map(str, numbers)) for numbers in (HORIZONS, seeds))
    told = peers.run(python, DRIVE, "rank", str(store), str(out), *words)
    with np.load(out, allow_pickle=False) as found:
        day, symbol = found["day"], found["symbol"]
        fits = {h: [grid(ground.panel, day, symbol, score) for score in found[f"score_{h}"]] for h in HORIZONS}
    return {horizon: mean_of_ranks(grids) for horizon, grids in fits.items()}, told


def our_scores(ground: Ground, horizon: int) -> FloatArray:
    """Return the scores of the project's ranker, fitted on the learning years and stopped by the year after them."""
    labels = forward_returns(ground.panel, horizon)
    split = fixed_split(ground.panel.days, labels.end_row, WINDOWS, SETTINGS.embargo_rows)
    course = training.course(ground.table, ground.who, labels, split, SETTINGS.transform, ground.sector_numbers())
    fits = [training.fit(course, ranker) for ranker in training.seeds(SETTINGS.ranker, SEEDS)]
    return mean_of_ranks([training.scored(course, model, SETTINGS.ranker.n_threads) for model in fits])


def close_to_close(close: NDArray[np.int64], horizon: int) -> FloatArray:
    """Return the peer's own label: the return between the closes of the next day and ``horizon`` days on."""
    prices = close.astype(np.float64)
    values = np.full(close.shape, np.nan, dtype=np.float32)
    values[: -1 - horizon] = prices[1 + horizon :] / np.where(prices[1:-horizon] > 0, prices[1:-horizon], np.nan) - 1.0
    return values


def judged(judge: Judge, scores: FloatArray, own: FloatArray) -> dict[str, Any]:
    """Return the figures of one score over the test year; ``own`` are outcomes by the peer's label."""
    beside = quality.rank_quality(judge.among(scores), own[judge.rows], judge.labels.horizon)
    return {**judge.brief(scores), "rank_ic_on_qlib_label": beside.as_json()}


def contest(grounds: dict[str, Ground], horizon: int, theirs: FloatArray | None) -> dict[str, Any]:
    """Return the figures of every contender for one horizon."""
    ground = grounds[SETS[0]]
    labels = forward_returns(ground.panel, horizon)
    test = fixed_split(ground.panel.days, labels.end_row, WINDOWS, SETTINGS.embargo_rows).test
    judge = Judge(ground.panel.days, labels, ground.low_volatility, ground.size, ground.who, test, SETTINGS.costs)
    contenders = {} if theirs is None else {"qlib_alpha158_lightgbm": theirs}
    for name, each in grounds.items():
        contenders[f"ours_{name}_lightgbm"] = our_scores(each, horizon)
    own = close_to_close(ground.panel.close, horizon)
    return {name: judged(judge, scores, own) for name, scores in (contenders | dict(ground.one_line)).items()}


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Hold the contest and return its figures; write them to ``out_json`` if given."""
    began = perf_counter()
    given = os.environ.get(lake_import.INPUT)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bars = Path(given) if given else folder / "bars.parquet"
        if not given:
            lake_import.make_bars(bars)
        import_files(Lake(folder / "lake"), ImportPlan("daily", (bars,), "bench", Prices.ADJUSTED))
        grounds = {name: ground_of(LakeAt(str(folder / "lake")), SETTINGS, name) for name in SETS}
        ground = grounds[SETS[0]]
        theirs: dict[int, FloatArray] = {}
        try:
            theirs, told = qlib_scores(ground, folder)
        except peers.Absent as why:
            told = {"absent": str(why)}
        horizons = {f"horizon_{h}": contest(grounds, h, theirs.get(h)) for h in HORIZONS}
    figures = {
        "workload": "ranking",
        "input": "given" if given else "seeded noise",
        "names_ever": len(ground.panel.symbols),
        "test_days": int((ground.panel.days // 10_000 == WINDOWS.test.first.year).sum()),
        "seeds": SEEDS,
        "qlib": told,
        **horizons,
        "wall_s": perf_counter() - began,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
