"""Limits: nothing beyond a ceiling or a floor, of another type, or of an experiment on a trading day."""

from __future__ import annotations

from dataclasses import fields

import pytest

from haetae.domain.errors import ConfigError
from haetae.guards import CEILINGS, FLOORS, Limits, TrialLimits, require_ceilings, require_measured
from haetae.guards.settings import REAL_HOST
from haetae.kis.deployment import MOCK_REST, REAL_REST

DEFAULTS = {item.name: item.default for item in fields(Limits)}


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_configuration_cannot_go_below_a_floor(name: str) -> None:
    Limits(**{name: FLOORS[name]})
    less = FLOORS[name] - (0.01 if isinstance(DEFAULTS[name], float) else 1)
    with pytest.raises(ConfigError) as caught:
        Limits(**{name: less})
    assert name in caught.value.found
    assert getattr(TrialLimits(**{name: less}), name) == less


@pytest.mark.parametrize("name", sorted(set(DEFAULTS) - {"deny_list"}))
@pytest.mark.parametrize("bad", [None, float("nan"), "1", -1, True], ids=str)
def test_a_limit_of_another_type_is_no_limit(name: str, bad: object) -> None:
    if isinstance(DEFAULTS[name], bool) and bad is True:
        assert getattr(Limits(**{name: bad}), name) is True
        return
    with pytest.raises(ConfigError) as caught:
        TrialLimits(**{name: bad})
    assert f"{name}=" in caught.value.found


def test_a_deny_list_is_a_set_of_names() -> None:
    with pytest.raises(ConfigError):
        Limits(deny_list="005930")  # type: ignore[arg-type]
    assert Limits(deny_list=frozenset({"005930"})).deny_list


def test_confidence_is_at_most_one() -> None:
    assert Limits(min_confidence=1.0).min_confidence == 1.0
    with pytest.raises(ConfigError):
        Limits(min_confidence=1.01)


def test_every_bound_is_of_a_limit_and_holds_its_default() -> None:
    assert set(CEILINGS) | set(FLOORS) <= set(DEFAULTS)
    assert all(DEFAULTS[name] <= most for name, most in CEILINGS.items())
    assert all(DEFAULTS[name] >= least for name, least in FLOORS.items())


def test_a_trading_day_refuses_the_limits_of_an_experiment() -> None:
    require_ceilings(Limits(require_vitals=True))
    with pytest.raises(ConfigError):
        require_ceilings(TrialLimits(require_vitals=True))


def test_a_trading_day_looks_at_machinery_and_account() -> None:
    require_measured(Limits(require_vitals=True))
    for blind in (Limits(require_vitals=False), Limits(require_vitals=True, require_reconciled=False)):
        with pytest.raises(ConfigError, match="machinery"):
            require_measured(blind)


def test_the_real_host_is_the_brokers() -> None:
    assert REAL_HOST in REAL_REST and REAL_HOST not in MOCK_REST
