"""How far the values of two sides agree, cell by cell, where both define them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text

FloatArray = NDArray[np.float32]

RELATIVE, ABSOLUTE = 1e-3, 2e-5
"""What float32 between the steps of a peer leaves: its logarithms, ratios and volumes have seven digits."""
SHARE = 0.9999
"""Fewer cells than this in agreement, over all or in any column, and the benchmark fails."""


class Disagreement(DataError):
    """Values differ where definitions do not; the columns are named."""


def compare(ours: FloatArray, theirs: FloatArray, names: Sequence[str], first: int) -> dict[str, Any]:
    """Return the share of cells that agree from row ``first`` on, where all windows are full.

    Both are ``(n_rows, n_symbols, n_columns)``. A cell agrees if both lack it, or both have it and are close.
    """
    shares, widest = {}, 0.0
    for k, name in enumerate(names):
        left, right = ours[first:, :, k].astype(np.float64), theirs[first:, :, k].astype(np.float64)
        near = np.isclose(left, right, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        shares[name] = float(near.mean())
        both = np.isfinite(left) & np.isfinite(right)
        widest = max(widest, float(np.abs(left - right)[both].max(initial=0.0)))
    poor = [f"{name} {share:.6f}" for name, share in shares.items() if not share >= SHARE]
    if poor:
        raise Disagreement(
            Text(ko="비교한 값이 서로 다릅니다", en="the values of the two sides differ"),
            expected=f"{SHARE} of the cells of every column within {RELATIVE} relative or {ABSOLUTE} absolute",
            found=", ".join(poor),
            next_step="compare the definitions of these columns, docs/decisions/2026-11-28-alpha-set.md",
        )
    worst = min(shares, key=lambda name: shares[name])
    return {
        "cells": int(ours[first:].size),
        "agree": float(np.mean(list(shares.values()))),
        "worst_column": worst,
        "worst_agree": shares[worst],
        "largest_difference": widest,
    }


def by_symbol(values: FloatArray, symbols: int) -> FloatArray:
    """Return rows sorted by symbol and day as ``(n_rows, n_symbols, n_columns)``."""
    return values.reshape(symbols, len(values) // symbols, -1).transpose(1, 0, 2)
