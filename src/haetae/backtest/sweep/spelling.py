"""Search spaces as people write them: ``fast=5,10,20``, ``slow=20:200:20``, ``fraction=0.005:0.1:log``.

The type of every value is that of the parameter's default in the strategy. Not here: what is done with them (`space`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from haetae.backtest.sweep.space import Axis, Choices, FloatRange, IntRange, Space
from haetae.domain.errors import ConfigError, Text
from haetae.policies import Strategy
from haetae.policies.strategy import Parameter, read_parameter

_WIDE = 4
"""A space nobody named reaches from a quarter of each default to four times it."""


def read_space(made: type[Strategy], written: Sequence[str], fixed: Mapping[str, str]) -> Space:
    """Return the space of ``NAME=VALUES`` texts; parameters in ``fixed`` keep one value.

    Raises
    ------
    ConfigError
        If a text cannot be read.
    StrategyError
        If a value does not fit the strategy's parameter.
    """
    axes = tuple(read_axis(made, text) for text in written)
    known = made.defaults()
    kept = tuple((name, _value(made, name, text, known)) for name, text in fixed.items())
    return Space(axes, kept)


def read_axis(made: type[Strategy], text: str) -> Axis:
    """Return the axis of ``NAME=a,b,c`` or ``NAME=low:high[:step|:log]``."""
    name, equals, values = (part.strip() for part in text.partition("="))
    known = made.defaults()
    if not equals or not values:
        raise _unreadable(text)
    if ":" in values:
        return _range(made, name, values.split(":"), known, text)
    read = [_value(made, name, each.strip(), known) for each in values.split(",") if each.strip()]
    return Choices(name, tuple(dict.fromkeys(read)))


def default_space(made: type[Strategy], fixed: Mapping[str, str]) -> Space:
    """Return a wide space around the defaults: numbers on a log scale, yes/no both ways, text as it is."""
    known = made.defaults()
    axes: list[Axis] = []
    for name, value in known.items():
        if name in fixed or isinstance(value, str):
            continue
        if isinstance(value, bool):
            axes.append(Choices(name, (False, True)))
        elif isinstance(value, int) and value > 0:
            axes.append(IntRange(name, max(1, value // _WIDE), value * _WIDE, log=True))
        elif isinstance(value, float) and value > 0:
            axes.append(FloatRange(name, value / _WIDE, value * _WIDE, log=True))
    return Space(tuple(axes), tuple((name, _value(made, name, text, known)) for name, text in fixed.items()))


def _range(
    made: type[Strategy], name: str, parts: list[str], known: Mapping[str, Parameter], text: str
) -> IntRange | FloatRange:
    if len(parts) not in (2, 3) or name not in known:
        _value(made, name, parts[0], known)
        raise _unreadable(text)
    low, high = (_value(made, name, part.strip(), known) for part in parts[:2])
    third = parts[2].strip() if len(parts) == 3 else ""
    log = third == "log"
    kind = type(known[name])
    if kind not in (int, float) or not low < high or (log and not low > 0):  # type: ignore[operator]
        raise _unreadable(text)
    if isinstance(low, int) and isinstance(high, int):
        if third and not log and (not third.isdecimal() or int(third) < 1):
            raise _unreadable(text)
        return IntRange(name, low, high, int(third) if third and not log else 1, log)
    if (third and not log) or not (math.isfinite(float(low)) and math.isfinite(float(high))):
        raise _unreadable(text)
    return FloatRange(name, float(low), float(high), log)


def _value(made: type[Strategy], name: str, text: str, known: Mapping[str, Parameter]) -> Parameter:
    if name not in known:
        made(**{name: text})  # raises the strategy's own word on a parameter it does not have
    return read_parameter(made.title(), name, text, known[name])


def _unreadable(text: str) -> ConfigError:
    return ConfigError(
        Text(ko="탐색 범위를 읽을 수 없습니다", en="a search range cannot be read"),
        expected="NAME=5,10,20  NAME=5:50  NAME=20:200:20  NAME=0.01:0.1:log",
        found=text,
        next_step="--grid fast=5,10,20 --random slow=60:240",
    )
