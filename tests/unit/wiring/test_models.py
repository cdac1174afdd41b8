"""Who takes charge: by evidence and a second confirmation, never by accident, and never over real money without it."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import re
from pathlib import Path

import numpy as np
import pytest

from haetae.cli.main import main
from haetae.domain.errors import ConfigError, ModelError
from haetae.domain.learning import ModelCard, ModelState, Trial
from haetae.domain.promotion import Ground, ShadowOutcome, ShadowScores
from haetae.ml.promotion import MADE_BY
from haetae.ml.settings import PromotionSettings
from haetae.registry.registry import Registry
from haetae.registry.shadow import ShadowBook
from haetae.registry.trials import TrialBook
from haetae.wiring import models, trading_days
from haetae.wiring.evidence import require_proven
from haetae.wiring.screen import Silent
from haetae.wiring.venues import TradeSettings

DAY = dt.date(2026, 11, 23)
TESTED = {"test_from": "2026-01-02", "test_to": "2026-06-30", "family": "ranker"}
STRONG = {
    "test_rank_ic": 0.04,
    "test_rank_ic_t": 4.0,
    "test_rank_ic_neutral": 0.01,
    "test_net_bp": 12.0,
    "test_one_line_net_bp": 5.0,
    "test_control_t": 1.1,
    "pbo": 0.02,
    "sharpe": 0.15,
    "sharpe_spread": 1.0,
    "sharpe_sessions": 500.0,
    "trials": 1.0,
}
WORDS = "only for practice"


def stored(folder: Path, name: str, kind: str = "ranker", **metrics: float) -> Path:
    provenance = {**dict.fromkeys(MADE_BY, "known"), **TESTED} if metrics else {}
    number = int(re.sub(r"\D", "", name) or 0)
    card = ModelCard(name, kind, "f", DAY, DAY, metrics, number, "", provenance=provenance)
    Registry(folder).put(card, {"weights.txt": name.encode()})
    return folder


def no_trials(folder: Path) -> Path:
    return folder / "no-trials.jsonl"


def moved(folder: Path, name: str, to: ModelState | None = None, **more: str) -> None:
    code = models.weigh(folder, name, to, trials=no_trials(folder)).code
    models.promote(folder, name, to, why="test", code=code, trials=no_trials(folder), **more)


def in_charge_by_word(folder: Path, name: str) -> None:
    for to in (ModelState.SHADOW, ModelState.CHAMPION):
        moved(folder, name, to, without_evidence=WORDS)


def lived(folder: Path, name: str, sessions: int = 25, mean: float = 0.05) -> None:
    """Write down a month in shadow, said in time, with its outcomes."""
    book, noise = ShadowBook(folder), np.random.default_rng(5).normal(0, 0.05, sessions)
    at = Registry(folder).history()[-1].at
    days = [dt.date(2026, 12, 1) + dt.timedelta(days=n) for n in range(sessions)]
    book.say(ShadowScores(name, "h", day, at + n, True, "bars", 5, {"005930": 0.1}) for n, day in enumerate(days))
    book.resolve(
        ShadowOutcome(name, day, day + dt.timedelta(days=6), mean + float(noise[n]), 200) for n, day in enumerate(days)
    )


def proven(folder: Path, name: str) -> None:
    moved(folder, name, ModelState.SHADOW)
    lived(folder, name)
    moved(folder, name, ModelState.CHAMPION)


def test_a_model_with_every_evidence_takes_charge_and_real_money_accepts_it(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    proven(folder, "m1")
    registry = Registry(folder)
    assert [change.ground for change in registry.history()] == [Ground.EVIDENCE, Ground.EVIDENCE]
    require_proven(registry, ("ranker",))
    kept = json.loads(registry.proof("m1") or b"")
    assert {one["key"] for one in kept["demands"] if one["met"]} >= {"rank_ic", "deflated_sharpe", "shadow_sessions"}
    assert kept["thresholds"]["min_shadow_sessions"] == 20
    assert len(kept["shadow"]) == 25


@pytest.mark.parametrize(("metrics", "lacking"), [({}, "rank_ic"), ({**STRONG, "test_rank_ic_t": 1.0}, "rank_ic_t")])
def test_unmet_demands_stop_the_change_by_name_even_with_the_right_code(
    tmp_path: Path, metrics: dict[str, float], lacking: str
) -> None:
    folder = stored(tmp_path, "m1", **metrics)
    with pytest.raises(ModelError, match="demands are not met") as refused:
        moved(folder, "m1", ModelState.SHADOW)
    assert lacking in refused.value.found
    assert lacking in refused.value.expected
    assert Registry(folder).history() == ()


def test_a_champion_needs_more_than_a_shadow(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    moved(folder, "m1", ModelState.SHADOW)
    with pytest.raises(ModelError) as refused:
        moved(folder, "m1", ModelState.CHAMPION)
    assert "shadow_sessions 0" in refused.value.found
    assert "rank_ic" not in refused.value.found


def test_a_candidate_does_not_take_charge_at_once_whatever_is_said(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    with pytest.raises(ModelError, match="cannot become champion"):
        moved(folder, "m1", ModelState.CHAMPION, without_evidence=WORDS)


def test_more_trials_in_the_book_deflate_the_same_figures(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    book = TrialBook(tmp_path / "trials.jsonl")

    def deflated() -> tuple[bool, str]:
        asked = models.weigh(folder, "m1", ModelState.CHAMPION, trials=book.path).demands
        (found,) = (one for one in asked if one.key == "deflated_sharpe")
        return found.met, found.found.en

    assert deflated() == (True, "1.000 (1 trials)")
    made = Trial("ranker", {}, "c", "d", DAY.replace(month=2), DAY.replace(month=5), 60, 0.0, "run", 1)
    rest = [dataclasses.replace(made, parameters={"n": n}, sharpe=0.1 * (-1) ** n) for n in range(200)]
    book.append([*rest, dataclasses.replace(made, family="other"), rest[0]])
    met, told = deflated()
    assert not met
    assert "200 trials" in told


def test_a_promotion_needs_the_code_of_its_evidence(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    for wrong in ("", "00000000"):
        with pytest.raises(ModelError, match="confirmation code"):
            models.promote(folder, "m1", ModelState.SHADOW, why="because", code=wrong)
    assert all(each.state is ModelState.CANDIDATE for each in models.listing(folder))


@pytest.mark.parametrize("between", ["state", "trial", "shadow", "threshold"])
def test_a_code_read_before_anything_changed_no_longer_fits(tmp_path: Path, between: str) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    stored(folder, "m2", **STRONG)
    moved(folder, "m1", ModelState.SHADOW)
    lived(folder, "m1")
    settings, trials = PromotionSettings(), tmp_path / "trials.jsonl"
    stale = models.weigh(folder, "m1", ModelState.CHAMPION, trials=trials).code
    if between == "state":
        moved(folder, "m2", ModelState.SHADOW)
    elif between == "trial":
        TrialBook(trials).append([Trial("ranker", {}, "c", "d", DAY, DAY, 1, 0.1, "run", 1)] * 2)
        TrialBook(trials).append(
            Trial("ranker", {"n": n}, "c", "d", DAY.replace(month=2), DAY.replace(month=3), 1, 0.1, "run", 1)
            for n in range(2)
        )
    elif between == "shadow":
        day = dt.date(2027, 2, 1)
        ShadowBook(folder).say([ShadowScores("m1", "h", day, 2**62, True, "bars", 5, {"005930": 0.1})])
        ShadowBook(folder).resolve([ShadowOutcome("m1", day, day, 0.04, 200)])
    else:
        settings = PromotionSettings(min_t=3.5)
    with pytest.raises(ModelError, match="confirmation code"):
        models.promote(folder, "m1", None, why="because", code=stale, trials=trials, settings=settings)


def test_a_persons_word_is_enough_for_play_money_and_never_for_real_money(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1")
    in_charge_by_word(folder, "m1")
    registry = Registry(folder)
    last = registry.history()[-1]
    assert last.ground is Ground.DECISION
    assert WORDS in last.why
    assert "shadow_sessions" in last.why
    with pytest.raises(ConfigError, match="not proven") as refused:
        require_proven(registry, ("ranker", "policy"))
    assert "m1 took charge without evidence" in refused.value.found
    assert "policy: none in charge" in refused.value.found


def test_a_live_day_does_not_begin_with_models_that_came_by_a_persons_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stored(tmp_path / "models", "m1")
    in_charge_by_word(folder, "m1")
    (tmp_path / "lake").mkdir()
    monkeypatch.setattr(trading_days.livegate, "missing", lambda *_given: [])  # every other lock stands open
    monkeypatch.setattr(trading_days.attestation, "promoted", lambda _folder: object())
    settings = TradeSettings(tmp_path, None, tmp_path / "account", (), live=True)
    with pytest.raises(ConfigError) as shut:
        asyncio.run(trading_days.trade(settings, {}, Silent()))
    assert "not proven" in shut.value.found
    assert "m1 took charge without evidence" in shut.value.found


def test_evidence_changed_afterwards_or_of_another_model_is_no_proof(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    proven(folder, "m1")
    (proof,) = [p for p in (folder / "evidence").iterdir() if json.loads(p.read_bytes())["to"] == "champion"]
    proof.write_bytes(proof.read_bytes().replace(b"0.04", b"0.09"))
    with pytest.raises(ConfigError, match="not proven"):
        require_proven(Registry(folder), ("ranker",))
    other = stored(tmp_path / "other", "m2", **STRONG)
    registry = Registry(other)
    foreign = models.weigh(folder, "m1", ModelState.RETIRED).sealed
    for to in (ModelState.SHADOW, ModelState.CHAMPION):
        registry.promote("m2", to, why="forged", ground=Ground.EVIDENCE, evidence=foreign)
    with pytest.raises(ConfigError, match="not proven") as refused:
        require_proven(registry, ("ranker",))
    assert "another model" in refused.value.found


def test_rollback_calls_back_the_one_before_without_asking_it_again(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1", **STRONG)
    stored(folder, "m2")
    proven(folder, "m1")
    with pytest.raises(ModelError, match="go back"):
        models.before(folder, "ranker")
    in_charge_by_word(folder, "m2")
    assert models.before(folder, "ranker") == "m1"
    moved(folder, "m1", ModelState.CHAMPION)
    assert Registry(folder).history()[-1].ground is Ground.RECALL
    require_proven(Registry(folder), ("ranker",))
    moved(folder, "m2", ModelState.CHAMPION)
    with pytest.raises(ConfigError, match="not proven") as refused:
        require_proven(Registry(folder), ("ranker",))
    assert "m2 took charge without evidence" in refused.value.found


def test_the_next_state_is_meant_where_none_is_named_and_a_champion_has_none(tmp_path: Path) -> None:
    folder = stored(tmp_path, "m1")
    steps = []
    for _ in range(2):
        steps.append(models.weigh(folder, "m1").to)
        moved(folder, "m1", without_evidence=WORDS)
    assert steps == [ModelState.SHADOW, ModelState.CHAMPION]
    with pytest.raises(ModelError, match="in charge already"):
        models.weigh(folder, "m1")
    moved(folder, "m1", ModelState.RETIRED)
    assert models.weigh(folder, "m1").to is ModelState.SHADOW


def test_the_verbs_promote_and_roll_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stored(tmp_path / "models", "m1", "policy")
    stored(folder, "m2", "policy")
    at = ["--models", str(folder), "--trials", str(no_trials(folder))]
    for name in ("m1", "m2"):
        for to in ModelState.SHADOW, ModelState.CHAMPION:
            verb = ["model", "promote", name, "--to", to.value, "--why", "measured", *at]
            code = models.weigh(folder, name, to, trials=no_trials(folder)).code
            assert main([*verb, "--confirm", code]) == 6
            assert main([*verb, "--without-evidence", WORDS]) == 2
            assert main([*verb, "--without-evidence", WORDS, "--confirm", code]) == 0
    assert main(["model", "promote", "m2", "--why", "again", *at]) == 6
    assert main(["model", "rollback", "policy", "--why", "worse", *at]) == 2
    code = models.weigh(folder, "m1", ModelState.CHAMPION, trials=no_trials(folder)).code
    assert main(["model", "rollback", "policy", "--why", "worse", *at, "--confirm", code]) == 0
    listed, shown = tmp_path / "list.json", tmp_path / "show.json"
    assert main(["model", "list", *at, "--json", str(listed)]) == 0
    assert main(["model", "show", "m1", *at, "--json", str(shown)]) == 0
    assert {name: row["state"] for name, row in json.loads(listed.read_text()).items()} == {
        "m1": "champion",
        "m2": "retired",
    }
    told = json.loads(shown.read_text())
    assert {one["key"] for one in told["demands"]} >= {"excess", "deflated_sharpe", "overfitting", "shadow_sessions"}
    assert told["history"][-1]["ground"] == "recall"
    assert main(["model", "show", "m3", *at]) == 6
    assert main(["model", "promote", "m1", "--why", "x", "--to", "king", *at]) == 2
    assert main(["model", "list", "--models", str(tmp_path / "nowhere")]) == 6
    out = capsys.readouterr().out
    assert "worse" in out
    assert "excess_t" in out
