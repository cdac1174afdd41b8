"""Policies in shadow: each day's return after costs, the same simulation for all, and only who stood there before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.promotion import Ground
from haetae.domain.units import Instant, instant_at
from haetae.features import minute
from haetae.policies.actions import ActionMap
from haetae.policies.artefact import NetArtefact, to_files
from haetae.policies.network import new_weights
from haetae.policies.observe import Scaler, observation_names
from haetae.ports.tables import MINUTE, TABLES, instrument_rows
from haetae.registry.registry import Registry
from haetae.registry.shadow import ShadowBook
from haetae.store.lake import Lake
from haetae.wiring.clocks import DrivenClock
from haetae.wiring.shadowing_policies import record_policies
from rigs.desk_day import DAY, codes, instruments, minutes

SYMBOLS = codes(6)
MORNING, EVENING = instant_at(DAY, 80_000), instant_at(DAY, 170_000)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A morning of minutes."""
    lake = Lake(tmp_path / "lake")
    rows = [
        {"symbol": symbol, "day": DAY, "start": piece.start, "open": int(piece.open[k]), "high": int(piece.high[k]),
         "low": int(piece.low[k]), "close": int(piece.close[k]), "volume": int(piece.volume[k])}
        for piece in minutes(SYMBOLS, np.random.default_rng(3), count=120)
        for k, symbol in enumerate(piece.symbols)
    ]  # fmt: skip
    lake.write("minute", pa.Table.from_pylist(rows, schema=MINUTE), keys=TABLES["minute"].keys)
    listed = instrument_rows(instruments(SYMBOLS).values())
    lake.write("instruments", listed, keys=TABLES["instruments"].keys)
    return lake


def put(registry: Registry, name: str, bias: float, *states: ModelState) -> str:
    width = len(observation_names(minute.NAMES))
    weights = new_weights(width, 4, np.random.default_rng(1), score_bias=bias, log_std=-1.0)
    scaler = Scaler(np.zeros(len(minute.NAMES), np.float32), np.ones(len(minute.NAMES), np.float32))
    files = to_files(NetArtefact(weights, scaler, minute.NAMES, ActionMap(), {}))
    registry.put(ModelCard(name, "policy", "f", DAY, DAY, {}, 1, ""), files)
    for state in states:
        registry.promote(name, state, why="test", ground=Ground.DECISION)
    return name


def registered(folder: Path, at: Instant) -> Registry:
    registry = Registry(folder, DrivenClock(at))
    put(registry, "held", 3.0, ModelState.SHADOW, ModelState.CHAMPION)
    put(registry, "idle", -9.0, ModelState.SHADOW)
    put(registry, "unseen", 0.0)
    return registry


def test_the_day_of_every_policy_in_shadow_and_in_charge_is_written_down_once(lake: Lake, tmp_path: Path) -> None:
    registered(tmp_path / "models", MORNING)
    assert record_policies(tmp_path / "models", lake, DAY, SYMBOLS, EVENING) == 2
    assert record_policies(tmp_path / "models", lake, DAY, SYMBOLS, EVENING + 1) == 0
    book = ShadowBook(tmp_path / "models")
    found = {one.model_id: one for one in book.outcomes()}
    assert set(found) == {"held", "idle"}
    assert found["held"].value != 0.0
    assert abs(found["idle"].value) < abs(found["held"].value)
    assert [one.day for one in book.counted("idle", since=MORNING)] == [DAY]
    again = tmp_path / "again"
    registered(again, MORNING)
    record_policies(again, lake, DAY, SYMBOLS, EVENING)
    assert ShadowBook(again).outcomes() == book.outcomes()


def test_a_policy_that_came_to_shadow_during_the_day_waits_for_the_next(lake: Lake, tmp_path: Path) -> None:
    registered(tmp_path / "models", instant_at(DAY, 100_000))
    record_policies(tmp_path / "models", lake, DAY, SYMBOLS, EVENING)
    assert {one.model_id for one in ShadowBook(tmp_path / "models").outcomes()} == {"held"}


def test_a_day_without_minutes_says_nothing(tmp_path: Path) -> None:
    registered(tmp_path / "models", MORNING)
    assert record_policies(tmp_path / "models", Lake(tmp_path / "lake"), DAY, SYMBOLS, EVENING) == 0
    assert ShadowBook(tmp_path / "models").scores() == ()
