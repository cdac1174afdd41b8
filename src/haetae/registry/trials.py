"""Every configuration that was ever tried, appended and sealed: the true number behind a deflated Sharpe ratio.

One line a trial; each line seals the one before it, so that none can be taken out unnoticed. Appending is safe beside
other processes and after a power cut: a half-written last line is dropped by the next writer. Not here: what a trial
means for a figure (``backtest``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from haetae.domain.codec import decode, encode
from haetae.domain.errors import DataError, ModelError, Text
from haetae.domain.learning import Trial
from haetae.registry.durable import make_directory, refusals, sync, writer_lock


class TrialBook:
    """The append-only file of trials; an absent file is an empty book."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is made before the first trial."""
        self.path = path

    def append(self, trials: Iterable[Trial]) -> int:
        """Append trials durably and return how many the book holds now."""
        make_directory(self.path.parent)
        with writer_lock(self.path.with_name(self.path.name + ".lock")):
            known, seal, whole = self._read()
            lines = []
            for trial in trials:
                body = encode(trial)
                seal = _seal(seal, body)
                lines.append(json.dumps({"seal": seal, "trial": body}, ensure_ascii=False) + "\n")
            fresh = not self.path.exists()
            with refusals(self.path), self.path.open("w+b" if fresh else "r+b") as file:
                file.truncate(whole)
                file.seek(whole)
                file.write("".join(lines).encode())
                file.flush()
                os.fsync(file.fileno())
            if fresh:
                sync(self.path.parent)
        return len(known) + len(lines)

    def trials(self) -> tuple[Trial, ...]:
        """Return all trials, oldest first; raises ``ModelError`` where the book was tampered with."""
        return tuple(self._read()[0])

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

    def _read(self) -> tuple[list[Trial], str, int]:
        """Return the trials, the last seal, and how many bytes of the file are whole lines."""
        if not self.path.exists():
            return [], "", 0
        with refusals(self.path):
            content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        trials, seal = [], ""
        for number, (sealed, body) in enumerate(_lines(content[:whole], self.path), start=1):
            seal = _seal(seal, body)
            if seal != sealed:
                raise _damaged(self.path, f"line {number} does not follow the one before it")
            trial = decode(body)
            if not isinstance(trial, Trial):
                raise _damaged(self.path, f"line {number} is not a trial")
            trials.append(trial)
        return trials, seal, whole


def _lines(content: bytes, path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            record = json.loads(line)
            yield record["seal"], record["trial"]
        except (ValueError, KeyError, TypeError, DataError) as fault:
            raise _damaged(path, f"line {number}: {fault}") from fault


def _seal(before: str, body: str) -> str:
    return hashlib.sha256((before + body).encode()).hexdigest()


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        Text(ko=f"시도 기록이 손상되었습니다: {path}", en=f"the book of trials is damaged: {path}"),
        expected="sealed lines, each following the one before",
        found=why,
        next_step=Text(ko="백업에서 되살리세요", en="restore it from a backup"),
    )
