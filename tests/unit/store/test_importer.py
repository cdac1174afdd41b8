"""Imported rows enter, are mended, or are kept out with a reason; none disappears."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError, DataError
from haetae.store.importer import ImportPlan, ImportReport, Prices, import_files
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on, quality_lines

DAY = "2023-03-06"
GOOD = {"symbol": "005930", "date": DAY, "open": 100, "high": 110, "low": 90, "close": 105, "volume": 7}


def imported(tmp_path: Path, rows: list[dict[str, object]], **plan: object) -> tuple[Lake, ImportReport]:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    lake = Lake(tmp_path / "lake")
    return lake, import_files(lake, ImportPlan("daily", (path,), "test", **plan))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"symbol": "5930"}, "BAD_SYMBOL"),
        ({"close": None}, "MISSING_VALUE"),
        ({"date": "2023-03-05"}, "NOT_A_TRADING_DAY"),
        ({"volume": -1}, "NEGATIVE_VOLUME"),
        ({"close": 0}, "NO_CLOSE"),
        ({"open": 0}, "ZERO_PRICE"),
        ({"high": 80}, "OHLC_BROKEN"),
        ({"low": 104}, "OHLC_BROKEN"),
    ],
)
def test_a_bad_row_is_kept_out_and_recorded_with_its_reason(tmp_path: Path, fault, code) -> None:
    rows = [GOOD, {**GOOD, "symbol": "000660", **fault}]
    lake, report = imported(tmp_path, rows)
    assert report.kept_out == {code: 1}
    assert lake.read("daily").column("symbol").to_pylist() == ["005930"]
    (found,) = lake.read("quality").to_pylist()
    assert (found["table"], found["code"]) == ("daily", code)
    assert f"close={rows[1]['close']}" in found["detail"]


def test_adjustment_rounding_is_mended_by_widening_the_range(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, [{**GOOD, "open": 10_000, "high": 10_003, "low": 9_878, "close": 10_004}])
    (row,) = lake.read("daily").to_pylist()
    assert (row["high"], row["low"], row["close"]) == (10_004, 9_878, 10_004)
    assert report.mended == {"OHLC_MENDED": 1}
    assert quality_lines(lake)[0].code == "OHLC_MENDED"


def test_a_halted_day_carries_its_close_in_all_prices(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, [{**GOOD, "open": 0, "high": 0, "low": 0, "volume": 0}])
    (row,) = lake.read("daily").to_pylist()
    assert (row["open"], row["high"], row["low"], row["close"], row["halted"]) == (105, 105, 105, 105, True)
    assert not report.kept_out


def test_the_last_of_repeated_rows_counts_and_the_others_are_recorded(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, [GOOD, {**GOOD, "close": 106}])
    assert lake.read("daily").column("close").to_pylist() == [106]
    assert report.kept_out == {"DUPLICATE_KEY": 1}


def test_a_bad_repetition_does_not_push_out_the_good_row(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, [GOOD, {**GOOD, "high": 50}])
    assert lake.read("daily").column("close").to_pylist() == [105]
    assert report.kept_out == {"OHLC_BROKEN": 1}


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    _, first = imported(tmp_path, [GOOD])
    _, second = imported(tmp_path, [GOOD])
    assert first.version == second.version == 1


def test_adjusted_prices_and_missing_delisted_names_are_noted(tmp_path: Path) -> None:
    rows = [{**GOOD, "symbol": symbol, "date": day} for symbol in ("005930", "000660") for day in ("2021-03-08", DAY)]
    lake, _ = imported(tmp_path, rows, prices=Prices.ADJUSTED, note="From a portal.")
    assert lake.versions() == {"daily_adjusted": 1}
    assert lake.read("daily_adjusted").column("adjusted").to_pylist() == [True] * 4
    said = lake.notes("daily_adjusted")["test"]
    assert said.startswith("adjusted prices. From a portal. Survivorship bias: 2 of 2")


def test_raw_and_adjusted_prices_of_one_day_stay_apart(tmp_path: Path) -> None:
    imported(tmp_path, [{**GOOD, "high": 200}], prices=Prices.ADJUSTED)
    lake, report = imported(tmp_path, [{**GOOD, "high": 300}, {**GOOD, "symbol": "000660", "high": 1}])
    assert lake.read("daily").column("high").to_pylist() == [300]
    assert lake.read("daily_adjusted").column("high").to_pylist() == [200]
    assert [(line.table, line.code) for line in quality_lines(lake)] == [("daily", "OHLC_BROKEN")]
    assert report.table == "daily"


@pytest.mark.parametrize("prices", list(Prices))
def test_a_file_whose_own_basis_is_the_other_one_is_refused(tmp_path: Path, prices: Prices) -> None:
    rows = [GOOD | {"adjusted": prices is Prices.ADJUSTED}, {**GOOD, "symbol": "000660", "adjusted": True}]
    rows[1]["adjusted"] = prices is not Prices.ADJUSTED
    with pytest.raises(DataError, match=f"holds {prices.value} prices only") as refused:
        imported(tmp_path, rows, prices=prices)
    assert "1 of 2 rows" in refused.value.found
    assert not (tmp_path / "lake").exists()


def test_other_names_and_text_columns_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "wire.csv"
    wire = {"symbol": "005930", "stck_bsop_date": "20230306", "stck_oprc": "100", "stck_hgpr": "110",
            "stck_lwpr": "90", "stck_clpr": "105", "acml_vol": "7", "acml_tr_pbmn": "735", "mod_yn": "N"}  # fmt: skip
    pacsv.write_csv(pa.table({name: pa.array([value]) for name, value in wire.items()}), path)
    lake = Lake(tmp_path / "lake")
    report = import_files(lake, ImportPlan("daily", (path,), "kis"))
    (row,) = lake.read("daily").to_pylist()
    assert (row["symbol"], row["day"], row["close"], row["turnover"]) == ("005930", dt.date(2023, 3, 6), 105, 735)
    assert report.unused_columns == ("mod_yn",)


def test_a_mapping_goes_before_the_known_names(tmp_path: Path) -> None:
    lake, _ = imported(tmp_path, [{**GOOD, "adj_close": 101}], mapping={"close": "adj_close"})
    assert lake.read("daily").column("close").to_pylist() == [101]


@pytest.mark.parametrize(
    ("rows", "plan", "error"),
    [
        ([{"symbol": "005930", "date": DAY}], {}, ConfigError),
        ([{**GOOD, "close": "cheap"}], {}, DataError),
        ([GOOD], {"mapping": {"close": "nowhere"}}, DataError),
        ([GOOD, {**GOOD, "date": "2023-03-08"}], {"today": dt.date(2023, 3, 7)}, DataError),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path, rows, plan, error) -> None:
    with pytest.raises(error):
        imported(tmp_path, rows, **plan)
    assert not (tmp_path / "lake").exists()


def whole_file(ending: str) -> bytes:
    sink = pa.BufferOutputStream()
    rows = pa.Table.from_pylist([{**GOOD, "symbol": f"{number:06d}"} for number in range(200)])
    (pq.write_table if ending == "parquet" else pacsv.write_csv)(rows, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("ending", "spoilt", "sign"),
    [
        ("parquet", lambda whole: b"", "size"),
        ("parquet", lambda whole: b"PAR1 and then nothing", "magic"),
        ("parquet", lambda whole: whole[: len(whole) // 2], "magic"),
        ("parquet", lambda whole: b"\r\n<!DOCTYPE html><p>Login</p>", "HTML"),
        ("csv", lambda whole: b"", "mpty"),
        ("csv", lambda whole: whole[:-15], "columns"),
        ("csv", lambda whole: whole[:2000] + b'"\x00\n' + whole[2000:], "columns"),
        ("csv", lambda whole: b"\xef\xbb\xbf<html><body>503</body></html>", "HTML"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_reason(tmp_path: Path, ending: str, spoilt, sign: str) -> None:
    path = tmp_path / f"bad.{ending}"
    path.write_bytes(spoilt(whole_file(ending)))
    with pytest.raises(DataError, match=rf"bad\.{ending}") as refused:
        import_files(Lake(tmp_path / "lake"), ImportPlan("daily", (path,), "test"))
    assert sign in refused.value.found
    assert "\n" not in refused.value.found
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_csv_of_korean_sources_is_understood_in_both_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "krx.CSV"
    path.write_bytes(
        "종목코드,날짜,시가,고가,저가,종가,거래량\r\n005930,20230306,100,110,90,105,7\r\n".encode(encoding)
    )
    lake = Lake(tmp_path / "lake")
    assert import_files(lake, ImportPlan("daily", (path,), "krx")).written == 1
    assert lake.read("daily").to_pylist()[0]["symbol"] == "005930"


def test_days_of_today_enter_and_those_of_tomorrow_name_the_first_step(tmp_path: Path) -> None:
    assert imported(tmp_path, [GOOD], today=dt.date(2023, 3, 6))[1].written == 1
    with pytest.raises(DataError, match="days in the future") as refused:
        imported(tmp_path, [GOOD], today=dt.date(2023, 3, 5))
    assert refused.value.found == "2023-03-06 (1 of 1 rows)"
    assert "--map day=" in str(refused.value.next_step)


def test_index_levels_become_hundredths_of_a_point_under_the_code_of_the_index(tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    level = {"index": "KOSPI", "date": DAY, "open": 2450.11, "high": 2460.0, "low": 2440.5, "close": 2462.62}
    pq.write_table(pa.Table.from_pylist([level]), path)
    lake = Lake(tmp_path / "lake")
    import_files(lake, ImportPlan("index_daily", (path,), "test"))
    (row,) = lake.read("index_daily").to_pylist()
    assert (row["index"], row["open"], row["high"], row["close"]) == ("0001", 245_011, 246_262, 246_262)


def test_instruments_are_known_from_their_listing_on(tmp_path: Path) -> None:
    path = tmp_path / "names.parquet"
    names = [
        {"symbol": "000660", "name": "하이닉스", "market": "KOSPI", "listing_date": dt.date(1996, 12, 26)},
        {"symbol": "00088K", "name": "한화3우B", "market": "KOSPI", "listing_date": dt.date(2016, 10, 19)},
        {"symbol": "400000", "name": "어떤스팩1호", "market": "KOSDAQ GLOBAL", "listing_date": dt.date(2023, 3, 7)},
    ]
    pq.write_table(pa.Table.from_pylist(names), path)
    lake = Lake(tmp_path / "lake")
    import_files(lake, ImportPlan("instruments", (path,), "test"))
    assert [each.symbol for each in instruments_on(lake, dt.date(2023, 3, 6))] == ["000660", "00088K"]
    kinds = {each.symbol: (each.kind.value, each.market.value) for each in instruments_on(lake, dt.date(2023, 3, 7))}
    assert kinds == {
        "000660": ("common", "KOSPI"), "00088K": ("preferred", "KOSPI"), "400000": ("spac", "KOSDAQ")
    }  # fmt: skip


prices = st.integers(0, 300)
bar_rows = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["005930", "000660", "bad"]),
        "date": st.sampled_from(["2023-03-05", "2023-03-06", "2023-03-07"]),
        "open": prices,
        "high": prices,
        "low": prices,
        "close": prices | st.none(),
        "volume": st.integers(-1, 5),
    }
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(bar_rows, min_size=1, max_size=12))
def test_every_row_read_is_written_or_recorded_and_what_is_written_is_sane(fresh, rows) -> None:
    lake, report = imported(fresh(), rows)
    assert report.read == len(rows) == report.written + sum(report.kept_out.values())
    kept = lake.read("daily")
    assert len(kept) == report.written
    for row in kept.to_pylist():
        assert 0 < row["low"] <= min(row["open"], row["close"]) <= max(row["open"], row["close"]) <= row["high"]
        assert row["volume"] >= 0
    assert sum(line.rows for line in quality_lines(lake)) <= len(rows)


REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "kr_daily_all" / "daily_2019_2023.parquet"


@pytest.mark.realdata
def test_the_real_history_is_imported_with_its_known_defects(tmp_path: Path) -> None:
    if not REAL.exists():
        pytest.skip("the real daily history is not beside this checkout")
    lake = Lake(tmp_path / "lake")
    report = import_files(lake, ImportPlan("daily", (REAL,), "portal", Prices.ADJUSTED))
    assert lake.versions() == {"quality": 1, "daily_adjusted": 1}
    assert report.read == 2_361_559
    assert report.kept_out == {"OHLC_BROKEN": 350, "ZERO_PRICE": 3}
    assert {line.symbols for line in quality_lines(lake) if line.code == "OHLC_BROKEN"} == {4}
    panel = lake.panel("daily_adjusted")
    assert (len(panel), len(panel.symbols)) == (1_233, 2_127)
    assert "Survivorship" in report.note
