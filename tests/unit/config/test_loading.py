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
from haetae.domain.events import OperatorState


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_given_leaves_the_defaults_of_the_rooms() -> None:
    assert load([], {}) == Settings()


def test_later_file_wins_over_earlier_and_environment_over_both(tmp_path: Path) -> None:
    base = written(tmp_path, "base.toml", "[research.universe]\nsize = 40\nsector_cap = 9\nbuffer = 3\n")
    above = written(tmp_path, "paper.toml", "[research.universe]\nsize = 30\nsector_cap = 8\n")
    settings = load([base, above], {"HAETAE_RESEARCH__UNIVERSE__SIZE": "20"})
    found = (settings.research.universe.size, settings.research.universe.sector_cap, settings.research.universe.buffer)
    assert found == (20, 8, 3)


def test_nested_tables_and_days_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", "[emulator]\nspeed = 60\n[emulator.market]\nfirst_live_day = 2026-11-24\n")
    settings = load([path], {"HAETAE_EMULATOR__MARKET__SEED": "5"})
    assert settings.emulator.market.first_live_day == dt.date(2026, 11, 24)
    assert settings.emulator.market.seed == 5
    assert settings.emulator.speed == 60.0


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.toml", '[reserch]\nsize = 1\n[research.universe]\nsise = 1\nsize = "many"\nbuffer = true\n'
    )
    with pytest.raises(ConfigError) as caught:
        load([path, tmp_path / "absent.toml"], {"HAETAE_EMULATOR__SPEED": "fast"})
    for sign in ("reserch: unknown", "did you mean size", "universe.size", "universe.buffer", "absent.toml", "SPEED"):
        assert sign in caught.value.found
    assert "6" in str(caught.value.message)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 fault") as caught:
        load([written(tmp_path, "broken.toml", "[research\n")], {})
    assert "broken.toml" in caught.value.found


def test_variables_without_a_section_are_left_alone() -> None:
    assert load([], {"HAETAE_LANG": "en", "HAETAE_VENV": "x", "PATH": "y"}) == Settings()


def test_an_unknown_section_in_the_environment_is_a_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        load([], {"HAETAE_RESERCH__SIZE": "3"})
    assert "did you mean research" in caught.value.found


def test_what_a_room_refuses_is_a_fault_among_the_others(tmp_path: Path) -> None:
    text = "[desk.limits]\nmax_order_ppm = 900000\n[desk.agent]\nmin_confidence = 0.1\n[research.universe]\nsise = 1\n"
    with pytest.raises(ConfigError) as caught:
        load([written(tmp_path, "a.toml", text)], {})
    for sign in ("max_order_ppm=900000", "min_confidence 0.1", "universe.sise"):
        assert sign in caught.value.found


def test_lists_of_fixed_length_keep_their_length(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", "[desk.escape]\nmarket_bp = [-1, -2, -3]\nvolatility_ratio = [2, 3.5]\n")
    settings = load([path], {"HAETAE_DESK__LIMITS__DENY_LIST": "005930, 000660"})
    assert settings.desk.escape.market_bp == (-1, -2, -3)
    assert settings.desk.escape.volatility_ratio == (2.0, 3.5)
    assert settings.desk.limits.deny_list == frozenset({"005930", "000660"})
    with pytest.raises(ConfigError, match="1 fault"):
        load([written(tmp_path, "b.toml", "[desk.escape]\nmarket_bp = [-1]\n")], {})


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


ACCOUNT = {
    "HAETAE_KIS__REST_URL": "http://127.0.0.1:1",
    "HAETAE_KIS__WS_URL": "ws://127.0.0.1:2",
    "HAETAE_KIS__APP_KEY": "k" * 36,
    "HAETAE_KIS__APP_SECRET": "s3cret" + "x" * 174,
    "HAETAE_KIS__ACCOUNT": "12345678",
}


def test_an_account_comes_from_the_environment_and_stays_masked() -> None:
    assert load([], {}).kis is None
    settings = load([], ACCOUNT)
    assert settings.kis is not None
    assert settings.kis.app_secret.reveal() == "s3cret" + "x" * 174
    assert "s3cret" not in repr(settings)


def test_a_secret_in_a_file_is_a_fault_that_does_not_show_it(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", '[kis]\napp_secret = "s3cret"\n')
    with pytest.raises(ConfigError) as caught:
        load([path], {})
    assert "environment" in caught.value.found
    assert "s3cret" not in caught.value.found


def test_real_hosts_are_refused_without_the_flag() -> None:
    with pytest.raises(ConfigError) as caught:
        load([], {**ACCOUNT, "HAETAE_KIS__REST_URL": "https://openapi.koreainvestment.com:9443"})
    assert "live_allowed" in str(caught.value.found)


ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_shipped_files_are_without_fault(path: Path) -> None:
    assert isinstance(load([ROOT / "configs" / "base.toml", path], {}), Settings)


def test_the_base_file_repeats_the_defaults_of_the_rooms() -> None:
    assert load([ROOT / "configs" / "base.toml"], {}) == Settings()


def test_a_live_configuration_starts_halted_and_is_never_looser_than_paper() -> None:
    base = ROOT / "configs" / "base.toml"
    paper = load([base, ROOT / "configs" / "paper.toml"], {}).desk
    live = load([base, ROOT / "configs" / "live.toml"], {}).desk
    assert live.start_state is OperatorState.HALT
    assert live.agent.min_confidence >= paper.agent.min_confidence
    for name in ("max_order_ppm", "max_position_ppm", "daily_buys_ppm", "day_loss_halt_ppm", "orders_per_day"):
        assert getattr(live.limits, name) <= getattr(paper.limits, name), name
    assert live.limits.require_reconciled and live.limits.require_vitals and paper.limits.require_vitals
