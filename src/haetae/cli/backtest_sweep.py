"""``haetae backtest sweep``: many configurations of a strategy, resumable, and the truth about the best of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.backtest import (
    TRIALS,
    BarsOf,
    CashOption,
    From,
    Named,
    Set,
    Symbols,
    To,
    Trials,
    nouns,
    stretch_of,
)
from haetae.cli.options import JSON, LAKE, REGION, Config, Endpoint, LakeAddress, Region, given
from haetae.cli.progress import Report, watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, language, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.backtest.sweep.executors import Executor
    from haetae.backtest.sweep.folds import WalkForward
    from haetae.backtest.sweep.space import Space
    from haetae.policies import Strategy
    from haetae.wiring.grounds import Stretch
    from haetae.wiring.sweeps import Plan, SearchKind

_OBJECTIVES = {"sharpe": "sharpe", "return": "total_return", "calmar": "calmar"}


@nouns.command(
    "sweep",
    help=hint(
        "전략의 여러 설정을 돌립니다. 중단되면 같은 명령으로 이어서 하고, 모든 점이 시도로 기록됩니다.",
        "Run many configurations; the same command resumes after a stop, and every point is a trial on record.",
    ),
)
def sweep(
    strategy: Named,
    lake: LakeAddress = str(LAKE),
    start: From = None,
    end: To = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid", metavar="NAME=VALUES", help=hint("값들 a,b,c 또는 처음:끝:간격", "a,b,c or FIRST:LAST:STEP")
        ),
    ] = None,
    random: Annotated[
        list[str] | None,
        typer.Option(
            "--random", metavar="NAME=RANGE", help=hint("범위 처음:끝[:log], 뽑아서", "drawn from FIRST:LAST[:log]")
        ),
    ] = None,
    optuna: Annotated[
        bool, typer.Option("--optuna", help=hint("배우며 고르기 (Optuna)", "a search that learns (Optuna)"))
    ] = False,
    n: Annotated[int, typer.Option("--n", min=1, help=hint("뽑을 점의 수", "points to draw"))] = 100,
    objective: Annotated[str, typer.Option(help="sharpe | return | calmar")] = "sharpe",
    walk: Annotated[
        str | None,
        typer.Option(
            "--walk-forward",
            metavar="WINDOWS",
            help=hint(
                "과거에서 고르고 그 뒤에서 거래: train=504d,test=126d[,step=126d][,embargo=5d][,anchored]",
                "choose on the past, trade what follows: train=504d,test=126d[,step=126d][,embargo=5d][,anchored]",
            ),
        ),
    ] = None,
    executor: Annotated[
        str, typer.Option(help=hint("here, cores, ray, ray:주소", "here, cores, ray, ray:ADDRESS"))
    ] = "cores",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help=hint("작업 프로세스 수 (없으면 코어 수)", "workers; one a core if not given")),
    ] = None,
    bars: BarsOf = "daily",
    symbols: Symbols = "",
    parameters: Set = None,
    cash: CashOption = None,
    out: Annotated[Path | None, typer.Option(help=hint("탐색 폴더", "folder of the sweep"))] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help=hint("폴더를 새로 시작", "begin the folder anew"))] = False,
    trials: Trials = TRIALS,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
    baselines: Annotated[
        bool,
        typer.Option("--baselines/--no-baselines", help=hint("보고서에 모든 기준 전략", "all baselines in the report")),
    ] = True,
    config: Config = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Sweep and print the best points with what they are worth."""
    check_target(json_file)
    if objective not in _OBJECTIVES:
        raise ConfigError(
            Text(ko="모르는 목적입니다", en="unknown objective"),
            expected=", ".join(_OBJECTIVES),
            found=objective,
            next_step="--objective sharpe",
        )
    from haetae.backtest.sweep.folds import read_walk
    from haetae.backtest.sweep.scoring import Objective
    from haetae.wiring.strategies import strategy_class
    from haetae.wiring.sweeps import open_book, plan_of
    from haetae.wiring.sweeps_executors import executor_of
    from haetae.wiring.sweeps_folder import clear

    windows = read_walk(walk) if walk is not None else None
    made = strategy_class(strategy)
    kind, space = _space(made, grid or [], random or [], given(parameters), optuna=optuna)
    folder = out or Path("data/sweeps") / made.title()
    book = open_book(trials)
    with executor_of(executor, workers, folder / "scratch", _warn) as runs, watching() as report:
        stretch, settings = stretch_of(lake, region, endpoint_url, start, end, bars, symbols, config, cash)
        plan = plan_of(
            strategy, space, kind, n=n, objective=Objective(_OBJECTIVES[objective]), settings=settings, seed=seed
        )
        if fresh:
            clear(folder)
        facts = _found(plan, stretch, windows, folder, runs, book, report, with_baselines=baselines)
    facts["executor"] = executor
    (show if windows is None else show_walk)(facts)
    write_record(json_file, facts)


def _space(
    made: type[Strategy], grid: list[str], random: list[str], fixed: Mapping[str, str], *, optuna: bool
) -> tuple[SearchKind, Space]:
    from haetae.backtest.sweep.spelling import default_space, read_space
    from haetae.wiring.sweeps import SearchKind

    if not grid and not random and not optuna:
        raise ConfigError(
            Text(ko="무엇을 바꿔 볼지 알려 주세요", en="it is not said what is swept"),
            expected="--grid, --random, --optuna",
            found="-",
            next_step=" ".join(f"--grid {name}={value}" for name, value in made.defaults().items()) or "--optuna",
        )
    kind = SearchKind.OPTUNA if optuna else SearchKind.RANDOM if random else SearchKind.GRID
    written = [*grid, *random]
    return kind, read_space(made, written, fixed) if written else default_space(made, fixed)


def _found(
    plan: Plan,
    stretch: Stretch,
    windows: WalkForward | None,
    folder: Path,
    runs: Executor,
    book: Any,
    report: Report,
    *,
    with_baselines: bool,
) -> dict[str, Any]:
    from haetae.wiring.sweeps import explore, sweep_work
    from haetae.wiring.sweeps_report import report_best, sweep_facts
    from haetae.wiring.sweeps_walking import walk_forward

    if windows is not None:
        return walk_forward(
            plan, stretch, windows, folder, executor=runs, book=book, progress=report, with_baselines=with_baselines
        )
    explored = explore(plan, stretch, folder, work=sweep_work(plan, stretch), executor=runs, book=book, progress=report)
    facts = sweep_facts(plan, stretch, explored, folder, book)
    files = report_best(plan, stretch, explored, facts, folder, book, report, with_baselines=with_baselines)
    return facts | {"files": files}


def _warn(line: str) -> None:
    print(f"! {line}", file=sys.stderr)


def show(facts: Mapping[str, Any]) -> None:
    """Print the best points of a sweep and the judgement."""
    print_table(
        Text(
            ko=f"{facts['strategy']['named']} · {facts['from']}–{facts['to']} · 점 {facts['points']}개"
            f" (거절 {facts['refused']}, 이어서 {facts['resumed']})",
            en=f"{facts['strategy']['named']} · {facts['from']}-{facts['to']} · {facts['points']} points"
            f" ({facts['refused']} refused, {facts['resumed']} resumed)",
        ),
        ("", facts["objective"], "return", "Sharpe", "MDD", "turnover", "orders"),
        [_row(_spoken(each["parameters"]), each["score"], each["figures"]) for each in facts["top"]],
    )
    for each in facts["refusals"][:3]:
        print(f"- {_spoken(each['parameters'])}: {each['reason']}")
    print(f"! {facts['luck']['verdict_en' if language() == 'en' else 'verdict_ko']}")
    print(say(Text(ko=f"보고서 {facts['files']['html']}", en=f"report {facts['files']['html']}")))


def show_walk(facts: Mapping[str, Any]) -> None:
    """Print what each fold chose and how it went on."""
    rows = []
    for fold in facts["folds"]:
        chosen = fold["chosen"]
        name = "-" if chosen is None else _spoken(chosen["parameters"])
        inside = None if chosen is None else chosen["score"]
        window = f"{fold['test'][0]}–{fold['test'][1]}"
        tested = fold["test_figures"]["total_return"]
        rows.append((window, name, _number(inside), _number(fold["test_score"]), f"{tested:+.1%}"))
    print_table(
        Text(
            ko=f"{facts['strategy']['named']} · 워크포워드 {len(facts['folds'])}구간 ({facts['objective']})",
            en=f"{facts['strategy']['named']} · walk-forward, {len(facts['folds'])} folds ({facts['objective']})",
        ),
        ("", say(Text(ko="고른 설정", en="chosen")), "train", "test", "return"),
        rows,
    )
    decay, path = facts["decay"], facts["out_of_sample"]
    inside, outside = _number(decay["in_sample"]), _number(decay["out_of_sample"])
    print(
        say(
            Text(
                ko=f"고른 자리 {inside} → 그 뒤 {outside} · 서로 다른 선택 {decay['distinct_choices']}개 · "
                f"표본 밖 수익 {path['total_return']:+.1%}, 샤프 {_number(path['sharpe'])}",
                en=f"where chosen {inside} → after it {outside} · {decay['distinct_choices']} different choices · "
                f"out of sample {path['total_return']:+.1%}, Sharpe {_number(path['sharpe'])}",
            )
        )
    )
    for warning in facts["report"]["warnings"]:
        print(f"! {warning}")
    print(say(Text(ko=f"보고서 {facts['files']['html']}", en=f"report {facts['files']['html']}")))


def _row(name: str, score: float | None, found: Mapping[str, Any]) -> tuple[str, ...]:
    forms = (("total_return", "+.1%"), ("sharpe", "+.2f"), ("max_drawdown", ".1%"), ("turnover", ".1f"))
    shown = ["-" if found[key] is None else format(found[key], form) for key, form in forms]
    return (name, _number(score), *shown, f"{found['orders']:,d}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _spoken(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v:.5g}" if isinstance(v, float) else f"{k}={v}" for k, v in parameters.items())
