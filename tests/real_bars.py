"""The real Korean daily bars beside the checkout, as panels; tests skip where they are absent."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path

import numpy as np
import pytest

from haetae.domain.panel import Panel
from haetae.domain.units import instant_at

_BESIDE = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents[2:]]
SHARED = next((folder for folder in _BESIDE if folder.exists()), _BESIDE[0])
BARS = SHARED / "kr_daily_all" / "daily_2019_2023.parquet"
INDEXES = SHARED / "index_daily" / "index_daily_to_2023.parquet"

needs_real_bars = pytest.mark.skipif(not BARS.exists(), reason=f"the real daily bars are not at {BARS}")


@functools.lru_cache(maxsize=1)
def real_daily_panel() -> Panel:
    """Return all symbols 2019-2023; halted days are flat days without trade."""
    import pyarrow.parquet as pq

    table = pq.read_table(BARS)
    names, column = np.unique(table["symbol"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    days, row = np.unique(table["date"].to_numpy(), return_inverse=True)
    shape = (len(days), len(names))
    blocks = {}
    for name in ("open", "high", "low", "close", "volume"):
        block = np.zeros(shape, dtype=np.int64)
        block[row, column] = table[name].to_numpy()
        blocks[name] = block
    traded = (blocks["volume"] > 0) & (blocks["open"] > 0)
    close = blocks["close"]
    for t in range(1, shape[0]):
        close[t] = np.where(close[t] > 0, close[t], close[t - 1])
    for name in ("open", "high", "low"):
        blocks[name] = np.where(traded, blocks[name], close)
    dates = [dt.date.fromisoformat(str(day)) for day in days]
    stamped = np.array([d.year * 10_000 + d.month * 100 + d.day for d in dates], dtype=np.int32)
    start = np.array([instant_at(d, 90_000) for d in dates], dtype=np.int64)
    end = np.array([instant_at(d, 153_000) for d in dates], dtype=np.int64)
    high = np.maximum(blocks["high"], np.maximum(blocks["open"], close))
    low = np.minimum(blocks["low"], np.minimum(blocks["open"], close))
    return Panel(
        tuple(str(name) for name in names),
        stamped,
        start,
        end,
        blocks["open"],
        high,
        low,
        close,
        np.where(traded, blocks["volume"], 0),
        traded,
    )


def real_index(panel: Panel, name: str = "KOSPI") -> np.ndarray:
    """Return index closes (points x 100) on the panel's days, 0 where missing."""
    import pyarrow.parquet as pq

    rows = pq.read_table(INDEXES, filters=[("index", "=", name)]).to_pylist()
    closes = {r["date"].year * 10_000 + r["date"].month * 100 + r["date"].day: round(r["close"] * 100) for r in rows}
    return np.array([closes.get(int(day), 0) for day in panel.days], dtype=np.int64)
