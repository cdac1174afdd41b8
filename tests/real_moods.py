"""Fear & greed on the real history beside the checkout, and how it stands to stress, CNN and VIX.

    PYTHONPATH=src .venv/bin/python tests/real_moods.py

writes the record that the page's tables are made from; a test compares it with the data where they are.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

from haetae.domain.units import day_from, yyyymmdd
from haetae.features import feargreed
from haetae.features.feargreed import NAMES, FearGreed, MoodInputs
from real_bars import INDEXES, SHARED, real_daily_panel

RECORD = Path(__file__).parent / "golden" / "feargreed.json"
FUNDS = SHARED / "kr_etf_daily" / "daily_1985_2023.parquet"
CNN = SHARED / "fear_greed" / "cnn_fear_greed_2011_2023.parquet"
BEFORE = dt.date(2017, 1, 1)
OWN_FROM = dt.date(2021, 2, 1)
STOCKS_FROM = dt.date(2019, 4, 15)
"""Since when what the stocks tell is in it; before, the index and the havens stand alone."""

WINDOWS = (
    ("2020-03", dt.date(2020, 3, 2), dt.date(2020, 3, 31)),
    ("2022-06", dt.date(2022, 6, 13), dt.date(2022, 6, 30)),
    ("2019-08", dt.date(2019, 8, 1), dt.date(2019, 8, 30)),
    ("2022-01", dt.date(2022, 1, 17), dt.date(2022, 2, 15)),
    ("2020-08", dt.date(2020, 7, 20), dt.date(2020, 8, 14)),
    ("2020-12", dt.date(2020, 12, 1), dt.date(2021, 1, 15)),
)
"""Stretches of stress and of calm, by the news of the time and not by the index."""


def _series(path: Path, day: str, value: str, **only: str) -> dict[dt.date, float]:
    import pyarrow.parquet as pq

    rows = pq.read_table(path, filters=[(name, "=", wanted) for name, wanted in only.items()] or None)
    return dict(zip(rows[day].to_pylist(), rows[value].to_pylist(), strict=True))


def _known_before(days: list[dt.date], series: dict[dt.date, float]) -> np.ndarray:
    """Return for each day the newest value of an earlier day, at most a week old."""
    known = sorted(series)
    place = np.searchsorted(np.array(known), np.array(days)) - 1
    fresh = [at >= 0 and (day - known[at]).days <= 7 for day, at in zip(days, place.tolist(), strict=True)]
    return np.array([series[known[at]] if is_fresh else np.nan for at, is_fresh in zip(place, fresh, strict=True)])


@functools.lru_cache(maxsize=1)
def real_mood() -> tuple[MoodInputs, FearGreed]:
    """Return the inputs and the index; breadth begins in 2019, the index and the havens before."""
    panel = real_daily_panel()
    kospi = _series(INDEXES, "date", "close", index="KOSPI")
    days = sorted({day for day in kospi if day >= BEFORE} | {day_from(int(day)) for day in panel.days})
    bond = _series(FUNDS, "date", "close", symbol="152380")
    inputs = MoodInputs(
        days=np.array([yyyymmdd(day) for day in days], dtype=np.int32),
        panel=panel,
        index_close=np.array([kospi.get(day, np.nan) for day in days]),
        bond_close=np.array([float(bond.get(day, np.nan)) for day in days]),
        dollar_close=_known_before(days, _series(INDEXES, "date", "close", index="USDKRW")),
    )
    return inputs, feargreed.build(inputs)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    return round(float(np.corrcoef(one[both], other[both])[0, 1]), 2)


def _change(values: np.ndarray, days: int) -> np.ndarray:
    return np.concatenate([np.full(days, np.nan), values[days:] - values[:-days]])


def measured() -> dict[str, Any]:
    """Return every figure of the page."""
    inputs, mood = real_mood()
    days = [day_from(int(day)) for day in inputs.days]
    at = np.array(days)
    kospi = inputs.index_close
    assert kospi is not None
    cnn = _known_before(days, _series(CNN, "date", "fear_greed"))
    vix = _known_before(days, _series(INDEXES, "date", "close", index="VIX"))
    windows = []
    for name, first, last in WINDOWS:
        rows = (at >= first) & (at <= last)
        missing = [part for c, part in enumerate(NAMES) if not np.isfinite(mood.ranks[rows, c]).any()]
        windows.append(
            {
                "name": name, "first": str(first), "last": str(last),
                "mean": round(float(mood.value[rows].mean()), 1), "low": round(float(mood.value[rows].min()), 1),
                "high": round(float(mood.value[rows].max()), 1), "cnn": round(float(np.nanmean(cnn[rows])), 1),
                "kospi_pct": round(100 * float(kospi[rows][-1] / kospi[np.flatnonzero(rows)[0] - 1] - 1), 1),
                "missing": missing,
            }
        )  # fmt: skip
    valued = np.isfinite(mood.value)
    spans = {
        "2019-04 ~ 2021-01": valued & (at >= STOCKS_FROM) & (at < OWN_FROM),
        "2021-02 ~ 2022-12": valued & (at >= OWN_FROM) & (at < dt.date(2023, 1, 1)),
        "2023": valued & (at >= dt.date(2023, 1, 1)),
    }
    ties = []
    for name, rows in spans.items():
        value = np.where(rows, mood.value, np.nan)
        ties.append(
            {
                "span": name, "days": int(rows.sum()), "mean": round(float(np.nanmean(value)), 1),
                "cnn": _correlation(value, cnn),
                "vix_1d": _correlation(_change(value, 1), _change(np.log(vix), 1)),
                "vix_20d": _correlation(_change(value, 20), _change(np.log(vix), 20)),
                "vix": _correlation(value, np.log(vix)),
            }
        )  # fmt: skip
    first = int(np.flatnonzero(valued)[0])
    return {"first_value": str(days[first]), "last": str(days[-1]), "windows": windows, "ties": ties}


def recorded() -> dict[str, Any]:
    """Return the figures that the page shows."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    RECORD.write_text(json.dumps(measured(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
