"""The catalogue finds features as people name them, and bad input is refused with its name and its cure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from haetae.domain.errors import ConfigError, DataError, HaetaeError, ModelError
from haetae.features import catalogue, daily, refusals
from random_panels import daily_panel


def told(fault: HaetaeError) -> str:
    return " ".join(map(str, (fault.message, fault.expected, fault.found, fault.next_step)))


def test_every_set_is_listed_with_all_its_features() -> None:
    listed = catalogue.records(catalogue.SETS.values())
    assert len(listed) == sum(len(each.specs) for each in catalogue.SETS.values())
    assert {each["set"] for each in listed} == set(catalogue.SETS) >= {"minute", "daily"}
    assert len({each.hash for each in catalogue.SETS.values()}) == len(catalogue.SETS)
    for name, each in catalogue.SETS.items():
        assert each.name == name
        assert each.start(3).dtype == np.float64


def test_a_feature_is_found_by_name_version_and_set() -> None:
    found, column = catalogue.find("beta_120", 1)
    assert (found.name, found.names[column]) == ("daily", "beta_120")
    assert catalogue.find("minute.rsi_14")[0].name == "minute"
    assert catalogue.find("rsi_14", within="daily")[1] == daily.NAMES.index("rsi_14")


@pytest.mark.parametrize(
    ("look", "wanted"),
    [
        (lambda: catalogue.find("beta_12"), "beta_120"),
        (lambda: catalogue.find("beta_120", 2), "beta_120 v1"),
        (lambda: catalogue.find("daily.rsi_15"), "rsi_14"),
        (lambda: catalogue.find("atr_14"), "minute.atr_14, daily.atr_14"),
        (lambda: catalogue.named("dayly"), "daily"),
        (lambda: catalogue.find("ret_1", within="days"), "daily"),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest(look: object, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        look()  # type: ignore[operator]
    assert wanted in told(caught.value)
    assert caught.value.next_step


def test_a_history_shorter_than_a_look_back_is_refused_with_both_numbers() -> None:
    refusals.refuse_short_history(daily.SET, 253)
    with pytest.raises(DataError) as caught:
        refusals.refuse_short_history(daily.SET, 252)
    assert "> 252 days" in told(caught.value)
    assert "252 days: momentum_12_1" in told(caught.value)


def test_two_bars_of_one_time_are_refused_with_the_time() -> None:
    panel = daily_panel(1, symbols=2, sessions=4)
    refusals.refuse_duplicates(panel)
    twice = dataclasses.replace(panel, start=panel.start[[0, 1, 1, 3]].copy())
    with pytest.raises(DataError, match="two bars stand at one time") as caught:
        refusals.refuse_duplicates(twice)
    assert "2020-01-03" in told(caught.value)


def test_a_column_of_nothing_is_refused_by_name_and_input() -> None:
    values = daily.build(daily_panel(2, symbols=3))
    with pytest.raises(DataError) as caught:
        refusals.refuse_blank(daily.SPECS, values)
    assert "foreign_flow_1" in told(caught.value)
    assert "foreign_won" in told(caught.value)
    known = [k for k, name in enumerate(daily.NAMES) if "flow_" not in name and not name.startswith("sector_")]
    known += [daily.NAMES.index("money_flow_20")]
    refusals.refuse_blank([daily.SPECS[k] for k in known], values[:, :, known])


def test_a_model_of_other_features_is_refused_with_both_hashes() -> None:
    refusals.refuse_other_hash(daily.SET, daily.SET.hash, model="m")
    with pytest.raises(ModelError) as caught:
        refusals.refuse_other_hash(daily.SET, "0123456789abcdef", model="ranker-7")
    for word in ("ranker-7", daily.SET.hash, "0123456789abcdef"):
        assert word in told(caught.value)
