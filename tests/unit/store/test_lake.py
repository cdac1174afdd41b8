"""The lake keeps whole versions, whatever happens to the writer."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.domain.errors import DataError
from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings

DAY = dt.date(2026, 11, 20)


def daily(rows: Iterable[tuple[str, dt.date, int]]) -> pa.Table:
    """Return daily rows from (symbol, day, close)."""
    listed = list(rows)
    close = [price for _, _, price in listed]
    return pa.table(
        {
            "symbol": pa.array([symbol for symbol, _, _ in listed], pa.string()),
            "day": pa.array([day for _, day, _ in listed], pa.date32()),
            "open": pa.array(close, pa.int64()),
            "high": pa.array([price + 10 for price in close], pa.int64()),
            "low": pa.array([price - 10 for price in close], pa.int64()),
            "close": pa.array(close, pa.int64()),
            "volume": pa.array([100] * len(listed), pa.int64()),
        }
    )


KEYS = ("symbol", "day")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_a_table_nobody_wrote_is_empty_and_opening_creates_nothing(lake: Lake) -> None:
    assert len(lake.read("daily")) == 0
    assert len(lake.panel("daily")) == 0
    assert lake.versions() == {}
    assert not lake.root.exists()


def test_rows_come_back_sorted_with_defaults_filled(lake: Lake) -> None:
    assert lake.write("daily", daily([("B", DAY, 200), ("A", DAY, 100)]), keys=KEYS) == 1
    rows = lake.read("daily").to_pylist()
    assert [row["symbol"] for row in rows] == ["A", "B"]
    assert rows[0] == {
        "symbol": "A", "day": DAY, "open": 100, "high": 110, "low": 90, "close": 100, "volume": 100,
        "turnover": 0, "halted": False, "adjusted": False, "source": "",
    }  # fmt: skip


def test_writing_the_same_rows_twice_is_one_version(lake: Lake) -> None:
    rows = daily([("A", DAY, 100), ("B", DAY, 200)])
    first = lake.write("daily", rows, keys=KEYS)
    assert lake.write("daily", rows, keys=KEYS) == first


def test_writing_what_is_there_is_no_version_for_a_reader_of_a_checkpoint_either(tmp_path: Path) -> None:
    rows = daily([("A", DAY, 100)])
    for turn in range(1, 5):
        lake = Lake(tmp_path / "lake", StoreSettings(checkpoint_every=2))
        assert lake.write("daily", rows, keys=KEYS, notes={"turn": str(turn)}) == turn
        assert Lake(tmp_path / "lake").write("daily", rows, keys=KEYS) == turn
        assert lake.write("daily", rows, keys=KEYS) == turn


def test_a_replaced_row_is_seen_in_the_new_version_and_the_old_one_stays(lake: Lake) -> None:
    old = lake.write("daily", daily([("A", DAY, 100), ("B", DAY, 200)]), keys=KEYS)
    new = lake.write("daily", daily([("A", DAY, 111)]), keys=KEYS)
    assert lake.read("daily").column("close").to_pylist() == [111, 200]
    assert lake.read("daily", version=old).column("close").to_pylist() == [100, 200]
    assert lake.versions() == {"daily": new}


def test_a_write_touches_only_the_files_of_its_years(lake: Lake) -> None:
    lake.write("daily", daily([("A", dt.date(2024, 3, 4), 100), ("A", dt.date(2025, 3, 4), 100)]), keys=KEYS)
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("2024/*.parquet")}
    lake.write("daily", daily([("A", dt.date(2025, 3, 5), 100)]), keys=KEYS)
    assert {path: path.stat().st_mtime_ns for path in lake.root.rglob("2024/*.parquet")} == before


def test_reading_selects_symbols_and_an_inclusive_range_of_days(lake: Lake) -> None:
    days = [dt.date(2025, 12, 30), dt.date(2026, 1, 2), dt.date(2026, 1, 5)]
    lake.write("daily", daily([(symbol, day, 100) for symbol in "ABC" for day in days]), keys=KEYS)
    rows = lake.read("daily", symbols=["C", "A"], start=days[0], end=days[1])
    assert [(row["symbol"], row["day"]) for row in rows.to_pylist()] == [
        (symbol, day) for symbol in "AC" for day in days[:2]
    ]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda rows: rows.drop_columns(["close"]), "missing"),
        (lambda rows: rows.append_column("colour", pa.array(["red"])), "unknown"),
        (lambda rows: rows.set_column(5, "close", pa.array([100.5])), "does not fit"),
        (lambda rows: rows.set_column(5, "close", pa.array([None], pa.int64())), "have no 'close'"),
    ],
)
def test_rows_that_do_not_fit_the_schema_are_refused_with_the_reason(lake: Lake, change, what) -> None:
    with pytest.raises(DataError, match=what):
        lake.write("daily", change(daily([("A", DAY, 100)])), keys=KEYS)
    assert lake.versions() == {}


def test_a_writer_with_another_idea_of_the_keys_is_refused(lake: Lake) -> None:
    with pytest.raises(DataError, match="keyed by"):
        lake.write("daily", daily([("A", DAY, 100)]), keys=("symbol",))


def test_a_table_the_lake_does_not_know_is_refused(lake: Lake) -> None:
    with pytest.raises(DataError, match="no table"):
        lake.read("dayly")


def test_notes_stay_with_later_versions(lake: Lake) -> None:
    lake.write("daily", daily([("A", DAY, 100)]), keys=KEYS, notes={"portal": "adjusted"})
    lake.write("daily", daily([("A", DAY, 101)]), keys=KEYS)
    assert lake.notes("daily") == {"portal": "adjusted"}


def test_sql_sees_every_table_and_nothing_outside_the_lake(lake: Lake, tmp_path: Path) -> None:
    lake.write("daily", daily([("A", DAY, 100), ("B", DAY, 200)]), keys=KEYS)
    joined = "SELECT sum(close) AS total, (SELECT count(*) FROM minute) AS minutes FROM daily"
    assert lake.sql(joined).to_pylist() == [{"total": 300, "minutes": 0}]
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(DataError, match="Permission"):
        lake.sql(f"SELECT * FROM read_csv('{secret}')")


def test_sql_can_look_at_an_older_version(lake: Lake) -> None:
    old = lake.write("daily", daily([("A", DAY, 100)]), keys=KEYS)
    lake.write("daily", daily([("A", DAY, 111)]), keys=KEYS)
    assert lake.sql("SELECT close FROM daily", versions={"daily": old}).to_pylist() == [{"close": 100}]


def test_vacuum_drops_old_versions_and_what_dead_writers_left(lake: Lake) -> None:
    lake.write("daily", daily([("A", DAY, 100)]), keys=KEYS)
    newest = lake.write("daily", daily([("A", DAY, 111)]), keys=KEYS)
    (lake.root / "daily" / "2026" / "_dead.parquet.7.tmp").write_bytes(b"half")
    (lake.root / "daily" / "2026" / "00000009-orphan.parquet").write_bytes(b"of a writer that died")
    would = lake.vacuum("daily", keep=1, dry_run=True)
    assert len(list(lake.root.rglob("*.parquet*"))) == 4
    assert lake.vacuum("daily", keep=1) == would
    assert (would.versions, would.files) == (1, 3)
    assert lake.read("daily").column("close").to_pylist() == [111]
    assert len(list(lake.root.rglob("2026/*.parquet*"))) == 1
    with pytest.raises(DataError, match="no version"):
        lake.read("daily", version=newest - 1)


def test_vacuum_that_keeps_more_than_there_is_changes_nothing(lake: Lake) -> None:
    for price in (100, 111):
        lake.write("daily", daily([("A", DAY, price)]), keys=KEYS)
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    done = lake.vacuum("daily", keep=99)
    assert (done.versions, done.files, done.bytes) == (0, 0, 0)
    assert {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()} == before


def test_a_table_whose_first_writer_died_is_cleaned_too(lake: Lake) -> None:
    lake._log("daily").create(1)
    (lake.root / "daily" / "2026").mkdir()
    (lake.root / "daily" / "2026" / "00000001-orphan.parquet").write_bytes(b"of a writer that died")
    assert lake.versions() == {}
    assert lake.tables() == ("daily",)
    assert lake.vacuum("daily", keep=1).files == 1
    assert lake.write("daily", daily([("A", DAY, 100)]), keys=KEYS) == 1
    assert lake.check() == ()


def test_old_versions_are_swept_so_that_the_disk_stays_bounded(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", StoreSettings(keep_versions=3, sweep_every=2))
    for price in range(1, 9):
        lake.write("daily", daily([("A", DAY, price)]), keys=KEYS)
    assert [lake.read("daily", version=v).column("close").to_pylist() for v in (6, 7, 8)] == [[6], [7], [8]]
    assert len(list(lake.root.rglob("2026/*.parquet"))) == 3
    assert [known.version for known in lake.history("daily")] == [6, 7, 8]
    with pytest.raises(DataError, match="no version"):
        lake.read("daily", version=5)


def test_a_lake_that_was_removed_and_made_again_is_read_anew(lake: Lake) -> None:
    """A server may hold it open for weeks; the versions of the new one have the numbers of the old."""
    lake.write("daily", daily([("A", DAY, 100)]), keys=KEYS)
    assert lake.read("daily").column("close").to_pylist() == [100]
    shutil.rmtree(lake.root)
    Lake(lake.root).write("daily", daily([("A", DAY, 111)]), keys=KEYS)
    assert lake.versions() == {"daily": 1}
    assert lake.read("daily").column("close").to_pylist() == [111]
    shutil.rmtree(lake.root)
    assert lake.versions() == {}
    assert len(lake.read("daily")) == 0


def test_describe_tells_what_is_there(lake: Lake) -> None:
    lake.write("daily", daily([("A", dt.date(2025, 1, 2), 100), ("A", DAY, 100)]), keys=KEYS)
    (info,) = lake.describe()
    assert (info.table, info.version, info.rows, info.files) == ("daily", 1, 2, 2)
    assert (info.first_day, info.last_day) == (dt.date(2025, 1, 2), DAY)


def test_a_daily_panel_repeats_the_close_where_nothing_traded(lake: Lake) -> None:
    days = [dt.date(2026, 11, 18), dt.date(2026, 11, 20)]
    lake.write("daily", daily([("A", days[0], 100), ("B", days[0], 200), ("B", days[1], 210)]), keys=KEYS)
    panel = lake.panel("daily", ["B", "A", "Z"])
    assert panel.symbols == ("A", "B", "Z")
    assert panel.days.tolist() == [20261118, 20261120]
    assert panel.close.tolist() == [[100, 200, 0], [100, 210, 0]]
    assert panel.high.tolist() == [[110, 210, 0], [100, 220, 0]]
    assert panel.traded.tolist() == [[True, True, False], [False, True, False]]
    assert panel.volume.tolist() == [[100, 100, 0], [0, 100, 0]]


def test_a_halted_day_is_not_traded_even_if_a_volume_was_recorded(lake: Lake) -> None:
    rows = daily([("A", DAY, 100)]).append_column("halted", pa.array([True]))
    lake.write("daily", rows, keys=KEYS)
    panel = lake.panel("daily")
    assert panel.traded.tolist() == [[False]]
    assert panel.high.tolist() == panel.close.tolist() == [[100]]


def minutes(symbol: str, starts: list[int], day: dt.date) -> pa.Table:
    count = len(starts)
    price = pa.array([100] * count, pa.int64())
    return pa.table(
        {
            "symbol": [symbol] * count, "day": pa.array([day] * count, pa.date32()), "start": starts,
            "open": price, "high": price, "low": price, "close": price, "volume": price,
        }
    )  # fmt: skip


def test_a_minute_bar_ends_a_minute_later_and_the_closing_auction_at_the_close(lake: Lake) -> None:
    from haetae.domain.units import hhmmss_of, instant_at

    for day, first, auction in ((DAY, 90_000, 152_000), (dt.date(2026, 11, 19), 100_000, 162_000)):
        starts = [instant_at(day, first), instant_at(day, auction)]
        lake.write("minute", minutes("A", starts, day), keys=("symbol", "start"))
    panel = lake.panel("minute")
    assert [hhmmss_of(int(at)) for at in panel.end] == [100_100, 163_000, 90_100, 153_000]
    assert [(day.isoformat(), a, b) for day, a, b in panel.sessions()] == [("2026-11-19", 0, 2), ("2026-11-20", 2, 4)]


def test_an_index_panel_is_keyed_by_the_index_code(lake: Lake) -> None:
    rows = daily([("0001", DAY, 250_000)]).rename_columns({"symbol": "index"})
    lake.write("index_daily", rows, keys=("index", "day"))
    assert lake.panel("index_daily").symbols == ("0001",)
    assert np.array_equal(lake.panel("index_daily", ["0001"]).close, [[250_000]])
