"""Qlib's side of the feature benchmarks, run by a Python of its own: one core, no cache of expressions or data.

    python drive_qlib.py factors|alpha158 STORE OUT.npy        values (n_symbols * n_days, n_columns) float32
    python drive_qlib.py rank STORE OUT.npz HORIZON SEED ...   scores of the test year by its published configuration

One line of JSON tells what was measured.

Nothing of the project is imported here, since the peer stands in an environment of its own.
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from time import process_time

for _pool in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
warnings.filterwarnings("ignore")

import numpy as np
import qlib
from qlib.contrib.data.handler import Alpha158
from qlib.contrib.model.gbdt import LGBModel
from qlib.data import D
from qlib.data.dataset import DatasetH

FACTORS = (
    "Resi($close, 15)/$close",
    "Std(Abs($close/Ref($close, 1)-1)*$volume, 5)/(Mean(Abs($close/Ref($close, 1)-1)*$volume, 5)+1e-12)",
    "Rsquare($close, 5)",
    "($high-$low)/$open",
    "Rsquare($close, 10)",
    "Corr($close, Log($volume+1), 5)",
    "Corr($close/Ref($close,1), Log($volume/Ref($volume, 1)+1), 5)",
    "Corr($close, Log($volume+1), 10)",
    "Rsquare($close, 20)",
    "Corr($close/Ref($close,1), Log($volume/Ref($volume, 1)+1), 60)",
    "Corr($close/Ref($close,1), Log($volume/Ref($volume, 1)+1), 10)",
    "Corr($close, Log($volume+1), 20)",
    "(Less($open, $close)-$low)/$open",
    "Std($close, 5)/$close",
)
"""The thirteen of its benchmark ``workflow_config_lightgbm_configurable_dataset.yaml`` and the example of its paper."""

THREADS = 2
"""Of its fit and of its features where it is not timed."""
TRAIN, VALID, TEST = ("2019-01-01", "2021-12-31"), ("2022-01-01", "2022-12-31"), ("2023-01-01", "2023-12-31")


def measure(what: str, out: str) -> dict[str, object]:
    """Time the features of every instrument, then keep their values."""
    began = process_time()
    if what == "factors":
        table = D.features(D.instruments("all"), list(FACTORS), freq="day")
    else:
        table = Alpha158(instruments="all", infer_processors=[], learn_processors=[]).fetch(col_set="__all")
    seconds = process_time() - began
    table = table.swaplevel().sort_index() if table.index.names[0] == "datetime" else table.sort_index()
    np.save(out, table.to_numpy(dtype=np.float32))
    return {"seconds": seconds, "rows": table.shape[0], "columns": [str(name) for name in table.columns]}


def rank(out: str, horizon: int, seeds: list[int]) -> dict[str, object]:
    """Fit its LightGBM benchmark on its Alpha158 as published, a fit a seed, and score the test year.

    The label is its own, from close to close, over ``horizon`` days.
    """
    label = [f"Ref($close, -{horizon + 1})/Ref($close, -1) - 1"]
    handler = Alpha158(
        instruments="top",
        start_time=TRAIN[0],
        end_time=TEST[1],
        fit_start_time=TRAIN[0],
        fit_end_time=TRAIN[1],
        label=(label, ["LABEL0"]),
    )
    data = DatasetH(handler, {"train": TRAIN, "valid": VALID, "test": TEST})
    fits, trees = [], []
    for seed in seeds:
        model = LGBModel(
            loss="mse",
            colsample_bytree=0.8879,
            learning_rate=0.2,
            subsample=0.8789,
            lambda_l1=205.6999,
            lambda_l2=580.9768,
            max_depth=8,
            num_leaves=210,
            num_threads=THREADS,
            seed=seed,
        )
        with contextlib.redirect_stdout(sys.stderr):  # the library tells its stopping on stdout
            model.fit(data, verbose_eval=0)
        fits.append(model.predict(data))
        trees.append(model.model.best_iteration)
    index = fits[0].index
    np.savez(
        out,
        day=index.get_level_values("datetime").strftime("%Y%m%d").astype(int).to_numpy(),
        symbol=np.array([name[2:] for name in index.get_level_values("instrument")]),
        score=np.array([fit.to_numpy(dtype=np.float32) for fit in fits]),
    )
    return {"rows": len(index), "trees": trees, "label": label[0]}


def main(words: list[str]) -> dict[str, object]:
    """Do what the words ask."""
    what, store, out = words[:3]
    kernels = THREADS if what == "rank" else 1
    qlib.init(
        provider_uri=store, region="cn", kernels=kernels, expression_cache=None, dataset_cache=None, logging_level=40
    )
    facts = rank(out, int(words[3]), [int(word) for word in words[4:]]) if what == "rank" else measure(what, out)
    return {"version": qlib.__version__, **facts}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
