"""Fear & greed on the real Korean history: deep in the crises, with CNN, against VIX, honest about what is missing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from haetae.domain.units import yyyymmdd
from haetae.features import feargreed
from haetae.features.feargreed import NAMES
from real_bars import needs_real_bars
from real_moods import measured, real_mood, recorded

pytestmark = [pytest.mark.realdata, needs_real_bars]
STRENGTH, BOND = NAMES.index("strength"), NAMES.index("bond_haven")


def test_it_falls_in_the_crises_and_rises_in_the_rallies() -> None:
    found = {told["name"]: told for told in measured()["windows"]}
    assert found["2020-03"]["mean"] < 15.0
    assert found["2020-03"]["high"] <= 30.0
    assert found["2022-06"]["mean"] < 20.0
    assert found["2022-01"]["mean"] < 25.0
    assert min(found["2020-08"]["mean"], found["2020-12"]["mean"]) > 60.0


def test_it_moves_with_cnn_and_against_vix_in_every_span() -> None:
    for told in measured()["ties"]:
        assert told["cnn"] > 0.4, told
        assert told["vix_1d"] < -0.1, told
        assert told["vix_20d"] < -0.4, told


def test_the_page_shows_what_is_measured() -> None:
    assert measured() == recorded()


def test_what_the_history_lacks_is_flagged_with_its_day() -> None:
    _, mood = real_mood()
    row = int(np.flatnonzero(mood.days == 20200316)[0])
    assert set(mood.missing(row)) == {"strength", "foreign_flow"}
    assert {flag.since for flag in mood.flags(row)} == {None}
    came = mood.days[np.flatnonzero(np.isfinite(mood.ranks[:, STRENGTH]))[0]]
    assert 20200401 < came < 20200415
    ended = {flag.component: flag.since for flag in mood.flags()}
    assert ended["bond_haven"] == dt.date(2023, 12, 22)
    assert np.isfinite(mood.value[mood.days >= yyyymmdd(dt.date(2019, 5, 1))]).all()


def test_the_newest_days_one_at_a_time_are_the_same_bits() -> None:
    inputs, mood = real_mood()
    last = len(inputs) - 3
    state, _ = feargreed.fold(feargreed.start(len(inputs.panel.symbols)), inputs.rows(0, last))
    for row in range(last, len(inputs)):
        state, now = feargreed.fold(state, inputs.rows(row, row + 1))
        assert now.raw.tobytes() == mood.raw[row : row + 1].tobytes()
        assert now.value.tobytes() == mood.value[row : row + 1].tobytes()
