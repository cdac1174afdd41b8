"""Layers, types and faults of the configuration."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.config import Settings, load
from haetae.config.reading import Leaf, Unfit, convert
from haetae.domain.errors import ConfigError


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_given_leaves_the_defaults_of_the_rooms() -> None:
    assert load([], {}) == Settings()


def test_later_file_wins_over_earlier_and_environment_over_both(tmp_path: Path) -> None:
    base = written(tmp_path, "base.toml", "[universe]\nsize = 40\nsector_cap = 9\nbuffer = 3\n")
    above = written(tmp_path, "paper.toml", "[universe]\nsize = 30\nsector_cap = 8\n")
    settings = load([base, above], {"HAETAE_UNIVERSE__SIZE": "20"})
    found = (settings.universe.size, settings.universe.sector_cap, settings.universe.buffer)
    assert found == (20, 8, 3)


def test_nested_tables_and_days_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", "[emulator]\nspeed = 60\n[emulator.market]\nfirst_live_day = 2026-11-24\n")
    settings = load([path], {"HAETAE_EMULATOR__MARKET__SEED": "5"})
    assert settings.emulator.market.first_live_day == dt.date(2026, 11, 24)
    assert settings.emulator.market.seed == 5
    assert settings.emulator.speed == 60.0


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", '[univers]\nsize = 1\n[universe]\nsise = 1\nsize = "many"\nbuffer = true\n')
    with pytest.raises(ConfigError) as caught:
        load([path, tmp_path / "absent.toml"], {"HAETAE_EMULATOR__SPEED": "fast"})
    for sign in ("univers: unknown", "did you mean size", "universe.size", "universe.buffer", "absent.toml", "SPEED"):
        assert sign in caught.value.found
    assert "6" in str(caught.value.message)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 fault") as caught:
        load([written(tmp_path, "broken.toml", "[universe\n")], {})
    assert "broken.toml" in caught.value.found


def test_variables_without_a_section_are_left_alone() -> None:
    assert load([], {"HAETAE_LANG": "en", "HAETAE_VENV": "x", "PATH": "y"}) == Settings()


def test_an_unknown_section_in_the_environment_is_a_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        load([], {"HAETAE_UNIVRSE__SIZE": "3"})
    assert "did you mean universe" in caught.value.found


class Secret:
    """Stands for the broker's masked type; recognised by its name."""

    def __init__(self, text: str) -> None:
        self.text = text


def test_a_secret_in_a_file_is_refused_and_never_shown() -> None:
    with pytest.raises(Unfit, match="environment"):
        convert(Leaf("s3cret", "a.toml"), Secret)
    assert convert(Leaf("s3cret", "HAETAE_X__Y", is_text=True), Secret).text == "s3cret"


@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_survive_the_environment(number: int) -> None:
    assert convert(Leaf(str(number), "E", is_text=True), int) == number


@pytest.mark.parametrize(("value", "kind"), [(True, int), (1.5, int), ("1", int), (1, str), (1, bool), (True, float)])
def test_a_file_value_of_another_type_does_not_fit(value: object, kind: type) -> None:
    with pytest.raises(Unfit):
        convert(Leaf(value, "a.toml"), kind)
