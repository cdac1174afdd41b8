"""The set ``alpha`` and its kin written a second time: plain numpy, window by window, from definitions."""

from __future__ import annotations

import numpy as np

from haetae.domain.panel import Panel

WINDOWS = (5, 10, 20, 30, 60)


def _varies(values):
    return len(values) > 1 and np.ptp(values) > 0


def _correlation(x, y):
    return np.corrcoef(x, y)[0, 1] if _varies(x) and _varies(y) else np.nan


def _share(part, whole):
    return part / whole if whole > 0 else 0.0


def bar(opened, high, low, close):
    reach = high - low
    top, bottom = max(opened, close), min(opened, close)
    return {
        "kmid": (close - opened) / opened,
        "klen": reach / opened,
        "kmid2": _share(close - opened, reach),
        "kup": (high - top) / opened,
        "kup2": _share(high - top, reach),
        "klow": (bottom - low) / opened,
        "klow2": _share(bottom - low, reach),
        "ksft": (2 * close - high - low) / opened,
        "ksft2": _share(2 * close - high - low, reach),
        "open0": opened / close,
        "high0": high / close,
        "low0": low / close,
        "vwap0": (high + low + close) / 3 / close,
    }


def closes_over(c, w, ago):
    time = np.arange(w)
    rise, level = np.polyfit(time, c, 1)
    flat = not _varies(c)
    return {
        f"roc_{w}": ago / c[-1],
        f"ma_{w}": c.mean() / c[-1],
        f"std_{w}": c.std(ddof=1) / c[-1],
        f"beta_{w}": 0.0 if flat else rise / c[-1],
        f"rsqr_{w}": np.nan if flat else np.corrcoef(time, c)[0, 1] ** 2,
        f"resi_{w}": 0.0 if flat else (c[-1] - level - rise * (w - 1)) / c[-1],
        f"qtlu_{w}": np.quantile(c, 0.8) / c[-1],
        f"qtld_{w}": np.quantile(c, 0.2) / c[-1],
        f"rank_{w}": ((c < c[-1]).sum() + (c <= c[-1]).sum() + 1) / 2 / w,
    }


def extremes_over(h, low, close, w):
    top, bottom = h.max(), low.min()
    return {
        f"max_{w}": top / close,
        f"min_{w}": bottom / close,
        f"rsv_{w}": _share(close - bottom, top - bottom),
        f"imax_{w}": (h.argmax() + 1) / w,
        f"imin_{w}": (low.argmin() + 1) / w,
        f"imxd_{w}": (h.argmax() - low.argmin()) / w,
    }


def pairs_over(c, v, before, last, w):
    both = (v > 0) & (last > 0)
    moves, surges = c[both] / before[both], np.log(v[both] / last[both] + 1)
    return {
        f"corr_{w}": _correlation(c, np.log(v + 1)),
        f"cord_{w}": _correlation(moves, surges) if both.sum() >= w / 2 else np.nan,
    }


def moves_over(change, w, names):
    up, down = np.maximum(change, 0).sum(), np.maximum(-change, 0).sum()
    plus, minus, both = names
    return {
        f"{plus}_{w}": _share(up, up + down),
        f"{minus}_{w}": _share(down, up + down),
        f"{both}_{w}": _share(up - down, up + down),
    }


def volume_over(v, moved, w):
    size = v[-1] if v[-1] > 0 else np.nan
    return {
        f"vma_{w}": v.mean() / size,
        f"vstd_{w}": v.std(ddof=1) / size,
        f"wvma_{w}": _share(moved.std(ddof=1), moved.mean()),
    }


def values_on(panel: Panel, column: int, row: int, windows=WINDOWS) -> dict[str, float]:
    """Return every feature of a symbol on a day by name; what is not filled yet is left out."""
    first = int((panel.close[:, column] > 0).argmax())
    o, h, low, c, v = (
        block[first : row + 1, column].astype(float)
        for block in (panel.open, panel.high, panel.low, panel.close, panel.volume)
    )
    found = bar(o[-1], h[-1], low[-1], c[-1]) if len(c) else {}
    for w in windows:
        if len(c) <= w:
            continue
        newest, before = slice(-w, None), slice(-w - 1, -1)
        change = c[newest] - c[before]
        found |= closes_over(c[newest], w, c[-w - 1])
        found |= extremes_over(h[newest], low[newest], c[-1], w)
        found |= pairs_over(c[newest], v[newest], c[before], v[before], w)
        found |= {f"cntp_{w}": (change > 0).mean(), f"cntn_{w}": (change < 0).mean()}
        found[f"cntd_{w}"] = found[f"cntp_{w}"] - found[f"cntn_{w}"]
        found |= moves_over(change, w, ("sump", "sumn", "sumd"))
        found |= moves_over(v[newest] - v[before], w, ("vsump", "vsumn", "vsumd"))
        found |= volume_over(v[newest], np.abs(c[newest] / c[before] - 1) * v[newest], w)
    return found
