"""All checks of an audit, one after the other; what raises in one fails that one, and the others go on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from haetae.backtest.audit import delisting, determinism, fragility, lookahead, noise, ordering, output
from haetae.backtest.audit.findings import Audit, Finding, refused
from haetae.backtest.audit.fragility import Rerun
from haetae.backtest.audit.subject import Subject
from haetae.domain.errors import HaetaeError
from haetae.policies.authored import authors_errors

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
        with authors_errors(type(subject.make())):
            return make()
    except HaetaeError as fault:
        return refused(check, fault)
