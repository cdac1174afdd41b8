"""``haetae backtest``: a strategy over a stretch of a lake, with every baseline beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from haetae.cli.options import JSON, LAKE, REGION, Config, Endpoint, LakeAddress, Region, given, read_day, read_settings
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.backtest import BacktestSettings
    from haetae.wiring.grounds import Bars, Stretch

nouns = typer.Typer(
    no_args_is_help=True,
    help=hint("백테스트: 전략을 레이크 위에서, 모든 기준 전략과 나란히", "Backtests, with every baseline beside them"),
)

Named: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        help=hint("전략: 이름, 파일.py, 파일.py:클래스, 모듈:클래스", "name, FILE.py, FILE.py:Class, module:Class"),
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=hint("매개변수", "a parameter of the strategy"))
]
From: TypeAlias = Annotated[str | None, typer.Option("--from", metavar="DAY", help=hint("첫 거래일", "first day"))]
To: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="DAY", help=hint("마지막 거래일", "last day"))]
BarsOf: TypeAlias = Annotated[str, typer.Option("--bars", help=hint("daily 또는 minute", "daily or minute"))]
Symbols: TypeAlias = Annotated[
    str,
    typer.Option(help=hint("종목들 (쉼표). 없으면 유니버스 규칙", "symbols with commas; the universe's rules if none")),
]
CashOption: TypeAlias = Annotated[int | None, typer.Option(min=1, help=hint("시작 현금, 원", "cash at the start, won"))]
TRIALS = Path("data/trials.jsonl")
Trials: TypeAlias = Annotated[
    Path, typer.Option("--trials", metavar="FILE", help=hint("시도 기록 (추가만)", "the append-only book of trials"))
]


def stretch_of(
    lake: str,
    region: str,
    endpoint_url: str | None,
    start: str | None,
    end: str | None,
    bars: str,
    symbols: str,
    config: list[Path] | None,
    cash: int | None,
) -> tuple[Stretch, BacktestSettings]:
    """Return the stretch the options name and the settings of its runs."""
    from haetae.wiring.grounds import open_stretch
    from haetae.wiring.lakes import LakeAt, open_lake

    settings = read_settings(config).research
    runs = settings.backtest if cash is None else dataclasses.replace(settings.backtest, cash=cash)
    stretch = open_stretch(
        open_lake(LakeAt(lake, region, endpoint_url)),
        read_day(start, "--from"),
        read_day(end, "--to"),
        bars=read_bars(bars),
        symbols=[each.strip() for each in symbols.split(",") if each.strip()],
        universe=settings.universe,
        cash=runs.cash,
    )
    return stretch, runs


def read_bars(bars: str) -> Bars:
    """Return the bars an option names."""
    from haetae.wiring.grounds import Bars

    if bars not in {each.value for each in Bars}:
        raise ConfigError(
            Text(ko="모르는 봉입니다", en="unknown bars"),
            expected="daily, minute",
            found=bars,
            next_step="--bars daily",
        )
    return Bars(bars)


@nouns.command(
    "run",
    help=hint(
        "전략을 돌리고 기준 전략과 비교한 보고서를 씁니다. 시도는 모두 기록됩니다.",
        "Run a strategy and report it beside the baselines; every trial is written down.",
    ),
)
def run(
    strategy: Named,
    lake: LakeAddress = str(LAKE),
    start: From = None,
    end: To = None,
    bars: BarsOf = "daily",
    symbols: Symbols = "",
    parameters: Set = None,
    cash: CashOption = None,
    out: Annotated[Path | None, typer.Option(help=hint("보고서 폴더", "folder of the report"))] = None,
    trials: Trials = TRIALS,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help=hint("모든 기준 전략", "all baselines"))
    ] = True,
    through_desk: Annotated[
        bool,
        typer.Option("--desk", help=hint("분봉을 데스크와 가드로 거칩니다", "live through the desk and its guards")),
    ] = False,
    picture: Annotated[
        bool, typer.Option("--png", help=hint("그림도 (extra: report)", "a picture too (extra: report)"))
    ] = False,
    config: Config = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Run one strategy and print its figures, whatever they are."""
    check_target(json_file)
    from haetae.wiring.backtests import run_backtest, trial_book
    from haetae.wiring.strategies import make_strategy

    made = make_strategy(strategy, given(parameters))
    with watching() as report:
        stretch, settings = stretch_of(lake, region, endpoint_url, start, end, bars, symbols, config, cash)
        ran = run_backtest(
            made,
            stretch,
            out or Path("data/backtests") / made.title(),
            book=trial_book(trials),
            settings=settings,
            seed=seed,
            with_baselines=baselines,
            desk=read_settings(config).desk if through_desk else None,
            with_picture=picture,
            progress=report,
        )
    show(ran.figures)
    print(say(Text(ko=f"보고서 {ran.files['html']}", en=f"report {ran.files['html']}")))
    write_record(json_file, ran.figures)


def show(figures: Mapping[str, Any]) -> None:
    """Print a run beside its benchmarks."""
    others = sorted(figures["benchmarks"].items(), key=lambda item: -item[1]["metrics"]["total_return"])
    first, last = figures["from"], figures["to"]
    print_table(
        Text(
            ko=f"{figures['name']} · {first}–{last} · {figures['symbols']}종목 (비용·세금 후)",
            en=f"{figures['name']} · {first}-{last} · {figures['symbols']} symbols (after costs and taxes)",
        ),
        ("", "return", "CAGR", "Sharpe", "MDD", "turnover", "orders"),
        [
            _row(f"> {figures['name']}", figures["metrics"]),
            *(_row(name, found["metrics"]) for name, found in others),
        ],
    )
    print(say(Text(**figures["verdict"])))
    for warning in figures["warnings"]:
        print(f"! {say(Text(**warning))}")


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    forms = (("total_return", "+.1%"), ("cagr", "+.1%"), ("sharpe", "+.2f"), ("max_drawdown", ".1%"))
    shown = ["-" if found[key] is None else format(found[key], form) for key, form in forms]
    turnover = found["turnover"]
    return (name, *shown, "-" if turnover is None else f"{turnover:.1f}", f"{found['orders']:,d}")
