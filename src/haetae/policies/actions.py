"""From the net's scores to target weights: cap, no-trade band, turnover cap.

Each symbol has its own number; ``weight = max_weight * sigmoid(score)``, scaled down together when
they would exceed ``gross``. Small differences to what is held are left alone, because each round
trip costs more than most minutes earn, and one decision moves at most ``turnover_cap`` of equity.
NaN in the result means *leave it as it is*, the same meaning as in ``backtest``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Raise it when the map changes; older artefacts are then refused."""


@dataclass(frozen=True, slots=True)
class ActionMap:
    """Limits of one decision, all as shares of equity.

    Attributes
    ----------
    max_weight : float
        Largest weight of one symbol. 0.04: fifty names at half throttle are fully invested.
    gross : float
        Largest sum of weights. 0.95: room for costs and for the collar of limit orders.
    band : float
        Differences below it are not traded. 0.01: a hundredth of equity repays its own costs sooner.
    turnover_cap : float
        Largest one-sided turnover of a decision. 0.10: a full rebuild takes ten decisions.
    floor : float
        Targets below it become 0, so that the last dust is sold. 0.002.
    """

    max_weight: float = 0.04
    gross: float = 0.95
    band: float = 0.01
    turnover_cap: float = 0.10
    floor: float = 0.002


def target_weights(
    scores: NDArray[np.floating],
    held_weights: NDArray[np.floating],
    tradable: NDArray[np.bool_],
    limits: ActionMap,
) -> NDArray[np.float64]:
    """Return target weights, NaN where nothing is to be done.

    Parameters
    ----------
    scores, held_weights : (..., n_symbols) float
    tradable : (..., n_symbols) bool
        Where False the target is NaN: what cannot be traded is not asked for.
    """
    held = np.asarray(held_weights, np.float64)
    raw = limits.max_weight / (1.0 + np.exp(-np.clip(np.asarray(scores, np.float64), -30.0, 30.0)))
    raw = np.where(tradable & (raw >= limits.floor), raw, 0.0)
    total = raw.sum(axis=-1, keepdims=True)
    wanted = raw * np.minimum(1.0, limits.gross / np.maximum(total, 1e-12))
    change = wanted - held
    leaves = (wanted == 0.0) & (held > 0.0)
    moves = tradable & ((np.abs(change) >= limits.band) | leaves)
    change = np.where(moves, change, 0.0)
    turnover = np.abs(change).sum(axis=-1, keepdims=True) / 2.0
    share = np.minimum(1.0, limits.turnover_cap / np.maximum(turnover, 1e-12))
    return np.where(moves, held + change * share, np.nan)
