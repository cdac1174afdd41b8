"""All checks of an audit, one after the other; what raises in one fails that one, and the others go on."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import numpy as np

from haetae.backtest.audit import delisting, determinism, fragility, lookahead, noise, ordering, output
from haetae.backtest.audit.findings import Audit, Finding, refused
from haetae.backtest.audit.fragility import Rerun
from haetae.backtest.audit.subject import Subject
from haetae.backtest.audit.watching import source_of
from haetae.domain.errors import HaetaeError, StrategyError, Text

CHECKS = (
    lookahead.CHECK,
    ordering.CHECK,
    noise.CHECK,
    delisting.CHECK,
    delisting.SURVIVORSHIP,
    determinism.CHECK,
    output.CHECK,
    fragility.COSTS,
    fragility.LIVE_FORM,
)
"""Names of all checks, in the order in which they are made; the last only for array forms."""

Dice = Callable[[str], np.random.Generator]
Tell = Callable[[str, int, int], None]


def audit(
    subject: Subject, dice: Dice, *, noise_runs: int = 20, rerun: Rerun | None = None, tell: Tell | None = None
) -> Audit:
    """Return all findings on a strategy.

    Parameters
    ----------
    dice : callable
        Gives each check a generator of its own by its name.
    noise_runs : int
        Markets of each kind of chance.
    rerun : callable, optional
        Runs the strategy at a multiple of all costs, see ``fragility.costs``.
    tell : callable, optional
        Called as ``(check, done, total)``.

    Raises
    ------
    StrategyError
        If it is never asked on the ground: then nothing can be proven.
    """
    subject.asked_rows()
    tell = tell or (lambda _check, _done, _total: None)
    making: dict[str, Callable[[], Finding]] = {
        lookahead.CHECK: lambda: lookahead.look_ahead(subject, dice(lookahead.CHECK)),
        ordering.CHECK: lambda: ordering.symbol_order(subject, dice(ordering.CHECK)),
        noise.CHECK: lambda: noise.noise(
            subject, dice(noise.CHECK), noise_runs, lambda done, total: tell(noise.CHECK, done, total)
        ),
        delisting.CHECK: lambda: delisting.delisted_names(subject, dice(delisting.CHECK)),
        delisting.SURVIVORSHIP: lambda: delisting.survivorship(subject),
        determinism.CHECK: lambda: determinism.determinism(subject, dice(determinism.CHECK)),
        output.CHECK: lambda: output.output(subject),
        fragility.COSTS: lambda: fragility.costs(subject, rerun),
    }
    if subject.by_arrays:
        making[fragility.LIVE_FORM] = lambda: fragility.live_form(subject)
    findings = []
    for done, (check, make) in enumerate(making.items()):
        tell(check, done, len(making))
        findings.append(_made(check, make, subject))
    tell(check, len(making), len(making))
    return Audit(subject.make().policy_id, tuple(findings))


def _made(check: str, make: Callable[[], Finding], subject: Subject) -> Finding:
    try:
        return _typed(make, subject)
    except HaetaeError as fault:
        return refused(check, fault)


def _typed(make: Callable[[], Finding], subject: Subject) -> Finding:
    """Make a check; what the strategy's own code raises becomes a ``StrategyError`` that names its line."""
    try:
        return make()
    except HaetaeError:
        raise
    except Exception as fault:
        file = source_of(type(subject.make()))
        lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == file]
        if not lines:
            raise
        raise StrategyError(
            Text(ko="전략의 코드가 멈췄습니다", en="the strategy's code stopped"),
            expected=Text(ko="어떤 시장에서도 끝까지 도는 코드", en="code that runs through on any market"),
            found=f"{type(fault).__name__}: {fault} (line {lines[-1]})",
            next_step=Text(ko="그 줄을 고치세요", en="mend that line"),
        ) from fault
