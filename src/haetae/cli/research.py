"""``haetae research run|list|show``: from a lake to a report, stage by stage, with every figure as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.options import JSON, LAKE, REGION, Config, Endpoint, LakeAddress, Region, read_day, read_settings
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

if TYPE_CHECKING:
    from haetae.wiring.studies import Stored

OUT = Path("data/research")
TRIALS = Path("data/trials.jsonl")
Out = Annotated[Path, typer.Option(help=hint("결과 폴더", "folder of results"))]

nouns = typer.Typer(no_args_is_help=True, help=hint("연구: 레이크에서 보고서까지", "Research: from lake to report"))


@nouns.command("run", help=hint("단계마다 저장하며 이어서 돕니다.", "Run the stages; finished ones are reused."))
def run(
    lake: LakeAddress = str(LAKE),
    out: Out = OUT,
    first_test: Annotated[str | None, typer.Option(help=hint("표본 밖 첫날", "first day out of sample"))] = None,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
    until: Annotated[str, typer.Option(help=hint("여기까지", "the last stage that is wanted"))] = "",
    stage: Annotated[
        str, typer.Option(help=hint("저장돼 있어도 다시 만들 단계", "a stage to make anew; ends after it"))
    ] = "",
    trials: Annotated[Path, typer.Option("--trials", help=hint("시도 기록", "the book of trials"))] = TRIALS,
    config: Config = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Run the flow and print its figures, whatever they are."""
    check_target(json_file)
    settings = read_settings(config).research
    if first_test is not None:
        settings = dataclasses.replace(settings, first_test=read_day(first_test, "--first-test"))
    from haetae.wiring.lakes import LakeAt
    from haetae.wiring.studies import LAST_STAGE, run_research

    with watching() as report:
        study = run_research(
            LakeAt(lake, region, endpoint_url),
            out,
            settings,
            seed=seed,
            progress=report,
            until=until or stage or LAST_STAGE,
            anew=stage,
            trials=trials,
        )
    _print(study.figures)
    if study.report is not None:
        print(say(Text(ko=f"보고서 {study.report}", en=f"report {study.report}")))
    if study.models:
        print(say(Text(ko=f"모델 {', '.join(study.models)}", en=f"models {', '.join(study.models)}")))
    write_record(json_file, study.figures)


@nouns.command("list", help=hint("저장된 단계들.", "The stored stages."))
def list_(out: Out = OUT, json_file: JSON = None) -> None:
    """Show every stored stage: its key, what it was made from, whether it is whole."""
    check_target(json_file)
    from haetae.wiring.studies import stored_stages

    found = stored_stages(out)
    head = (hint("단계", "stage"), hint("키", "key"), hint("재료", "made from"), hint("파일", "files"), "")
    rows = [
        (
            one.manifest.stage,
            one.key,
            ", ".join(f"{name} {key[:8]}" for name, key in sorted(one.manifest.inputs.items())),
            str(len(one.manifest.outputs)),
            "✓" if one.whole else say(Text(ko="손상", en="damaged")),
        )
        for one in found
    ]
    print_table(Text(ko="저장된 단계", en="stored stages"), head, rows)
    write_record(json_file, {one.key: _stored_record(one) for one in found})


@nouns.command("show", help=hint("한 단계의 명세: 재료, 설정, 파일의 해시.", "A stage's manifest, by name or key."))
def show(
    named: Annotated[str, typer.Argument(metavar="STAGE|KEY", help=hint("단계나 키", "stage or key"))],
    out: Out = OUT,
    json_file: JSON = None,
) -> None:
    """Show the manifests of a stage, or the one of a key."""
    check_target(json_file)
    from haetae.wiring.studies import stored_stages

    found = stored_stages(out, named)
    for one in found:
        whole = "✓" if one.whole else say(Text(ko="손상", en="damaged"))
        print(f"{one.manifest.stage} {one.key} {whole}")
        print(f"  config {one.manifest.config_hash}")
        for name, key in sorted(one.manifest.inputs.items()):
            print(f"  < {name:<12} {key}")
        for name, digest in sorted(one.manifest.outputs.items()):
            print(f"  > {name:<34} {digest[:16]}")
        for name, value in sorted(one.manifest.figures.items()):
            print(f"  = {name:<20} {value:,.6g}")
    write_record(json_file, {one.key: _stored_record(one) for one in found})


def _stored_record(one: Stored) -> dict[str, Any]:
    return {**dataclasses.asdict(one.manifest), "whole": one.whole}


def _print(figures: Mapping[str, Any]) -> None:
    lake = figures["lake"]
    source, size = f"{lake['table']} v{lake['version']}", f"{lake['symbol_days']:,.0f}"
    print(
        say(
            Text(
                ko=f"{source} · 일봉 {size}행 · 종목 {lake['symbols']:,.0f} · {lake['from']}–{lake['to']}",
                en=f"{source} · {size} daily rows · {lake['symbols']:,.0f} symbols · {lake['from']}-{lake['to']}",
            )
        )
    )
    reused = ", ".join(figures["reused"]) or "-"
    print(say(Text(ko=f"이미 있던 단계 {reused}", en=f"stages already there {reused}")))
    if "universe" in figures:
        count, day = len(figures["universe"]["symbols"]), figures["universe"]["day"]
        print(say(Text(ko=f"유니버스 {count}종목 ({day})", en=f"universe of {count} ({day})")))
    if "ml" in figures:
        head = ("", "IC", "ICIR", "t", "neutral IC", "t", "net bp")
        rows = [_rank_row(name, found) for name, found in _rankers(figures["ml"])]
        print_table(Text(ko="표본 밖 순위 (rank IC)", en="Out-of-sample ranks (rank IC)"), head, rows)
    if "backtest" in figures:
        _print_backtest(figures["backtest"])
    if "verdict" in figures:
        print(say(Text(**figures["verdict"])))


def _print_backtest(result: Mapping[str, Any]) -> None:
    others = sorted(result["benchmarks"].items(), key=lambda item: -item[1]["metrics"]["cagr"])
    print_table(
        Text(ko="백테스트 (비용·세금 후)", en="Backtest (after costs and taxes)"),
        ("", "CAGR", "Sharpe", "MDD", "turnover"),
        [_run_row(f"> {result['name']}", result["metrics"]), *(_run_row(n, b["metrics"]) for n, b in others)],
    )
    for warning in result["warnings"]:
        print(f"! {say(Text(**warning))}")


def _rankers(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [*found["models"].items(), *found["yardsticks"].items()]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _rank_row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    ranks = found["all"]
    net = found["decile"]["long_net_bp"]
    return (
        name,
        _number(ranks["mean"], "+.4f"),
        _number(ranks["icir"], "+.2f"),
        _number(ranks["t"], "+.1f"),
        _number(ranks["neutral_mean"], "+.4f"),
        _number(ranks["neutral_t"], "+.1f"),
        _number(net, "+.1f"),
    )


def _run_row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        _number(found["cagr"], "+.1%"),
        _number(found["sharpe"], "+.2f"),
        _number(found["max_drawdown"], ".1%"),
        _number(found["turnover"], ".1f"),
    )
