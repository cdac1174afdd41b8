"""ranking: who orders the next day and the next week best on real Korean bars: Qlib's benchmark, ours, one line.

``HAETAE_DAILY_BARS`` names a file of daily bars from 2019 to 2023; without it the bars are seeded noise, on which
nothing must be found. Learned from 2019-2021, stopped by 2022, judged on 2023; nothing was chosen by a figure of
2023. Each day's 200 common shares of the highest median turnover over sixty sessions, by what was known at its close.

- Qlib: its Alpha158 and the parameters of its published LightGBM benchmark, its own processors and label (close to
  close) over one day and over five; days without trade are missing, as its stores have them.
- ours: the project's rankers on the sets ``daily`` and ``alpha``, with labels purged by the day on which they end.
- one-line scores of the set ``daily``.

One measure for all: the rank correlation with what could be earned from the next open on, raw and after low volatility
is taken out, its Newey-West t, and the best tenth against the worst before and after the costs of the exchange;
beside it the raw correlation with Qlib's own label. A model is several fits; its scores are their mean rank in the day.

    PYTHONPATH=src python benchmarks/ranking.py [OUT.json]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lake_import
import numpy as np
import peers
from factoring import bins
from factoring.ground import LEARN_UNTIL, TEST_YEAR, Ground, ground_of
from numpy.typing import NDArray

from haetae.features import alpha, daily
from haetae.features.sets import Inputs
from haetae.ml import quality, quality_deciles, rankers, samples, yardsticks
from haetae.ml.labels import Labels, forward_returns
from haetae.ml.settings import RankerSettings
from haetae.research.settings import ResearchSettings

FloatArray = NDArray[np.float32]

HORIZONS = (1, 5)
SEEDS = (7, 8, 9)
EMBARGO = 5
DRIVE = Path(__file__).resolve().parent / "factoring" / "drive_qlib.py"


def mean_rank(grids: list[FloatArray]) -> FloatArray:
    """Return the mean of several fits' ranks within each day."""
    return np.mean([[samples.ranks(day) for day in grid] for grid in grids], axis=0, dtype=np.float32)


def qlib_scores(ground: Ground, folder: Path) -> tuple[dict[int, FloatArray], dict[str, Any]]:
    """Return the peer's scores of the test year by horizon and what it tells of its fits; raises ``peers.Absent``."""
    python = peers.QLIB.interpreter()
    store, out = folder / "store", folder / "scores.npz"
    bins.write_store(ground.panel, store, {"top": ground.spans()})
    words = (",".join(map(str, numbers)) for numbers in (HORIZONS, SEEDS))
    told = peers.run(python, DRIVE, "rank", str(store), str(out), *words)
    with np.load(out, allow_pickle=False) as found:
        day, symbol = found["day"], found["symbol"]
        grids = {h: [ground.grid(day, symbol, score) for score in found[f"score_{h}"]] for h in HORIZONS}
    return {horizon: mean_rank(fits) for horizon, fits in grids.items()}, told


def our_scores(ground: Ground, values: FloatArray, labels: Labels) -> FloatArray:
    """Return the scores of the project's ranker with its default settings, fitted on the learning years."""
    rows = samples.build(values, ground.who, labels)
    learn = ground.rows_of(0, LEARN_UNTIL)
    learn = learn[labels.end_row[learn] + EMBARGO <= learn[-1] + 1]
    at, judged = rows.of(learn), rows.of(ground.rows_of(TEST_YEAR * 10_000, TEST_YEAR * 10_000 + 9_999))
    grids = []
    for seed in SEEDS:
        model = rankers.fit(rows.inputs[at], rows.target[at], replace(RankerSettings(n_threads=2), seed=seed))
        flat = np.full(len(rows.column), np.nan, dtype=np.float32)
        flat[judged] = model.predict(rows.inputs[judged], 2)
        grids.append(rows.grid(flat))
    return mean_rank(grids)


def close_to_close(ground: Ground, horizon: int) -> FloatArray:
    """Return the peer's own label: the return between the closes of the next day and ``horizon`` days on."""
    close = ground.panel.close.astype(np.float64)
    values = np.full(close.shape, np.nan, dtype=np.float32)
    values[: -1 - horizon] = close[1 + horizon :] / np.where(close[1:-horizon] > 0, close[1:-horizon], np.nan) - 1.0
    return values


def judged(
    ground: Ground, scores: FloatArray, outcomes: FloatArray, own: FloatArray, low_volatility: FloatArray, horizon: int
) -> dict[str, Any]:
    """Return the figures of one score over the test year."""
    rows = ground.panel.days // 10_000 == TEST_YEAR
    kept = np.where(ground.who, scores, np.float32(np.nan))[rows]
    ranks = quality.rank_quality(kept, outcomes[rows], horizon, low_volatility[rows])
    cost = ResearchSettings().round_trip_bp
    spread = quality_deciles.decile_spread(kept, outcomes[rows], horizon, round_trip_bp=cost)
    beside = quality.rank_quality(kept, own[rows], horizon)
    return {
        **ranks.as_json(),
        "decile": spread.as_json(),
        "mean_on_qlib_label": beside.mean,
        "t_on_qlib_label": beside.t,
    }


def contest(ground: Ground, horizon: int, sets: Mapping[str, FloatArray], theirs: FloatArray | None) -> dict[str, Any]:
    """Return the figures of every contender for one horizon."""
    labels = forward_returns(ground.panel, horizon)
    one_line = yardsticks.one_line_scores(sets["daily"], daily.NAMES)
    contenders = {} if theirs is None else {"qlib_alpha158_lightgbm": theirs}
    for name, values in sets.items():
        contenders[f"ours_{name}_lightgbm"] = our_scores(ground, values, labels)
    own = close_to_close(ground, horizon)
    low = one_line[yardsticks.LOW_VOLATILITY]
    return {
        name: judged(ground, scores, labels.values, own, low, horizon)
        for name, scores in (contenders | one_line).items()
    }


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Hold the contest and return its figures; write them to ``out_json`` if given."""
    began = perf_counter()
    given = os.environ.get(lake_import.INPUT)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bars = Path(given) if given else folder / "bars.parquet"
        if not given:
            lake_import.make_bars(bars)
        ground = ground_of(bars, folder)
        sets = {"daily": daily.build(ground.panel), "alpha": alpha.SET.batch(Inputs(ground.panel))}
        theirs: dict[int, FloatArray] = {}
        try:
            theirs, told = qlib_scores(ground, folder)
        except peers.Absent as why:
            told = {"absent": str(why)}
        horizons = {f"horizon_{h}": contest(ground, h, sets, theirs.get(h)) for h in HORIZONS}
    figures = {
        "workload": "ranking",
        "input": "given" if given else "seeded noise",
        "names_ever": len(ground.panel.symbols),
        "test_days": int((ground.panel.days // 10_000 == TEST_YEAR).sum()),
        "seeds": len(SEEDS),
        "round_trip_bp": ResearchSettings().round_trip_bp,
        "qlib": told,
        **horizons,
        "wall_s": perf_counter() - began,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
