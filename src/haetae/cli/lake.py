"""``haetae lake import|show|check|push|pull``: market data of others, what the lake holds, its copy in a bucket."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from haetae.cli.options import JSON, LAKE, LakeFolder, read_day
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

nouns = typer.Typer(no_args_is_help=True, help=hint("시장 데이터 레이크", "The lake of market data"))


def _mapping(columns: list[str]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    wrong = [column for column, (name, _, there) in zip(columns, pairs, strict=True) if not name or not there]
    if wrong:
        raise ConfigError(
            Text(ko="열 이름 짝이 잘못되었습니다", en="a column pair is malformed"),
            expected="close=adj_close",
            found=", ".join(wrong),
            next_step=Text(ko="--column 레이크열=파일열", en="--column LAKE_COLUMN=FILE_COLUMN"),
        )
    return {name: there for name, _, there in pairs}


@nouns.command("import", help=hint("파일을 표 하나로 가져옵니다.", "Import files into one table."))
def import_(
    paths: Annotated[list[Path], typer.Argument(help=hint("파일 또는 폴더", "files or folders"))],
    kind: Annotated[str, typer.Option(help="daily, minute, index_daily, instruments")],
    lake: LakeFolder = LAKE,
    prices: Annotated[str, typer.Option(help=hint("raw(원주가) 또는 adjusted(수정주가)", "raw or adjusted"))] = "raw",
    source: Annotated[str, typer.Option(help=hint("출처 이름", "name of the source"))] = "",
    note: Annotated[str, typer.Option(help=hint("읽는 이가 알아야 할 것", "what readers must know"))] = "",
    column: Annotated[list[str] | None, typer.Option(help=hint("레이크열=파일열", "LAKE_COLUMN=FILE_COLUMN"))] = None,
    as_of: Annotated[str | None, typer.Option(help=hint("종목 목록의 날", "day of the list of names"))] = None,
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
    from haetae.wiring.lakes import import_table

    with watching() as report:
        done = import_table(
            lake, kind, paths, prices=prices, source=source, note=note, mapping=_mapping(column or []),
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
def show(lake: LakeFolder = LAKE, json_file: JSON = None) -> None:
    """Show what the lake holds."""
    check_target(json_file)
    from haetae.wiring.lakes import describe

    tables = describe(lake)
    for each in tables:
        span = f"{each.first_day} ~ {each.last_day}" if each.first_day else "-"
        print(f"{each.table:<12} v{each.version:<5} {each.rows:>12,}  {each.bytes / 1e6:>9.1f} MB  {span}")
        for source, note in each.notes.items():
            print(f"    {source}: {note}")
    write_record(json_file, {each.table: dataclasses.asdict(each) for each in tables})


@nouns.command("check", help=hint("모든 파일을 읽어 손상을 찾습니다.", "Read every file and look for damage."))
def check(lake: LakeFolder = LAKE) -> None:
    """Compare every byte of the current versions with the manifests."""
    from haetae.wiring.lakes import check as check_lake

    with watching() as report:
        check_lake(lake, report)
    print(say(Text(ko="손상 없음", en="no damage")))


Bucket: TypeAlias = Annotated[str, typer.Argument(metavar="S3", help="s3://bucket/lake")]
Region: TypeAlias = Annotated[str, typer.Option(help=hint("AWS 지역", "AWS region"))]
Endpoint: TypeAlias = Annotated[str | None, typer.Option(help=hint("다른 AWS 주소 (시험용)", "another AWS"))]


def _move(address: str, lake: Path, region: str, endpoint_url: str | None, *, up: bool) -> None:
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


@nouns.command("push", help=hint("레이크를 버킷에 보냅니다 (없는 것만).", "Send what the bucket lacks."))
def push(
    address: Bucket, lake: LakeFolder = LAKE, region: Region = "ap-northeast-2", endpoint_url: Endpoint = None
) -> None:
    """Send the lake to a bucket; nothing there is replaced or deleted."""
    _move(address, lake, region, endpoint_url, up=True)


@nouns.command("pull", help=hint("버킷에서 레이크를 받습니다 (없는 것만).", "Fetch what the lake lacks."))
def pull(
    address: Bucket, lake: LakeFolder = LAKE, region: Region = "ap-northeast-2", endpoint_url: Endpoint = None
) -> None:
    """Fetch the lake from a bucket; nothing here is replaced or deleted."""
    _move(address, lake, region, endpoint_url, up=False)
