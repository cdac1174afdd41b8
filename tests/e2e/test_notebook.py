"""The notebook runs from top to bottom on a lake with every table and on one of daily bars alone."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.emulator.market import World, synthesize
from haetae.emulator.settings import MarketSettings
from haetae.ports.tables import TABLES, instrument_rows
from haetae.store.lake import Lake

nbclient = pytest.importorskip("nbclient", reason="nbclient is in locks/test.txt")
nbformat = pytest.importorskip("nbformat", reason="nbformat is in locks/test.txt")
pytest.importorskip("ipykernel", reason="ipykernel is in locks/test.txt")

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "eda.ipynb"
FIGURE = "application/vnd.plotly.v1+json"
SESSIONS = 130


@pytest.fixture(scope="module")
def world() -> World:
    settings = MarketSettings(listed=120, history_sessions=SESSIONS, live_sessions=1)
    return synthesize(settings, np.random.Generator(np.random.Philox(key=[7, 0])))


def put(lake: Lake, table: str, columns: dict[str, object]) -> None:
    lake.write(table, pa.table(columns), keys=TABLES[table].keys)


def daily_rows(world: World) -> dict[str, object]:
    names = ("open", "high", "low", "close", "volume")
    row, column = np.nonzero(world.daily.close[:SESSIONS])
    prices = {name: getattr(world.daily, name)[row, column] for name in names}
    keys = {"symbol": np.array(world.symbols)[column], "day": np.array(world.days, "datetime64[D]")[row]}
    return {**keys, **prices}


def fill(lake: Lake, world: World, tables: str) -> None:
    put(lake, "daily", daily_rows(world))
    if tables == "daily bars alone":
        return
    listed = [dataclasses.replace(each, as_of=world.days[SESSIONS - 1]) for each in world.instruments]
    lake.write("instruments", instrument_rows(listed), keys=TABLES["instruments"].keys)
    index = world.indices["0001"]
    levels = {name: getattr(index, name)[:SESSIONS] for name in ("open", "high", "low", "close", "volume")}
    put(lake, "index_daily", {"index": ["0001"] * SESSIONS, "day": list(world.days[:SESSIONS]), **levels})
    bars = world.minutes(SESSIONS - 1)
    step, column = np.nonzero(bars.traded[:, :20])
    prices = {name: getattr(bars, name)[step, column] for name in ("open", "high", "low", "close", "volume")}
    keys = {"symbol": np.array(world.symbols)[column], "day": [bars.day] * len(step), "start": bars.start[step]}
    put(lake, "minute", {**keys, **prices})


@pytest.mark.parametrize(("tables", "figures"), [("every table", 11), ("daily bars alone", 9)])
def test_the_notebook_runs_and_tells_what_the_lake_holds(
    tables: str, figures: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    fill(lake, world, tables)
    monkeypatch.setenv("HAETAE_LAKE", str(lake.root))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert sum(FIGURE in output.get("data", {}) for output in outputs) == figures
    told = "".join(output.get("text", "") for output in outputs if output.output_type == "stream")
    traded = np.count_nonzero(world.daily.close[:SESSIONS].any(axis=0))
    assert f"{traded}종목 × {SESSIONS}거래일, {world.days[0]} ~ {world.days[SESSIONS - 1]}" in told
    assert ("분봉 표가 없습니다" in told) == (tables == "daily bars alone")
    assert ("선정 50종목" in told) == (tables == "every table")
    kurtosis = re.search(r"초과 첨도 (-?[\d.]+)", told)
    assert kurtosis is not None
    assert float(kurtosis[1]) > 1


def test_the_notebook_is_kept_without_outputs() -> None:
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in book.cells)
    assert sum(re.search("[가-힣]", cell.source) is not None for cell in book.cells) > 10
