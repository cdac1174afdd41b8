"""Every configuration that was ever tried, appended and sealed: the true number behind a deflated Sharpe ratio.

Not here: how lines are sealed (``sealed``), what a trial means for a figure (``backtest``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from haetae.domain.codec import decode, encode
from haetae.domain.errors import DataError, Text
from haetae.domain.learning import Trial
from haetae.ports import Passing, pass_by
from haetae.registry.sealed import SealedLines


class TrialBook:
    """The append-only file of trials; an absent file is an empty book."""

    def __init__(self, path: Path, passing: Passing = pass_by) -> None:
        """Name the file; nothing is made before the first trial."""
        self.path = path
        self._lines = SealedLines(path, "trial", Text(ko="시도 기록", en="the book of trials"), passing)

    def append(self, trials: Iterable[Trial]) -> int:
        """Append trials durably and return how many the book holds now."""
        return self._lines.append(encode(trial) for trial in trials)

    def trials(self) -> tuple[Trial, ...]:
        """Return all trials, oldest first; raises ``ModelError`` where the book was tampered with."""
        return tuple(self._trial(number, text) for number, text in enumerate(self._lines.read(), start=1))

    def of(self, family: str, first: int = 0, last: int = 99_999_999) -> tuple[Trial, ...]:
        """Return the distinct configurations of a family tried on days that overlap ``[first, last]`` (yyyymmdd).

        The same code with the same parameters on the same days counts once, however often it ran.
        """
        found: dict[tuple[object, ...], Trial] = {}
        for trial in self.trials():
            begin, end = (int(day.strftime("%Y%m%d")) for day in (trial.first, trial.last))
            if trial.family == family and begin <= last and end >= first:
                key = (trial.code, tuple(sorted(trial.parameters.items())), begin, end)
                found[key] = trial
        return tuple(found.values())

    def _trial(self, number: int, text: str) -> Trial:
        try:
            trial = decode(text)
        except DataError as fault:
            raise self._lines.damaged(f"line {number}: {fault}") from fault
        if not isinstance(trial, Trial):
            raise self._lines.damaged(f"line {number} is not a trial")
        return trial
