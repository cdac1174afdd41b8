"""The fourteen factors as Polars expressions on one thread, from a Parquet file to columns.

Two forms, since which is faster depends on the release: windows within each symbol (``over``), and windows over
the whole column, those that reach into the symbol before struck out.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factoring.recipe import FIELDS
from haetae.domain.panel import Panel
from haetae.features import factors

FORMS = ("over", "whole")


def write_rows(panel: Panel, path: Path) -> None:
    """Write the bars as rows sorted by symbol and day, with the place of the day in its symbol."""
    rows, symbols = panel.close.shape
    keys = {
        "symbol": np.repeat(np.arange(symbols, dtype=np.int32), rows),
        "place": np.tile(np.arange(rows, dtype=np.int32), symbols),
    }
    pl.DataFrame(keys | {name: getattr(panel, name).T.ravel() for name in FIELDS}).write_parquet(path)


def compute(path: Path, form: str) -> NDArray[np.float32]:
    """Return ``(n_rows * n_symbols, 14)`` in the order of the file."""
    kept = {spec.name: spec.look_back for spec in factors.SET.specs}
    close, place = pl.col("close"), pl.col("place")

    def within(value: pl.Expr, name: str) -> pl.Expr:
        if form == "over":
            return value.over("symbol")
        return pl.when(place >= kept[name]).then(value)

    def together(name: str, left: str, right: str, days: int) -> pl.Expr:
        return within(pl.rolling_corr(pl.col(left), pl.col(right), window_size=days), name)

    before = {name: pl.col(name).shift(1) for name in ("close", "volume")}
    if form == "over":
        before = {name: value.over("symbol") for name, value in before.items()}
    rise = pl.rolling_cov(place, close, window_size=15) / (15 * 16 / 12)
    line = close.rolling_mean(15) + rise * 7
    frame = (
        pl.scan_parquet(path)
        .with_columns(pl.col("place", *FIELDS).cast(pl.Float64))
        .with_columns(
            log_volume=(pl.col("volume") + 1).log(),
            ratio=close / before["close"],
            surge=(pl.col("volume") / before["volume"] + 1).log(),
        )
        .with_columns(moved=(pl.col("ratio") - 1).abs() * pl.col("volume"))
        .select(
            resi_15=within(close - line, "resi_15") / close,
            wvma_5=within(pl.col("moved").rolling_std(5) / (pl.col("moved").rolling_mean(5) + 1e-12), "wvma_5"),
            rsqr_5=together("rsqr_5", "close", "place", 5) ** 2,
            klen=(pl.col("high") - pl.col("low")) / pl.col("open"),
            rsqr_10=together("rsqr_10", "close", "place", 10) ** 2,
            corr_5=together("corr_5", "close", "log_volume", 5),
            cord_5=together("cord_5", "ratio", "surge", 5),
            corr_10=together("corr_10", "close", "log_volume", 10),
            rsqr_20=together("rsqr_20", "close", "place", 20) ** 2,
            cord_60=together("cord_60", "ratio", "surge", 60),
            cord_10=together("cord_10", "ratio", "surge", 10),
            corr_20=together("corr_20", "close", "log_volume", 20),
            klow=(pl.min_horizontal("open", "close") - pl.col("low")) / pl.col("open"),
            std_5=within(close.rolling_std(5), "std_5") / close,
        )
        .with_columns(pl.all().cast(pl.Float32).fill_null(np.nan))
    )
    return frame.collect().to_numpy()
