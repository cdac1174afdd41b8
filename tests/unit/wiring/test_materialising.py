"""Kept features equal one fold over everything, however they came about: by parts, after a death, after a change."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from feature_lakes import bar_rows, daily_lake, put
from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.features import catalogue, daily
from haetae.features.sets import FeatureSet, FloatArray, Inputs
from haetae.store.lake import Lake
from haetae.wiring.feature_rows import rows_of
from haetae.wiring.feature_tables import former_tables, read_back, table_of
from haetae.wiring.materialising import build
from random_panels import daily_panel, minute_panel

CHUNK = 560
"""Bars: some 120 days of five names, three chunks in all."""


@pytest.fixture(scope="module")
def panel() -> Panel:
    return daily_panel(3, symbols=5, sessions=300, halted=0.03)


@pytest.fixture(scope="module")
def bars_only(tmp_path_factory: pytest.TempPathFactory, panel: Panel) -> Path:
    folder = tmp_path_factory.mktemp("bars") / "lake"
    daily_lake(folder, panel)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, bars_only: Path) -> Path:
    folder = copied(bars_only, tmp_path_factory.mktemp("built") / "lake")
    build(Lake(folder), daily.SET, bars_per_chunk=CHUNK)
    return folder


def copied(lake: Path, folder: Path) -> Path:
    return Path(shutil.copytree(lake, folder))


def whole(lake: Lake, chosen: FeatureSet) -> tuple[Panel, FloatArray]:
    """Return the lake's bars and their features by one fold over everything at once."""
    (inputs,) = rows_of(lake, chosen.grain, bars_per_chunk=10**9).inputs()
    return inputs.panel, chosen.batch(inputs)


def assert_kept(lake: Lake, chosen: FeatureSet = daily.SET) -> None:
    panel, wanted = whole(lake, chosen)
    kept = read_back(lake, chosen, panel)
    known = ~np.isnan(wanted)
    assert (np.isnan(kept) == ~known).all()
    assert kept[known].tobytes() == wanted[known].tobytes()
    assert known.any(axis=(0, 1)).sum() > len(chosen.specs) / 2


def test_chunks_are_the_whole_and_a_second_build_has_nothing_to_do(tmp_path: Path, bars_only: Path) -> None:
    lake = Lake(copied(bars_only, tmp_path / "lake"))
    done = build(lake, daily.SET, bars_per_chunk=CHUNK)
    assert (done.folded, done.reused, done.optional) == (300, 0, ("index_daily", "flows"))
    assert done.reason.en == "built for the first time"
    assert_kept(lake)
    again = build(lake, daily.SET, bars_per_chunk=CHUNK // 2)
    assert (again.folded, again.reused, again.reason.en) == (0, 300, "")
    assert (again.version, again.digest) == (done.version, done.digest)
    assert build(Lake(copied(bars_only, tmp_path / "other")), daily.SET).digest == done.digest


def test_new_days_are_added_to_the_state_of_before(tmp_path: Path, panel: Panel) -> None:
    lake = daily_lake(tmp_path, panel, last=270)
    build(lake, daily.SET, bars_per_chunk=CHUNK)
    for first, last in ((270, 271), (271, 300)):
        put(lake, "daily", bar_rows(panel.rows(0, last), first=first))
        done = build(lake, daily.SET, bars_per_chunk=CHUNK)
        assert (done.reused, done.folded, done.reason.en) == (first, last - first, "")
        assert_kept(lake)


def test_a_new_name_joins_without_a_new_start(tmp_path: Path, panel: Panel) -> None:
    late = panel.symbols[1]
    joins = int(np.flatnonzero(panel.close[:, 1] > 0)[0])
    moved = dataclasses.replace(
        panel, traded=panel.traded & (np.arange(300)[:, None] >= np.where(np.arange(5) == 1, 280, 0))
    )
    assert joins < 280
    lake = daily_lake(tmp_path, moved, last=270, symbols=[name for name in panel.symbols if name != late])
    build(lake, daily.SET, bars_per_chunk=CHUNK)
    put(lake, "daily", bar_rows(moved, first=270))
    done = build(lake, daily.SET, bars_per_chunk=CHUNK)
    assert (done.reused, done.folded, done.symbols) == (270, 30, 5)
    assert_kept(lake)


@pytest.mark.parametrize("change", ["a price of the past", "the index", "the flows", "a name of the past", "sectors"])
def test_another_past_is_built_from_the_start_and_said(tmp_path: Path, panel: Panel, built: Path, change: str) -> None:
    left = panel.symbols[4]
    if change == "a name of the past":
        lake = daily_lake(tmp_path / "lake", panel, symbols=[name for name in panel.symbols if name != left])
        before = build(lake, daily.SET, bars_per_chunk=CHUNK)
    else:
        lake = Lake(copied(built, tmp_path / "lake"))
        before = build(lake, daily.SET)
    first = day_from(int(panel.days[40]))
    if change == "a price of the past":
        put(lake, "daily", pa.table({k: v.slice(7, 1) for k, v in zip(*_changed(bar_rows(panel)), strict=True)}))
    elif change == "the index":
        prices = dict.fromkeys(("open", "high", "low", "close"), pa.array([300_000]))
        put(lake, "index_daily", pa.table({"index": ["0001"], "day": [first], **prices}))
    elif change == "the flows":
        rows = lake.read("flows").slice(9, 1)
        put(lake, "flows", rows.set_column(3, "foreign_won", pa.array([1])))
    elif change == "a name of the past":
        put(lake, "daily", bar_rows(panel, [left]))
    else:
        put(lake, "instruments", _instruments(panel))
    done = build(lake, daily.SET)
    assert (done.reused, done.folded) == (0, 300)
    assert done.reason.en in ("bars of the past, or inputs, are others", "new names have bars of the past")
    assert done.digest != before.digest
    assert_kept(lake)


def _changed(rows: pa.Table) -> tuple[list[str], list[pa.ChunkedArray]]:
    higher = rows.set_column(rows.column_names.index("close"), "close", pa.array(np.asarray(rows["close"]) + 1))
    higher = higher.set_column(rows.column_names.index("high"), "high", pa.array(np.asarray(rows["high"]) + 1))
    return higher.column_names, higher.columns


def _instruments(panel: Panel) -> pa.Table:
    count, day = len(panel.symbols), day_from(int(panel.days[0]))
    return pa.table(
        {
            "symbol": list(panel.symbols),
            "name": ["n"] * count,
            "market": ["KOSPI"] * count,
            "kind": ["common"] * count,
            "listed_on": pa.array([day] * count),
            "sector": ["a", "a", "a", "b", "b"][:count],
            "as_of": pa.array([day] * count),
        }
    )


class Mortal(Lake):
    """A lake whose process dies before the n-th write, as one that dies behind the write before."""

    def __init__(self, root: Path, left: int) -> None:
        super().__init__(root)
        self._left = left

    def _write(self, spec, rows, notes, *, whole):  # type: ignore[no-untyped-def]
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return super()._write(spec, rows, notes, whole=whole)


def test_a_death_at_any_write_leaves_a_whole_version_and_the_next_build_goes_on(
    tmp_path: Path, bars_only: Path, built: Path
) -> None:
    clean = Lake(built).digest(table_of(daily.SET).name)
    reused = []
    for dies in range(1, 7):
        folder = copied(bars_only, tmp_path / str(dies))
        with pytest.raises(KeyboardInterrupt):
            build(Mortal(folder, dies), daily.SET, bars_per_chunk=CHUNK)
        done = build(Lake(folder), daily.SET, bars_per_chunk=CHUNK)
        assert (done.digest, done.reused + done.folded) == (clean, 300)
        reused.append(done.reused)
    assert reused[0] == 0
    assert len(set(reused)) == 3
    assert_kept(Lake(folder))


def test_a_death_while_the_past_is_built_anew_is_mended_too(tmp_path: Path, panel: Panel, built: Path) -> None:
    higher = pa.table(dict(zip(*_changed(bar_rows(panel)), strict=True)))
    for dies in (2, 3, 4):
        folder = copied(built, tmp_path / str(dies))
        put(Lake(folder), "daily", higher)
        with pytest.raises(KeyboardInterrupt):
            build(Mortal(folder, dies), daily.SET, bars_per_chunk=CHUNK)
        build(Lake(folder), daily.SET, bars_per_chunk=CHUNK)
        assert_kept(Lake(folder))


def test_a_lost_state_is_no_more_than_a_new_start(tmp_path: Path, built: Path) -> None:
    lake = Lake(copied(built, tmp_path / "lake"))
    for path in (lake.root / f"{table_of(daily.SET).name}_state").glob("[0-9]*/*.parquet"):
        path.write_bytes(b"")
    done = build(lake, daily.SET)
    assert (done.reused, done.folded) == (0, 300)
    assert "state cannot be read" in done.reason.en
    assert_kept(lake)


def test_only_days_from_the_first_wanted_are_kept_and_an_earlier_end_changes_nothing(
    tmp_path: Path, panel: Panel, bars_only: Path
) -> None:
    lake = Lake(copied(bars_only, tmp_path / "lake"))
    first, early = day_from(int(panel.days[260])), day_from(int(panel.days[270]))
    done = build(lake, daily.SET, first_day=first, last_day=early)
    assert (done.first_day, done.last_day) == (first, early)
    kept = lake.read(done.table)
    assert min(kept["day"].to_pylist()) == first
    bars, wanted = whole(lake, daily.SET)
    row = bars.rows(270, 271)
    assert np.array_equal(read_back(lake, daily.SET, row), wanted[270:271], equal_nan=True)
    again = build(lake, daily.SET, first_day=first, last_day=day_from(int(panel.days[265])))
    assert (again.folded, again.last_day, again.digest) == (0, early, done.digest)


def test_what_is_not_built_so_far_is_refused_with_the_command(tmp_path: Path, panel: Panel) -> None:
    lake = daily_lake(tmp_path, panel, last=270)
    with pytest.raises(DataError, match="is not built so far") as caught:
        read_back(lake, daily.SET, lake.panel("daily"))
    assert "features build --set daily" in str(caught.value.next_step)
    build(lake, daily.SET)
    put(lake, "daily", bar_rows(panel, first=270))
    with pytest.raises(DataError, match="is not built so far"):
        read_back(lake, daily.SET, lake.panel("daily"))


def test_a_short_history_and_a_lake_without_bars_are_refused(tmp_path: Path, panel: Panel) -> None:
    with pytest.raises(DataError, match="no table 'daily'"):
        build(Lake(tmp_path / "none"), daily.SET)
    lake = daily_lake(tmp_path, panel, last=200)
    with pytest.raises(DataError, match="look back further"):
        build(lake, daily.SET)
    with pytest.raises(DataError, match="no bars up to"):
        build(lake, daily.SET, last_day=dt.date(1999, 1, 1))
    assert table_of(daily.SET).name not in lake.versions()


def test_another_definition_has_another_table_and_the_former_one_is_told(tmp_path: Path, built: Path) -> None:
    lake = Lake(copied(built, tmp_path / "lake"))
    specs = (dataclasses.replace(daily.SPECS[0], version=2), *daily.SPECS[1:])
    newer = dataclasses.replace(daily.SET, specs=specs)
    done = build(lake, newer)
    assert done.table != table_of(daily.SET).name
    assert former_tables(lake, newer) == (table_of(daily.SET).name, f"{table_of(daily.SET).name}_state")


def test_minutes_are_kept_chunk_by_chunk(tmp_path: Path) -> None:
    minutes = minute_panel(5, symbols=3, sessions=5)
    chosen, lake = catalogue.SETS["minute"], Lake(tmp_path)
    put(lake, "minute", bar_rows(minutes.rows(0, 480), minutes=True))
    before = len(lake.panel("minute"))
    assert build(lake, chosen, bars_per_chunk=300).folded == before
    put(lake, "minute", bar_rows(minutes, first=480, minutes=True))
    done = build(lake, chosen, bars_per_chunk=300)
    assert (done.reused, done.folded) == (before, len(lake.panel("minute")) - before)
    assert_kept(lake, chosen)


def test_a_set_whose_state_has_its_own_shape_is_kept_too(tmp_path: Path, panel: Panel) -> None:
    def fold(state: np.ndarray, inputs: Inputs) -> tuple[np.ndarray, FloatArray]:
        closes = inputs.panel.close.astype(float).mean(axis=1)
        means = (state[0] + np.cumsum(closes)) / (state[1] + np.arange(1, len(closes) + 1))
        ratio = (inputs.panel.close / means[:, None]).astype(np.float32)
        return np.array([state[0] + closes.sum(), state[1] + len(closes)]), ratio[:, :, None]

    chosen = dataclasses.replace(daily.SET, name="odd", specs=daily.SPECS[:1], start=lambda _: np.zeros(2), fold=fold)
    lake = daily_lake(tmp_path, panel, last=200)
    build(lake, chosen)
    put(lake, "daily", bar_rows(panel, first=200))
    assert build(lake, chosen).reused == 200
    kept = lake.read(table_of(chosen).name)
    assert len(kept) == 300 * 5
