"""CNN's index in a table of its own: known on the next Korean morning, its two ways of making told apart."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from haetae.cli.main import main
from haetae.domain.errors import DataError
from haetae.store.importer import ImportPlan, ImportReport, import_files
from haetae.store.lake import Lake
from haetae.store.moods import CNN, OWN, PIECED

DAY = dt.date


def imported(folder: Path, rows: list[dict[str, object]], **plan: object) -> tuple[Lake, ImportReport]:
    pq.write_table(pa.Table.from_pylist(rows), folder / "cnn.parquet")
    lake = Lake(folder / "lake")
    return lake, import_files(lake, ImportPlan("fear_greed", (folder / "cnn.parquet",), "cnn", **plan))  # type: ignore[arg-type]


def test_a_day_is_known_on_the_next_korean_morning(tmp_path: Path) -> None:
    lake, report = imported(tmp_path, [{"date": DAY(2022, 6, 17), "fear_greed": 14.5, "rating": "extreme fear"}])
    assert lake.read("fear_greed", end=DAY(2022, 6, 17)).num_rows == 0
    (row,) = lake.read("fear_greed", symbols=[CNN], end=DAY(2022, 6, 18)).to_pylist()
    assert row == {
        "source": CNN, "component": "index", "day": DAY(2022, 6, 17), "value": 14.5, "rating": "extreme fear",
        "regime": OWN, "known_on": DAY(2022, 6, 18),
    }  # fmt: skip
    assert (report.first_day, report.last_day) == (DAY(2022, 6, 17), DAY(2022, 6, 17))


def test_the_two_regimes_are_told_apart(tmp_path: Path) -> None:
    lake, _ = imported(
        tmp_path, [{"date": DAY(2021, 1, 29), "fear_greed": 40}, {"date": DAY(2021, 2, 1), "fear_greed": 43}]
    )
    assert lake.read("fear_greed").column("regime").to_pylist() == [PIECED, OWN]
    assert lake.read("fear_greed").column("value").to_pylist() == [40.0, 43.0]


def test_components_have_rows_of_their_own_and_their_own_units(tmp_path: Path) -> None:
    rows = [
        {"component": name, "date": DAY(2022, 6, 17), "value": 3_674.0} for name in ("market_momentum_sp500", "sp125")
    ]
    lake, report = imported(tmp_path, [*rows, {"component": "index", "date": DAY(2022, 6, 17), "value": 14.5}])
    assert report.written == 3
    assert lake.read("fear_greed").column("component").to_pylist() == ["index", "market_momentum_sp500", "sp125"]


def test_rows_that_cannot_be_are_kept_out_and_accounted_for(tmp_path: Path) -> None:
    days = [DAY(2022, 6, 13), DAY(2022, 6, 14), DAY(2022, 6, 15), DAY(2022, 6, 15), None, DAY(2022, 6, 16)]
    values = [101.0, float("nan"), 20.0, 21.0, 22.0, None]
    rows = [{"date": day, "fear_greed": value} for day, value in zip(days, values, strict=True)]
    lake, report = imported(tmp_path, rows)
    assert report.kept_out == {"OUT_OF_RANGE": 1, "MISSING_VALUE": 3, "DUPLICATE_KEY": 1}
    assert report.read == report.written + sum(report.kept_out.values())
    assert lake.read("fear_greed").column("value").to_pylist() == [21.0]
    assert len(lake.read("quality", symbols=["fear_greed"])) == 5


def test_the_future_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="future"):
        imported(tmp_path, [{"date": DAY(2022, 6, 17), "fear_greed": 14.5}], today=DAY(2022, 6, 16))


def test_the_command_takes_the_kind_by_its_shown_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    (tmp_path / "cnn.csv").write_text("date,fear_greed,rating\n2022-06-17,14.5,extreme fear\n")
    told = tmp_path / "told.json"
    command = ["lake", "import", "--kind", "fear-greed", str(tmp_path / "cnn.csv"), "--lake", str(tmp_path / "lake")]
    assert main([*command, "--json", str(told)]) == 0
    assert json.loads(told.read_text())["table"] == "fear_greed"
    assert main([*command, "--json", str(told)]) == 0
    assert json.loads(told.read_text())["version"] == 1
