"""Files of delistings → states of names: listed on one day, gone on another.

So a list of names that was drawn up later, from survivors, gets those that are missing from it back, each from its own
listing to its own end. Only shares are taken: rights, warrants, beneficiary certificates and funds that ended are kept
out. A name is known to be gone on its day of delisting, not before. Not here: writing (``importer``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from haetae.domain.errors import DataError, Text
from haetae.domain.market import DELISTED, Kind
from haetae.ports.tables import TABLES
from haetae.store.columns import LONG_AGO, kind_of, market_of, with_types
from haetae.store.judgement import Judged
from haetae.store.statement_files import quality_rows

_COLUMNS = {
    "symbol": ("symbol", "code", "종목코드"),
    "name": ("name", "종목명"),
    "market": ("market", "시장구분"),
    "group": ("secu_group", "증권구분"),
    "listed_on": ("listing_date", "listed_on", "상장일"),
    "as_of": ("delisting_date", "delisted_on", "폐지일"),
}
_NEEDED = ("symbol", "listed_on", "as_of")
_SHARES = frozenset({"", "주권", "외국주권", "주식예탁증권", "부동산투자회사"})
_SYMBOL = re.compile(r"[0-9A-Z]{6}")


def departure_rows(rows: pa.Table, mapping: Mapping[str, str]) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the columns of a file of delistings under the names used here, and the names left out."""
    names = {
        name: next(
            (each for each in ((mapping[name],) if name in mapping else known) if each in rows.column_names), None
        )
        for name, known in _COLUMNS.items()
    }
    lacking = [name for name in _NEEDED if names[name] is None]
    if lacking:
        raise DataError(
            Text(ko="상장폐지 파일에 필요한 열이 없습니다", en="a file of delistings lacks a column"),
            expected=", ".join("/".join(_COLUMNS[name]) for name in lacking),
            found=", ".join(rows.column_names),
            next_step=Text(ko=f"--map {lacking[0]}=파일의_열", en=f"--map {lacking[0]}=COLUMN_OF_THE_FILE"),
        )
    taken = {name: column for name, column in names.items() if column is not None}
    group = rows.column(taken.pop("group")) if "group" in taken else None
    found = with_types("instruments", pa.table({name: rows.column(column) for name, column in taken.items()}))
    if group is not None:
        found = found.append_column("group", group.cast(pa.string()))
    used = {column for column in names.values() if column is not None}
    return found, tuple(name for name in rows.column_names if name not in used)


def judge_departures(rows: pa.Table) -> Judged:
    """Return two states of each share that left, and findings about the rows that are none."""
    given = rows.to_pylist()
    verdict = np.array([_fault(row) for row in given] or [""], dtype=object)[: len(given)]
    sound = [row for row, fault in zip(given, verdict, strict=True) if not fault]
    states = [state for row in sound for state in _states(row)]
    bad = [(row, fault) for row, fault in zip(given, verdict, strict=True) if fault]
    findings = quality_rows(
        "instruments",
        [str(row["symbol"] or "") for row, _ in bad],
        [row["as_of"] or row["listed_on"] or LONG_AGO for row, _ in bad],
        [fault for _, fault in bad],
        [f"{row.get('name') or ''} {row.get('group') or ''}".strip() for row, _ in bad],
    )
    kept_out = {code: int((verdict == code).sum()) for code in sorted(set(verdict.tolist()) - {""})}
    unique = {(state["symbol"], state["as_of"]): state for state in states}
    schema = TABLES["instruments"].schema
    return Judged(pa.Table.from_pylist([unique[key] for key in sorted(unique)], schema=schema), findings, kept_out, {})


def _fault(row: Mapping[str, object]) -> str:
    if row["as_of"] is None or row["listed_on"] is None or not row["symbol"]:
        return "MISSING_VALUE"
    if str(row.get("group") or "") not in _SHARES or not _SYMBOL.fullmatch(str(row["symbol"])):
        return "NOT_A_SHARE"
    return "ENDS_BEFORE_IT_BEGINS" if row["as_of"] <= row["listed_on"] else ""  # type: ignore[operator]


def _states(row: Mapping[str, object]) -> list[dict[str, object]]:
    symbol, name = str(row["symbol"]), str(row.get("name") or "")
    market = market_of(str(row.get("market") or ""))
    kind = Kind.REIT if row.get("group") == "부동산투자회사" else kind_of(symbol, name, market)
    state: dict[str, object] = {
        "symbol": symbol,
        "name": name,
        "market": market,
        "kind": kind.value,
        "listed_on": row["listed_on"],
        "base_price": 0,
        "shares_outstanding": 0,
        "sector": "",
        "lot": 1,
    }
    return [
        {**state, "flags": "", "as_of": row["listed_on"]},
        {**state, "flags": DELISTED, "as_of": row["as_of"]},
    ]
