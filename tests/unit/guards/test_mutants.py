"""The cases prove the guards: change a comparison, an operator or a constant of one, and they notice.

The two named safety devices, least confidence and volatility escape, stand first: their comparison is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from haetae.domain.orders import OrderIntent
from haetae.guards import GUARDS, Limits, Situation, check, judgement, machinery, order, portfolio, state
from haetae.guards.finding import Cap, Guard
from rigs.guard_cases import ALONE, CAPS, CASES
from rigs.guarding import ON_A_DAY
from rigs.mutants import mutants, without

BY_CODE = {guard.code: guard for guard in GUARDS}
_FIRES = [(code, made, fires, True) for code, made, fires, _, _ in CASES]
_QUIET = [
    (code, made, quiet, False)
    for code, made, _, good, edge in CASES
    for quiet in (good, edge)
    if quiet is not None and code != "G09"
]
_LEFT = [*((*row[:3], ON_A_DAY, row[3]) for row in CAPS), *ALONE]


def changed(module: ModuleType, twin: ModuleType) -> dict[str, Guard]:
    """The guards of a module with the checks of its mutant."""
    return {
        guard.code: replace(guard, check=getattr(twin, guard.check.__name__))
        for guard in GUARDS
        if guard.check.__module__ == module.__name__
    }


def left_by(guard: Guard, made: OrderIntent, situation: Situation, limits: Limits) -> int:
    """Shares one guard alone leaves of an order."""
    finding = check(guard, made, made.quantity, situation, limits)
    if isinstance(finding, Cap):
        return max(0, min(made.quantity, finding.quantity))
    return made.quantity if finding is None else 0


def wrong(guards: dict[str, Guard]) -> Iterator[str]:
    """Yield the cases of these guards that come out otherwise than they must."""
    for code, made, situation, fires in (*_FIRES, *_QUIET):
        if code in guards and (left_by(guards[code], made, situation, ON_A_DAY) <= 0) is not fires:
            yield f"{code} {'does not fire' if fires else 'fires'} on {made}"
    for number, (code, made, situation, limits, shares) in enumerate(_LEFT):
        for guard in guards.values() if not code else [guards[code]] if code in guards else []:
            left = left_by(guard, made, situation, limits)
            if left != shares or (left == made.quantity and check(guard, made, left, situation, limits) is not None):
                yield f"row {number}: {guard.code} leaves {left}, not {shares} of {made.quantity}"


def test_the_cases_are_right_about_the_guards_as_they_are() -> None:
    assert list(wrong(BY_CODE)) == []


@pytest.mark.parametrize(
    ("module", "function", "words"),
    [
        (judgement, "confidence", "worth >= limits.min_confidence"),
        (judgement, "confidence", "cited >= limits.min_evidence"),
        (state, "volatility_escape", "now.escape_level is not EscapeLevel.NORMAL"),
    ],
    ids=["least-confidence", "least-evidence", "volatility-escape"],
)
def test_a_safety_device_without_its_comparison_is_noticed(module, function, words) -> None:
    twin = without(module, function, words)
    code = next(guard.code for guard in GUARDS if guard.check.__name__ == function)
    mutant = replace(BY_CODE[code], check=getattr(twin, function))
    let_through = [
        (made, fires)
        for made_code, made, fires, _, _ in CASES
        if made_code == code and check(mutant, made, made.quantity, fires, ON_A_DAY) is None
    ]
    assert let_through, "the comparison was deleted and no case fires where it fired"
    assert list(wrong({code: mutant}))


LEAST_KILLED = 0.95


@pytest.mark.parametrize("module", [judgement, machinery, order, portfolio, state], ids=lambda m: m.__name__[14:])
def test_nine_mutants_of_ten_are_noticed(module: ModuleType) -> None:
    alive, count = [], 0
    for mutant in mutants(module):
        count += 1
        if next(wrong(changed(module, mutant.module)), None) is None:
            alive.append(f"{mutant.function}:{mutant.line} {mutant.change}")
    assert count >= 60 or module in (portfolio, judgement), count
    assert 1 - len(alive) / count >= LEAST_KILLED, "\n".join([f"{len(alive)} of {count} live", *alive])
