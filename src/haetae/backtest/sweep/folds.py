"""Windows of a walk-forward: choose on a stretch of the past, then trade the sessions after it.

Lengths are in sessions. A fold's choice knows the bars up to the end of its train window and nothing later: the
train runs are given a ground that ends there. Look-backs reach into the past only, so nothing has to be purged
between train and test; ``embargo`` sessions may be left out there where positions of the train window still move
prices or where returns are smoothed. Not here: the runs (``wiring``), the stitched path (`stitching`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ConfigError, Text

_SPAN = re.compile(r"(train|test|step|embargo)=(\d{1,5})d?")
_FEWEST_TRAIN, _FEWEST_TEST = 20, 2


@dataclass(frozen=True, slots=True)
class WalkForward:
    """How the windows move; ``anchored`` train windows all begin at the first session."""

    train: int
    test: int
    step: int
    anchored: bool = False
    embargo: int = 0

    def __post_init__(self) -> None:
        """Refuse windows in which nothing can be chosen or traded, and test windows that overlap."""
        if self.train < _FEWEST_TRAIN or self.test < _FEWEST_TEST or self.step < self.test:
            raise _unfit(
                f"train >= {_FEWEST_TRAIN}d, test >= {_FEWEST_TEST}d, step >= test",
                f"train={self.train}d,test={self.test}d,step={self.step}d",
            )


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows ``first <= row < last`` of the panel that are chosen on, and those that are traded then."""

    index: int
    train: tuple[int, int]
    test: tuple[int, int]


def read_walk(text: str) -> WalkForward:
    """Return what ``train=504d,test=126d[,step=126d][,embargo=5d][,anchored]`` says."""
    found: dict[str, int] = {}
    anchored = False
    for part in (each.strip() for each in text.split(",")):
        span = _SPAN.fullmatch(part)
        if span is not None and span[1] not in found:
            found[span[1]] = int(span[2])
        elif part == "anchored" and not anchored:
            anchored = True
        else:
            raise _unfit("train=504d,test=126d[,step=126d][,embargo=5d][,anchored]", text)
    if "train" not in found or "test" not in found:
        raise _unfit("train=…d,test=…d", text)
    step = found.get("step", found["test"])
    return WalkForward(found["train"], found["test"], step, anchored, found.get("embargo", 0))


def folds_of(days: NDArray[np.int32], first: int, walk: WalkForward) -> tuple[Fold, ...]:
    """Return the folds over the rows from ``first`` on; the last test window may be short.

    Parameters
    ----------
    days : (n_bars,) int32
        Trading day of each row as yyyymmdd.
    """
    begins = np.append(first, np.flatnonzero(np.diff(days[first:])) + first + 1)
    edges = np.append(begins, len(days))
    sessions = len(begins)
    found: list[Fold] = []
    start = 0
    while True:
        chosen = start + walk.train
        begin = chosen + walk.embargo
        end = min(begin + walk.test, sessions)
        if end - begin < _FEWEST_TEST:
            break
        train_from = 0 if walk.anchored else start
        found.append(
            Fold(
                len(found),
                (int(edges[train_from]), int(edges[chosen])),
                (int(edges[begin]), int(edges[end])),
            )
        )
        start += walk.step
    if not found:
        raise _unfit(f"at least {walk.train + walk.embargo + _FEWEST_TEST} sessions", f"{sessions}")
    return tuple(found)


def _unfit(expected: str, found: str) -> ConfigError:
    return ConfigError(
        Text(ko="워크포워드 구간이 맞지 않습니다", en="the windows of the walk-forward do not fit"),
        expected=expected,
        found=found,
        next_step="--walk-forward train=504d,test=126d",
    )
