"""From the net's scores to target weights: cap, no-trade band, turnover cap.

Each symbol has its own number; ``weight = max_weight * sigmoid(score)``, scaled down together when
they would exceed ``gross``. Small differences to what is held are left alone, because each round
trip costs more than most minutes earn. One decision moves at most ``turnover_cap`` of equity, the
largest differences first: fifty slivers of orders would each cost a look and move nothing.
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
        Largest sum of weights. 0.90: what guard G14 allows, so that training and trading agree.
    band : float
        Differences below it are not traded. 0.01: a hundredth of equity repays its own costs sooner.
    turnover_cap : float
        Largest one-sided turnover of a decision. 0.10: a full rebuild takes ten decisions.
    floor : float
        Targets below it become 0, so that the last dust is sold. 0.002.
    """

    max_weight: float = 0.04
    gross: float = 0.90
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
    share = _room(np.abs(change), 2.0 * limits.turnover_cap, limits.band)
    return np.where(moves & (share > 0.0), held + change * share, np.nan)


def _room(sizes: NDArray[np.float64], budget: float, least: float) -> NDArray[np.float64]:
    """Return which share of each difference the budget leaves room for, the largest first.

    The difference that crosses the budget is cut, or left for later if less than ``least`` remains.
    """
    order = np.argsort(-sizes, axis=-1, kind="stable")
    ranked = np.take_along_axis(sizes, order, axis=-1)
    before = np.cumsum(ranked, axis=-1) - ranked
    room = np.clip(budget - before, 0.0, ranked)
    room = np.where(room < np.minimum(least, ranked), 0.0, room)
    shares = np.divide(room, ranked, out=np.zeros_like(ranked), where=ranked > 0.0)
    result = np.empty_like(shares)
    np.put_along_axis(result, order, shares, axis=-1)
    return result
