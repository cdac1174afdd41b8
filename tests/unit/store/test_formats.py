"""Any reader of Delta Lake reads our tables, at every version: three foreign readers are the oracles."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError
from haetae.ports.tables import TABLES
from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings
from lake_rows import KEYS, bars, minutes

SMALL = StoreSettings(checkpoint_every=3, keep_versions=6, sweep_every=4)
DAYS = [dt.date(2024, 12, 30), dt.date(2025, 1, 2), dt.date(2025, 12, 30), dt.date(2026, 1, 2)]
MINUTE_DAYS = [dt.date(2025, month, day) for month, day in ((1, 30), (1, 31), (2, 3), (2, 4), (3, 4))]

Rows = list[dict[str, object]]


def ordered(rows: Rows, keys: tuple[str, ...]) -> Rows:
    return sorted(rows, key=lambda row: tuple(str(row[key]) for key in keys))


def foreign(lake: Lake, table: str, version: int) -> dict[str, Rows]:
    """Return the rows of a version as each foreign reader sees them."""
    home = str(lake.root / table)
    opened = DeltaTable(home, version=version)
    uris = opened.file_uris()
    names = TABLES[table].schema.names
    by_duckdb = duckdb.sql(f"SELECT * FROM read_parquet({uris!r})").to_arrow_table().to_pylist() if uris else []
    return {
        "polars": pl.scan_delta(home, version=version).select(names).collect().to_dicts(),
        "duckdb": by_duckdb,
        "deltalake": pa.table(opened.to_pyarrow_dataset().to_table()).select(names).to_pylist(),
    }


def assert_all_agree(lake: Lake, table: str) -> None:
    keys = TABLES[table].keys
    known = lake.history(table)
    assert known[-1].version == lake.versions()[table]
    for each in known:
        ours = lake.read(table, version=each.version).to_pylist()
        assert len(ours) == each.rows
        assert ordered(lake.scan(table, version=each.version).collect().to_dicts(), keys) == ordered(ours, keys)
        for reader, rows in foreign(lake, table, each.version).items():
            assert ordered(rows, keys) == ordered(ours, keys), (reader, each.version)


one_write = st.tuples(
    st.sets(st.sampled_from(["000020", "00088K", "005930"]), min_size=1),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(1, 10**12),
    st.booleans(),
)


@settings(max_examples=8, deadline=None)
@given(writes=st.lists(one_write, min_size=1, max_size=12))
def test_every_version_of_random_writes_is_the_same_to_every_reader(fresh, writes) -> None:
    lake = Lake(fresh() / "lake", SMALL)
    for symbols, days, price, noted in writes:
        notes = {"출처": f'"{price}"' + "\u2028\n} \x85"} if noted else None
        lake.write("daily", bars(price, sorted(symbols), sorted(days)), keys=KEYS, notes=notes)
    assert_all_agree(lake, "daily")
    lake.vacuum("daily", keep=2)
    assert len(lake.history("daily")) == min(2, lake.versions()["daily"])
    assert_all_agree(lake, "daily")


@settings(max_examples=6, deadline=None)
@given(writes=st.lists(st.tuples(st.sets(st.sampled_from(MINUTE_DAYS), min_size=1), st.integers(1, 99)), max_size=10))
def test_minutes_that_were_folded_are_the_same_rows_to_every_reader(fresh, writes) -> None:
    lake, expected = Lake(fresh() / "lake", SMALL), {}
    for days, price in writes:
        lake.write("minute", minutes(price, sorted(days)), keys=("symbol", "start"))
        expected.update({(row["symbol"], row["start"]): price for row in minutes(price, sorted(days)).to_pylist()})
    assert {(row["symbol"], row["start"]): row["close"] for row in lake.read("minute").to_pylist()} == expected
    if writes:
        assert_all_agree(lake, "minute")


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_has_columns_that_a_foreign_reader_knows(tmp_path: Path, table: str) -> None:
    spec = TABLES[table]
    numbers = {pa.int64(): 7, pa.int32(): 7, pa.float64(): 0.5}
    example = {pa.string(): "A", pa.date32(): DAYS[0], pa.bool_(): False, **numbers}
    row = {field.name: example[field.type] for field in spec.schema}
    if "adjusted" in row:
        row["adjusted"] = table == "daily_adjusted"
    lake = Lake(tmp_path / "lake")
    lake.write(table, pa.Table.from_pylist([row], spec.schema), keys=spec.keys)
    assert lake.read(table).to_pylist() == [row]
    for rows in foreign(lake, table, 1).values():
        assert rows == [row]
    stored = json.loads(DeltaTable(str(lake.root / table)).schema().to_json())
    assert [(field["name"], field["nullable"]) for field in stored["fields"]] == [(n, False) for n in spec.schema.names]


def test_a_foreign_reader_skips_files_by_our_statistics(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", bars(1, days=DAYS), keys=KEYS)
    actions = pa.table(DeltaTable(str(lake.root / "daily")).get_add_actions(flatten=True)).to_pylist()
    spans = [(row["num_records"], row["min.day"], row["max.day"], row["min.symbol"]) for row in actions]
    assert sorted(spans, key=lambda span: span[1]) == [
        (2, DAYS[0], DAYS[0], "000660"), (4, DAYS[1], DAYS[2], "000660"), (2, DAYS[3], DAYS[3], "000660"),
    ]  # fmt: skip


def test_the_history_names_program_and_time_to_foreign_readers_too(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", by="haetae lake import portal")
    lake.write("daily", bars(1), keys=KEYS)
    (newest, made) = DeltaTable(str(lake.root / "daily")).history()
    (ours,) = lake.history("daily")
    assert (newest["by"], newest["timestamp"], made["operation"]) == (ours.by, ours.at_ms, "CREATE TABLE")
    assert newest["engineInfo"].startswith("haetae/")


def test_equal_rows_have_equal_digests_however_they_came(tmp_path: Path) -> None:
    one, other = Lake(tmp_path / "one"), Lake(tmp_path / "other")
    one.write("daily", bars(1), keys=KEYS)
    for day in reversed(DAYS):
        other.write("daily", bars(9, days=[day]), keys=KEYS)
    other.replace("daily", bars(1))
    assert one.versions() != other.versions()
    assert one.digest("daily") == other.digest("daily") != other.digest("daily", version=1)
    other.write("daily", bars(2, days=DAYS[:1]), keys=KEYS)
    assert one.digest("daily") != other.digest("daily")


def test_without_polars_a_scan_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", bars(1), keys=KEYS)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigError, match="Polars is not installed") as refused:
        lake.scan("daily")
    assert "haetae[polars]" in str(refused.value.next_step)


def test_a_scan_selects_and_an_absent_table_has_its_columns(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", bars(1, days=DAYS), keys=KEYS)
    found = lake.scan("daily", symbols=["005930"], start=DAYS[1], end=DAYS[2]).sort("day").collect()
    assert found.select("symbol", "day").rows() == [("005930", day) for day in DAYS[1:3]]
    empty = lake.scan("minute").collect()
    assert (empty.columns, len(empty)) == (TABLES["minute"].schema.names, 0)


def test_a_month_of_minutes_becomes_one_file_when_the_next_begins(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")

    def parts() -> list[str]:
        return [entry.part for entry in lake._log("minute").load().files]

    for day in MINUTE_DAYS[:2]:
        lake.write("minute", minutes(1, [day]), keys=("symbol", "start"))
    assert parts() == ["20250130", "20250131"]
    lake.write("minute", minutes(2, [MINUTE_DAYS[2]]), keys=("symbol", "start"))
    assert parts() == ["202501", "20250203"]
    lake.write("minute", minutes(3, [MINUTE_DAYS[0]]), keys=("symbol", "start"))
    assert parts() == ["202501", "20250203"]
    seen = lake.read("minute", start=MINUTE_DAYS[0], end=MINUTE_DAYS[1]).column("close").to_pylist()
    assert seen == [3, 3, 3, 1, 1, 1] * 2
    assert lake.read("minute", start=MINUTE_DAYS[1], end=MINUTE_DAYS[1]).column("close").to_pylist() == [1] * 6


def test_a_month_that_runs_stays_in_days_while_an_older_one_is_mended(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for day in (*MINUTE_DAYS[2:4], MINUTE_DAYS[0]):
        lake.write("minute", minutes(1, [day]), keys=("symbol", "start"))
    assert [entry.part for entry in lake._log("minute").load().files] == ["20250130", "20250203", "20250204"]


def test_large_months_stay_in_days(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", StoreSettings(fold_rows=11))
    for day in MINUTE_DAYS[:3]:
        lake.write("minute", minutes(1, [day]), keys=("symbol", "start"))
    assert len(lake._log("minute").load().files) == 3
