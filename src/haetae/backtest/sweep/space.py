"""Search spaces: which values each parameter of a strategy may take.

Here: the three kinds of axis, the grid over them and random draws. Not here: how they are written on a command line
(`spelling`), the order in which points are tried (`search`). Ranges include both ends.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from haetae.domain.errors import ConfigError, Text
from haetae.policies.strategy import Parameter

Parameters: TypeAlias = Mapping[str, Parameter]
LARGEST_GRID = 100_000
"""Points beyond this are a slip of the keyboard; a random search says as much of such a space."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Some values, tried in this order."""

    name: str
    values: tuple[Parameter, ...]

    def draw(self, dice: np.random.Generator) -> Parameter:
        """Return one of them, each as likely."""
        return self.values[int(dice.integers(len(self.values)))]

    def told(self) -> dict[str, Any]:
        """Return the axis as JSON values."""
        return {"kind": "choices", "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from ``low`` in steps up to ``high``; ``log`` draws small ones as often as large ones."""

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False

    @property
    def values(self) -> tuple[Parameter, ...]:
        """Every value, ascending."""
        return tuple(range(self.low, self.high + 1, self.step))

    def draw(self, dice: np.random.Generator) -> Parameter:
        """Return a value; on a log scale the logarithm is uniform."""
        if self.log:
            drawn = math.floor(math.exp(dice.uniform(math.log(self.low), math.log(self.high + 1))))
            return min(max(drawn, self.low), self.high)
        return self.low + self.step * int(dice.integers((self.high - self.low) // self.step + 1))

    def told(self) -> dict[str, Any]:
        """Return the axis as JSON values."""
        return {"kind": "int", "low": self.low, "high": self.high, "step": self.step, "log": self.log}


@dataclass(frozen=True, slots=True)
class FloatRange:
    """Numbers between two ends, uniform or uniform in the logarithm."""

    name: str
    low: float
    high: float
    log: bool = False

    @property
    def values(self) -> tuple[Parameter, ...]:
        """Refuse: a grid needs steps."""
        raise ConfigError(
            Text(ko=f"격자에 쓸 수 없는 범위입니다: {self.name}", en=f"a range of numbers is no grid: {self.name}"),
            expected=Text(ko="쉼표로 나눈 값들", en="values with commas"),
            found=f"{self.low}:{self.high}",
            next_step=f"--grid {self.name}={self.low},{self.high}",
        )

    def draw(self, dice: np.random.Generator) -> Parameter:
        """Return a number of the range."""
        if self.log:
            return float(math.exp(dice.uniform(math.log(self.low), math.log(self.high))))
        return float(dice.uniform(self.low, self.high))

    def told(self) -> dict[str, Any]:
        """Return the axis as JSON values."""
        return {"kind": "float", "low": self.low, "high": self.high, "log": self.log}


Axis: TypeAlias = Choices | IntRange | FloatRange


@dataclass(frozen=True, slots=True)
class Space:
    """Axes in the order they were named, beside parameters that stay ``fixed``."""

    axes: tuple[Axis, ...]
    fixed: tuple[tuple[str, Parameter], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name that is said twice, and a space without axes."""
        names = [axis.name for axis in self.axes] + [name for name, _ in self.fixed]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not self.axes:
            raise ConfigError(
                Text(ko="탐색 공간이 맞지 않습니다", en="the search space does not fit"),
                expected=Text(ko="매개변수마다 한 번, 하나 이상", en="each parameter once, and at least one"),
                found=", ".join(twice) or "-",
                next_step="--grid fast=5,10,20 --grid slow=60,120",
            )

    def grid(self) -> Iterator[Parameters]:
        """Yield every combination, the last axis fastest."""
        values = [axis.values for axis in self.axes]
        size = math.prod(len(each) for each in values)
        if size > LARGEST_GRID:
            raise ConfigError(
                Text(ko="격자가 너무 큽니다", en="the grid is too large"),
                expected=f"<= {LARGEST_GRID:,}",
                found=f"{size:,}",
                next_step="--random … --n 1000",
            )
        names = [axis.name for axis in self.axes]
        for combination in itertools.product(*values):
            yield dict(self.fixed) | dict(zip(names, combination, strict=True))

    def draw(self, dice: np.random.Generator) -> Parameters:
        """Return one point, each axis drawn by itself."""
        return dict(self.fixed) | {axis.name: axis.draw(dice) for axis in self.axes}

    def told(self) -> dict[str, Any]:
        """Return the space as JSON values."""
        return {"axes": {axis.name: axis.told() for axis in self.axes}, "fixed": dict(self.fixed)}
