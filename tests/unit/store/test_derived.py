"""Derived tables: their columns are declared by the writer and told by their own log afterwards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.domain.errors import DataError
from haetae.ports.tables import derived_table
from haetae.store.lake import Lake

NAME = "features_test_0123456789abcdef"
DAYS = [dt.date(2024, 1, 31), dt.date(2024, 2, 1)]


def _rows(**values: object) -> pa.Table:
    return pa.table({"symbol": ["A", "A"], "day": pa.array(DAYS), **values})


def _written(folder: Path) -> Lake:
    lake = Lake(folder)
    lake.declare(derived_table(NAME, {"a": pa.float32(), "b": pa.float32()}, minutes=False))
    rows = _rows(a=pa.array([1.5, np.nan], pa.float32()), b=pa.array([2.5, 3.5], pa.float32()))
    assert lake.write(NAME, rows, keys=("symbol", "day"), notes={"build": "through=1"}) == 1
    return lake


def test_another_reader_knows_the_columns_from_the_log(tmp_path: Path) -> None:
    _written(tmp_path)
    lake = Lake(tmp_path)
    assert lake.tables() == (NAME,)
    assert lake.read(NAME).column("b").to_pylist() == [2.5, 3.5]
    assert np.isnan(lake.read(NAME).column("a").to_pylist()[1])
    assert lake.sql(f"SELECT sum(b) AS b FROM {NAME}").to_pylist() == [{"b": 6.0}]
    assert lake.check() == ()
    assert [info.files for info in lake.describe()] == [2]  # a file a month
    assert lake.notes(NAME) == {"build": "through=1"}


def test_a_replacement_and_its_notes_are_one_version(tmp_path: Path) -> None:
    lake = _written(tmp_path)
    rows = _rows(a=pa.array([0.0, 0.0], pa.float32()), b=pa.array([0.0, 0.0], pa.float32()))
    assert lake.replace(NAME, rows.slice(0, 1), notes={"build": "through=2"}) == 2
    assert len(lake.read(NAME)) == 1
    assert lake.notes(NAME) == {"build": "through=2"}
    assert len(lake.read(NAME, version=1)) == 2


def test_numbers_of_any_bits_come_back_from_a_list(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    kind = pa.list_(pa.field("element", pa.float64(), nullable=False))
    lake.declare(derived_table(f"{NAME}_state", {"numbers": kind}, minutes=False))
    numbers = [[1e-310, float("nan"), -0.0], [2.0]]
    lake.replace(f"{NAME}_state", pa.table({"symbol": ["A", "B"], "day": pa.array(DAYS), "numbers": numbers}))
    back = Lake(tmp_path).read(f"{NAME}_state").column("numbers").to_pylist()
    assert np.array(back[0]).tobytes() == np.array(numbers[0]).tobytes()
    assert back[1] == [2.0]


def test_a_derived_table_nobody_wrote_and_a_name_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table 'features_none'"):
        Lake(tmp_path).read("features_none")
    with pytest.raises(ValueError, match="features_"):
        derived_table("daily_more", {}, minutes=False)
