"""``haetae research run``: from a lake to a report, with every figure as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from haetae.cli.options import JSON, LAKE, REGION, Config, Endpoint, LakeAddress, Region, read_day, read_settings
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

nouns = typer.Typer(no_args_is_help=True, help=hint("연구: 레이크에서 보고서까지", "Research: from lake to report"))


@nouns.command("run", help=hint("단계마다 저장하며 이어서 돕니다.", "Run the stages; finished ones are reused."))
def run(
    lake: LakeAddress = str(LAKE),
    out: Annotated[Path, typer.Option(help=hint("결과 폴더", "folder of results"))] = Path("data/research"),
    first_test: Annotated[str | None, typer.Option(help=hint("표본 밖 첫날", "first day out of sample"))] = None,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
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
    from haetae.wiring.studies import run_research

    with watching() as report:
        study = run_research(LakeAt(lake, region, endpoint_url), out, settings, seed=seed, progress=report)
    _print(study.figures)
    print(say(Text(ko=f"보고서 {study.report}", en=f"report {study.report}")))
    print(say(Text(ko=f"모델 {', '.join(study.models)}", en=f"models {', '.join(study.models)}")))
    write_record(json_file, study.figures)


def _print(figures: Mapping[str, Any]) -> None:
    lake, universe, result = figures["lake"], figures["universe"], figures["backtest"]
    source, size = f"{lake['table']} v{lake['version']}", f"{lake['symbol_days']:,.0f}"
    head = Text(
        ko=f"{source} · 일봉 {size}행 · 종목 {lake['symbols']:,.0f} · {lake['from']}–{lake['to']} · "
        f"유니버스 {len(universe['symbols'])}종목 ({universe['day']})",
        en=f"{source} · {size} daily rows · {lake['symbols']:,.0f} symbols · {lake['from']}-{lake['to']} · "
        f"universe of {len(universe['symbols'])} ({universe['day']})",
    )
    print(say(head))
    print_table(
        Text(ko="표본 밖 순위 (rank IC)", en="Out-of-sample ranks (rank IC)"),
        ("", "IC", "ICIR", "t", "net bp"),
        [_rank_row(name, found) for name, found in _rankers(figures["ml"])],
    )
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
    net = found["decile"]["net_bp"]
    return (
        name,
        _number(ranks["mean"], "+.4f"),
        _number(ranks["icir"], "+.2f"),
        _number(ranks["t"], "+.1f"),
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
