"""The evening's record: what a model says of the coming session, in time or too late, and what became of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.cli.main import main
from haetae.domain.errors import DataError
from haetae.domain.learning import ModelState
from haetae.domain.promotion import Ground
from haetae.domain.units import instant_at
from haetae.features import daily
from haetae.krx.calendar import trading_days
from haetae.ml import artefact, committee, rankers
from haetae.ml.quality import daily_ic
from haetae.ml.settings import RankerKind, RankerSettings
from haetae.ports.tables import DAILY, INDEX_DAILY, TABLES, instrument_rows
from haetae.registry.registry import Registry
from haetae.registry.shadow import ShadowBook
from haetae.store.lake import Lake
from haetae.wiring.shadowing import record
from rigs.desk_day import codes, instruments

SYMBOLS = codes(14)
DAYS = trading_days(dt.date(2026, 7, 1), dt.date(2026, 9, 30))
HORIZON = 2
EVENING, MORNING = 180_000, 90_000


def bars(sessions: slice, seed: int = 3) -> pa.Table:
    paths = 50_000 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, (len(DAYS), len(SYMBOLS))), axis=0))
    rows = []
    for place, day in list(enumerate(DAYS))[sessions]:
        for column, symbol in enumerate(SYMBOLS):
            price = round(float(paths[place, column]) / 100) * 100
            prices = {"open": price, "high": price + 200, "low": price - 200, "close": price}
            more = {"volume": 5_000, "turnover": 0, "halted": False, "adjusted": False, "source": "test"}
            rows.append({"symbol": symbol, "day": day, **prices, **more})
    return pa.Table.from_pylist(rows, schema=DAILY)


def lake_until(path: Path, last: int) -> Lake:
    lake = Lake(path)
    lake.write("daily", bars(slice(0, last + 1)), keys=TABLES["daily"].keys)
    index = [
        {"index": "0001", "day": day, **dict.fromkeys(("open", "high", "low", "close"), 250_000 + n), "volume": 1}
        for n, day in enumerate(DAYS)
    ]
    lake.write("index_daily", pa.Table.from_pylist(index, schema=INDEX_DAILY), keys=TABLES["index_daily"].keys)
    listed = instrument_rows(instruments(SYMBOLS).values())
    lake.write("instruments", listed, keys=TABLES["instruments"].keys)
    return lake


@pytest.fixture(scope="module")
def packed() -> artefact.ModelCard:
    rng = np.random.default_rng(1)
    inputs = rng.uniform(-0.5, 0.5, (400, len(daily.NAMES))).astype(np.float32)
    settings = RankerSettings(kind=RankerKind.LIGHTGBM, rounds=8, depth=3, min_leaf=10)
    model = rankers.fit(inputs, inputs[:, 0] - inputs[:, 7], settings)
    day = dt.date(2026, 6, 30)
    return artefact.pack(
        model, settings, daily.NAMES, daily.feature_hash(), train_from=day, train_to=day, horizon=HORIZON, metrics={}
    )


@pytest.fixture
def models(tmp_path: Path, packed: committee.Packed) -> Path:
    """A registry with one ranker in shadow and the same one, alone in a committee, still a candidate."""
    registry = Registry(tmp_path / "models")
    name = registry.put(*packed).model_id
    registry.promote(name, ModelState.SHADOW, why="watch it", ground=Ground.DECISION)
    registry.put(*committee.pack([packed], metrics={}))
    return tmp_path / "models"


def test_only_models_in_shadow_or_in_charge_speak_and_once_a_day(models: Path, tmp_path: Path) -> None:
    lake, day = lake_until(tmp_path / "lake", 40), DAYS[40]
    found = record(models, lake, None, instant_at(day, EVENING))
    assert (found.day, found.in_time, len(found.said), found.resolved) == (day, True, 1, 0)
    assert record(models, lake, day, instant_at(day, EVENING) + 1).said == ()
    (said,) = ShadowBook(models).scores()
    assert set(said.values) == set(SYMBOLS)
    assert (said.horizon, said.at) == (HORIZON, instant_at(day, EVENING))
    assert said.data == lake.digest("daily", lake.versions()["daily"])


@pytest.mark.parametrize(
    ("place", "clock", "in_time"),
    [(40, EVENING, True), (40, 153_000, True), (40, 152_959, False), (41, 85_959, True), (41, MORNING, False)],
)
def test_words_count_only_between_the_close_and_the_next_open(
    models: Path, tmp_path: Path, place: int, clock: int, *, in_time: bool
) -> None:
    found = record(models, lake_until(tmp_path / "lake", 40), DAYS[40], instant_at(DAYS[place], clock))
    assert found.in_time is in_time
    assert ShadowBook(models).scores()[0].in_time is in_time


def test_scores_know_nothing_of_later_bars_and_outcomes_wait_for_theirs(models: Path, tmp_path: Path) -> None:
    day, at = DAYS[40], instant_at(DAYS[40], EVENING)
    record(models, lake_until(tmp_path / "lake", 40), day, at)
    (said,) = ShadowBook(models).scores()
    for last, resolved in ((42, 0), (43, 1), (44, 0)):
        later = record(models, lake_until(tmp_path / f"lake{last}", last), day, at)
        assert (later.said, later.resolved) == ((), resolved)
    (outcome,) = ShadowBook(models).outcomes()
    panel = lake_until(tmp_path / "whole", 50).panel("daily")
    followed = panel.open[43] / panel.open[41] - 1.0
    scores = np.array([[said.values[symbol] for symbol in panel.symbols]], np.float32)
    assert outcome.value == pytest.approx(float(daily_ic(scores, followed[None].astype(np.float32))[0]))
    assert (outcome.names, outcome.known_on) == (len(SYMBOLS), DAYS[43])
    other = Registry(tmp_path / "again")
    name = other.put(*Registry(models).get(said.model_id)).model_id
    other.promote(name, ModelState.SHADOW, why="watch it", ground=Ground.DECISION)
    record(tmp_path / "again", lake_until(tmp_path / "whole", 50), day, at)
    assert ShadowBook(tmp_path / "again").scores()[0].values == said.values


def test_a_day_the_lake_lacks_is_refused(models: Path, tmp_path: Path) -> None:
    lake = lake_until(tmp_path / "lake", 40)
    for day in (DAYS[41], DAYS[40] + dt.timedelta(days=400)):
        with pytest.raises(DataError, match="no daily bars"):
            record(models, lake, day, instant_at(DAYS[41], EVENING))
    with pytest.raises(DataError, match="no daily bars"):
        record(models, Lake(tmp_path / "empty"), None, instant_at(DAYS[41], EVENING))
    assert ShadowBook(models).scores() == ()


def test_the_verb_records_and_says_when_it_came_too_late(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake_until(tmp_path / "lake", 40)
    verb = ["model", "shadow", "--models", str(models), "--lake", str(tmp_path / "lake"), "--day", str(DAYS[40])]
    assert main(verb) == 0
    told = capsys.readouterr().out
    assert "늦어서" in told or "too late" in told
    assert main([*verb[:-1], "2026-06-30"]) == 3
