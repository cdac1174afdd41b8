"""``haetae backtest audit``: whether a strategy's figures may be believed, check by check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haetae.cli.backtest import BarsOf, CashOption, From, Named, Set, Symbols, To, nouns, read_bars, stretch_of
from haetae.cli.options import JSON, REGION, Config, Endpoint, Region, given, read_settings
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from haetae.backtest import BacktestSettings
    from haetae.backtest.audit import Audit
    from haetae.wiring.grounds import Stretch

FAILED_EXIT = 1
_MARKS = {"pass": Text(ko="통과", en="pass"), "note": Text(ko="참고", en="note"), "fail": Text(ko="실패", en="FAIL")}
_KOREAN = {
    "look_ahead": "미래 참조",
    "symbol_order": "종목 순서",
    "noise": "잡음 시장",
    "delisted_names": "상장폐지",
    "survivorship": "생존 편향",
    "determinism": "재현성",
    "output": "제안 형식",
    "costs": "비용",
    "live_form": "실전 형식",
}


@nouns.command(
    "audit",
    help=hint(
        "미래 참조, 종목 순서, 잡음, 상장폐지, 재현성을 검사합니다. 레이크가 없으면 합성 시장에서 합니다.",
        "Prove a strategy honest: look-ahead, symbol order, noise, delisted names. Without a lake: a synthetic market.",
    ),
)
def audit(
    strategy: Named,
    lake: Annotated[
        str | None,
        typer.Option(
            "--lake", metavar="DIR|S3", help=hint("레이크 (없으면 합성 시장)", "lake; synthetic market if none")
        ),
    ] = None,
    start: From = None,
    end: To = None,
    bars: BarsOf = "daily",
    symbols: Symbols = "",
    parameters: Set = None,
    cash: CashOption = None,
    runs: Annotated[
        int, typer.Option("--trials", min=5, help=hint("종류마다 잡음 시장 수", "noise markets of each kind"))
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
    config: Config = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Print a verdict for each check; the exit code is 1 if one failed."""
    check_target(json_file)
    from haetae.wiring.audits import run_audit
    from haetae.wiring.strategies import make_strategy

    made = make_strategy(strategy, given(parameters))
    with watching() as report:
        if lake is None:
            stretch, settings = _synthetic(seed, bars, start, end, symbols, config, cash)
        else:
            stretch, settings = stretch_of(lake, region, endpoint_url, start, end, bars, symbols, config, cash)
        found, record = run_audit(made, stretch, settings=settings, seed=seed, noise_runs=runs, progress=report)
    show(found, record, synthetic=lake is None)
    write_record(json_file, {**record, "synthetic": lake is None})
    if not found.passed:
        raise typer.Exit(FAILED_EXIT)


def _synthetic(
    seed: int, bars: str, start: str | None, end: str | None, symbols: str, config: list[Path] | None, cash: int | None
) -> tuple[Stretch, BacktestSettings]:
    import dataclasses

    if start or end or symbols:
        raise ConfigError(
            Text(ko="합성 시장에는 날짜와 종목을 고를 수 없습니다", en="days and symbols are chosen in a lake only"),
            expected="--lake DIR",
            found=" ".join(each for each in (start, end, symbols) if each),
            next_step="haetae backtest audit STRATEGY --lake data/lake --from … --to …",
        )
    from haetae.wiring.synthetic import synthetic_stretch

    runs = read_settings(config).research.backtest
    runs = runs if cash is None else dataclasses.replace(runs, cash=cash)
    return synthetic_stretch(seed, read_bars(bars)), runs


def show(found: Audit, record: Mapping[str, Any], *, synthetic: bool) -> None:
    """Print every finding, and a last line that says what follows from them."""
    where = Text(ko="합성 시장", en="synthetic market") if synthetic else Text(ko="레이크", en="lake")
    head = Text(
        ko=f"{found.name} · {record['from']}–{record['to']} · {record['symbols']}종목 · {where.ko}",
        en=f"{found.name} · {record['from']}-{record['to']} · {record['symbols']} symbols · {where.en}",
    )
    print(say(head))
    for finding in found.findings:
        name = say(Text(ko=_KOREAN[finding.check], en=finding.check.replace("_", " ")))
        print(f"[{say(_MARKS[finding.verdict.value])}] {name}: {say(finding.said)}")
    count = len(found.failed)
    print(
        say(
            Text(
                ko=f"{count}가지 검사에 실패했습니다. 성과를 믿지 마세요." if count else "모든 검사를 통과했습니다.",
                en=f"{count} check(s) failed: do not believe the figures." if count else "every check passed.",
            )
        )
    )
