"""``haetae model list|show|promote|rollback|shadow``: the models, what speaks for them, and who is in charge."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.options import JSON, LAKE, Config, LakeFolder, read_day, read_settings
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text
from haetae.domain.learning import ModelState
from haetae.domain.promotion import Demand, Ground
from haetae.domain.units import kst_text

if TYPE_CHECKING:
    from haetae.wiring.models import Evidence, Listed

nouns = typer.Typer(no_args_is_help=True, help=hint("모델 등록소", "The registry of models"))
MODELS = Path("data/demo/models")
TRIALS = Path("data/trials.jsonl")
Models = Annotated[Path, typer.Option("--models", help=hint("등록소 폴더", "folder of the registry"))]
Trials = Annotated[Path, typer.Option("--trials", help=hint("시도 기록", "the book of trials"))]
ModelId = Annotated[str, typer.Argument(help=hint("모델 이름", "name of the model"))]
Why = Annotated[str, typer.Option("--why", help=hint("무엇을 보고 정했는지", "what was measured, or who decided"))]
Confirm = Annotated[str, typer.Option("--confirm", help=hint("근거의 확인 코드", "code shown with the evidence"))]
_GROUNDS = {
    Ground.EVIDENCE: Text(ko="근거", en="evidence"),
    Ground.DECISION: Text(ko="사람의 결정", en="a person's word"),
    Ground.RECALL: Text(ko="되부름", en="recall"),
}


@nouns.command("list", help=hint("모든 모델과 상태, 근거.", "Every model, its state and its evidence."))
def list_(
    models: Models = MODELS,
    kind: Annotated[str | None, typer.Option(help=hint("한 종류만", "one kind only"))] = None,
    trials: Trials = TRIALS,
    config: Config = None,
    json_file: JSON = None,
) -> None:
    """Show the models by name, what their state rests on, and how they stand for the next step."""
    check_target(json_file)
    from haetae.wiring.models import listing

    found = listing(models, kind, trials=trials, settings=read_settings(config).ml.promotion)
    heads = (("모델", "model"), ("종류", "kind"), ("상태", "state"), ("무엇으로", "by"), ("다음", "next"))
    more = (hint("학습 구간", "trained"), "sha256")
    rows = [
        (
            one.card.model_id,
            one.card.kind,
            one.state.value,
            say(_GROUNDS[one.ground]) if one.ground else "-",
            f"{one.to.value} {one.met}/{one.asked}" if one.asked else one.to.value,
            f"{one.card.train_from}~{one.card.train_to}",
            one.card.content_hash[:12],
        )
        for one in found
    ]
    print_table(Text(ko="모델", en="models"), [*(hint(*head) for head in heads), *more], rows)
    write_record(json_file, {one.card.model_id: _listed_record(one) for one in found})


@nouns.command("show", help=hint("한 모델의 성적, 근거, 이력.", "One model's figures, evidence and history."))
def show(
    model_id: ModelId, models: Models = MODELS, trials: Trials = TRIALS, config: Config = None, json_file: JSON = None
) -> None:
    """Show figures, what the next step demands, and changes of state, after every byte was compared with its hash."""
    check_target(json_file)
    from haetae.wiring.models import history, weigh

    settings = read_settings(config).ml.promotion
    found = weigh(models, model_id, ModelState.CHAMPION, trials=trials, settings=settings)
    print(f"{found.model_id} · {found.kind} · {found.now.value} · {found.trained}")
    print(f"sha256 {found.content_hash}")
    for name, value in sorted(found.provenance.items()):
        print(f"  {name:<12} {value}")
    _figures(found.metrics, {})
    _demands(found.demands, ModelState.CHAMPION)
    changes = history(models, model_id)
    for each in changes:
        at = kst_text(each.at) if each.at else "-"
        print(f"  {at} {each.model_id} → {each.state.value} [{say(_GROUNDS[each.ground])}] {each.why}")
    write_record(json_file, {**_record(found), "history": [_plain(dataclasses.asdict(each)) for each in changes]})


@nouns.command("promote", help=hint("모델의 상태를 옮깁니다 (근거, 확인 코드).", "Move a model (evidence, then code)."))
def promote(
    model_id: ModelId,
    why: Why,
    to: Annotated[
        str, typer.Option("--to", help=hint("shadow, champion, retired (없으면 다음)", "its next state if not given"))
    ] = "",
    confirm: Confirm = "",
    without_evidence: Annotated[
        str,
        typer.Option(
            "--without-evidence",
            metavar="WHY",
            help=hint(
                "모의 거래에서만: 요구를 못 채웠는데 옮기는 이유", "play money only: why, though demands are unmet"
            ),
        ),
    ] = "",
    models: Models = MODELS,
    trials: Trials = TRIALS,
    config: Config = None,
    json_file: JSON = None,
) -> None:
    """Show the evidence, then move the model when its code is given back and every demand is met."""
    check_target(json_file)
    _move(models, model_id, _state(to) if to else None, why, confirm, without_evidence, trials, config, json_file)


@nouns.command("rollback", help=hint("앞서 맡았던 모델로 되돌립니다.", "Put the model before back in charge."))
def rollback(
    kind: Annotated[str, typer.Argument(help=hint("종류 (policy, ranker)", "kind (policy, ranker)"))],
    why: Why,
    confirm: Confirm = "",
    models: Models = MODELS,
    trials: Trials = TRIALS,
    json_file: JSON = None,
) -> None:
    """Show the evidence of the model before, then put it back in charge."""
    check_target(json_file)
    from haetae.wiring.models import before

    _move(models, before(models, kind), ModelState.CHAMPION, why, confirm, "", trials, None, json_file)


@nouns.command("shadow", help=hint("shadow 모델의 그날 점수를 적습니다.", "Write down what models in shadow say."))
def shadow(
    models: Models = MODELS,
    lake: LakeFolder = LAKE,
    day: Annotated[str | None, typer.Option(help=hint("마지막으로 끝난 거래일", "the last closed session"))] = None,
    json_file: JSON = None,
) -> None:
    """Score the coming session with every model in shadow or in charge, and resolve what has come due."""
    check_target(json_file)
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.lakes import open_lake
    from haetae.wiring.models import open_registry
    from haetae.wiring.shadowing import record

    open_registry(models)
    found = record(models, open_lake(lake), read_day(day, "--day"), SystemClock().now())
    late = "" if found.in_time else say(Text(ko=" · 늦어서 근거로 세지 않음", en=" · too late to count"))
    spoke = ", ".join(found.said) or "-"
    print(say(Text(ko=f"{found.day} 적음: {spoke}", en=f"{found.day} recorded: {spoke}")) + late)
    print(say(Text(ko=f"결과를 알게 된 날 {found.resolved}", en=f"outcomes now known {found.resolved}")))
    write_record(json_file, {**dataclasses.asdict(found), "day": found.day.isoformat()})


def _move(
    models: Path,
    model_id: str,
    to: ModelState | None,
    why: str,
    confirm: str,
    without_evidence: str,
    trials: Path,
    config: list[Path] | None,
    json_file: Path | None,
) -> None:
    from haetae.wiring import models as registry

    settings = read_settings(config).ml.promotion
    evidence = registry.weigh(models, model_id, to, trials=trials, settings=settings)
    _show(evidence)
    if evidence.unmet and without_evidence:
        warning = Text(ko="근거 없이 옮깁니다. 실거래는 이 모델을 거절합니다.", en="Real money will refuse this model.")
        print(f"! {say(warning)}")
    refused = bool(evidence.unmet and not without_evidence)
    code = confirm if confirm or refused else _asked(evidence)
    registry.promote(
        models, model_id, evidence.to, why=why, code=code, without_evidence=without_evidence, trials=trials,
        settings=settings,
    )  # fmt: skip
    print(say(Text(ko=f"바꿨습니다: {model_id} → {evidence.to.value}", en=f"done: {model_id} → {evidence.to.value}")))
    write_record(json_file, _record(evidence))


def _show(evidence: Evidence) -> None:
    beside = evidence.champion or say(Text(ko="없음", en="none"))
    print(f"{evidence.model_id} ({evidence.kind}) {evidence.now.value} → {evidence.to.value}")
    print(say(Text(ko=f"지금 맡은 모델: {beside}", en=f"in charge now: {beside}")))
    _figures(evidence.metrics, evidence.champion_metrics)
    if evidence.recall:
        print(
            say(Text(ko="바로 앞의 champion을 되부릅니다.", en="The champion before the present one is called back."))
        )
    else:
        _demands(evidence.demands, evidence.to)
    print(say(Text(ko=f"확인 코드 {evidence.code}", en=f"confirmation code {evidence.code}")))


def _demands(found: Sequence[Demand], to: ModelState) -> None:
    if not found:
        return
    rows = [(say(one.name), one.threshold, say(one.found), "✓" if one.met else f"✗ {one.key}") for one in found]
    head = (hint("요구", "demand"), hint("기준", "threshold"), hint("결과", "found"), "")
    print_table(Text(ko=f"{to.value} 에 필요한 것", en=f"what {to.value} demands"), head, rows)


def _figures(metrics: Mapping[str, float], beside: Mapping[str, float]) -> None:
    for name in sorted({*metrics, *beside}):
        print(f"  {name:<34} {_figure(metrics, name):>12} {_figure(beside, name):>12}")


def _figure(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:+.5f}" if name in metrics else ""


def _record(evidence: Evidence) -> dict[str, Any]:
    told = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}
    del told["sealed"]
    demands = [{**dataclasses.asdict(one), "name": one.name.ko, "found": one.found.en} for one in evidence.demands]
    return _plain({**told, "demands": demands, "unmet": [one.key for one in evidence.unmet]})


def _listed_record(one: Listed) -> dict[str, Any]:
    ground = one.ground.value if one.ground else None
    standing = {"state": one.state.value, "ground": ground, "next": one.to.value, "met": one.met, "asked": one.asked}
    return _plain({**dataclasses.asdict(one.card), **standing})


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, ModelState | Ground) else value for name, value in told.items()}


def _asked(evidence: Evidence) -> str:
    if not sys.stdin.isatty():
        raise ConfigError(
            Text(ko="두 번째 확인이 필요합니다", en="a second confirmation is needed"),
            expected="--confirm CODE",
            found=Text(ko="확인 코드 없음", en="no code").en,
            next_step=f"--confirm {evidence.code}",
        )
    return str(typer.prompt(say(Text(ko="확인 코드를 그대로 적으세요", en="type the confirmation code"))))


def _state(text: str) -> ModelState:
    try:
        return ModelState(text)
    except ValueError:
        raise ConfigError(
            Text(ko="모르는 상태입니다", en="unknown state"),
            expected="shadow, champion, retired",
            found=text,
            next_step="--to champion",
        ) from None
