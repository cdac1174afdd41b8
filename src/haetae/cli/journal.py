"""``haetae journal verify|replay|export``: can the record be trusted, and what does it hold."""

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
PathArgument = Annotated[Path, typer.Argument(help=hint("저널 파일 (journal.db)", "journal file (journal.db)"))]


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
