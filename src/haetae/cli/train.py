"""``haetae train ml``: rankers of three libraries on fixed windows of a lake, judged out of sample."""

from __future__ import annotations

import calendar
import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from haetae.cli.options import JSON, LAKE, REGION, Endpoint, LakeAddress, Region
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.ml.splits import Window
    from haetae.ml.training import TrainingSettings

nouns = typer.Typer(
    no_args_is_help=True, help=hint("학습: 표본 밖에서 판정되는 모델", "Training, judged out of sample")
)
Chosen = TypeVar("Chosen", bound=Enum)
SPAN = "2019-01-01:2021-12-31"
_DAY = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


@nouns.command(
    "ml", help=hint("순위 모델을 학습하고 판정합니다 (이어서 돕니다).", "Train and judge rankers; resumable.")
)
def ml(
    train: Annotated[str, typer.Option(metavar="A:B", help=hint("학습 구간", "days to learn from"))],
    valid: Annotated[str, typer.Option(metavar="B:C", help=hint("검증 구간 (고르는 곳)", "days to choose by"))],
    test: Annotated[str, typer.Option(metavar="C:D", help=hint("시험 구간 (읽기만)", "days to be judged on"))],
    lake: LakeAddress = str(LAKE),
    horizon: Annotated[str, typer.Option(help=hint("앞으로 볼 거래일", "sessions ahead"))] = "1,5",
    models: Annotated[str, typer.Option(help=hint("라이브러리", "libraries"))] = "lightgbm,xgboost,catboost",
    objective: Annotated[str, typer.Option(help="regression, lambdarank")] = "regression",
    seeds: Annotated[int, typer.Option(min=1, max=100, help=hint("씨앗의 수", "seeds of each model"))] = 5,
    features: Annotated[str, typer.Option(help=hint("특징 집합", "feature set"))] = "daily",
    universe_top: Annotated[int, typer.Option(min=10, help=hint("거래대금 상위 종목 수", "names by turnover"))] = 200,
    device: Annotated[str, typer.Option(help="cpu, cuda")] = "cpu",
    scaling: Annotated[str, typer.Option(help="day-ranks, robust-z, rank-gauss, winsorised")] = "day-ranks",
    missing: Annotated[str, typer.Option(help="keep, median, drop")] = "keep",
    trials: Annotated[
        int, typer.Option(min=0, help=hint("탐색할 설정 수 (모델마다)", "settings tried, each model"))
    ] = 0,
    budget: Annotated[
        float | None, typer.Option(metavar="MIN", help=hint("탐색 시간(분)", "minutes of search"))
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help=hint("나무의 최대 수", "trees at most"))] = None,
    threads: Annotated[int, typer.Option(min=1, help=hint("한 학습의 스레드", "threads of a fit"))] = 2,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
    out: Annotated[Path, typer.Option(help=hint("결과 폴더", "folder of results"))] = Path("data/training"),
    book: Annotated[Path, typer.Option(help=hint("시도 기록", "book of trials"))] = Path("data/trials.jsonl"),
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Train on the first window, choose by the second, print what the third shows, whatever it is."""
    check_target(json_file)
    from haetae.ml.settings import Device, Objective, RankerKind
    from haetae.ml.splits import Windows, check_windows
    from haetae.ml.training import TrainingSettings
    from haetae.ml.transforms import Missing, Scaling, TransformSettings

    windows = Windows(_window(train, "--train"), _window(valid, "--valid"), _window(test, "--test"))
    check_windows(windows)
    plain = TrainingSettings()
    settings = dataclasses.replace(
        plain,
        horizons=_horizons(horizon),
        kinds=_several(models, RankerKind, "--models"),
        objectives=_several(objective, Objective, "--objective"),
        seeds=seeds,
        universe_top=universe_top,
        transform=TransformSettings(_one(scaling, Scaling, "--scaling"), _one(missing, Missing, "--missing")),
        ranker=dataclasses.replace(plain.ranker, rounds=rounds or plain.ranker.rounds, seed=seed, n_threads=threads),
        search_trials=trials,
        search_budget_s=None if budget is None else _minutes(budget) * 60.0,
    ).on(_one(device, Device, "--device"))
    from haetae.wiring import training
    from haetae.wiring.lakes import LakeAt

    with watching() as report:
        done = training.train(
            LakeAt(lake, region, endpoint_url),
            windows,
            settings,
            out,
            features=features,
            seed=seed,
            book=book,
            progress=report,
        )
    _print(done.figures, settings)
    write_record(json_file, done.figures)


def _print(figures: Mapping[str, Any], settings: TrainingSettings) -> None:
    lake, universe = figures["lake"], figures["universe"]
    print(
        say(
            Text(
                ko=f"{lake['table']} v{lake['version']} · 종목 {lake['symbols']:,} · 거래대금 상위 {universe['top']} · "
                f"특징 {figures['features']['count']}개 ({figures['features']['set']})",
                en=f"{lake['table']} v{lake['version']} · {lake['symbols']:,} symbols · top {universe['top']} by "
                f"turnover · {figures['features']['count']} features ({figures['features']['set']})",
            )
        )
    )
    head = [hint("모델", "model"), "IC", "t", hint("중립 IC", "neutral IC"), "t", "ICIR", hint("순차익 bp", "net bp")]
    for horizon in settings.horizons:
        found = figures["horizons"][str(horizon)]
        window = found["split"]["test"]
        title = Text(
            ko=f"시험 {window['first']}~{window['last']} · {horizon}거래일 앞 순위 (rank IC)",
            en=f"Test {window['first']} to {window['last']} · ranks {horizon} sessions ahead (rank IC)",
        )
        print_table(title, head, [_row(name, each) for name, each in _rows(found)])
        print(say(Text(ko=found["verdict"]["ko"], en=found["verdict"]["en"])))
        if found["ensemble"]["alarm"]["sounds"]:
            print(say(Text(ko="! 시험 구간에서 드리프트 경보가 울렸습니다", en="! the drift alarm sounded on test")))
    tried = sum(found["luck"]["trials"] for found in figures["horizons"].values())
    kept, place = len(figures["results"]), figures["files"]["registry"]
    print(
        say(
            Text(
                ko=f"시도한 설정 {tried:.0f}개 · 후보 모델 {kept}개 → {place}",
                en=f"{tried:.0f} settings tried · {kept} candidates → {place}",
            )
        )
    )
    if lake["survivorship"]:
        print(f"! {lake['survivorship']}")


def _rows(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    shuffled = [
        (say(Text(ko=f"섞은 라벨 {k}", en=f"shuffled labels {k}")), {"rank_ic": each})
        for k, each in enumerate(found["shuffled_labels"], start=1)
    ]
    return [
        *((name, each["test"]) for name, each in found["models"].items()),
        (say(Text(ko="> 앙상블", en="> ensemble")), found["ensemble"]["test"]),
        *((name, each["test"]) for name, each in found["yardsticks"].items()),
        *shuffled,
    ]


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    ranks = found["rank_ic"]
    spread = found.get("spread", {}).get("net_bp")
    return (
        name,
        _number(ranks["mean"], "+.4f"),
        _number(ranks["t"], "+.1f"),
        _number(ranks["neutral_mean"], "+.4f"),
        _number(ranks["neutral_t"], "+.1f"),
        _number(ranks["icir"], "+.2f"),
        _number(spread, "+.1f"),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _window(text: str, option: str) -> Window:
    """Return the days of ``A:B``; a year or a month stands for its first day at the beginning, its last at the end."""
    from haetae.ml.splits import Window

    first, colon, last = text.partition(":")
    begin, end = _day(first.strip(), late=False), _day(last.strip(), late=True)
    if not colon or begin is None or end is None:
        raise ConfigError(
            Text(ko="구간을 읽을 수 없습니다", en="a window cannot be read"),
            expected="FIRST:LAST",
            found=text,
            next_step=f"{option} {SPAN}",
        )
    return Window(begin, end)


def _day(text: str, *, late: bool) -> dt.date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2] or (12 if late else 1))
    if not 1 <= month <= 12 or year < 1:
        return None
    longest = calendar.monthrange(year, month)[1]
    day = int(found[3] or (longest if late else 1))
    return dt.date(year, month, day) if 1 <= day <= longest else None


def _horizons(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= 60 for part in parts):
        raise ConfigError(
            Text(ko="앞으로 볼 거래일을 읽을 수 없습니다", en="the horizons cannot be read"),
            expected="1..60, 1..60",
            found=text,
            next_step="--horizon 1,5",
        )
    return tuple(dict.fromkeys(int(part) for part in parts))


def _minutes(value: float) -> float:
    if not 0 < value < 100_000:
        raise ConfigError(
            Text(ko="탐색 시간은 0분보다 길어야 합니다", en="a budget is more than no minutes"),
            expected="> 0",
            found=f"{value:g}",
            next_step="--budget 10",
        )
    return value


def _several(text: str, kind: type[Chosen], option: str) -> tuple[Chosen, ...]:
    return tuple(dict.fromkeys(_one(part.strip(), kind, option) for part in text.split(",")))


def _one(text: str, kind: type[Chosen], option: str) -> Chosen:
    try:
        return kind(text)
    except ValueError:
        known = [str(each.value) for each in kind]
        raise ConfigError(
            Text(ko=f"{option} 에 모르는 값이 있습니다", en=f"{option} has an unknown value"),
            expected=", ".join(known),
            found=text,
            next_step=f"{option} {known[0]}",
        ) from None
