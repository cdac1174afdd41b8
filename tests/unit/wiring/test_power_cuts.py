"""A power cut at any instant of any durable write leaves the old state or the new one, never part (I7, I10)."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from haetae.domain.errors import HaetaeError
from haetae.domain.events import Note
from haetae.journal import JournalDb
from haetae.ports import pass_by
from haetae.wiring.crashes.dying import Death, Dying
from haetae.wiring.crashes.writing import WritingStage, writings
from rigs.power import ACK, Op, Tree, cuts, lay
from rigs.tracing import needs_strace, trace

STAGES = {stage.name: stage for stage in writings()}
MOST = 400
"""Cuts of one recording that are looked at, drawn by a seed; `HAETAE_POWER_CUTS` raises it."""


def acknowledge(folder: Path) -> None:
    handle = os.open(folder / ACK, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, b".")
    os.close(handle)


def found_wrong(
    ops: Sequence[Op], root: Path, look: Callable[[Path, int], str], into: Path, *, start: int = 0
) -> tuple[int, list[str]]:
    """Lay out every cut (or a drawn part) and return how many were looked at and what was wrong."""
    dice = random.Random(7)
    every = list(cuts(ops, root, dice, start=start))
    most = int(os.environ.get("HAETAE_POWER_CUTS", str(MOST)))
    if len(every) > most:
        every = [every[n] for n in sorted(dice.sample(range(len(every)), most))]
    wrong = []
    for number, (acked, files) in enumerate(every):
        place = into / str(number)
        lay(files, root, place)
        said = look(place, acked)
        if said:
            wrong.append(f"cut {number}, {acked} acknowledged: {said}")
    return len(every), wrong


def record(stage: WritingStage, root: Path, out: Path, passing: Any = pass_by) -> list[Any]:
    def work() -> None:
        for step in stage.steps:
            step(root, passing)
            acknowledge(out)

    return trace(work, out / f"trace{len(list(out.iterdir()))}")


def looks(stage: WritingStage, states: Sequence[Any], *, at_least_only: bool = False):
    def look(place: Path, acked: int) -> str:
        try:
            seen = stage.state(place)
        except (HaetaeError, ValueError, OSError) as fault:
            return f"{type(fault).__name__}: {fault}"
        allowed = states[acked:] if at_least_only else states[acked : acked + 2]
        return "" if seen in allowed else f"neither old nor new: {str(seen)[:80]}"

    return look


@needs_strace
@pytest.mark.parametrize("name", list(STAGES))
def test_a_power_cut_leaves_old_or_new(name: str, tmp_path: Path) -> None:
    stage, root = STAGES[name], tmp_path / "root"
    for folder in (root, tmp_path / "out", tmp_path / "plain"):
        folder.mkdir()
    states = stage.straight(tmp_path / "plain").end
    tree = Tree(root)
    tree.read(record(stage, root, tmp_path / "out"))
    looked, wrong = found_wrong(tree.ops, root, looks(stage, states), tmp_path / "cuts")
    assert wrong == []
    assert looked > 2 * len(stage.steps)


DEATHS = {
    "lake-write": ("lake.folder_made", "lake.file_renamed", "lake.entry_named"),
    "registry-put": ("registry.folder_made", "registry.artefact_renamed", "registry.file_renamed"),
    "trial-book": ("registry.folder_made", "registry.lines_written", "registry.lines_synced"),
    "record-write": ("record.renamed",),
    "operator-file": ("operator.written", "operator.synced"),
    "token-file": ("token.renamed",),
}


@needs_strace
@pytest.mark.parametrize(("name", "point"), [(name, point) for name, points in DEATHS.items() for point in points])
def test_what_a_dead_writer_left_unforced_does_not_undo_the_next_one(name: str, point: str, tmp_path: Path) -> None:
    stage, root = STAGES[name], tmp_path / "root"
    for folder in (root, tmp_path / "out", tmp_path / "plain"):
        folder.mkdir()
    states = stage.straight(tmp_path / "plain").end
    tree = Tree(root)
    tree.read(record(stage, root, tmp_path / "out", Dying(Death(point))))
    tree.ops = [op for op in tree.ops if op.kind != "ack"]
    died = len(tree.ops)
    tree.read(record(stage, root, tmp_path / "out"))
    look = looks(stage, states, at_least_only=True)
    looked, wrong = found_wrong(tree.ops, root, look, tmp_path / "cuts", start=died)
    assert wrong == []
    assert looked > len(stage.steps)


def note(number: int) -> Note:
    return Note(number, "test.note", {"number": number, "pad": "x" * 900})


def journal_work(root: Path, out: Path) -> Callable[[], None]:
    def work() -> None:
        with JournalDb(root / "journal.db") as journal:
            for batch in range(4):
                journal.append("run", [(n, note(n)) for n in range(2 * batch, 2 * batch + 2)], durable=batch != 1)
                if batch != 1:  # a row that was not asked to be durable is acknowledged by the next one that was
                    acknowledge(out)

    return work


SAFE = (0, 2, 6, 8)
"""Entries acknowledged after each acknowledgement."""


def journal_state(place: Path, acked: int) -> str:
    if not (place / "journal.db").exists():
        return "" if acked == 0 else "the journal is gone"
    try:
        with JournalDb(place / "journal.db") as journal:
            count = journal.verify()
            numbers = [at for _, at, _, _ in journal.entries()]
    except HaetaeError as fault:
        return f"{fault}: {fault.found}"
    if count < SAFE[acked]:
        return f"{SAFE[acked]} entries were acknowledged, {count} are there"
    return "" if numbers == list(range(count)) else f"not a beginning: {numbers}"


@needs_strace
def test_a_power_cut_keeps_every_acknowledged_entry_of_the_journal(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    tree = Tree(root)
    tree.read(trace(journal_work(root, out), out / "trace"))
    assert sum(op.kind == "ack" for op in tree.ops) == 3
    looked, wrong = found_wrong(tree.ops, root, journal_state, tmp_path / "cuts")
    assert wrong == []
    assert looked > 50


def renamed_without_sync(folder: Path, _passing: Any) -> None:
    draft = folder / "plan.new"
    draft.write_text('{"number": 0}')
    draft.rename(folder / "plan.json")


def synced_without_its_folder(folder: Path, _passing: Any) -> None:
    handle = os.open(folder / "plan.json", os.O_WRONLY | os.O_CREAT)
    os.write(handle, b'{"number": 0}')
    os.fsync(handle)
    os.close(handle)


@needs_strace
@pytest.mark.parametrize("writer", [renamed_without_sync, synced_without_its_folder])
def test_the_model_finds_a_forgotten_sync(writer: Callable[..., None], tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in (root, tmp_path / "out", tmp_path / "plain"):
        folder.mkdir()
    stage = WritingStage("bad", STAGES["record-write"].told, [writer], STAGES["record-write"].state)
    states = stage.straight(tmp_path / "plain").end
    tree = Tree(root)
    tree.read(record(stage, root, tmp_path / "out"))
    _, wrong = found_wrong(tree.ops, root, looks(stage, states), tmp_path / "cuts")
    assert wrong
