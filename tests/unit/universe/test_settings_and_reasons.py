"""Settings that cannot select are refused with every fault; every code that is told has its words."""

from __future__ import annotations

import dataclasses
import math

import pytest

from haetae.dashboard.words import EXCLUSION
from haetae.domain.errors import ConfigError
from haetae.domain.market import Kind
from haetae.domain.units import day_from
from haetae.universe import MissingParts, UniverseSettings, select
from haetae.universe.reasons import FLAGS, REASONS
from haetae.universe.settings import EXCLUDED_FLAGS, KNOWN_FLAGS, PARTS
from told_markets import told_market


@pytest.mark.parametrize(
    "fault",
    [
        {"size": 0},
        {"buffer": -1},
        {"sector_cap": 0},
        {"min_turnover_won": -1},
        {"value_weight": -0.1},
        {"momentum_weight": math.nan},
        {"quality_weight": math.inf},
        dict.fromkeys([f"{part}_weight" for part in PARTS], 0.0),
        {"excluded_flags": ("halted", "adminstrative")},
        {"max_statement_age_days": 0},
        {"min_momentum_rows": 0},
    ],
)
def test_settings_that_cannot_select_are_refused_by_name(fault: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as refusal:
        UniverseSettings(**fault)  # type: ignore[arg-type]
    named = "every weight" if len(fault) == len(PARTS) else next(iter(fault))
    assert named in refusal.value.found
    assert refusal.value.next_step


def test_all_faults_are_told_together() -> None:
    with pytest.raises(ConfigError) as refusal:
        UniverseSettings(size=0, buffer=-1, value_weight=-2.0)
    assert all(word in refusal.value.found for word in ("size 0", "buffer -1", "value_weight -2.0"))


def test_every_code_of_the_settings_and_kinds_has_words_for_people() -> None:
    barred = {f"flag.{word}" for word in EXCLUDED_FLAGS} | {f"kind.{kind.value}" for kind in Kind} - {"kind.common"}
    assert barred <= set(REASONS)
    assert set(REASONS) == set(EXCLUSION), "the dashboard names the same reasons"
    assert set(EXCLUDED_FLAGS) <= KNOWN_FLAGS
    assert set(PARTS) - {"liquidity"} <= set(FLAGS), "turnover is known wherever there are bars"


def test_every_code_that_a_selection_tells_is_listed() -> None:
    codes: set[str] = set()
    flags: set[str] = set()
    for seed in range(4):
        told = told_market(seed)
        day = day_from(int(told.panel.days[-1]))
        for extra in ({}, {"missing_parts": MissingParts.EXCLUDE}, {"prices_adjusted": True}):
            given = dataclasses.replace(UniverseSettings(size=5, min_turnover_won=10**8, min_price_won=5_000), **extra)
            found = select(
                day, told.instruments(day)[1:], told.panel, given,
                statements=told.statement_rows(), statuses=told.status_rows(),
            )  # fmt: skip
            codes |= {item.code for item in found.exclusions}
            flags |= {flag for each in found.flags.values() for flag in each}
    assert len(codes) > 8
    assert codes <= set(REASONS)
    assert flags <= set(FLAGS)


def test_flags_are_told_in_the_order_of_their_table() -> None:
    told = told_market(1)
    day = day_from(int(told.panel.days[-1]))
    found = select(day, told.instruments(day), told.panel, UniverseSettings(size=3, min_turnover_won=0))
    order = {code: place for place, code in enumerate(FLAGS)}
    assert found.flags
    for flags in found.flags.values():
        assert [order[flag] for flag in flags] == sorted(order[flag] for flag in flags)
