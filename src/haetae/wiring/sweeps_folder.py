"""The folder of a sweep: what is swept, every finished point, and the daily returns of each.

``manifest.json`` names strategy, code, bars, space, search, settings and seed; a folder that was begun with others is
refused. ``points.jsonl`` has a line per finished point with a checksum and is only ever appended to; a half-written
last line is dropped. ``returns.npy`` is ``(n_points, n_sessions)`` float64, the row of a point is its ordinal, NaN
where there is none. A line is written after its returns are on the disk, so what is listed is whole, also after a
power cut. Not here: which points there are (``sweeps``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.sweep.points import Job, Outcome, Status
from haetae.domain.errors import ConfigError, DataError, Text
from haetae.registry.durable import make_directory, refusals
from haetae.wiring.records import write_json

SCHEMA = "haetae.sweep/1"
MANIFEST, POINTS, RETURNS = "manifest.json", "points.jsonl", "returns.npy"
MADE = (MANIFEST, POINTS, RETURNS, "folds", "scratch", "report.html", "report.json", "walk.json", "returns_oos.npy")
"""Everything a sweep makes in its folder; nothing else is ever removed from it."""


class SweepFolder:
    """An open folder: the only writer holds it until ``with`` ends."""

    def __init__(self, path: Path, identity: Mapping[str, Any], points: int, sessions: int) -> None:
        """Open a folder, empty or begun before with the same identity."""
        self.path = path
        make_directory(path)
        self._lock = _only_writer(path)
        self._row = 8 * sessions
        self._sessions = sessions
        try:
            claim(path, {"schema": SCHEMA, **identity, "points": points, "sessions": sessions})
            self._header = _returns_file(path / RETURNS, points, sessions)
            with refusals(path):
                self._returns: IO[bytes] = (path / RETURNS).open("r+b")
                self._points: IO[bytes] = (path / POINTS).open("a+b")
                _sync(path)
        except BaseException:
            self._lock.close()
            raise
        self.done: dict[str, Outcome] = {}
        self._read()

    def append(self, outcome: Outcome) -> None:
        """Keep a finished point; it is on the disk when this returns. One that died is not finished."""
        if outcome.status is Status.DIED:
            return
        line = _line(outcome)
        with refusals(self.path):
            if len(outcome.returns):
                self._returns.seek(self._header + outcome.job.ordinal * self._row)
                self._returns.write(outcome.returns.astype("<f8").tobytes())
                self._returns.flush()
                os.fdatasync(self._returns.fileno())
            self._points.write(line)
            self._points.flush()
            os.fdatasync(self._points.fileno())
        self.done[outcome.job.key] = outcome

    def _read(self) -> None:
        with refusals(self.path):
            self._points.seek(0)
            content = self._points.read()
            whole = content.rfind(b"\n") + 1
            self._points.truncate(whole)
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            outcome = self._outcome(line, number)
            self.done[outcome.job.key] = outcome

    def _outcome(self, line: bytes, number: int) -> Outcome:
        try:
            record = json.loads(line)
            body = record["point"]
            if record["sum"] != _checksum(body):
                raise ValueError("the checksum does not fit")
            job = Job(body["ordinal"], body["key"], body["parameters"], body["first"], body["last"])
            status = Status(body["status"])
            returns = self._stored(job.ordinal) if status is Status.DONE else np.zeros(0)
            if body["returns"] != _digest(returns):
                raise ValueError(f"row {job.ordinal} of {RETURNS} is not what was written")
        except (ValueError, KeyError, TypeError) as fault:
            raise DataError(
                Text(
                    ko=f"탐색 폴더가 손상되었습니다: {self.path}", en=f"the folder of the sweep is damaged: {self.path}"
                ),
                expected=Text(ko="쓴 그대로의 기록", en="records as they were written"),
                found=f"{POINTS}, line {number}: {fault}",
                next_step="--fresh",
            ) from fault
        return Outcome(job, status, body["figures"], returns, body["reason"])

    def _stored(self, ordinal: int) -> NDArray[np.float64]:
        self._returns.seek(self._header + ordinal * self._row)
        return np.frombuffer(self._returns.read(self._row), "<f8").astype(np.float64)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Close the files and let others write."""
        for file in (self._returns, self._points, self._lock):
            file.close()


def clear(path: Path) -> None:
    """Remove what a sweep made in a folder, for a fresh start."""
    if not path.exists():
        return
    with _only_writer(path), refusals(path):
        for name in MADE:
            made = path / name
            if made.is_dir():
                shutil.rmtree(made)
            else:
                made.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def claim(path: Path, identity: Mapping[str, Any]) -> None:
    """Write the manifest of a new folder, or refuse one that was begun with something else."""
    wanted = json.loads(json.dumps(identity, default=str))
    place = path / MANIFEST
    if not place.exists():
        write_json(place, wanted)
        return
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise _other(path, f"{MANIFEST}: {fault}") from fault
    changed = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    if changed:
        raise _other(
            path, "; ".join(f"{name}: {_short(found.get(name))} → {_short(wanted.get(name))}" for name in changed)
        )


def _other(path: Path, found: str) -> ConfigError:
    return ConfigError(
        Text(
            ko=f"이 폴더의 탐색은 다른 전략·자료·공간으로 시작되었습니다: {path}",
            en=f"the sweep in this folder was begun with another strategy, data or space: {path}",
        ),
        expected=Text(
            ko="같은 전략, 코드, 봉, 공간, 설정, 씨앗", en="the same strategy, code, bars, space, settings, seed"
        ),
        found=found,
        next_step=Text(
            ko="--fresh 로 새로 시작하거나 --out 에 다른 폴더", en="--fresh to begin anew, or another --out"
        ),
    )


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _only_writer(path: Path) -> IO[bytes]:
    with refusals(path):
        file = (path / ".lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        file.close()
        raise ConfigError(
            Text(ko="다른 탐색이 이 폴더에 쓰고 있습니다", en="another sweep is writing this folder"),
            expected=Text(ko="폴더마다 하나", en="one sweep a folder"),
            found=str(path),
            next_step=Text(ko="그 탐색을 기다리거나 다른 --out", en="wait for it, or choose another --out"),
        ) from fault
    return file


def _returns_file(path: Path, points: int, sessions: int) -> int:
    """Make the file of returns, whole or not at all, and return the length of its header."""
    draft = path.with_name(f"{path.name}.draft")
    with refusals(path):
        if not path.exists():
            made = np.lib.format.open_memmap(draft, mode="w+", dtype="<f8", shape=(points, sessions))
            made[:] = np.nan
            made.flush()
            del made
            draft.rename(path)
        return path.stat().st_size - 8 * points * sessions


def read_returns(folder: Path, outcomes: Sequence[Outcome]) -> NDArray[np.float64]:
    """Return the daily returns of finished points, ``(n_points, n_sessions)``, from the folder's file."""
    kept = np.load(folder / RETURNS, mmap_mode="r")
    return np.asarray(kept[[each.job.ordinal for each in outcomes]])


def _line(outcome: Outcome) -> bytes:
    job = outcome.job
    body = {
        "ordinal": job.ordinal,
        "key": job.key,
        "parameters": dict(job.parameters),
        "first": job.first,
        "last": job.last,
        "status": outcome.status.value,
        "figures": dict(outcome.figures),
        "returns": _digest(outcome.returns),
        "reason": outcome.reason,
    }
    return (json.dumps({"sum": _checksum(body), "point": body}, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def _digest(returns: NDArray[np.float64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(returns, "<f8").tobytes()).hexdigest()[:16]
