"""What an outsider writes: a class with parameters and one method, ``View`` to ``Proposal``.

    class Highs(Strategy):
        every = "week"
        top: int = 10

        def propose(self, view):
            closes = view.daily.close[-250:]
            near = closes[-1] / np.maximum(closes.max(axis=0), 1)
            best = np.argsort(-np.where(view.tradable, near, -1.0))[: self.top]
            return self.hold(view, {view.symbols[s]: 1 / self.top for s in best}, close_others=True)

The same object runs in a backtest, in an episode with the whole desk, and on paper. Annotated class
attributes are parameters: they may be set from outside and swept over. Here: the base class and the check of what it
returns. Not here: arrays of signals and targets (`forms`), finding a class by name (``wiring``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, TypeAlias, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import StrategyError, Text
from haetae.domain.proposals import proposal_fault
from haetae.domain.units import Symbol, Weight, kst_text
from haetae.policies.schedule import Schedule, schedule

Parameter: TypeAlias = int | float | str | bool
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Strategy:
    """Base of strategies; subclasses annotate parameters and write ``propose``.

    Attributes
    ----------
    every : str
        When it is asked: ``bar``, ``day`` (at the session's end), ``week``, ``month``, ``5d``, ``30m``.
    sessions_back, minutes_back : int
        How many closed sessions and minutes ``view.daily`` and ``view.minutes`` show at most.
    uses_features : bool
        Whether ``view.features`` must be filled; a backtest saves the time otherwise.
    name : str
        What it is called; the class's name in small letters if empty.
    """

    every: ClassVar[str] = "day"
    sessions_back: ClassVar[int] = 300
    minutes_back: ClassVar[int] = 400
    uses_features: ClassVar[bool] = False
    name: ClassVar[str] = ""
    bound: ClassVar[bool] = False
    """It knows the future: it bounds what could be earned, and cannot be traded."""

    def __init__(self, **parameters: Parameter) -> None:
        """Set parameters over their defaults; unknown names and wrong types are a ``StrategyError``."""
        known = self.defaults()
        for given, value in parameters.items():
            if given not in known:
                raise _unknown(type(self).title(), given, known)
            setattr(self, given, _fitting(type(self).title(), given, value, known[given]))

    @classmethod
    def title(cls) -> str:
        """Return the strategy's name."""
        return cls.name or _CAPITAL.sub("_", cls.__name__).lower()

    @classmethod
    def defaults(cls) -> dict[str, Parameter]:
        """Return the parameters with their default values, in the order of their declaration."""
        found: dict[str, Parameter] = {}
        for name, hint in _hints(cls).items():
            if name.startswith("_") or get_origin(hint) is ClassVar or hint is ClassVar:
                continue
            value = getattr(cls, name, None)
            if not isinstance(value, int | float | str | bool):
                raise StrategyError(
                    Text(ko=f"매개변수 {name}에 기본값이 없습니다", en=f"parameter {name} has no default value"),
                    expected="a whole number, a number, text, or yes/no",
                    found=repr(value),
                    next_step=f"{name}: int = 20   # in class {cls.__name__}",
                )
            found[name] = value
        return found

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters of this instance."""
        return {name: getattr(self, name) for name in self.defaults()}

    @property
    def policy_id(self) -> str:
        """Name with parameters, stored in every proposal."""
        given = ",".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.title()}({given})" if given else self.title()

    def schedule(self) -> Schedule:
        """Return when it is asked."""
        return schedule(self.every)

    def propose(self, view: View) -> Proposal:
        """Return target weights; must depend on the view alone."""
        raise NotImplementedError(f"{type(self).__name__} has no propose(view)")

    def hold(
        self,
        view: View,
        weights: Mapping[Symbol, Weight] | NDArray[np.floating],
        *,
        scores: Mapping[Symbol, float] | None = None,
        close_others: bool = False,
    ) -> Proposal:
        """Return a proposal of target weights, checked.

        Parameters
        ----------
        weights : mapping, or (n_symbols,) array
            Shares of equity; an array speaks for every symbol of the view, a mapping for those it names.
        close_others : bool
            Sell what is held and not named; otherwise it stays as it is.
        """
        if isinstance(weights, np.ndarray):
            if weights.shape != (len(view.symbols),):
                raise _wrong(self.policy_id, view, "", f"an array of shape {weights.shape}", f"({len(view.symbols)},)")
            targets = dict(zip(view.symbols, weights.tolist(), strict=True))
        else:
            targets = dict(weights)
        if close_others:
            held = (view.symbols[place] for place in np.flatnonzero(view.held))
            targets = {symbol: 0.0 for symbol in held if symbol not in targets} | targets
        proposal = Proposal(f"{self.policy_id}@{view.at}", view.at, self.policy_id, targets, dict(scores or {}))
        check(proposal, view)
        return proposal


def _hints(made: type[Strategy]) -> dict[str, object]:
    try:
        return get_type_hints(made)
    except (NameError, TypeError, SyntaxError) as fault:
        raise StrategyError(
            Text(
                ko=f"{made.__name__}: 타입 표기를 읽을 수 없습니다",
                en=f"{made.__name__}: its annotations cannot be read",
            ),
            expected="int, float, str, bool",
            found=str(fault),
            next_step="look_back: int = 20",
        ) from fault


def check(proposal: Proposal, view: View) -> None:
    """Raise ``StrategyError`` naming symbol, time, value and remedy if a proposal cannot be meant."""
    if not isinstance(proposal, Proposal):
        raise _wrong(
            str(type(proposal).__name__), view, "", repr(proposal)[:80], "a Proposal: return self.hold(view, …)"
        )
    fault = proposal_fault(proposal, view.symbols)
    if fault is not None:
        shown = "not a symbol of the view" if fault.value is None and fault.symbol else fault.value
        raise _wrong(proposal.policy_id, view, fault.symbol, shown, fault.expected)


def _wrong(policy: str, view: View, symbol: Symbol, value: object, expected: str) -> StrategyError:
    at = kst_text(view.at)
    where = f"{symbol}, {at}" if symbol else at
    return StrategyError(
        Text(
            ko=f"{policy}: 뜻을 알 수 없는 제안입니다 ({where})",
            en=f"{policy}: this proposal cannot be meant ({where})",
        ),
        expected=expected,
        found=f"{symbol}: {value}" if symbol else f"{value}",
        next_step=Text(
            ko="propose()에서 NaN을 없애고, 비중의 합이 1 이하가 되게 하고, view.symbols 안에서 고르세요",
            en="in propose(): remove NaN, keep the sum of weights at most 1, choose among view.symbols",
        ),
    )


def _unknown(title: str, given: str, known: Mapping[str, Parameter]) -> StrategyError:
    return StrategyError(
        Text(ko=f"{title}에 없는 매개변수입니다: {given}", en=f"{title} has no parameter {given}"),
        expected=", ".join(f"{name}={value}" for name, value in known.items()) or "no parameters",
        found=given,
        next_step=Text(ko="이름을 고치세요", en="correct the name"),
    )


def _fitting(title: str, name: str, value: Parameter, default: Parameter) -> Parameter:
    kind = type(default)
    fits = isinstance(value, kind) and isinstance(value, bool) is (kind is bool)
    if fits:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    raise StrategyError(
        Text(ko=f"{title}: 매개변수 {name}의 값이 맞지 않습니다", en=f"{title}: parameter {name} does not fit"),
        expected=kind.__name__,
        found=repr(value),
        next_step=f"{name}={default}",
    )


def read_parameter(title: str, name: str, text: str, default: Parameter) -> Parameter:
    """Return a parameter given as text (a command line, a grid file) as the type of its default."""
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]
        return kind(text)
    except (ValueError, KeyError):
        return _fitting(title, name, text, default)
