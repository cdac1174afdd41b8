"""Artefacts are what their hash says, and one champion per kind is in charge."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError, ModelError
from haetae.domain.learning import ModelCard, ModelState
from haetae.registry.registry import Registry

FILES = {"model.txt": b"tree", "manifest.json": b"{}"}


def card(kind: str = "rank", model_id: str = "", seed: int = 7, **metrics: float) -> ModelCard:
    day = dt.date(2026, 1, 2)
    return ModelCard(model_id, kind, "abc", day, dt.date(2026, 6, 30), metrics, seed, "")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def test_what_was_put_comes_back_byte_for_byte(registry: Registry) -> None:
    stored = registry.put(card(ic=0.03), FILES)
    assert stored.model_id == f"rank-{stored.content_hash[:12]}"
    assert stored.files == ("manifest.json", "model.txt")
    assert registry.get(stored.model_id) == (stored, FILES)


def test_the_same_content_twice_is_one_artefact_even_if_measured_again(registry: Registry) -> None:
    first = registry.put(card(ic=0.03), FILES)
    assert registry.put(card(ic=0.04, model_id="other"), FILES) == first
    assert len(registry.models()) == 1


@pytest.mark.parametrize("other", [card(seed=8), card(kind="net")])
def test_another_seed_or_kind_is_another_artefact(registry: Registry, other: ModelCard) -> None:
    assert registry.put(card(), FILES).model_id != registry.put(other, FILES).model_id


def test_a_name_is_not_given_twice(registry: Registry) -> None:
    registry.put(card(model_id="mine"), FILES)
    with pytest.raises(ModelError, match="taken"):
        registry.put(card(model_id="mine"), {"model.txt": b"another"})


@pytest.mark.parametrize(
    "files",
    [
        {"model.pkl": b"x"},
        {"model.bin": pickle.dumps({"a": 1})},
        {"../escape": b"x"},
        {"a/b": b"x"},
        {"card.json": b"x"},
        {".hidden": b"x"},
        {},
    ],
)
def test_pickles_and_names_that_lead_elsewhere_are_refused(registry: Registry, files: dict[str, bytes]) -> None:
    with pytest.raises(ModelError):
        registry.put(card(), files)
    assert registry.models() == ()


@pytest.mark.parametrize("name", ["model.txt", "card.json"])
def test_a_flipped_bit_is_found(registry: Registry, tmp_path: Path, name: str) -> None:
    stored = registry.put(card(), FILES)
    path = tmp_path / "registry" / "models" / stored.model_id / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="damaged"):
        registry.get(stored.model_id)


def test_a_missing_file_and_an_unknown_model_are_told_apart(registry: Registry, tmp_path: Path) -> None:
    stored = registry.put(card(), FILES)
    (tmp_path / "registry" / "models" / stored.model_id / "model.txt").unlink()
    with pytest.raises(ModelError, match="damaged"):
        registry.get(stored.model_id)
    with pytest.raises(ModelError, match="no model"):
        registry.get("rank-0")
    with pytest.raises(ModelError, match="no name"):
        registry.get("../states")


def test_a_new_champion_retires_the_one_before(registry: Registry) -> None:
    first, second = (registry.put(card(seed=seed), FILES).model_id for seed in (1, 2))
    assert registry.champion("rank") is None
    registry.promote(first, ModelState.CHAMPION, why="first of its kind")
    registry.promote(second, ModelState.SHADOW, why="better out of sample")
    registry.promote(second, ModelState.CHAMPION, why="20 days of shadow")
    states = {each.model_id: state for each, state in registry.models()}
    assert states == {first: ModelState.RETIRED, second: ModelState.CHAMPION}
    assert [(entry.seq, entry.retires) for entry in registry.history()] == [(1, ""), (2, ""), (3, first)]
    registry.promote(first, ModelState.CHAMPION, why="roll back")
    assert registry.champion("rank").model_id == first  # type: ignore[union-attr]


def test_kinds_have_champions_of_their_own(registry: Registry) -> None:
    for kind in ("rank", "net"):
        registry.promote(registry.put(card(kind=kind), FILES).model_id, ModelState.CHAMPION, why="measured")
    assert {kind: registry.champion(kind).kind for kind in ("rank", "net")} == {"rank": "rank", "net": "net"}  # type: ignore[union-attr]


def test_the_same_state_again_changes_nothing_and_a_reason_is_required(registry: Registry) -> None:
    name = registry.put(card(), FILES).model_id
    registry.promote(name, ModelState.SHADOW, why="looks good")
    registry.promote(name, ModelState.SHADOW, why="again")
    assert len(registry.history()) == 1
    with pytest.raises(ModelError, match="reason"):
        registry.promote(name, ModelState.CHAMPION, why=" ")
    with pytest.raises(ModelError, match="cannot become"):
        registry.promote(name, ModelState.CANDIDATE, why="start over")


def test_a_damaged_model_cannot_be_promoted(registry: Registry, tmp_path: Path) -> None:
    name = registry.put(card(), FILES).model_id
    (tmp_path / "registry" / "models" / name / "model.txt").write_bytes(b"evil")
    with pytest.raises(ModelError, match="damaged"):
        registry.promote(name, ModelState.CHAMPION, why="measured")
    assert registry.history() == ()


@pytest.mark.parametrize("edit", ["text", "drop"])
def test_an_edited_log_is_not_believed(registry: Registry, tmp_path: Path, edit: str) -> None:
    names = [registry.put(card(seed=seed), FILES).model_id for seed in (1, 2)]
    for name in names:
        registry.promote(name, ModelState.CHAMPION, why="measured")
    path = tmp_path / "registry" / "states" / "00000001.json"
    if edit == "text":
        path.write_text(path.read_text().replace("champion", "retired"))
    else:
        path.unlink()
    with pytest.raises(ModelError, match="states is damaged"):
        registry.champion("rank")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(ModelState))), max_size=8))
def test_there_is_never_more_than_one_champion(tmp_path_factory, moves) -> None:
    registry = Registry(tmp_path_factory.mktemp("law"))
    names = [registry.put(card(seed=seed), FILES).model_id for seed in range(3)]
    for index, state in moves:
        try:
            registry.promote(names[index], state, why="measured")
        except ModelError:
            continue
        assert sum(now is ModelState.CHAMPION for _, now in registry.models()) <= 1
        assert {each.model_id: now for each, now in registry.models()}[names[index]] is state


def test_a_directory_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="refused"):
        Registry(tmp_path / "file" / "registry").put(card(), FILES)


CHILD = """
import datetime as dt, os, signal, sys
from haetae.domain.learning import ModelCard
FILES = {"model.txt": b"tree", "manifest.json": b"{}"}
def card(seed):
    return ModelCard("", "rank", "abc", dt.date(2026, 1, 2), dt.date(2026, 6, 30), {}, seed, "")
from haetae.domain.learning import ModelState
from haetae.registry.registry import Registry
left = int(sys.argv[2])
def dying(call):
    def wrapped(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return wrapped
registry = Registry(sys.argv[1])
old = registry.put(card(seed=1), FILES).model_id
registry.promote(old, ModelState.CHAMPION, why="measured")
for name in ("fsync", "rename", "mkdir"):
    setattr(os, name, dying(getattr(os, name)))
new = registry.put(card(seed=2), FILES).model_id
registry.promote(new, ModelState.CHAMPION, why="better")
"""


def test_a_killed_writer_leaves_the_old_champion_or_the_new_one(tmp_path: Path) -> None:
    seen, survived = set(), False
    for calls in range(0, 40, 2):
        root = tmp_path / str(calls)
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(root), str(calls)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        registry = Registry(root)
        ruling = registry.champion("rank")
        assert ruling is not None
        registry.get(ruling.model_id)
        seen.add(ruling.seed)
        assert registry.put(card(seed=2), FILES).seed == 2
        if done.returncode == 0:
            survived = True
            break
        assert done.returncode == -signal.SIGKILL
    assert survived
    assert seen == {1, 2}
