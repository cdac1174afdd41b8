"""Several rankers as one artefact: their mean of ranks, one hash, and a refusal for every byte that differs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from haetae.domain.errors import ModelError
from haetae.ml import artefact, committee, rankers
from haetae.ml.samples import ranks
from haetae.ml.settings import RankerKind, RankerSettings

NAMES, HASH = ("a", "b", "c"), "0123456789abcdef"
INPUTS = np.random.default_rng(1).uniform(-0.5, 0.5, (300, 3)).astype(np.float32)


EVERYONE = np.ones(len(INPUTS), np.bool_)


def member(seed: int, horizon: int = 5, feature_hash: str = HASH) -> committee.Packed:
    settings = RankerSettings(kind=RankerKind.LIGHTGBM, rounds=8, depth=3, min_leaf=10, seed=seed)
    model = rankers.fit(INPUTS, INPUTS[:, 0] * INPUTS[:, 1], settings)
    first, last = dt.date(2021, 1, 4), dt.date(2021, 6, 30 - seed)
    return artefact.pack(
        model, settings, NAMES, feature_hash, train_from=first, train_to=last, horizon=horizon, metrics={}
    )


MEMBERS = [member(seed) for seed in (1, 2, 3)]
CARD, FILES = committee.pack(MEMBERS, metrics={"test_rank_ic": 0.04}, provenance={"data": "d"})


def test_a_committee_scores_by_the_mean_of_its_members_ranks() -> None:
    single = [committee.members_of(*each, HASH)[0].score(INPUTS, EVERYONE) for each in MEMBERS]
    opened = committee.members_of(CARD, FILES, HASH)
    assert len(opened) == 3
    found = committee.scores(opened, INPUTS, EVERYONE)
    np.testing.assert_allclose(found, np.mean([ranks(one) for one in single], axis=0))
    few = np.arange(len(INPUTS)) % 3 == 0
    assert np.array_equal(np.isfinite(committee.scores(opened, INPUTS, few)), few)
    assert len(committee.members_of(*MEMBERS[0], HASH)) == 1


def test_its_card_spans_its_members_and_equal_members_give_equal_bytes() -> None:
    assert (CARD.kind, CARD.train_from, CARD.train_to) == ("ranker", dt.date(2021, 1, 4), dt.date(2021, 6, 29))
    assert (CARD.metrics, CARD.provenance) == ({"test_rank_ic": 0.04}, {"data": "d"})
    assert committee.pack(MEMBERS, metrics={"test_rank_ic": 0.04}, provenance={"data": "d"}) == (CARD, FILES)
    assert committee.horizon_of(CARD, FILES) == committee.horizon_of(*MEMBERS[0]) == 5


def refused(files: dict[str, bytes], feature_hash: str = HASH) -> str:
    with pytest.raises(ModelError) as fault:
        committee.members_of(CARD, files, feature_hash)
    assert fault.value.expected
    assert fault.value.next_step
    return fault.value.found


@pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])
def test_a_byte_flipped_in_a_members_file_is_refused_by_its_name(name: str) -> None:
    content = bytearray(FILES[name])
    content[len(content) // 2] ^= 1
    assert name in refused({**FILES, name: bytes(content)})


def test_a_file_missing_or_too_many_and_other_features_are_refused() -> None:
    gone = dict(FILES)
    del gone["m01.model.txt"]
    assert "m01.model.txt" in refused(gone)
    assert "more.txt" in refused({**FILES, "more.txt": b"x"})
    assert "ffff" in refused(FILES, "ffff")
    assert "KeyError" in refused({name: blob for name, blob in FILES.items() if name != "manifest.json"})
    assert refused({**FILES, "manifest.json": b"{"})
    assert refused({**FILES, "manifest.json": b"[]"})


@pytest.mark.parametrize("gone", ["model.txt", "manifest.json"])
def test_a_ranker_alone_without_one_of_its_files_is_refused(gone: str) -> None:
    card, files = MEMBERS[0]
    with pytest.raises(ModelError, match="cannot be used"):
        committee.members_of(card, {name: blob for name, blob in files.items() if name != gone}, HASH)


CHANGED = {
    "feature_hash": "ffff",
    "members": [],
    "horizon": 0,
}


@pytest.mark.parametrize("field", CHANGED)
def test_a_manifest_with_one_field_changed_is_refused(field: str) -> None:
    manifest = json.dumps({**json.loads(FILES["manifest.json"]), field: CHANGED[field]}).encode()
    read = committee.horizon_of if field == "horizon" else lambda card, files: committee.members_of(card, files, HASH)
    with pytest.raises(ModelError):
        read(CARD, {**FILES, "manifest.json": manifest})


def test_a_card_of_other_features_is_refused() -> None:
    with pytest.raises(ModelError):
        committee.members_of(dataclasses.replace(CARD, feature_hash="ffff"), FILES, HASH)


def test_members_that_do_not_fit_together_and_none_at_all_are_refused() -> None:
    for others in ([MEMBERS[0], member(2, horizon=1)], [MEMBERS[0], member(2, feature_hash="ffff")], []):
        with pytest.raises(ModelError, match="cannot score together"):
            committee.pack(others, metrics={})
