"""All feature sets by name, and finding a feature in them.

A set joins by one line of ``_SETS``. Names are looked up as people write them; what is unknown is answered with the
closest names. Not here: refusals of data (``refusals``), proofs (``proofs``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from haetae.domain.errors import ConfigError, Text
from haetae.domain.learning import FeatureSpec
from haetae.features import alpha, daily, factors, intraday, minute
from haetae.features.sets import FeatureSet
from haetae.features.specs import windowed

_SETS: Final = (minute.SET, intraday.SET, daily.SET, alpha.SET, factors.SET)

SETS: Final[Mapping[str, FeatureSet]] = MappingProxyType({each.name: each for each in _SETS})
"""Every feature set by name."""

JOINABLE: Final = frozenset({"minute", "daily"})
"""Sets whose state has a row for each symbol, so that a name without a past joins with the row of a start."""

_SESSION_OR_MEAN: Final = frozenset(
    {"volatility_ratio", "rsi_14", "macd_hist", "atr_14", "vwap_distance", "session_position", "day_return", "volume_z"}
)
"""Of ``minute``, whose declarations are older than the word for it: slow means, and values of the running session."""


def forgets(feature_set: FeatureSet) -> tuple[FeatureSpec, ...]:
    """Return the features of a set that bars older than their look-back do not move."""
    older = _SESSION_OR_MEAN if feature_set.name == "minute" else frozenset()
    return tuple(spec for spec in feature_set.specs if windowed(spec) and spec.name not in older)


def _closest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return ", ".join(near or names[:8])


def named(name: str) -> FeatureSet:
    """Return a set by its name; an unknown one is a ``ConfigError`` that offers the closest."""
    if name not in SETS:
        raise ConfigError(
            Text(ko=f"'{name}' 특징 집합은 없습니다", en=f"there is no feature set '{name}'"),
            expected=_closest(name, SETS),
            found=name,
            next_step="haetae features list",
        )
    return SETS[name]


def find(feature: str, version: int | None = None, *, within: str | None = None) -> tuple[FeatureSet, int]:
    """Return the set of a feature and its column there.

    Parameters
    ----------
    feature : str
        Its name, or ``set.name`` where several sets have one of that name.
    version : int, optional
        The version that is meant; another one is refused, since its values meant something else.
    within : str, optional
        The set to look in.

    Raises
    ------
    ConfigError
        If no set has it, more than one has it, or it has another version.
    """
    place, dot, name = feature.rpartition(".")
    home = place if dot else within
    sets = [named(home)] if home else list(SETS.values())
    found = [(each, each.names.index(name)) for each in sets if name in each.names]
    if not found:
        raise ConfigError(
            Text(ko=f"'{feature}' 특징은 없습니다", en=f"there is no feature '{feature}'"),
            expected=_closest(name, dict.fromkeys(known for each in sets for known in each.names)),
            found=feature,
            next_step="haetae features list",
        )
    if len(found) > 1:
        raise ConfigError(
            Text(ko=f"'{feature}' 특징이 여러 집합에 있습니다", en=f"several sets have a feature '{feature}'"),
            expected=", ".join(f"{each.name}.{name}" for each, _ in found),
            found=feature,
            next_step=f"{found[0][0].name}.{name}",
        )
    chosen, column = found[0]
    there = chosen.specs[column].version
    if version is not None and version != there:
        raise ConfigError(
            Text(ko=f"'{feature}' 특징의 판이 다릅니다", en=f"feature '{feature}' has another version"),
            expected=f"{feature} v{there}",
            found=f"v{version}",
            next_step=Text(
                ko="지금 판으로 다시 학습하거나, 그 판을 가진 해태를 쓰세요",
                en="train again with this version, or use the release that has the other",
            ),
        )
    return chosen, column


def records(chosen: Iterable[FeatureSet]) -> list[dict[str, Any]]:
    """Return every feature of some sets as JSON values, in the order of the columns."""
    return [
        {
            "set": each.name,
            "name": spec.name,
            "version": spec.version,
            "grain": each.grain.value,
            "inputs": list(spec.inputs),
            "look_back": spec.look_back,
            "known_at": spec.known_at,
            "unit": spec.unit,
            "missing": spec.missing,
        }
        for each in chosen
        for spec in each.specs
    ]
