"""Conflicting limits are named as a set in which every one matters, with the figure that would resolve it."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings

from haetae.portfolio import Limits, Request
from haetae.portfolio.conflict import can_be_met, diagnose
from unit.portfolio.requests import codes, request, requests_st


def _loosened(asked: Request, name: str, value: float) -> Request:
    if name.startswith("max_weight"):
        wanted = name.partition(":")[2]
        over = asked.held > asked.caps
        chosen = np.array([s == wanted for s in asked.symbols]) if wanted else asked.wanted & asked.tradable & ~over
        by = value - float(asked.caps[chosen].max())
        return dataclasses.replace(asked, caps=np.where(chosen, asked.caps + by, asked.caps))
    if name.startswith("sector_cap"):
        chosen = np.array([s == name.partition(":")[2] for s in asked.sector_names])
        return dataclasses.replace(asked, sector_caps=np.where(chosen, value, asked.sector_caps))
    if name == "untradable":
        return dataclasses.replace(asked, tradable=np.ones_like(asked.tradable))
    return dataclasses.replace(asked, limits=dataclasses.replace(asked.limits, **{name: min(max(value, 0.0), 2.0)}))


@settings(max_examples=150, deadline=None)
@given(asked=requests_st())
def test_loosening_any_one_of_the_named_limits_to_what_it_needs_is_enough(asked: Request) -> None:
    told = diagnose(asked)
    assert bool(told) != can_be_met(asked)
    for conflict in told:
        to_nothing = conflict.name in ("cash_floor", "invested_floor") and conflict.needed < 1e-5
        if not np.isfinite(conflict.needed) or to_nothing:  # all that is left of the floor is the solver's tolerance
            continue
        loose = conflict.needed + (1e-6 if conflict.needed > conflict.limit else -1e-6)
        assert can_be_met(_loosened(asked, conflict.name, loose)), conflict


def test_limits_that_can_be_met_are_no_conflict() -> None:
    assert diagnose(request()) == ()


def test_a_sector_and_the_floor_are_named_and_nothing_else() -> None:
    names = codes(6)
    asked = request(
        6, sectors=dict.fromkeys(names, "a"), sector_caps={"a": 0.4}, limits=Limits(max_weight=0.3, invested_floor=0.5)
    )
    told = {conflict.name: round(conflict.needed, 4) for conflict in diagnose(asked)}
    assert told == {"sector_cap:a": 0.5, "invested_floor": 0.4}


def test_everything_halted_is_a_conflict_with_the_floor_that_only_trading_resolves() -> None:
    asked = request(6, tradable=frozenset(), limits=Limits(max_weight=0.3, invested_floor=0.5))
    told = {conflict.name: conflict.needed for conflict in diagnose(asked)}
    assert set(told) == {"untradable", "invested_floor"}
    assert np.isnan(told["untradable"])
