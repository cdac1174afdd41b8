"""One point of a sweep: the job that is handed out and the outcome that comes back.

Here: the records and their names. Not here: running one (`work`), keeping them (``wiring``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.sweep.space import Parameters

NONE = np.zeros(0, np.float64)
NONE.flags.writeable = False


def key_of(parameters: Parameters) -> str:
    """Return the name of a point: a hash of its parameters, whatever their order."""
    text = json.dumps(dict(parameters), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Job:
    """A point to run on the rows ``first <= row < last`` of the shared ground; ``ordinal`` counts from 0."""

    ordinal: int
    key: str
    parameters: Parameters
    first: int
    last: int


class Status(Enum):
    """What became of a point.

    ``REFUSED``: the strategy said no to its parameters, or broke on them. ``DIED``: the process that ran it
    ended twice over it; such a point is not finished and is tried again by the next run.
    """

    DONE = "done"
    REFUSED = "refused"
    DIED = "died"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    figures : mapping
        ``Metrics`` as JSON values, with ``daily_sharpe`` and ``final_equity_won``; empty if not done.
    returns : (n_sessions,) float64
        Daily returns of the window; empty if not done.
    reason : str
        Why there are none.
    """

    job: Job
    status: Status
    figures: Mapping[str, float | int | None] = field(default_factory=dict)
    returns: NDArray[np.float64] = field(default_factory=lambda: NONE)
    reason: str = ""
