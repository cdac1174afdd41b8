"""The columns of the set ``alpha`` and where each family begins; ``njit`` loops are compiled with these numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from haetae.domain.learning import FeatureSpec

WINDOWS: Final = (5, 10, 20, 30, 60)
"""Days of every rolling family, the newest among them."""

_BAR: Final = (
    ("kmid", "open close", "body over open"),
    ("klen", "open high low", "range over open"),
    ("kmid2", "open high low close", "body over range, 0 without a range"),
    ("kup", "open high close", "upper shadow over open"),
    ("kup2", "open high low close", "upper shadow over range, 0 without a range"),
    ("klow", "open low close", "lower shadow over open"),
    ("klow2", "open high low close", "lower shadow over range, 0 without a range"),
    ("ksft", "open high low close", "(2 close - high - low) over open"),
    ("ksft2", "high low close", "(2 close - high - low) over range, 0 without a range"),
    ("open0", "open close", "open over close"),
    ("high0", "high close", "high over close"),
    ("low0", "low close", "low over close"),
    ("vwap0", "high low close", "(high + low + close) / 3 over close, in place of a VWAP: bars bear no turnover"),
)

_FAMILIES: Final = (
    ("roc", "close", "close of w days ago over close"),
    ("ma", "close", "mean over close"),
    ("std", "close", "sample standard deviation over close"),
    ("beta", "close", "least-squares rise a day over close"),
    ("rsqr", "close", "share of variance on the line, NaN in a flat window"),
    ("resi", "close", "distance of the newest close from the line, over close"),
    ("max", "high close", "highest high over close"),
    ("min", "low close", "lowest low over close"),
    ("qtlu", "close", "0.8 quantile over close"),
    ("qtld", "close", "0.2 quantile over close"),
    ("rank", "close", "rank of the newest close, 0..1, ties share theirs"),
    ("rsv", "high low close", "place between lowest low and highest high, 0..1, 0 without a range"),
    ("imax", "high", "place of the earliest highest high in the window, 1 is the newest day"),
    ("imin", "low", "place of the earliest lowest low in the window, 1 is the newest day"),
    ("imxd", "high low", "imax - imin"),
    ("corr", "close volume", "correlation of close and log volume, NaN where one does not vary"),
    (
        "cord",
        "close volume",
        "correlation of return and log volume ratio, NaN if half the days lack either",
    ),
    ("cntp", "close", "share of days up"),
    ("cntn", "close", "share of days down"),
    ("cntd", "close", "cntp - cntn"),
    ("sump", "close", "gains over all moves, 0 without a move"),
    ("sumn", "close", "losses over all moves, 0 without a move"),
    ("sumd", "close", "sump - sumn"),
    ("vma", "volume", "mean over volume, NaN on a day without trade"),
    ("vstd", "volume", "sample standard deviation over volume, NaN on a day without trade"),
    ("wvma", "close volume", "deviation over mean of |return| x volume, 0 without a move"),
    ("vsump", "volume", "rises over all changes of volume, 0 without a change"),
    ("vsumn", "volume", "falls over all changes of volume, 0 without a change"),
    ("vsumd", "volume", "vsump - vsumn"),
)


def _spec(name: str, inputs: str, look_back: int, unit: str) -> FeatureSpec:
    return FeatureSpec(name, 1, tuple(inputs.split()), look_back, "session close", unit, "nan until filled")


SPECS: Final[tuple[FeatureSpec, ...]] = (
    *(_spec(name, inputs, 0, unit) for name, inputs, unit in _BAR),
    *(_spec(f"{name}_{w}", inputs, w, unit) for name, inputs, unit in _FAMILIES for w in WINDOWS),
)
LOOK_BACK: Final = np.array([spec.look_back for spec in SPECS], dtype=np.int64)

ROC, MA, STD, BETA, RSQR, RESI = 13, 18, 23, 28, 33, 38
MAX, MIN, QTLU, QTLD, RANK, RSV, IMAX, IMIN, IMXD = 43, 48, 53, 58, 63, 68, 73, 78, 83
CORR, CORD = 88, 93
CNTP, CNTN, CNTD, SUMP, SUMN, SUMD = 98, 103, 108, 113, 118, 123
VMA, VSTD, WVMA, VSUMP, VSUMN, VSUMD = 128, 133, 138, 143, 148, 153
