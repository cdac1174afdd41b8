"""Columns of foreign files → columns of the lake: names, types and units, without judgement.

Here: the names other sources use, reading CSV and Parquet, conversion to integers. Not here: what
is wrong with a row (``judgement``), writing (``importer``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from haetae.domain.errors import DataError, Text
from haetae.domain.market import Kind, Market
from haetae.domain.units import KST_OFFSET_NS
from haetae.ports.tables import TABLES

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "symbol": ("symbol", "code", "ticker", "종목코드", "단축코드"),
        "index": ("index", "index_code", "symbol"),
        "day": ("day", "date", "stck_bsop_date", "날짜", "일자"),
        "start": ("start", "ts_utc", "timestamp", "ts_local"),
        "open": ("open", "stck_oprc", "시가"),
        "high": ("high", "stck_hgpr", "고가"),
        "low": ("low", "stck_lwpr", "저가"),
        "close": ("close", "stck_clpr", "종가"),
        "volume": ("volume", "acml_vol", "거래량"),
        "turnover": ("turnover", "value", "amount", "acml_tr_pbmn", "거래대금"),
        "halted": ("halted",),
        "name": ("name", "종목명"),
        "market": ("market", "시장구분"),
        "kind": ("kind",),
        "listed_on": ("listed_on", "listing_date", "first_date", "상장일"),
        "base_price": ("base_price", "기준가"),
        "shares_outstanding": ("shares_outstanding", "shares", "상장주식수"),
        "sector": ("sector", "industry", "업종"),
        "as_of": ("as_of", "date"),
        "flags": ("flags", "dept", "소속부"),
        "period": ("period", "stac_yymm"),
        "known_on": ("known_on", "rcept_dt", "접수일자"),
        "value": ("value", "fear_greed"),
    }
)
"""Names under which known sources carry a column, the first present one counts."""

INDEX_CODES: Mapping[str, str] = MappingProxyType({"KOSPI": "0001", "KOSDAQ": "1001", "KOSPI200": "2001"})
"""Names of indices → codes of the broker; other names stay."""

LONG_AGO = dt.date(1970, 1, 1)
"""Stands for an unknown day of listing."""


_HEAD = 65_536


def read_any(path: Path) -> pa.Table:
    """Return a CSV or Parquet file as a table; raises ``DataError`` if it is neither or damaged.

    Korean sources write CSV in UTF-8 or in CP949; both are understood.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
            raise _unreadable(path, "an HTML or XML page: the source sent a notice instead of the file")
        if path.suffix.lower() == ".csv":
            text = {name: pa.string() for alias in ("symbol", "index") for name in ALIASES[alias]}
            return pacsv.read_csv(
                path,
                read_options=pacsv.ReadOptions(encoding=_encoding(head)),
                convert_options=pacsv.ConvertOptions(column_types=text),
            )
        with pq.ParquetFile(path) as source:
            return source.read()
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as fault:
        raise _unreadable(path, str(fault)) from fault


def _encoding(head: bytes) -> str:
    try:
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return "cp949"
    return "utf-8"


def _unreadable(path: Path, found: str) -> DataError:
    return DataError(
        Text(ko=f"파일을 읽을 수 없습니다: {path}", en=f"the file cannot be read: {path}"),
        expected=Text(ko="온전한 .parquet 또는 .csv 파일", en="a whole .parquet or .csv file"),
        found=" ".join(found.removeprefix("CSV parse error: ").split())[:300],
        next_step=Text(ko="경로를 확인하거나 파일을 다시 받으세요", en="check the path, or fetch the file again"),
    )


def renamed(table: str, rows: pa.Table, mapping: Mapping[str, str]) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the columns of a lake table under their own names, and the names left out.

    ``mapping`` (lake name → name in the file) goes before the known aliases.
    """
    taken: dict[str, str] = {}
    for name in TABLES[table].schema.names:
        candidates = (mapping[name],) if name in mapping else ALIASES.get(name, (name,))
        found = next((each for each in candidates if each in rows.column_names), None)
        if found is not None:
            taken[name] = found
        elif name in mapping:
            raise DataError(
                Text(ko=f"'{mapping[name]}' 열이 파일에 없습니다", en=f"the file has no column '{mapping[name]}'"),
                expected=f"a column for '{name}'",
                found=", ".join(rows.column_names),
                next_step=Text(ko=f"--map {name}=파일의_열 을 고치세요", en=f"mend --map {name}=COLUMN_OF_THE_FILE"),
            )
    unused = tuple(name for name in rows.column_names if name not in taken.values())
    return pa.table({name: rows.column(source) for name, source in taken.items()}), unused


def with_types(table: str, rows: pa.Table) -> pa.Table:
    """Return the columns with the lake's types; index levels become points x 100.

    Text is parsed. Nulls stay for the judgement of rows; a value that is no number at all raises
    ``DataError``. Prices with decimals are rounded to a won.
    """
    schema = TABLES[table].schema
    columns = {}
    for name in rows.column_names:
        column = rows.column(name)
        try:
            columns[name] = _typed(table, name, column, schema.field(name).type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as fault:
            raise DataError(
                Text(ko=f"'{name}' 열을 해석할 수 없습니다", en=f"column '{name}' cannot be understood"),
                expected=str(schema.field(name).type),
                found=str(fault),
                next_step=Text(
                    ko=f"--map {name}=파일의_열 로 다른 열을 주거나 파일을 고치세요",
                    en=f"name another column with --map {name}=…, or mend the file",
                ),
            ) from fault
    return pa.table(columns)


def _typed(table: str, name: str, column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if name == "start":
        return _instants(column)
    if name == "index":
        return pa.chunked_array([_coded(column)])
    if wanted == pa.date32():
        return _days(column)
    if table == "index_daily" and pa.types.is_floating(column.type) and name != "volume":
        return pc.cast(pc.round(pc.multiply(column, 100.0)), wanted)
    if pa.types.is_floating(column.type) and pa.types.is_integer(wanted):
        finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
        return pc.cast(pc.round(finite), wanted)
    return pc.cast(column, wanted)


def _coded(column: pa.ChunkedArray) -> pa.Array:
    names = pc.cast(column, pa.string()).combine_chunks().dictionary_encode()
    codes = pa.array([INDEX_CODES.get(name, name) for name in names.dictionary.to_pylist()], pa.string())
    return codes.take(names.indices)


def _days(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_integer(column.type):
        column = pc.cast(column, pa.string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        plain = pc.replace_substring(pc.utf8_slice_codeunits(column, 0, 10), "-", "")
        return pc.cast(pc.strptime(plain, format="%Y%m%d", unit="s"), pa.date32())
    return pc.cast(column, pa.date32(), safe=False)


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_integer(column.type):
        return pc.cast(column, pa.int64())
    naive = column.type.tz is None
    nanoseconds = pc.cast(pc.cast(column, pa.timestamp("ns", column.type.tz)), pa.int64())
    return pc.subtract(nanoseconds, KST_OFFSET_NS) if naive else nanoseconds


def kind_of(symbol: str, name: str, market: str) -> Kind:
    """Return what a listed name most likely is, for sources that do not say.

    KRX short codes of common shares end in 0; the other lines of an issuer are preferred shares.
    Names tell SPACs (스팩, 기업인수목적) and REITs (리츠). A source that knows should be believed instead.
    """
    if "스팩" in name or "기업인수목적" in name:
        return Kind.SPAC
    if name.endswith("리츠"):
        return Kind.REIT
    if market in ("ETF", "ETN"):
        return Kind[market]
    return Kind.COMMON if symbol.endswith("0") else Kind.PREFERRED


def instrument_columns(rows: pa.Table, as_of: dt.date | None) -> pa.Table:
    """Return rows with market, kind, day of listing and ``as_of`` filled where the source is silent.

    Without ``as_of`` (column or argument) a name is known from its day of listing on.
    """
    size = len(rows)
    columns = {name: rows.column(name) for name in rows.column_names}
    markets = [market_of(value) for value in columns["market"].to_pylist()] if "market" in columns else ["KOSPI"] * size
    columns["market"] = pa.array(markets, pa.string())
    if "kind" not in columns:
        names = columns["name"].to_pylist()
        symbols = columns["symbol"].to_pylist()
        kinds = [kind_of(s, n or "", m).value for s, n, m in zip(symbols, names, markets, strict=True)]
        columns["kind"] = pa.array(kinds, pa.string())
    if "listed_on" not in columns:
        columns["listed_on"] = pa.array(np.full(size, 0, dtype=np.int32)).view(pa.date32())
    columns["listed_on"] = pc.fill_null(columns["listed_on"], pa.scalar(LONG_AGO, pa.date32()))
    if as_of is not None:
        columns["as_of"] = pa.array([as_of] * size, pa.date32())
    elif "as_of" not in columns:
        columns["as_of"] = columns["listed_on"]
    for name in ("name", "sector", "flags"):
        if name in columns:
            columns[name] = pc.fill_null(columns[name], "")
    if "flags" in columns:
        coded = columns["flags"].combine_chunks().dictionary_encode()
        words = pa.array([_flags_in(value) for value in coded.dictionary.to_pylist()], pa.string())
        columns["flags"] = words.take(coded.indices)
    return pa.table(columns)


_DEPARTMENTS: Mapping[str, str] = MappingProxyType({"관리종목": "administrative", "투자주의환기": "caution"})
"""Sections of KOSDAQ that are a state of the name; the others only tell its size or its trade."""


def _flags_in(value: str) -> str:
    """Return status words: given as such, or told by the section (소속부) a name is listed in."""
    words = value.split(",")
    if all(re.fullmatch("[a-z_]+", word) for word in words):
        return value
    return ",".join(flag for section, flag in _DEPARTMENTS.items() if section in value)


def market_of(value: str | None) -> str:
    """Return the market that a source's word means; KOSPI where it says nothing that is known."""
    known = {market.value for market in Market}
    first = (value or "").split(" ")[0]
    return first if first in known else Market.KOSPI.value
