"""``haetae model list|show|promote|rollback``: which models there are and which of them are in charge."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text
from haetae.domain.learning import ModelState
from haetae.domain.units import kst_text

if TYPE_CHECKING:
    from haetae.wiring.models import Evidence

nouns = typer.Typer(no_args_is_help=True, help=hint("모델 등록소", "The registry of models"))
MODELS = Path("data/demo/models")
Models = Annotated[Path, typer.Option("--models", help=hint("등록소 폴더", "folder of the registry"))]
ModelId = Annotated[str, typer.Argument(help=hint("모델 이름", "name of the model"))]
Why = Annotated[str, typer.Option("--why", help=hint("무엇을 보고 정했는지", "what was measured, or who decided"))]
Confirm = Annotated[str, typer.Option("--confirm", help=hint("근거의 확인 코드", "code shown with the evidence"))]


@nouns.command("list", help=hint("모든 모델과 상태.", "Every model and its state."))
def list_(
    models: Models = MODELS,
    kind: Annotated[str | None, typer.Option(help=hint("한 종류만", "one kind only"))] = None,
    json_file: JSON = None,
) -> None:
    """Show the models by name."""
    check_target(json_file)
    from haetae.wiring.models import listing

    found = listing(models, kind)
    head = [hint("모델", "model"), hint("종류", "kind"), hint("상태", "state"), hint("학습 구간", "trained"), "sha256"]
    rows = [
        (
            m.card.model_id,
            m.card.kind,
            m.state.value,
            f"{m.card.train_from}~{m.card.train_to}",
            m.card.content_hash[:12],
        )
        for m in found
    ]
    print_table(Text(ko="모델", en="models"), head, rows)
    write_record(json_file, {m.card.model_id: {**dataclasses.asdict(m.card), "state": m.state.value} for m in found})


@nouns.command("show", help=hint("한 모델의 성적과 이력.", "One model's figures and history."))
def show(model_id: ModelId, models: Models = MODELS, json_file: JSON = None) -> None:
    """Show figures and changes of state, after every byte was compared with its hash."""
    check_target(json_file)
    from haetae.wiring.models import history, weigh

    found = weigh(models, model_id, ModelState.CHAMPION)
    print(f"{found.model_id} · {found.kind} · {found.now.value} · {found.trained}")
    print(f"sha256 {found.content_hash}")
    _figures(found.metrics, {})
    changes = history(models, model_id)
    for each in changes:
        at = kst_text(each.at) if each.at else "-"
        print(f"  {at} {each.model_id} → {each.state.value} ({each.why})")
    write_record(
        json_file,
        {**dataclasses.asdict(found), "history": [dataclasses.asdict(each) for each in changes]},
    )


@nouns.command("promote", help=hint("모델의 상태를 옮깁니다 (근거, 확인 코드).", "Move a model (evidence, then code)."))
def promote(
    model_id: ModelId,
    why: Why,
    to: Annotated[str, typer.Option("--to", help="shadow, champion, retired")] = ModelState.CHAMPION.value,
    confirm: Confirm = "",
    models: Models = MODELS,
) -> None:
    """Show the evidence, then move the model when its code is given back."""
    _move(models, model_id, _state(to), why, confirm)


@nouns.command("rollback", help=hint("앞서 맡았던 모델로 되돌립니다.", "Put the model before back in charge."))
def rollback(
    kind: Annotated[str, typer.Argument(help=hint("종류 (policy, ranker)", "kind (policy, ranker)"))],
    why: Why,
    confirm: Confirm = "",
    models: Models = MODELS,
) -> None:
    """Show the evidence of the model before, then put it back in charge."""
    from haetae.wiring.models import before

    _move(models, before(models, kind), ModelState.CHAMPION, why, confirm)


def _move(models: Path, model_id: str, to: ModelState, why: str, confirm: str) -> None:
    from haetae.wiring import models as registry

    evidence = registry.weigh(models, model_id, to)
    _show(evidence)
    code = confirm or _asked(evidence)
    registry.promote(models, model_id, to, why=why, code=code)
    print(say(Text(ko=f"바꿨습니다: {model_id} → {to.value}", en=f"done: {model_id} → {to.value}")))


def _show(evidence: Evidence) -> None:
    beside = evidence.champion or say(Text(ko="없음", en="none"))
    print(f"{evidence.model_id} ({evidence.kind}) {evidence.now.value} → {evidence.to.value}")
    print(say(Text(ko=f"지금 맡은 모델: {beside}", en=f"in charge now: {beside}")))
    _figures(evidence.metrics, evidence.champion_metrics)
    print(say(Text(ko=f"확인 코드 {evidence.code}", en=f"confirmation code {evidence.code}")))


def _figures(metrics: Mapping[str, float], beside: Mapping[str, float]) -> None:
    for name in sorted({*metrics, *beside}):
        print(f"  {name:<34} {_figure(metrics, name):>12} {_figure(beside, name):>12}")


def _figure(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:+.5f}" if name in metrics else ""


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
