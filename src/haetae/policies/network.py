"""A small net that looks at every symbol with the same eyes.

Each symbol's row goes through one shared encoder; the mean over symbols is the market's context and
is added before the second layer. So the net has a few thousand weights, does not care about the
order of symbols and accepts thirty or two hundred of them. Heads: a score (what the policy wants)
and a value (what the critic expects), both per symbol.

Here: initialisation and the forward pass in numpy. Not here: gradients (``rl.gradients``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatBlock: TypeAlias = NDArray[np.floating]
Weights: TypeAlias = dict[str, FloatBlock]
"""``w1 (K,H) b1 (H) w2 (H,H) wc (H,H) b2 (H) ws (H) bs (1) wv (H) bv (1) log_std (1)``."""

NAMES = ("w1", "b1", "w2", "wc", "b2", "ws", "bs", "wv", "bv", "log_std")


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A forward pass with what the backward pass needs; ``B`` rows of ``S`` symbols.

    ``scores`` and ``values`` are ``(B, S)``, ``first`` and ``second`` ``(B, S, H)``, ``context`` ``(B, H)``.
    """

    scores: FloatBlock
    values: FloatBlock
    first: FloatBlock
    second: FloatBlock
    context: FloatBlock


def new_weights(inputs: int, hidden: int, rng: np.random.Generator, *, score_bias: float, log_std: float) -> Weights:
    """Return fresh weights: scaled normal layers, small heads, so the first policy is nearly flat.

    Parameters
    ----------
    inputs, hidden : int
        Columns of the observation and width of both layers.
    score_bias : float
        Where every score starts; -2 means an eighth of the largest weight.
    log_std : float
        Natural logarithm of the first exploration noise.
    """

    def normal(rows: int, columns: int, gain: float) -> FloatBlock:
        return (rng.standard_normal((rows, columns)) * gain / np.sqrt(rows)).astype(np.float32)

    return {
        "w1": normal(inputs, hidden, 1.0),
        "b1": np.zeros(hidden, np.float32),
        "w2": normal(hidden, hidden, 1.0),
        "wc": normal(hidden, hidden, 1.0),
        "b2": np.zeros(hidden, np.float32),
        "ws": normal(hidden, 1, 0.1)[:, 0],
        "bs": np.full(1, score_bias, np.float32),
        "wv": normal(hidden, 1, 0.1)[:, 0],
        "bv": np.zeros(1, np.float32),
        "log_std": np.full(1, log_std, np.float32),
    }


def forward(weights: Weights, observation: FloatBlock) -> Pass:
    """Return scores and values of ``(B, S, K)`` observations, in the dtype of the weights."""
    rows, symbols, inputs = observation.shape
    hidden = weights["b1"].shape[0]
    first = observation.reshape(-1, inputs) @ weights["w1"]
    first += weights["b1"]
    np.tanh(first, out=first)
    context = first.reshape(rows, symbols, hidden).mean(axis=1)
    second = (first @ weights["w2"]).reshape(rows, symbols, hidden)
    second += (context @ weights["wc"] + weights["b2"])[:, None, :]
    np.tanh(second, out=second)
    return Pass(
        scores=second @ weights["ws"] + weights["bs"],
        values=second @ weights["wv"] + weights["bv"],
        first=first.reshape(rows, symbols, hidden),
        second=second,
        context=context,
    )
