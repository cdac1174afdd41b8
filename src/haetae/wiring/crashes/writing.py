"""Durable writes as stages of the crash test: the lake, the registry, records, the operator's file, the token.

A stage is a row of steps; each is acknowledged when it returns. After a death the state must be that of the last
acknowledged step or of the next one, whole (old or new, never part), and going on must lead to the same end (I7).
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from haetae.domain.errors import DataError, HaetaeError, Text
from haetae.domain.events import OperatorState
from haetae.domain.learning import ModelCard, ModelState, Trial
from haetae.domain.promotion import Ground
from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.kis.token_file import Grant, TokenFile
from haetae.ports import Passing, pass_by
from haetae.registry.registry import Registry
from haetae.registry.trials import TrialBook
from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings
from haetae.wiring.clocks import DrivenClock
from haetae.wiring.crashes.cases import KILLED, Found, Straight, last_words, run_child
from haetae.wiring.crashes.dying import Death, Dying
from haetae.wiring.crashes.ground import DAY
from haetae.wiring.operators import OperatorFile, Order, give
from haetae.wiring.records import write_json

Step = Callable[[Path, Passing], object]
_AT = instant_at(DAY, 90_000)
_LAYOUT = StoreSettings(keep_versions=1, sweep_every=2, checkpoint_every=2)
"""Every second version is kept whole and older ones are dropped, so that few writes pass all points."""


@dataclass(frozen=True, slots=True)
class WritingStage:
    """Steps that write, and what a reader then sees; fulfils ``cases.Stage``."""

    name: str
    told: Text
    steps: Sequence[Step]
    state: Callable[[Path], Any]

    def straight(self, folder: Path) -> Straight:
        """Take every step and note what is read after each."""
        passing, states = Dying(), [self.state(folder)]
        for step in self.steps:
            step(folder, passing)
            states.append(self.state(folder))
        return Straight(Counter(passing.passed), states)

    def die(self, folder: Path, death: Death, straight: Straight) -> Found:
        """Die in the steps, read, go on, read again."""
        states, acked, log = straight.end, folder / "acked", folder / "log"
        work = folder / "work"
        work.mkdir()
        status = run_child(lambda: self._take(work, acked, Dying(death)), log)
        if status != KILLED:
            return Found("not reached", (f"{death.point} visit {death.visit} was not reached ({status})",))
        done = acked.stat().st_size if acked.exists() else 0
        try:
            seen = self.state(work)
        except (HaetaeError, ValueError, OSError) as fault:
            return Found("torn", (f"I7 unreadable after step {done}: {type(fault).__name__} {fault}",))
        if seen not in (states[done], states[min(done + 1, len(self.steps))]):
            return Found("torn", (f"I7 neither old nor new after step {done}: {str(seen)[:120]}",))
        status = run_child(lambda: self._take(work, acked, Dying()), log)
        if status:
            return Found("stopped", (f"the writer did not go on ({status}): {last_words(log)}",))
        if self.state(work) != states[-1]:
            return Found("other", (f"I7 going on led elsewhere: {str(self.state(work))[:120]}",))
        return Found("old" if seen == states[done] else "new")

    def _take(self, work: Path, acked: Path, passing: Passing) -> None:
        done = acked.stat().st_size if acked.exists() else 0
        for step in self.steps[done:]:
            step(work, passing)
            with acked.open("ab") as file:
                file.write(b".")


def _rows(price: int, days: Sequence[dt.date]) -> pa.Table:
    prices = pa.array([price] * len(days), pa.int64())
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), prices)
    symbols = pa.array(["005930"] * len(days), pa.string())
    return pa.table({"symbol": symbols, "day": pa.array(list(days), pa.date32()), **columns})


def _lake_step(price: int) -> Step:
    days = (dt.date(2025, 11, 20), dt.date(2026, 11, 20))
    return lambda folder, passing: Lake(folder / "lake", _LAYOUT, passing=passing).write(
        "daily", _rows(price, days), keys=("symbol", "day")
    )


def _lake_state(folder: Path) -> Any:
    lake = Lake(folder / "lake", _LAYOUT)
    damage = lake.check()
    if damage:
        raise DataError("the lake is damaged", found=str(damage[0]))
    return lake.read("daily").select(["day", "close"]).to_pylist()


def _card() -> ModelCard:
    return ModelCard("", "rank", "abc", dt.date(2026, 1, 2), dt.date(2026, 6, 30), {"ic": 0.1}, 1, "")


def _registry(folder: Path, passing: Passing = pass_by) -> Registry:
    return Registry(folder / "models", DrivenClock(_AT), passing=passing)


def _put(content: bytes) -> Step:
    return lambda folder, passing: _registry(folder, passing).put(_card(), {"a.txt": content, "b.txt": b"b"})


def _promote(folder: Path, passing: Passing) -> None:
    registry = _registry(folder, passing)
    name = registry.models("rank")[0][0].model_id
    evidence = json.dumps({"sessions": 20}).encode()
    registry.promote(name, ModelState.SHADOW, why="measured", ground=Ground.EVIDENCE, evidence=evidence)


def _registry_state(folder: Path) -> Any:
    registry = _registry(folder)
    return [(card.model_id, state.value, dict(registry.get(card.model_id)[1])) for card, state in registry.models()]


def _trial(number: int) -> Step:
    trial = Trial("rank", {"n": number}, "code", "data", DAY, DAY, 1, 0.1, "crash test", _AT)
    return lambda folder, passing: TrialBook(folder / "trials.jsonl", passing).append([trial])


def _trials_state(folder: Path) -> Any:
    return [dict(trial.parameters) for trial in TrialBook(folder / "trials.jsonl").of("rank")]


def _record(number: int) -> Step:
    return lambda folder, passing: write_json(folder / "plan.json", {"number": number, "pad": "x" * 9_000}, passing)


def _record_state(folder: Path) -> Any:
    path = folder / "plan.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _switch(state: OperatorState) -> Step:
    clock = DrivenClock(_AT)
    return lambda folder, passing: give(folder, state, who="person", why="crash test", clock=clock, passing=passing)


def _switch_state(folder: Path) -> Any:
    orders = [wish for wish in OperatorFile(folder).past if isinstance(wish, Order)]
    return orders[-1].state.value if orders else None


def _token(number: int) -> Step:
    at = _AT + number * NS_PER_MINUTE
    grant = Grant(f"token-{number}", at + 600 * NS_PER_MINUTE, at, at)
    return lambda folder, passing: TokenFile(folder / "token.json", "key", passing).write(grant, at)


def _token_state(folder: Path) -> Any:
    grant = TokenFile(folder / "token.json", "key").read()
    return grant.token if grant else None


def writings() -> tuple[WritingStage, ...]:
    """Return every stage of durable writes."""
    state = OperatorState
    return (
        WritingStage(
            "lake-write",
            Text(ko="레이크 쓰기, 체크포인트, 청소", en="lake writes, checkpoints, the clean-up"),
            [_lake_step(price) for price in range(1, 6)],
            _lake_state,
        ),
        WritingStage(
            "registry-put",
            Text(ko="모델 등록과 승격", en="a model is put and moved on"),
            [_put(b"1"), _promote, _put(b"2")],
            _registry_state,
        ),
        WritingStage(
            "trial-book", Text(ko="시도 기록", en="the book of trials"), [_trial(n) for n in range(3)], _trials_state
        ),
        WritingStage(
            "record-write",
            Text(ko="계획·사실 파일", en="plan and facts files"),
            [_record(n) for n in range(3)],
            _record_state,
        ),
        WritingStage(
            "operator-file",
            Text(ko="비상 정지 파일", en="the operator's file"),
            [_switch(state.HALT), _switch(state.REDUCE_ONLY), _switch(state.HALT)],
            _switch_state,
        ),
        WritingStage(
            "token-file", Text(ko="토큰 파일", en="the token file"), [_token(n) for n in range(3)], _token_state
        ),
    )
