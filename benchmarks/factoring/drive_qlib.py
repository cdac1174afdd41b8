"""Qlib's side of the feature benchmarks, run by a Python of its own: one core, no cache of expressions or data.

    python drive_qlib.py factors|alpha158 STORE OUT.npy        values (n_symbols * n_days, n_columns) float32
    python drive_qlib.py rank STORE OUT.npz 1,5 7,8,9          scores of the test year by its published configuration,
                                                               for each horizon a fit a seed

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
from qlib.contrib.data.handler import _DEFAULT_LEARN_PROCESSORS, Alpha158
from qlib.contrib.model.gbdt import LGBModel
from qlib.data import D
from qlib.data.dataset import DatasetH
from qlib.data.dataset.handler import DataHandlerLP
from qlib.data.dataset.loader import StaticDataLoader

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


def rank(out: str, horizons: list[int], seeds: list[int]) -> dict[str, object]:
    """Fit its LightGBM benchmark on its Alpha158 as published, a fit a seed, and score the test year.

    The labels are its own, from close to close. The features are computed once for all horizons; each horizon's rows
    then pass through the processors of its handler as if they had been computed for it.
    """
    labels = [f"Ref($close, -{horizon + 1})/Ref($close, -1) - 1" for horizon in horizons]
    names = [f"LABEL{horizon}" for horizon in horizons]
    span = {"start_time": TRAIN[0], "end_time": TEST[1]}
    table = Alpha158(instruments="top", **span, label=(labels, names), infer_processors=[], learn_processors=[]).fetch(
        col_set="__raw", data_key="raw"
    )
    scores: dict[str, np.ndarray] = {}
    trees: dict[str, list[int]] = {}
    for horizon, name in zip(horizons, names, strict=True):
        kept = [column for column in table.columns if column[0] == "feature" or column[1] == name]
        handler = DataHandlerLP(
            data_loader=StaticDataLoader(table[kept]), **span, learn_processors=_DEFAULT_LEARN_PROCESSORS
        )
        data = DatasetH(handler, {"train": TRAIN, "valid": VALID, "test": TEST})
        fits = [fitted(data, seed) for seed in seeds]
        trees[name] = [model.model.best_iteration for model in fits]
        found = [model.predict(data) for model in fits]
        scores[f"score_{horizon}"] = np.array([each.to_numpy(dtype=np.float32) for each in found])
        index = found[0].index
    np.savez(
        out,
        day=index.get_level_values("datetime").strftime("%Y%m%d").astype(int).to_numpy(),
        symbol=np.array([name[2:] for name in index.get_level_values("instrument")]),
        **scores,
    )
    return {"rows": len(index), "trees": trees, "labels": labels}


def fitted(data: DatasetH, seed: int) -> LGBModel:
    """Return one fit with the parameters of its benchmark ``workflow_config_lightgbm_Alpha158.yaml``."""
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
    return model


def main(words: list[str]) -> dict[str, object]:
    """Do what the words ask."""
    what, store, out = words[:3]
    kernels = THREADS if what == "rank" else 1
    os.chdir(store)  # what its libraries leave behind, they leave there
    book = {  # a fit tells its course to MLflow, whose folder of files is retired
        "class": "MLflowExpManager",
        "module_path": "qlib.workflow.expm",
        "kwargs": {"uri": f"sqlite:///{store}/mlflow.db", "default_exp_name": "bench"},
    }
    qlib.init(
        provider_uri=store,
        region="cn",
        kernels=kernels,
        expression_cache=None,
        dataset_cache=None,
        exp_manager=book,
        logging_level=40,
    )
    numbers = [[int(number) for number in word.split(",")] for word in words[3:]]
    facts = rank(out, *numbers) if what == "rank" else measure(what, out)
    return {"version": qlib.__version__, **facts}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
