"""Files of statements and delistings: every figure with its day of filing, every share with its own end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from haetae.domain.errors import DataError
from haetae.domain.market import DELISTED
from haetae.store.importer import ImportPlan, ImportReport, import_files
from haetae.store.lake import Lake
from haetae.store.reference import announced_on, instruments_on
from real_bars import SHARED

FILING = {
    "symbol": "005930", "analysis_year": 2021, "report_code": "11011", "rcept_dt": "2022-03-08",
    "revenue": 279e12, "total_equity": 304e12, "roe": 13.9, "auditor": "somebody",
}  # fmt: skip
FIGURE = {"symbol": "005930", "period": 202203, "basis": "quarter", "item": "equity_won", "value": 3.15e14,
          "known_on": "2022-05-16"}  # fmt: skip


def imported(folder: Path, kind: str, rows: list[dict[str, object]], **plan: object) -> tuple[Lake, ImportReport]:
    path = folder / f"{kind}.csv"
    pacsv.write_csv(pa.Table.from_pylist(rows), path)
    lake = Lake(folder / "lake")
    return lake, import_files(lake, ImportPlan(kind, (path,), "test", **plan))  # type: ignore[arg-type]


def test_a_filing_a_row_becomes_a_figure_a_row(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, "fundamentals", [FILING])
    rows = {row["item"]: row for row in lake.read("fundamentals").to_pylist()}
    assert set(rows) == {"sales_won", "equity_won", "roe_pct"}
    assert rows["sales_won"] == {
        "symbol": "005930", "period": 202112, "basis": "year", "item": "sales_won", "value": 279e12,
        "known_on": dt.date(2022, 3, 8),
    }  # fmt: skip
    assert (report.read, report.written, report.unused_columns) == (3, 3, ("auditor",))


@pytest.mark.parametrize(
    ("code", "filed", "period", "basis"),
    [
        ("11011", "2022-03-08", 202112, "year"),
        ("11012", "2021-08-17", 202106, "quarter"),
        ("11013", "2021-05-17", 202103, "quarter"),
        ("11014", "2021-11-15", 202109, "quarter"),
        ("11011", "2021-06-28", 202103, "year"),
        ("11011", "2021-03-30", 202012, "year"),
    ],
)
def test_a_report_names_its_period_and_a_year_that_ends_early_is_seen_by_its_filing(
    tmp_path: Path, code: str, filed: str, period: int, basis: str
) -> None:
    lake, _ = imported(tmp_path, "fundamentals", [{**FILING, "report_code": code, "rcept_dt": filed}])
    assert {(row["period"], row["basis"]) for row in lake.read("fundamentals").to_pylist()} == {(period, basis)}


def test_a_figure_a_row_is_taken_as_it_is_and_columns_can_be_named(tmp_path: Path) -> None:
    lake, _ = imported(tmp_path, "fundamentals", [FIGURE])
    assert lake.read("fundamentals").to_pylist() == [{**FIGURE, "known_on": dt.date(2022, 5, 16)}]
    other = tmp_path / "other"
    other.mkdir()
    renamed = {**{k: v for k, v in FILING.items() if k != "total_equity"}, "capital": 5.0}
    lake, _ = imported(other, "fundamentals", [renamed], mapping={"equity_won": "capital"})
    values = {row["item"]: row["value"] for row in lake.read("fundamentals").to_pylist()}
    assert values["equity_won"] == 5.0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"value": None}, "MISSING_VALUE"),
        ({"known_on": None}, "MISSING_VALUE"),
        ({"period": 202213}, "BAD_PERIOD"),
        ({"basis": "month"}, "BAD_PERIOD"),
        ({"known_on": "2022-03-31"}, "KNOWN_TOO_EARLY"),
    ],
)
def test_a_figure_that_cannot_be_is_kept_out_with_its_reason(
    tmp_path: Path, change: dict[str, object], code: str
) -> None:
    lake, report = imported(tmp_path, "fundamentals", [FIGURE, {**FIGURE, "symbol": "000660", **change}])
    assert report.kept_out == {code: 1}
    assert report.read == report.written + 1
    assert lake.read("fundamentals").column("symbol").to_pylist() == ["005930"]
    (finding,) = lake.read("quality").to_pylist()
    assert (finding["table"], finding["code"]) == ("fundamentals", code)


def test_the_last_of_a_repeated_figure_counts(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, "fundamentals", [FIGURE, {**FIGURE, "value": 1.0}])
    assert lake.read("fundamentals").column("value").to_pylist() == [1.0]
    assert report.kept_out == {"DUPLICATE_KEY": 1}


@pytest.mark.parametrize(
    ("drop", "sign"),
    [(("rcept_dt",), "known_on"), (("analysis_year",), "period"), (("revenue", "total_equity", "roe"), "item")],
)
def test_a_file_without_what_a_selection_needs_is_refused(tmp_path: Path, drop: tuple[str, ...], sign: str) -> None:
    with pytest.raises(DataError) as refusal:
        imported(tmp_path, "fundamentals", [{k: v for k, v in FILING.items() if k not in drop}])
    assert sign in str(refusal.value.next_step)
    assert Lake(tmp_path / "lake").versions() == {}


def test_a_filing_of_tomorrow_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="future"):
        imported(tmp_path, "fundamentals", [FIGURE], today=dt.date(2022, 5, 15))


GONE = {
    "symbol": "036490", "name": "SK머티리얼즈", "market": "KOSDAQ", "secu_group": "주권",
    "listing_date": "1999-12-28", "delisting_date": "2021-12-27", "reason": "피흡수합병",
}  # fmt: skip


def test_a_name_that_left_is_listed_until_its_last_day_and_not_from_then_on(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, "delistings", [GONE])
    (before,) = instruments_on(lake, dt.date(2021, 12, 26))
    assert (before.name, before.listed_on, before.flags) == ("SK머티리얼즈", dt.date(1999, 12, 28), frozenset())
    assert instruments_on(lake, dt.date(2021, 12, 27)) == ()
    (after,) = announced_on(lake, dt.date(2021, 12, 27))
    assert (after.flags, after.as_of) == ({DELISTED}, dt.date(2021, 12, 27))
    assert (report.read, report.written, report.unused_columns) == (1, 2, ("reason",))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secu_group": "신주인수권증권"}, "NOT_A_SHARE"),
        ({"symbol": "A0012345"}, "NOT_A_SHARE"),
        ({"delisting_date": None}, "MISSING_VALUE"),
        ({"delisting_date": "1999-12-28"}, "ENDS_BEFORE_IT_BEGINS"),
    ],
)
def test_what_is_no_share_that_left_is_kept_out(tmp_path: Path, change: dict[str, object], code: str) -> None:
    lake, report = imported(tmp_path, "delistings", [GONE, {**GONE, "symbol": "000660", **change}])
    assert report.kept_out == {code: 1}
    assert set(lake.read("instruments").column("symbol").to_pylist()) == {"036490"}
    assert [row["code"] for row in lake.read("quality").to_pylist()] == [code]


def test_delistings_without_their_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refusal:
        imported(tmp_path, "delistings", [{k: v for k, v in GONE.items() if k != "delisting_date"}])
    assert "as_of" in str(refusal.value.next_step)


def test_the_section_of_a_list_tells_the_state_of_a_name(tmp_path: Path) -> None:
    sections = {"000010": "관리종목(소속부없음)", "000020": "투자주의환기종목(소속부없음)", "000030": "우량기업부",
                "000040": "halted,caution", "000050": None}  # fmt: skip
    rows = [{"symbol": symbol, "name": "이름", "market": "KOSDAQ", "dept": told} for symbol, told in sections.items()]
    lake, _ = imported(tmp_path, "instruments", rows, as_of=dt.date(2022, 1, 3))
    flags = {item.symbol: set(item.flags) for item in instruments_on(lake, dt.date(2022, 1, 3))}
    assert list(flags.values()) == [{"administrative"}, {"caution"}, set(), {"halted", "caution"}, set()]


FILED = SHARED / "kr_fundamentals" / "annual_fy2023.parquet"
LEFT = SHARED / "kr_reference" / "delisting_to_2023.parquet"


@pytest.mark.realdata
@pytest.mark.skipif(not (FILED.exists() and LEFT.exists()), reason=f"the real filings are not at {FILED}")
def test_the_real_filings_and_delistings_are_imported_with_their_own_days(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    filed = import_files(lake, ImportPlan("fundamentals", (FILED,), "filings"))
    assert filed.read == filed.written + sum(filed.kept_out.values())
    days = dict(zip(*(pq.read_table(FILED)[name].to_pylist() for name in ("symbol", "rcept_dt")), strict=True))
    rows = lake.read("fundamentals").to_pylist()
    assert {row["symbol"] for row in rows} == set(days)
    assert all(row["known_on"] == days[row["symbol"]] for row in rows)
    samsung = {row["item"]: row["value"] for row in rows if row["symbol"] == "005930"}
    assert samsung["equity_won"] == 363_677_865_000_000.0
    left = import_files(lake, ImportPlan("delistings", (LEFT,), "delistings"))
    assert left.written >= 3_800
    assert not [item for item in instruments_on(lake, dt.date(2021, 12, 28)) if item.symbol == "036490"]
