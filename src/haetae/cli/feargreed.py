"""``haetae feargreed …``: the Korean fear & greed index of a day, over time, and minute by minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.options import JSON, LAKE, REGION, Config, Endpoint, LakeAddress, Region, read_day, read_settings
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.wiring.lakes import LakeAt

nouns = typer.Typer(no_args_is_help=True, help=hint("공포·탐욕 지수", "The fear & greed index"))

HERE = str(LAKE)
_MOST_ROWS = 40
"""More days than this are printed by month."""
_STEPS = "▁▂▃▄▅▆▇█"


def _at(lake: str, region: str, endpoint_url: str | None) -> LakeAt:
    from haetae.wiring.lakes import LakeAt

    return LakeAt(lake, region, endpoint_url)


def _named(found: Mapping[str, str]) -> str:
    return say(Text(ko=found["ko"], en=found["en"]))


@nouns.command("show", help=hint("하루의 지수와 구성 요소를 보입니다.", "Show the index of a day and what made it."))
def show(
    day: Annotated[
        str | None, typer.Option(metavar="D", help=hint("날 (기본: 최신)", "day; the newest by default"))
    ] = None,
    lake: LakeAddress = HERE,
    config: Config = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Print value, word, and each component with its number, rank, weight and window; CNN's index beside."""
    check_target(json_file)
    wanted = read_day(day, "--day")
    settings = read_settings(config).feargreed
    from haetae.wiring.mood_records import mood_day

    found = mood_day(_at(lake, region, endpoint_url), wanted, settings)
    print(f"{found['day']} · {found['value']:.1f} · {_named(found['word'])}")
    if found["day"] != found["asked"]:
        print(say(Text(ko=f"{found['asked']}에 알려진 최신 값입니다.", en=f"The newest known on {found['asked']}.")))
    rows = [
        [
            _named(part["title"]), _told(part["raw"], "+.4f"), _told(part["rank"], ".0f"), f"{part['weight']:g}",
            f"{part['share']:.0%}", f"{part['window_days']}/{found['rank_window_days']}",
        ]
        for part in found["components"]
    ]  # fmt: skip
    head = [
        say(each)
        for each in (
            Text(ko="구성 요소", en="component"), Text(ko="값", en="raw"), Text(ko="순위", en="rank"),
            Text(ko="가중치", en="weight"), Text(ko="몫", en="share"),
            Text(ko="창/순위창 (일)", en="window/ranked (days)"),
        )
    ]  # fmt: skip
    print_table(Text(ko="0 공포 · 100 탐욕", en="0 fear · 100 greed"), head, rows)
    for part in found["components"]:
        if part["missing"]:
            _tell_missing(part)
    _tell_index(found["index"])
    if found["calm_from"] != "realised":
        print(say(Text(ko=f"안정은 {found['calm_from']} 기준입니다.", en=f"Calm is that of {found['calm_from']}.")))
    _tell_cnn(found["cnn"])
    write_record(json_file, found)


def _told(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _tell_index(index: str | None) -> None:
    if index is None:
        told = Text(
            ko="! KOSPI가 없어 종목 평균으로 대신했습니다.", en="! No KOSPI: the mean of the symbols stands in."
        )
        print(say(told))


def _tell_missing(part: Mapping[str, Any]) -> None:
    since = part["last_known"]
    name = _named(part["title"])
    told = Text(
        ko=f"! {name}: 빠짐, 가중치는 나머지에 (마지막으로 안 날 {since or '없음'})",
        en=f"! {name}: missing, its weight goes to the others (last known {since or 'never'})",
    )
    print(say(told))


def _tell_cnn(cnn: Mapping[str, Any] | None) -> None:
    if cnn is None:
        print(
            say(
                Text(
                    ko="CNN: 레이크에 없음 (haetae lake import --kind fear-greed 파일)",
                    en="CNN: not in the lake (haetae lake import --kind fear-greed FILE)",
                )
            )
        )
        return
    pieced = say(Text(ko=" · 2021-02 이전은 방법이 다른 자료", en=" · made another way before 2021-02"))
    tail = pieced if cnn["regime"] == "pieced" else ""
    print(f"CNN {cnn['value']:.1f} · {cnn['rating']} ({cnn['day']}, {cnn['known_on']}~){tail}")


@nouns.command("history", help=hint("기간의 지수, 또는 하루의 분마다.", "The index over days, or by the minute."))
def history(
    first: Annotated[
        str | None, typer.Option("--from", metavar="D", help=hint("첫날 (기본: 1년 전)", "first day; a year ago"))
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="D", help=hint("마지막 날 (기본: 최신)", "last day; the newest"))
    ] = None,
    running: Annotated[
        str | None, typer.Option("--intraday", metavar="D", help=hint("이날의 분마다", "each minute of this day"))
    ] = None,
    lake: LakeAddress = HERE,
    config: Config = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="CSV")] = None,
    svg_file: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help=hint("그림", "a picture"))] = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Print the index over time; whole rows go to files."""
    for target in (json_file, csv_file, svg_file):
        check_target(target)
    start, end, day = read_day(first, "--from"), read_day(last, "--to"), read_day(running, "--intraday")
    if day is not None and (start is not None or end is not None or svg_file is not None):
        raise ConfigError(
            Text(ko="--intraday 는 하루만 봅니다", en="--intraday looks at one day"),
            expected=Text(ko="--intraday 하나, 또는 --from 과 --to", en="--intraday alone, or --from and --to"),
            found="--from, --to, --svg",
            next_step=f"haetae feargreed history --intraday {day}",
        )
    settings = read_settings(config).feargreed
    from haetae.wiring import mood_picture, mood_records
    from haetae.wiring.records import write_text

    at = _at(lake, region, endpoint_url)
    if day is not None:
        found = mood_records.mood_minutes(at, day, settings)
        rows, time = found["minutes"], "known_at"
        _print_minutes(found["day"], rows)
        _tell_index(found["index"])
    else:
        found = mood_records.mood_history(at, start, end, settings)
        rows, time = found["days"], "day"
        _print_days(rows)
    if csv_file is not None:
        write_text(csv_file, mood_records.csv_of(rows, time))
    if svg_file is not None:
        write_text(svg_file, mood_picture.picture_of(rows))
    write_record(json_file, found)


def _line(values: Sequence[float | None], width: int = 60) -> str:
    """Return a line of blocks, one for each stretch of the values."""
    known = [value for value in values if value is not None]
    stretch = max(1, -(-len(known) // width))
    means = [sum(known[at : at + stretch]) / len(known[at : at + stretch]) for at in range(0, len(known), stretch)]
    return "".join(_STEPS[min(7, int(mean / 12.5))] for mean in means)


def _print_days(rows: Sequence[Mapping[str, Any]]) -> None:
    print(_line([row["value"] for row in rows]))
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["day"] if len(rows) <= _MOST_ROWS else row["day"][:7], []).append(row)
    head = ["", *(say(each) for each in (
        Text(ko="낮음", en="low"), Text(ko="평균", en="mean"), Text(ko="높음", en="high"), Text(ko="끝", en="last"),
    )), "CNN", say(Text(ko="빠진 것", en="missing"))]  # fmt: skip
    table = []
    for name, days in groups.items():
        values = [day["value"] for day in days]
        figures = (min(values), sum(values) / len(values), max(values), values[-1])
        cnn = days[-1]["cnn"]
        table.append([name, *(f"{each:.0f}" for each in figures), _told(cnn, ".0f"), ", ".join(days[-1]["missing"])])
    print_table(Text(ko="0 공포 · 100 탐욕", en="0 fear · 100 greed"), head, table)


def _print_minutes(day: str, rows: Sequence[Mapping[str, Any]]) -> None:
    line = _line([row["value"] for row in rows])
    print(f"{day} {line or say(Text(ko='본 것이 모자라 값이 없습니다', en='too little was seen for a value'))}")
    shown = [*rows[:: max(1, len(rows) // 13)], rows[-1]]
    table = [[row["known_at"][11:16], _told(row["value"], ".1f"), ", ".join(row["missing"])] for row in shown]
    head = ["", say(Text(ko="지수", en="index")), say(Text(ko="빠진 것", en="missing"))]
    print_table(Text(ko="0 공포 · 100 탐욕", en="0 fear · 100 greed"), head, table)
