"""``haetae lake …``: market data of others, what the lake holds, its versions, its care, its copy in a bucket."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from haetae.cli.options import JSON, LAKE, REGION, Endpoint, LakeAddress, LakeFolder, Region, read_day
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import kst_text

if TYPE_CHECKING:
    from haetae.wiring.lakes import LakeAt

nouns = typer.Typer(no_args_is_help=True, help=hint("시장 데이터 레이크", "The lake of market data"))

HERE = str(LAKE)
Map: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="LAKE=FILE", help=hint("레이크열=파일열", "LAKE_COLUMN=FILE_COLUMN")),
]
Column: TypeAlias = Annotated[list[str] | None, typer.Option("--column", hidden=True)]
TableName: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TABLE", help=hint("이 표의 판을 모두 보입니다", "show every version of this table")),
]
Versions: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="TABLE=VERSION", help=hint("표를 지난 판으로", "a table at an older version")),
]


def _at(lake: str, region: str, endpoint_url: str | None) -> LakeAt:
    from haetae.wiring.lakes import LakeAt

    return LakeAt(lake, region, endpoint_url)


def _pairs(given: Sequence[str], option: str, example: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    wrong = [each for each, (name, _, there) in zip(given, pairs, strict=True) if not name or not there]
    if wrong:
        raise ConfigError(
            Text(ko=f"{option} 의 짝이 잘못되었습니다", en=f"a pair of {option} is malformed"),
            expected=example,
            found=", ".join(wrong),
            next_step=f"{option} {example}",
        )
    return {name: there for name, _, there in pairs}


@nouns.command("import", help=hint("파일을 표 하나로 가져옵니다.", "Import files into one table."))
def import_(
    paths: Annotated[list[Path], typer.Argument(help=hint("파일, 폴더, 무늬", "files, folders, patterns"))],
    kind: Annotated[
        str, typer.Option(help="daily, minute, index_daily, instruments, fundamentals, delistings, fear-greed")
    ],
    lake: LakeAddress = HERE,
    prices: Annotated[str, typer.Option(help=hint("raw(원주가) 또는 adjusted(수정주가)", "raw or adjusted"))] = "raw",
    source: Annotated[str, typer.Option(help=hint("출처 이름", "name of the source"))] = "",
    note: Annotated[str, typer.Option(help=hint("읽는 이가 알아야 할 것", "what readers must know"))] = "",
    map_: Map = None,
    column: Column = None,
    as_of: Annotated[str | None, typer.Option(help=hint("종목 목록의 날", "day of the list of names"))] = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Import files into one table and tell what became of every row."""
    if prices not in ("raw", "adjusted"):
        raise ConfigError(
            Text(ko="모르는 가격 종류입니다", en="unknown kind of prices"),
            expected="raw, adjusted",
            found=prices,
            next_step="--prices adjusted",
        )
    check_target(json_file)
    mapping = _pairs([*(map_ or []), *(column or [])], "--map", "close=adj_close")
    from haetae.wiring.lakes import import_table

    with watching() as report:
        done = import_table(
            _at(lake, region, endpoint_url), kind, paths, prices=prices, source=source, note=note, mapping=mapping,
            as_of=read_day(as_of, "--as-of"), progress=report,
        )  # fmt: skip
    print(say(Text(ko=f"{done.table} 판 {done.version}", en=f"{done.table} version {done.version}")))
    counts = Text(
        ko=f"읽음 {done.read:,} · 넣음 {done.written:,} · 종목 {done.symbols:,}",
        en=f"read {done.read:,} · written {done.written:,} · symbols {done.symbols:,}",
    )
    print(f"{say(counts)} · {done.first_day} ~ {done.last_day}")
    for label, rows in ((Text(ko="제외", en="kept out"), done.kept_out), (Text(ko="고침", en="mended"), done.mended)):
        if rows:
            print(f"{say(label)}: " + ", ".join(f"{code} {count:,}" for code, count in sorted(rows.items())))
    if done.note:
        print(done.note)
    write_record(json_file, dataclasses.asdict(done))


@nouns.command("show", help=hint("표마다 판, 행, 기간을 보입니다.", "Show version, rows and span of each table."))
def show(
    lake: LakeAddress = HERE,
    versions: TableName = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Show what the lake holds, or the history of one table."""
    check_target(json_file)
    at = _at(lake, region, endpoint_url)
    if versions is not None:
        from haetae.wiring.lakes import history

        known = history(at, versions)
        for done in known:
            print(
                f"v{done.version:<5} {kst_text(done.at_ms * 1_000_000)[:19]}  {done.rows:>12,}  {done.files:>5}  "
                f"{done.bytes / 1e6:>9.1f} MB  {done.digest[:12]}  {done.by or done.operation}"
            )
        write_record(json_file, {"table": versions, "versions": [dataclasses.asdict(each) for each in known]})
        return
    from haetae.wiring.lakes import describe

    tables = describe(at)
    for each in tables:
        span = f"{each.first_day} ~ {each.last_day}" if each.first_day else "-"
        print(f"{each.table:<14} v{each.version:<5} {each.rows:>12,}  {each.bytes / 1e6:>9.1f} MB  {span}")
        for source, note in each.notes.items():
            print(f"    {source}: {note}")
    write_record(json_file, {each.table: dataclasses.asdict(each) for each in tables})


@nouns.command("check", help=hint("모든 파일을 읽어 손상을 찾습니다.", "Read every file and look for damage."))
def check(
    lake: LakeAddress = HERE, region: Region = REGION, endpoint_url: Endpoint = None, json_file: JSON = None
) -> None:
    """Compare every entry of the logs and every byte of the current versions with what was written."""
    check_target(json_file)
    from haetae.wiring.lakes import check as check_lake

    with watching() as report:
        tables = check_lake(_at(lake, region, endpoint_url), report)
    print(say(Text(ko="손상 없음", en="no damage")))
    write_record(json_file, {each.table: {"version": each.version, "digest": each.digest} for each in tables})


@nouns.command("sql", help=hint("DuckDB 질의를 표들에 던집니다.", "Ask the tables in DuckDB's SQL."))
def sql(
    query: Annotated[str, typer.Argument(metavar="SQL", help="SELECT count(*) FROM daily")],
    lake: LakeAddress = HERE,
    at: Versions = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Print the rows of the answer, one JSON object a line."""
    check_target(json_file)
    pinned = _pairs(at or [], "--at", "daily=3")
    wrong = [f"{table}={version}" for table, version in pinned.items() if not version.isdigit()]
    if wrong:
        raise ConfigError(
            Text(ko="판은 숫자입니다", en="a version is a number"),
            expected="--at daily=3",
            found=", ".join(wrong),
            next_step="haetae lake show --versions daily",
        )
    from haetae.wiring.lakes import query as ask

    answer = ask(_at(lake, region, endpoint_url), query, {table: int(number) for table, number in pinned.items()})
    rows: list[dict[str, Any]] = answer.to_pylist()
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str))
    write_record(json_file, {"rows": rows})


@nouns.command("vacuum", help=hint("지난 판과 남은 파일을 지웁니다.", "Drop old versions and leftover files."))
def vacuum(
    tables: Annotated[list[str] | None, typer.Argument(help=hint("표 (기본: 모두)", "tables; default: all"))] = None,
    lake: LakeAddress = HERE,
    keep: Annotated[int, typer.Option(min=1, help=hint("남길 판의 수", "versions to keep"))] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=hint("지우지 않고 보이기만", "only tell"))] = False,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Drop all but the newest versions and the files that none of them names."""
    check_target(json_file)
    from haetae.wiring.lakes import vacuum as clean

    done = clean(_at(lake, region, endpoint_url), tables or [], keep=keep, dry_run=dry_run)
    word = Text(ko="지울 것" if dry_run else "지움", en="would drop" if dry_run else "dropped")
    for each in done:
        counts = Text(
            ko=f"{word.ko}: 판 {each.versions:,}개 · 파일 {each.files:,}개 {each.bytes / 1e6:,.1f} MB",
            en=f"{word.en}: {each.versions:,} versions · {each.files:,} files {each.bytes / 1e6:,.1f} MB",
        )
        print(f"{each.table:<14} {say(counts)}")
    write_record(json_file, {"dry_run": dry_run, "tables": [dataclasses.asdict(each) for each in done]})


@nouns.command("upgrade", help=hint("이전 형식의 레이크를 제자리에서 바꿉니다.", "Bring a lake to today's format."))
def upgrade(lake: LakeAddress = HERE, json_file: JSON = None) -> None:
    """Bring every table to today's format; safe to repeat and to interrupt."""
    check_target(json_file)
    from haetae.wiring.lakes import upgrade as bring

    with watching() as report:
        done = bring(_at(lake, REGION, None), report)
    for each in done:
        kept = Text(ko="이미 새 형식", en="in today's format already")
        made = Text(ko=f"판 {each.versions}개를 옮김", en=f"{each.versions} versions brought over")
        print(f"{each.table:<14} v{each.newest:<5} {say(made if each.versions else kept)}")
        if each.moved:
            print(
                say(Text(ko=f"    수정주가 {each.moved:,}행을 나눔", en=f"    {each.moved:,} adjusted rows set apart"))
            )
    write_record(json_file, {"tables": [dataclasses.asdict(each) for each in done]})


Bucket: TypeAlias = Annotated[str, typer.Argument(metavar="S3", help="s3://bucket/lake")]


def _move(address: str, lake: Path, region: str, endpoint_url: str | None, json_file: Path | None, *, up: bool) -> None:
    check_target(json_file)
    from haetae.wiring.clouds import move_lake

    if up:
        from haetae.wiring.lakes import describe

        describe(lake)
    with watching() as report:
        done = move_lake(lake, address, up=up, region=region, endpoint_url=endpoint_url, progress=report)
    counts = Text(
        ko=f"옮김 {done.files:,}개 {done.bytes / 1e6:,.1f} MB · 그대로 {done.kept:,}개",
        en=f"moved {done.files:,} files {done.bytes / 1e6:,.1f} MB · kept {done.kept:,}",
    )
    print(say(counts))
    write_record(json_file, dataclasses.asdict(done))


@nouns.command("push", help=hint("레이크를 버킷에 보냅니다 (없는 것만).", "Send what the bucket lacks."))
def push(
    address: Bucket,
    lake: LakeFolder = LAKE,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Send the lake to a bucket; nothing there is replaced or deleted."""
    _move(address, lake, region, endpoint_url, json_file, up=True)


@nouns.command("pull", help=hint("버킷에서 레이크를 받습니다 (없는 것만).", "Fetch what the lake lacks."))
def pull(
    address: Bucket,
    lake: LakeFolder = LAKE,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Fetch the lake from a bucket; nothing here is replaced or deleted."""
    _move(address, lake, region, endpoint_url, json_file, up=False)
