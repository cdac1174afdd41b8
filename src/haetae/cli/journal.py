"""``haetae journal …``: can the record be trusted, what does it hold, and where are its copies."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import JournalError, Text
from haetae.domain.units import kst_text

nouns = typer.Typer(no_args_is_help=True, help=hint("거래 저널", "The journal of trading"))
PathArgument = Annotated[
    Path,
    typer.Argument(
        help=hint(
            "저널 파일 (journal.db). 데이터베이스에 매인 폴더라면 그 파일이 있을 자리",
            "journal file (journal.db); in a folder bound to a database, where the file would be",
        )
    ),
]


@nouns.command("verify", help=hint("해시 사슬 전체를 검사합니다.", "Check the whole hash chain."))
def verify(path: PathArgument, json_file: JSON = None) -> None:
    """Check the chain; a break is one message and a non-zero exit."""
    check_target(json_file)
    from haetae.wiring import journals

    found = journals.verify(path)
    print(say(Text(ko=f"사슬 이상 없음: {found.entries:,}건", en=f"the chain holds: {found.entries:,} entries")))
    print(f"head {found.head}")
    if found.first_at is not None and found.last_at is not None:
        print(f"{kst_text(found.first_at)} ~ {kst_text(found.last_at)}")
    for kind, count in found.kinds.items():
        print(f"  {kind:<16} {count:>9,}")
    write_record(json_file, dataclasses.asdict(found))


@nouns.command(
    "replay",
    help=hint("다시 접어 같은 명령이 나오는지 봅니다.", "Fold the days again and compare."),
)
def replay(path: PathArgument, json_file: JSON = None) -> None:
    """Fold every day of the journal again; a differing command is exit code 5."""
    check_target(json_file)
    from haetae.wiring import journals

    found = journals.replay(path)
    size = f"{found.days}d {found.events:,} → {found.commands:,}"
    print(say(Text(ko=f"{size} · 다른 명령 {found.differences}건", en=f"{size} · {found.differences} commands differ")))
    if found.first:
        print(found.first)
    write_record(json_file, dataclasses.asdict(found))
    if found.differences:
        raise typer.Exit(JournalError.exit_code)


@nouns.command("export", help=hint("모든 기록을 JSON 줄로 씁니다.", "Write every entry as a line of JSON."))
def export(path: PathArgument, target: Annotated[Path, typer.Argument(help="FILE.jsonl")]) -> None:
    """Write the entries out, after the chain was checked."""
    check_target(target)
    from haetae.wiring import journals

    count = journals.export(path, target)
    print(say(Text(ko=f"{count:,}건 → {target}", en=f"{count:,} entries → {target}")))


@nouns.command(
    "backup", help=hint("거래 중에도 사본을 만들고 검사합니다.", "Copy while a desk trades, and verify the copy.")
)
def back_up(path: PathArgument, target: Annotated[Path, typer.Argument(help="COPY.db")]) -> None:
    """Copy a journal; a name that is taken is refused."""
    check_target(target)
    from haetae.wiring import journals

    count = journals.back_up(path, target)
    print(say(Text(ko=f"{count:,}건을 복사하고 검사했습니다: {target}", en=f"{count:,} copied and verified: {target}")))


@nouns.command(
    "restore",
    help=hint(
        "사본을 되돌립니다. 데스크는 브로커와 대조할 때까지 멈춘 채로 엽니다.",
        "Put a copy back; the desk opens frozen until it was compared with the broker.",
    ),
)
def restore(copy: Annotated[Path, typer.Argument(help="COPY.db")], path: PathArgument) -> None:
    """Put a copy where no journal is, and mark it as behind the broker."""
    check_target(path)
    from haetae.wiring import journals
    from haetae.wiring.clocks import SystemClock

    count = journals.restore(copy, path, SystemClock())
    done = Text(
        ko=f"{count:,}건을 되돌렸습니다: {path} · 브로커와 대조하기 전에는 거래하지 않습니다",
        en=f"{count:,} entries restored: {path} · no trading before it was compared with the broker",
    )
    print(say(done))


@nouns.command("migrate", help=hint("표를 이 판으로 올립니다.", "Bring the tables to this version."))
def migrate(path: PathArgument) -> None:
    """Migrate a file, or make and migrate the tables of the database the environment names."""
    from haetae.wiring import journals

    print(say(Text(ko="표가 이 판입니다", en="the tables are of this version")), journals.migrate(path))


@nouns.command("rebuild", help=hint("기록을 다시 접어 표를 만듭니다.", "Fold the entries into the tables again."))
def rebuild(path: PathArgument) -> None:
    """Rebuild the projections and print the hash of each."""
    from haetae.wiring import journals

    for table, digest in journals.rebuild(path).items():
        print(f"  {table:<12} {digest}")
