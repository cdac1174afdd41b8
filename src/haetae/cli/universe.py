"""``haetae universe select|list|show``: the names of a day, why not the others, and the selections that were kept."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.options import (
    JSON,
    LAKE,
    REGION,
    Config,
    Endpoint,
    LakeAddress,
    Region,
    given,
    read_day,
    read_settings,
)
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import Text
from haetae.domain.units import kst_text

if TYPE_CHECKING:
    from haetae.wiring.universes import Stored

nouns = typer.Typer(no_args_is_help=True, help=hint("그날의 종목 50: 선정과 이유", "The fifty of a day, and why"))
HERE = str(LAKE)
_PART_WORDS: Mapping[str, Text] = {
    "value": Text(ko="가치", en="value"),
    "quality": Text(ko="품질", en="quality"),
    "momentum": Text(ko="모멘텀", en="momentum"),
    "low_volatility": Text(ko="저변동", en="low vol"),
    "liquidity": Text(ko="유동성", en="liquidity"),
}
Date = Annotated[str | None, typer.Option("--date", metavar="DAY", help=hint("거래일 (2026-11-20)", "a session"))]


@nouns.command(
    "select", help=hint("그날 아는 것만으로 정확히 N종목을 고릅니다.", "Choose exactly N names, point in time.")
)
def select(
    date: Date = None,
    lake: LakeAddress = HERE,
    size: Annotated[int | None, typer.Option(help=hint("종목 수", "how many names"))] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help=hint("설정 하나를 바꿉니다", "change one setting")),
    ] = None,
    previous: Annotated[
        str, typer.Option(metavar="auto|none|ID", help=hint("남길 앞선 선정", "whose members may stay"))
    ] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=hint("저장하지 않음", "keep nothing"))] = False,
    config: Config = None,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Select the universe of a day, print it, and keep it beside the lake's tables."""
    check_target(json_file)
    day = read_day(date, "--date")
    settings = read_settings(config).research.universe
    wanted = given(set_) | ({} if size is None else {"size": str(size)})
    from haetae.config import changed
    from haetae.wiring.lakes import LakeAt
    from haetae.wiring.universes import choose

    settings = changed(settings, wanted, "--set")
    done = choose(LakeAt(lake, region, endpoint_url), day, settings, previous=previous, keep=not dry_run)
    _print(done.stored)
    state = (
        Text(ko="저장하지 않음", en="not kept")
        if dry_run
        else Text(
            ko="새로 저장" if done.is_new else "같은 것이 이미 있음", en="kept" if done.is_new else "already kept"
        )
    )
    print(say(Text(ko=f"스냅샷 {done.stored.id} ({state.ko})", en=f"snapshot {done.stored.id} ({state.en})")))
    if done.previous is not None:
        day_before, name = done.previous.content["day"], done.previous.id
        print(say(Text(ko=f"앞선 선정 {day_before} ({name})", en=f"former selection {day_before} ({name})")))
    for warning in done.warnings:
        print(f"! {say(warning)}")
    record = _record(done.stored)
    record["kept"] = {"new": done.is_new, "dry_run": dry_run}
    record["warnings"] = [dataclasses.asdict(warning) for warning in done.warnings]
    write_record(json_file, record)


@nouns.command("list", help=hint("저장된 선정을 봅니다.", "The selections that were kept."))
def list_(
    date: Date = None,
    lake: LakeAddress = HERE,
    limit: Annotated[int, typer.Option(min=1, help=hint("가장 새로운 몇 개", "how many of the newest"))] = 30,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Show the newest kept selections by day."""
    check_target(json_file)
    day = read_day(date, "--date")
    from haetae.wiring.lakes import LakeAt
    from haetae.wiring.universes import kept

    found = kept(LakeAt(lake, region, endpoint_url), day, limit)
    head = [
        hint("날", "day"), hint("스냅샷", "snapshot"), hint("종목", "names"), hint("후보", "candidates"),
        hint("설정", "settings"), hint("앞선 선정", "former"), hint("저장", "kept at"),
    ]  # fmt: skip
    rows = [
        (
            each.content["day"],
            each.id,
            str(len(each.content["universe"])),
            str(len(each.content["candidates"])),
            each.content["settings_hash"][:8],
            each.content["previous"] or "-",
            kst_text(each.stored_at)[:19],
        )
        for each in found
    ]
    print_table(Text(ko="저장된 유니버스", en="Kept universes"), head, rows)
    write_record(json_file, {"snapshots": [_brief(each) for each in found]})


@nouns.command("show", help=hint("저장된 선정 하나를 봅니다.", "One kept selection."))
def show(
    which: Annotated[
        str | None, typer.Argument(metavar="ID|DAY", help=hint("번호나 날 (없으면 최신)", "id or day; else the newest"))
    ] = None,
    lake: LakeAddress = HERE,
    region: Region = REGION,
    endpoint_url: Endpoint = None,
    json_file: JSON = None,
) -> None:
    """Show a kept selection as it was printed when it was made."""
    check_target(json_file)
    from haetae.wiring.lakes import LakeAt
    from haetae.wiring.universes import recall

    found = recall(LakeAt(lake, region, endpoint_url), which)
    _print(found)
    print(say(Text(ko=f"스냅샷 {found.id}", en=f"snapshot {found.id}")))
    write_record(json_file, _record(found))


def _brief(stored: Stored) -> dict[str, Any]:
    told = stored.content
    return {
        "snapshot": stored.id,
        "day": told["day"],
        "size": len(told["universe"]),
        "candidates": len(told["candidates"]),
        "settings_hash": told["settings_hash"],
        "previous": told["previous"],
        "stored_at": kst_text(stored.stored_at),
    }


def _record(stored: Stored) -> dict[str, Any]:
    """Return a selection as its JSON file shows it; ``universe`` is what ``collect --universe`` reads."""
    return {**stored.content, "snapshot": stored.id, "made": stored.made, "stored_at": kst_text(stored.stored_at)}


def _print(stored: Stored) -> None:
    from haetae.universe.settings import PARTS

    told = stored.content
    candidates = told["candidates"]
    chosen = sorted(told["universe"], key=lambda symbol: candidates[symbol]["place"])
    title = Text(
        ko=f"{told['day']} 마감 기준 유니버스 {len(chosen)}종목 · 후보 {len(candidates)}",
        en=f"Universe of {len(chosen)} at the close of {told['day']} · {len(candidates)} candidates",
    )
    head = [hint("종목", "name"), hint("업종", "sector"), "#", hint("총점", "total")]
    print_table(
        title,
        [*head, *(say(_PART_WORDS[part]) for part in PARTS), "*"],
        [_row(symbol, candidates[symbol], PARTS) for symbol in chosen],
    )
    _print_counts(told["exclusions"], [flag for symbol in chosen for flag in candidates[symbol]["flags"]])


def _row(symbol: str, told: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    scores = told["scores"]
    parts = [f"{scores[part]:.2f}" if part in scores else "-" for part in names]
    flags = str(len(told["flags"])) if told["flags"] else ""
    return (
        f"{symbol} {told['name']}", told["sector"] or "-", str(told["place"]), f"{scores['total']:.3f}", *parts, flags
    )  # fmt: skip


def _print_counts(exclusions: Sequence[Mapping[str, str]], flags: Sequence[str]) -> None:
    """Print how many symbols each reason kept out, and what the stars of the table are."""
    from haetae.universe.reasons import REASONS

    out = Counter(each["code"] for each in exclusions)
    told = ", ".join(f"{say(REASONS.get(code, code))} {count:,}" for code, count in out.most_common())
    print(say(Text(ko=f"제외: {told}", en=f"left out: {told}")))
    if flags:
        odd = ", ".join(f"{code} {count}" for code, count in sorted(Counter(flags).items()))
        print(say(Text(ko=f"* 표시: {odd}", en=f"* flags: {odd}")))
