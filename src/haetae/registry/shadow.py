"""What models said of each day before it could be acted on, and what came of it: two sealed files beside the registry.

``<root>/shadow/scores.jsonl`` and ``<root>/shadow/outcomes.jsonl``, lines that seal one another (``sealed``), so that
no forecast is slipped in later and none that went wrong is taken out. A day is written once for a model: a second
writing of the same content changes nothing, of other content is refused.
Not here: how scores are made and outcomes measured (``wiring.shadowing``), what they must show (``ml.promotion``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from haetae.domain.codec import decode, encode
from haetae.domain.errors import DataError, ModelError, Text
from haetae.domain.promotion import ShadowOutcome, ShadowScores
from haetae.domain.units import Instant
from haetae.registry.sealed import SealedLines

Said = TypeVar("Said", ShadowScores, ShadowOutcome)


class ShadowBook:
    """The two files under a registry's folder; absent files are empty."""

    def __init__(self, root: Path) -> None:
        """Name the registry's folder; nothing is made before the first day."""
        folder = root / "shadow"
        self._scores = SealedLines(folder / "scores.jsonl", "said", Text(ko="shadow 기록", en="the shadow record"))
        self._outcomes = SealedLines(
            folder / "outcomes.jsonl", "outcome", Text(ko="shadow 결과 기록", en="the record of shadow outcomes")
        )

    def say(self, said: Iterable[ShadowScores]) -> int:
        """Write down what models said of a day; returns how many days were new."""
        return self._append(self._scores, ShadowScores, said)

    def resolve(self, outcomes: Iterable[ShadowOutcome]) -> int:
        """Write down what came of it; returns how many were new."""
        return self._append(self._outcomes, ShadowOutcome, outcomes)

    def scores(self, model_id: str | None = None) -> tuple[ShadowScores, ...]:
        """Return what was said, in the order of writing; of one model if given."""
        return tuple(one for one in _read(self._scores, ShadowScores) if model_id in (None, one.model_id))

    def outcomes(self, model_id: str | None = None) -> tuple[ShadowOutcome, ...]:
        """Return what came of it, in the order of writing; of one model if given."""
        return tuple(one for one in _read(self._outcomes, ShadowOutcome) if model_id in (None, one.model_id))

    def counted(self, model_id: str, since: Instant) -> tuple[ShadowOutcome, ...]:
        """Return the outcomes that count as evidence: said in time, from an instant on, ascending by day."""
        in_time = {one.day for one in self.scores(model_id) if one.in_time and one.at >= since}
        return tuple(sorted((one for one in self.outcomes(model_id) if one.day in in_time), key=lambda one: one.day))

    def _append(self, lines: SealedLines, kind: type[Said], records: Iterable[Said]) -> int:
        known = {(one.model_id, one.day): one for one in _read(lines, kind)}
        fresh = []
        for record in records:
            before = known.get((record.model_id, record.day))
            if before is None:
                fresh.append(record)
            elif _substance(before) != _substance(record):
                raise ModelError(
                    Text(
                        ko=f"{record.model_id}의 {record.day} 기록이 이미 있고 내용이 다릅니다",
                        en=f"{record.model_id} already has another record of {record.day}",
                    ),
                    expected="what was written down on that day",
                    found="other content for the same day",
                    next_step=Text(ko="기록은 고치지 않습니다", en="a record is not mended"),
                )
        if fresh or known:  # without a new line too: a dead writer's may be seen and not yet be on the disk
            lines.append(encode(record) for record in fresh)
        return len(fresh)


def _substance(record: ShadowScores | ShadowOutcome) -> object:
    """Return what may not change when a day is written again; when and from which version it was does not matter."""
    if isinstance(record, ShadowScores):
        return record.content_hash, record.horizon, dict(record.values)
    return record.value, record.names


def _read(lines: SealedLines, kind: type[Said]) -> tuple[Said, ...]:
    found = []
    for number, text in enumerate(lines.read(), start=1):
        try:
            record = decode(text)
        except DataError as fault:
            raise lines.damaged(f"line {number}: {fault}") from fault
        if not isinstance(record, kind):
            raise lines.damaged(f"line {number} is no {kind.__name__}")
        found.append(record)
    return tuple(found)
