"""Which imported bars may enter the lake, which are mended, which are kept out, and why.

Vectorised over the rows of one file. Kept out (quarantined): no value, no such symbol, not a
trading day, no price, prices that do not enclose one another. Mended: an open or close outside
``[low, high]`` by at most ``ohlc_tolerance_bp``, the trace that price adjustment leaves when each
column is rounded by itself; the range is widened. Days with a close and nothing else are halts.
Every finding becomes a row of the ``quality`` table. Not here: what only a series can tell
(gaps, jumps; see ``haetae.collector.quality``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import BoolArray, Int64Array
from haetae.krx.calendar import is_trading_day
from haetae.ports.tables import QUALITY, TABLES
from haetae.store.merge import row_codes

_PRICES = ("open", "high", "low", "close")
_SYMBOL = re.compile(r"[0-9A-Z]{6}")
_NO_DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows that may enter, findings for the quality table, and how often each code was given."""

    rows: pa.Table
    findings: pa.Table
    kept_out: Mapping[str, int]
    mended: Mapping[str, int]


def judge_bars(table: str, rows: pa.Table, *, ohlc_tolerance_bp: int) -> Judged:
    """Return the bars of ``daily``, ``daily_adjusted``, ``minute`` or ``index_daily`` that may enter, and all findings.

    A row gets the first code that applies, in the order of the checks below.
    """
    key = TABLES[table].keys[0]
    size = len(rows)
    verdict = np.full(size, "", dtype=object)

    def give(code: str, where: BoolArray) -> None:
        verdict[where & (verdict == "")] = code

    give("MISSING_VALUE", _nulls(rows))
    if key == "symbol":
        give("BAD_SYMBOL", ~_per_value(rows.column("symbol"), lambda name: bool(_SYMBOL.fullmatch(name or ""))))
    if table != "index_daily":
        give("NOT_A_TRADING_DAY", ~_per_value(rows.column("day"), _may_trade))
    bars = {name: _filled(rows, name) for name in (*_PRICES, "volume")}
    give("NEGATIVE_VOLUME", bars["volume"] < 0)
    give("NO_CLOSE", bars["close"] <= 0)
    idle = (bars["open"] == 0) & (bars["high"] == 0) & (bars["low"] == 0) & (bars["volume"] == 0)
    for name in ("open", "high", "low"):
        bars[name] = np.where(idle, bars["close"], bars[name])
    give("ZERO_PRICE", np.minimum.reduce([bars[name] for name in _PRICES]) <= 0)
    top = np.maximum(bars["open"], bars["close"])
    bottom = np.minimum(bars["open"], bars["close"])
    off = np.maximum(top - bars["high"], bars["low"] - bottom)
    give("OHLC_BROKEN", off * 10_000 > bars["close"] * ohlc_tolerance_bp)
    give("DUPLICATE_KEY", repeated(rows, TABLES[table].keys, verdict == ""))
    mended = (off > 0) & (verdict == "")
    details = _details(rows, np.flatnonzero((verdict != "") | mended))
    bars["high"] = np.maximum(bars["high"], top)
    bars["low"] = np.minimum(bars["low"], bottom)
    out = rows
    for name in _PRICES:
        out = out.set_column(out.column_names.index(name), name, pa.array(bars[name]))
    if "halted" in TABLES[table].schema.names:
        halted = idle | (_flags(rows) if "halted" in rows.column_names else idle)
        out = out.drop_columns(["halted"]) if "halted" in out.column_names else out
        out = out.append_column("halted", pa.array(halted))
    codes = np.where(mended, "OHLC_MENDED", verdict)
    return Judged(
        out.filter(pa.array(verdict == "")),
        _findings(table, rows, codes, details),
        _counts(verdict[verdict != ""]),
        {"OHLC_MENDED": int(mended.sum())} if mended.any() else {},
    )


def _nulls(rows: pa.Table) -> BoolArray:
    mask = np.zeros(len(rows), dtype=np.bool_)
    for name in rows.column_names:
        if rows.column(name).null_count:
            mask |= rows.column(name).is_null().to_numpy()
    return mask


def _filled(rows: pa.Table, name: str) -> Int64Array:
    if name not in rows.column_names:
        return np.zeros(len(rows), dtype=np.int64)
    return pc.fill_null(rows.column(name), 0).to_numpy()


def _flags(rows: pa.Table) -> BoolArray:
    return pc.fill_null(rows.column("halted"), pa.scalar(value=False)).to_numpy()


def _per_value(column: pa.ChunkedArray, test: Callable[[Any], bool]) -> BoolArray:
    encoded = column.combine_chunks().dictionary_encode()
    passed = np.array([test(value) for value in encoded.dictionary.to_pylist()] or [False], dtype=np.bool_)
    return passed[pc.fill_null(encoded.indices, 0).to_numpy()]


def _may_trade(day: dt.date) -> bool:
    try:
        return is_trading_day(day)
    except MarketRuleError:
        return True


def repeated(rows: pa.Table, keys: tuple[str, ...], sound: BoolArray) -> BoolArray:
    """Return the sound rows whose key comes again in a sound row further down: the last one counts."""
    mask = np.zeros(len(rows), dtype=np.bool_)
    where = np.flatnonzero(sound)
    codes = row_codes(rows.select(list(keys)).take(pa.array(where)), keys)
    if len(codes) > 1 and not bool(np.all(codes[1:] > codes[:-1])):
        order = np.argsort(codes, kind="stable")
        again = codes[order][1:] == codes[order][:-1]
        mask[where[order[:-1][again]]] = True
    return mask


def _details(rows: pa.Table, where: Int64Array) -> list[str]:
    names = [name for name in (*_PRICES, "volume") if name in rows.column_names]
    shown = rows.select(names).take(pa.array(where)).to_pylist()
    return [" ".join(f"{name}={value}" for name, value in row.items()) for row in shown]


def _findings(table: str, rows: pa.Table, codes: NDArray[np.object_], details: list[str]) -> pa.Table:
    where = pa.array(np.flatnonzero(codes != ""))
    count = len(where)
    key = TABLES[table].keys[0]
    days = pc.fill_null(rows.column("day").take(where), pa.scalar(_NO_DAY, pa.date32()))
    symbols = pc.fill_null(rows.column(key).take(where), "")
    return pa.table(
        {
            "day": days,
            "table": pa.array([table] * count, pa.string()),
            "symbol": symbols,
            "code": pa.array(codes[codes != ""].tolist(), pa.string()),
            "detail": pa.array(details, pa.string()),
        }
    ).cast(pa.schema([pa.field(field.name, field.type) for field in QUALITY]))


def _counts(codes: NDArray[np.object_]) -> dict[str, int]:
    names, numbers = np.unique(codes.astype(str), return_counts=True)
    return {str(name): int(number) for name, number in zip(names, numbers, strict=True)}
