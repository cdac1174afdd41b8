"""Artefacts are what their hash says, and one champion per kind is in charge."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.codec import encode
from haetae.domain.errors import DataError, ModelError
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.promotion import Ground
from haetae.registry.registry import Registry
from haetae.registry.states import MAY_BECOME

FILES = {"model.txt": b"tree", "manifest.json": b"{}"}


def card(kind: str = "rank", model_id: str = "", seed: int = 7, **metrics: float) -> ModelCard:
    day = dt.date(2026, 1, 2)
    return ModelCard(model_id, kind, "abc", day, dt.date(2026, 6, 30), metrics, seed, "")


def move(registry: Registry, name: str, state: ModelState, why: str = "measured") -> None:
    registry.promote(name, state, why=why, ground=Ground.DECISION)


def take_charge(registry: Registry, name: str, why: str = "measured") -> None:
    for state in (ModelState.SHADOW, ModelState.CHAMPION):
        move(registry, name, state, why)


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


@pytest.mark.parametrize("name", ["model.txt", "manifest.json", "card.json"])
def test_a_flipped_bit_is_found_wherever_it_is(registry: Registry, tmp_path: Path, name: str) -> None:
    stored = registry.put(card(ic=0.03), FILES)
    path = tmp_path / "registry" / "models" / stored.model_id / name
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        content = bytearray(whole)
        content[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(content))
        with pytest.raises(ModelError, match="damaged"):
            registry.get(stored.model_id)
    path.write_bytes(whole)
    assert registry.get(stored.model_id) == (stored, FILES)


FIELDS = {
    "kind": "other",
    "feature_hash": "abd",
    "train_from": dt.date(2026, 1, 5),
    "train_to": dt.date(2026, 7, 1),
    "metrics": {"ic": 0.9},
    "seed": 8,
    "content_hash": "0" * 64,
    "files": ("model.txt",),
    "provenance": {"data": "other"},
    "model_id": "rank-0",
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_card_with_one_field_changed_is_refused(registry: Registry, tmp_path: Path, field: str) -> None:
    assert set(FIELDS) == {each.name for each in dataclasses.fields(ModelCard)}
    stored = registry.put(card(ic=0.03), FILES)
    path = tmp_path / "registry" / "models" / stored.model_id / "card.json"
    record = json.loads(path.read_bytes())
    record["card"] = encode(dataclasses.replace(stored, **{field: FIELDS[field]}))
    path.write_text(json.dumps(record))
    with pytest.raises(ModelError, match="damaged"):
        registry.get(stored.model_id)


def test_a_card_sealed_anew_still_does_not_fit_other_files(registry: Registry, tmp_path: Path) -> None:
    stored = registry.put(card(), FILES)
    path = tmp_path / "registry" / "models" / stored.model_id / "card.json"
    text = encode(dataclasses.replace(stored, feature_hash="abd"))
    path.write_text(json.dumps({"card": text, "seal": hashlib.sha256(text.encode()).hexdigest()}))
    with pytest.raises(ModelError, match="damaged"):
        registry.get(stored.model_id)


def test_a_file_too_many_and_a_card_without_a_seal_are_refused(registry: Registry, tmp_path: Path) -> None:
    stored = registry.put(card(), FILES)
    home = tmp_path / "registry" / "models" / stored.model_id
    (home / "more.txt").write_text("more")
    with pytest.raises(ModelError, match="damaged") as refused:
        registry.get(stored.model_id)
    assert "more.txt" in refused.value.found
    (home / "more.txt").unlink()
    (home / "card.json").write_text(encode(stored))
    with pytest.raises(ModelError, match="damaged") as refused:
        registry.get(stored.model_id)
    assert "seal" in refused.value.found


def test_a_missing_file_and_an_unknown_model_are_told_apart(registry: Registry, tmp_path: Path) -> None:
    stored = registry.put(card(), FILES)
    (tmp_path / "registry" / "models" / stored.model_id / "model.txt").unlink()
    with pytest.raises(ModelError, match="damaged"):
        registry.get(stored.model_id)
    with pytest.raises(ModelError, match="no model"):
        registry.get("rank-0")
    with pytest.raises(ModelError, match="no name"):
        registry.get("../states")


def test_a_new_champion_retires_the_one_before_and_is_called_back_from_there(registry: Registry) -> None:
    first, second = (registry.put(card(seed=seed), FILES).model_id for seed in (1, 2))
    assert registry.champion("rank") is None
    take_charge(registry, first)
    assert registry.recalled("rank") is None
    take_charge(registry, second)
    states = {each.model_id: state for each, state in registry.models()}
    assert states == {first: ModelState.RETIRED, second: ModelState.CHAMPION}
    assert [(entry.seq, entry.retires) for entry in registry.history()] == [(1, ""), (2, ""), (3, ""), (4, first)]
    assert registry.recalled("rank") == first
    registry.promote(first, ModelState.CHAMPION, why="roll back", ground=Ground.RECALL)
    assert registry.champion("rank").model_id == first  # type: ignore[union-attr]
    assert registry.recalled("rank") == second


def test_only_the_champion_before_the_present_one_is_called_back(registry: Registry) -> None:
    names = [registry.put(card(seed=seed), FILES).model_id for seed in (1, 2, 3)]
    for name in names:
        take_charge(registry, name)
    with pytest.raises(ModelError, match="before the present one"):
        registry.promote(names[0], ModelState.CHAMPION, why="older still", ground=Ground.RECALL)
    assert registry.champion("rank").model_id == names[2]  # type: ignore[union-attr]


def test_kinds_have_champions_of_their_own(registry: Registry) -> None:
    for kind in ("rank", "net"):
        take_charge(registry, registry.put(card(kind=kind), FILES).model_id)
    assert {kind: registry.champion(kind).kind for kind in ("rank", "net")} == {"rank": "rank", "net": "net"}  # type: ignore[union-attr]


def test_the_same_state_again_changes_nothing_and_a_reason_is_required(registry: Registry) -> None:
    name = registry.put(card(), FILES).model_id
    move(registry, name, ModelState.SHADOW, "looks good")
    move(registry, name, ModelState.SHADOW, "again")
    assert len(registry.history()) == 1
    with pytest.raises(ModelError, match="reason"):
        move(registry, name, ModelState.CHAMPION, " ")


ROADS = {
    ModelState.CANDIDATE: (),
    ModelState.SHADOW: (ModelState.SHADOW,),
    ModelState.CHAMPION: (ModelState.SHADOW, ModelState.CHAMPION),
    ModelState.RETIRED: (ModelState.RETIRED,),
}
STEPS = [
    (before, after, ground) for before in ModelState for after in ModelState for ground in Ground if before is not after
]


@pytest.mark.parametrize(("before", "after", "ground"), STEPS, ids=lambda x: x.value)
def test_every_change_of_state_is_in_the_law_or_refused(
    registry: Registry, before: ModelState, after: ModelState, ground: Ground
) -> None:
    name = registry.put(card(), FILES).model_id
    for state in ROADS[before]:
        move(registry, name, state)
    kept = registry.history()
    evidence = b"{}" if ground is Ground.EVIDENCE else b""
    allowed = ground in MAY_BECOME.get((before, after), frozenset()) and ground is not Ground.RECALL
    if allowed:
        registry.promote(name, after, why="measured", ground=ground, evidence=evidence)
        assert {each.model_id: now for each, now in registry.models()}[name] is after
    else:
        with pytest.raises(ModelError) as refused:
            registry.promote(name, after, why="measured", ground=ground, evidence=evidence)
        assert refused.value.expected
        assert refused.value.next_step
        assert registry.history() == kept


def test_the_law_has_one_road_to_the_champion_and_no_way_back_to_candidate() -> None:
    assert {before for before, after in MAY_BECOME if after is ModelState.CHAMPION} == {
        ModelState.SHADOW,
        ModelState.RETIRED,
    }
    assert not [pair for pair in MAY_BECOME if pair[1] is ModelState.CANDIDATE]


def test_evidence_is_kept_by_its_hash_and_a_change_of_it_is_found(registry: Registry, tmp_path: Path) -> None:
    first, second = (registry.put(card(seed=seed), FILES).model_id for seed in (1, 2))
    assert registry.proof(first) is None
    move(registry, first, ModelState.SHADOW)
    registry.promote(first, ModelState.CHAMPION, why="measured", ground=Ground.EVIDENCE, evidence=b'{"t": 4}')
    assert registry.proof(first) == b'{"t": 4}'
    take_charge(registry, second)
    assert registry.proof(second) is None
    registry.promote(first, ModelState.CHAMPION, why="roll back", ground=Ground.RECALL)
    assert registry.proof(first) == b'{"t": 4}'
    (kept,) = (tmp_path / "registry" / "evidence").iterdir()
    kept.write_bytes(b'{"t": 9}')
    with pytest.raises(ModelError, match="evidence"):
        registry.proof(first)
    kept.unlink()
    with pytest.raises(ModelError, match="evidence"):
        registry.proof(first)


@pytest.mark.parametrize(("ground", "evidence"), [(Ground.EVIDENCE, b""), (Ground.DECISION, b"{}")])
def test_a_ground_and_its_record_go_together(registry: Registry, ground: Ground, evidence: bytes) -> None:
    name = registry.put(card(), FILES).model_id
    with pytest.raises(ModelError, match="do not fit"):
        registry.promote(name, ModelState.SHADOW, why="measured", ground=ground, evidence=evidence)


def test_a_log_from_before_there_were_grounds_counts_as_decisions(registry: Registry, tmp_path: Path) -> None:
    name = registry.put(card(), FILES).model_id
    move(registry, name, ModelState.SHADOW)
    path = tmp_path / "registry" / "states" / "00000001.json"
    body = json.loads(path.read_bytes())
    for field in ("ground", "evidence", "seal"):
        del body[field]
    seal = hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    path.write_text(json.dumps({**body, "seal": seal}))
    assert registry.history()[0].ground is Ground.DECISION


def test_a_damaged_model_cannot_be_promoted(registry: Registry, tmp_path: Path) -> None:
    name = registry.put(card(), FILES).model_id
    (tmp_path / "registry" / "models" / name / "model.txt").write_bytes(b"evil")
    with pytest.raises(ModelError, match="damaged"):
        move(registry, name, ModelState.SHADOW)
    assert registry.history() == ()


@pytest.mark.parametrize("edit", ["text", "drop"])
def test_an_edited_log_is_not_believed(registry: Registry, tmp_path: Path, edit: str) -> None:
    names = [registry.put(card(seed=seed), FILES).model_id for seed in (1, 2)]
    for name in names:
        take_charge(registry, name)
    path = tmp_path / "registry" / "states" / "00000001.json"
    if edit == "text":
        path.write_text(path.read_text().replace("shadow", "champion"))
    else:
        path.unlink()
    with pytest.raises(ModelError, match="states is damaged"):
        registry.champion("rank")


MOVES = st.tuples(st.integers(0, 2), st.sampled_from(list(ModelState)), st.sampled_from(list(Ground)[1:]))


@settings(max_examples=15, deadline=None)
@given(st.lists(MOVES, max_size=12))
def test_there_is_never_more_than_one_champion(tmp_path_factory, moves) -> None:
    registry = Registry(tmp_path_factory.mktemp("law"))
    names = [registry.put(card(seed=seed), FILES).model_id for seed in range(3)]
    for index, state, ground in moves:
        try:
            registry.promote(names[index], state, why="measured", ground=ground)
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
from haetae.domain.promotion import Ground
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
registry.promote(old, ModelState.SHADOW, why="measured", ground=Ground.DECISION)
registry.promote(old, ModelState.CHAMPION, why="measured", ground=Ground.DECISION)
for name in ("fsync", "rename", "mkdir"):
    setattr(os, name, dying(getattr(os, name)))
new = registry.put(card(seed=2), FILES).model_id
registry.promote(new, ModelState.SHADOW, why="better", ground=Ground.DECISION)
registry.promote(new, ModelState.CHAMPION, why="better", ground=Ground.EVIDENCE, evidence=b"{}")
registry.promote(old, ModelState.CHAMPION, why="worse", ground=Ground.RECALL)
"""


def test_a_writer_killed_in_the_middle_leaves_one_champion_whole_or_the_next(tmp_path: Path) -> None:
    seen, survived = [], False
    for calls in range(0, 60, 3):
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
        registry.proof(ruling.model_id)
        assert sum(state is ModelState.CHAMPION for _, state in registry.models()) == 1
        seen.append((ruling.seed, len(registry.history())))
        assert registry.put(card(seed=2), FILES).seed == 2
        if done.returncode == 0:
            survived = True
            break
        assert done.returncode == -signal.SIGKILL
    assert survived
    assert seen == sorted(seen, key=lambda one: one[1])
    assert {seed for seed, _ in seen} == {1, 2}
    assert seen[-1] == (1, 5)
