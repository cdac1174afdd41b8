"""Files of financial statements → rows of ``fundamentals``: one figure a row, each with the day it became known.

Two shapes are understood: one figure a row (``item``, ``value``), and one filing a row with a column per figure. A
filing of the disclosure system names its year and report, not the month its year ends in; December is taken, or, where
it was filed before that, the newest quarter's end before the filing. Without a day of filing nothing may enter: it is
the one thing a selection of the past needs. Not here: reading files (``columns``), writing (``importer``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.errors import DataError, Text
from haetae.ports.tables import FUNDAMENTALS, QUALITY, TABLES
from haetae.store.columns import LONG_AGO, renamed, with_types
from haetae.store.judgement import Judged, repeated

FIGURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sales_won": ("sales_won", "revenue", "매출액"),
        "operating_profit_won": ("operating_profit_won", "op_income", "영업이익"),
        "net_income_won": ("net_income_won", "net_income", "당기순이익"),
        "assets_won": ("assets_won", "total_asset", "자산총계"),
        "liabilities_won": ("liabilities_won", "total_debt", "부채총계"),
        "equity_won": ("equity_won", "total_equity", "자본총계"),
        "roe_pct": ("roe_pct", "roe"),
        "debt_to_equity_pct": ("debt_to_equity_pct", "debt_ratio", "부채비율"),
        "current_ratio_pct": ("current_ratio_pct", "cur_ratio", "유동비율"),
        "sales_growth_pct": ("sales_growth_pct", "revenue_yoy"),
        "operating_profit_growth_pct": ("operating_profit_growth_pct", "op_income_yoy"),
        "eps_won": ("eps_won", "eps"),
        "bps_won": ("bps_won", "bps"),
    }
)
"""Items and the names under which files of one filing a row carry them."""

_REPORTS = {"11011": ("year", 12), "11012": ("quarter", 6), "11013": ("quarter", 3), "11014": ("quarter", 9)}
"""Codes of the disclosure system (DART): annual, half-year, first and third quarter."""

_YEAR = ("analysis_year", "bsns_year", "사업연도")
_REPORT = ("report_code", "reprt_code")


def statement_rows(rows: pa.Table, mapping: Mapping[str, str]) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the figures of a file, types of the lake, and the names of columns left out."""
    if "item" in mapping or "item" in rows.column_names:
        named, left = renamed("fundamentals", rows, mapping)
        return with_types("fundamentals", named), left
    heads, _ = renamed("fundamentals", rows, {k: v for k, v in mapping.items() if k in FUNDAMENTALS.names})
    heads = with_types("fundamentals", heads)
    for name in ("symbol", "known_on"):
        if name not in heads.column_names:
            raise _incomplete(name, rows)
    found = dict(_figure_columns(rows, mapping))
    if not found:
        raise _incomplete("item", rows)
    if "period" not in heads.column_names:
        heads = _with_period(heads, rows)
    pieces = []
    for item, column in found.items():
        value = pc.cast(rows.column(column), pa.float64())
        pieces.append(
            heads.select(["symbol", "period", "basis", "known_on"])
            .append_column("item", pa.repeat(pa.scalar(item), len(rows)))
            .append_column("value", value)
        )
    used = {*found.values(), *_YEAR, *_REPORT, *(name for each in heads.column_names for name in _sources(each))}
    return pa.concat_tables(pieces), tuple(name for name in rows.column_names if name not in used)


def _sources(column: str) -> tuple[str, ...]:
    return {"known_on": ("known_on", "rcept_dt", "접수일자")}.get(column, (column, "code", "ticker", "종목코드"))


def _figure_columns(rows: pa.Table, mapping: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for item, names in FIGURES.items():
        candidates = (mapping[item],) if item in mapping else names
        column = next((name for name in candidates if name in rows.column_names), None)
        if column is not None:
            yield item, column


def _with_period(heads: pa.Table, rows: pa.Table) -> pa.Table:
    year = next((name for name in _YEAR if name in rows.column_names), None)
    report = next((name for name in _REPORT if name in rows.column_names), None)
    if year is None or report is None:
        raise _incomplete("period", rows)
    periods: list[int | None] = []
    bases: list[str | None] = []
    told = zip(
        rows.column(year).to_pylist(),
        rows.column(report).to_pylist(),
        heads.column("known_on").to_pylist(),
        strict=True,
    )
    for of_year, code, known_on in told:
        basis, month = _REPORTS.get(str(code), (None, 0))
        period = None if basis is None or of_year is None else int(of_year) * 100 + month
        if period is not None and known_on is not None and basis == "year" and known_on <= _end_of(period):
            period = _quarter_before(known_on)
        periods.append(period)
        bases.append(basis)
    heads = heads.drop_columns([name for name in ("basis",) if name in heads.column_names])
    return heads.append_column("period", pa.array(periods, pa.int32())).append_column(
        "basis", pa.array(bases, pa.string())
    )


def _end_of(period: int) -> dt.date:
    year, month = divmod(period, 100)
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def _quarter_before(day: dt.date) -> int:
    year, month = (day.year, (day.month - 1) // 3 * 3) if day.month > 3 else (day.year - 1, 12)
    return year * 100 + month


def judge_statements(rows: pa.Table) -> Judged:
    """Return the figures that may enter, and findings about the others; a row gets the first code that applies."""
    size = len(rows)
    verdict = np.full(size, "", dtype=object)
    symbols, periods = rows.column("symbol").to_pylist(), rows.column("period").to_pylist()
    days, bases = rows.column("known_on").to_pylist(), rows.column("basis").to_pylist()
    values = rows.column("value").to_pylist()
    for k in range(size):
        verdict[k] = _fault(symbols[k], periods[k], bases[k], values[k], days[k])
    keys = TABLES["fundamentals"].keys
    verdict[repeated(rows, keys, verdict == "")] = "DUPLICATE_KEY"
    out = np.flatnonzero(verdict != "")
    shown = rows.take(pa.array(out)).to_pylist()
    findings = quality_rows(
        "fundamentals",
        [row["symbol"] or "" for row in shown],
        [row["known_on"] or LONG_AGO for row in shown],
        verdict[out].tolist(),
        [f"{row['item']} {row['period']} {row['basis']} {row['value']}" for row in shown],
    )
    codes, counts = np.unique(verdict[out].astype(str), return_counts=True)
    kept_out = dict(zip(codes.tolist(), counts.tolist(), strict=True))
    return Judged(rows.filter(pa.array(verdict == "")), findings, kept_out, {})


def _fault(symbol: str | None, period: int | None, basis: str | None, value: float | None, day: dt.date | None) -> str:
    if not symbol or day is None or value is None or not np.isfinite(value):
        return "MISSING_VALUE"
    if basis not in ("year", "quarter") or period is None or not 1 <= period % 100 <= 12 or period < 190001:
        return "BAD_PERIOD"
    return "KNOWN_TOO_EARLY" if day <= _end_of(period) else ""


def quality_rows(
    table: str, symbols: Sequence[str], days: Sequence[dt.date], codes: Sequence[str], details: Sequence[str]
) -> pa.Table:
    """Return findings as rows of the ``quality`` table; of one symbol, day and code the first detail stands."""
    first: dict[tuple[str, dt.date, str], str] = {}
    for symbol, day, code, detail in zip(symbols, days, codes, details, strict=True):
        first.setdefault((symbol, day, code), detail)
    listed = [
        {"day": day, "table": table, "symbol": symbol, "code": code, "detail": detail}
        for (symbol, day, code), detail in first.items()
    ]
    return pa.Table.from_pylist(listed, schema=QUALITY)


def _incomplete(name: str, rows: pa.Table) -> DataError:
    what = {
        "symbol": Text(ko="종목 코드 열", en="a column of symbols"),
        "known_on": Text(
            ko="공시일 열 (known_on, rcept_dt)", en="a column with the day of filing (known_on, rcept_dt)"
        ),
        "period": Text(
            ko="period(yyyymm)와 basis 열, 또는 analysis_year 와 report_code",
            en="columns period (yyyymm) and basis, or analysis_year and report_code",
        ),
        "item": Text(
            ko="item 과 value 열, 또는 항목 이름의 열: " + ", ".join(FIGURES),
            en="columns item and value, or columns of figures: " + ", ".join(FIGURES),
        ),
    }[name]
    return DataError(
        Text(ko="재무 파일에 필요한 열이 없습니다", en="a file of statements lacks a column"),
        expected=what,
        found=", ".join(rows.column_names),
        next_step=Text(ko=f"--map {name}=파일의_열", en=f"--map {name}=COLUMN_OF_THE_FILE"),
    )
