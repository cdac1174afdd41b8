"""``haetae features list`` and ``build``: what features there are, and keeping them in a lake.

Not here: proving and comparing them (``features_check``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from haetae.cli.options import JSON, LAKE, LakeFolder, read_day
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

if TYPE_CHECKING:
    from haetae.features.sets import FeatureSet

nouns = typer.Typer(
    no_args_is_help=True, help=hint("특징: 목록, 보관, 증명, 변화", "Features: list, keep, prove, drift")
)

OfSet: TypeAlias = Annotated[
    str | None, typer.Option("--set", metavar="SET", help=hint("특징 집합 이름", "feature set"))
]
Until: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="DAY", help=hint("마지막 날", "last day"))]


def sets_of(name: str | None) -> list[FeatureSet]:
    """Return the set of a name, or all of them."""
    from haetae.features.catalogue import SETS, named

    return list(SETS.values()) if name is None else [named(name)]


@nouns.command("list", help=hint("모든 특징과 그 약속을 보입니다.", "Show every feature and what it declares."))
def list_(set_: OfSet = None, json_file: JSON = None) -> None:
    """Show name, version, inputs, look-back, known at, unit and missing policy of every feature."""
    check_target(json_file)
    from haetae.features.catalogue import records

    chosen = sets_of(set_)
    for each in chosen:
        grain = Text(ko="일" if each.grain.value == "daily" else "분", en=each.grain.value)
        title = Text(
            ko=f"{each.name} · {grain.ko} · {len(each.specs)}개 · {each.hash}",
            en=f"{each.name} · {grain.en} · {len(each.specs)} features · {each.hash}",
        )
        print(say(title))
        for spec in each.specs:
            inputs, unit = " ".join(spec.inputs), spec.unit
            print(
                f"  {spec.name:<24} v{spec.version} {spec.look_back:>5}  {inputs:<32} {spec.known_at:<15}  {unit}"
                f"  [{spec.missing}]"
            )
    sets = {each.name: {"grain": each.grain.value, "hash": each.hash, "look_back": each.look_back} for each in chosen}
    write_record(json_file, {"sets": sets, "features": records(chosen)})


@nouns.command(
    "build",
    help=hint(
        "레이크에 특징을 만들어 둡니다. 지난번 뒤의 봉만 더합니다.",
        "Keep a set's features in the lake; only bars since the last time are folded.",
    ),
)
def build(
    set_: Annotated[str, typer.Option("--set", metavar="SET", help=hint("특징 집합 이름", "feature set"))] = "daily",
    lake: LakeFolder = LAKE,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help=hint("남길 첫날", "first day kept"))
    ] = None,
    end: Until = None,
    json_file: JSON = None,
) -> None:
    """Bring the table of a set up to date and tell what was reused."""
    check_target(json_file)
    from haetae.features.catalogue import named
    from haetae.wiring.feature_tables import former_tables
    from haetae.wiring.lakes import open_lake
    from haetae.wiring.materialising import build as make

    chosen = named(set_)
    first_day, last_day = read_day(start, "--from"), read_day(end, "--to")
    place = open_lake(lake, by=f"haetae features build {set_}")
    with watching() as report:
        done = make(place, chosen, first_day=first_day, last_day=last_day, told=report)
    unit = Text(
        ko="일" if chosen.grain.value == "daily" else "봉", en="days" if chosen.grain.value == "daily" else "bars"
    )
    print(f"{done.table} v{done.version} · {done.first_day} ~ {done.last_day}")
    reused, folded = f"{done.reused:,}", f"{done.folded:,}"
    counts = Text(
        ko=f"다시 쓴 것 {reused}{unit.ko} · 새로 만든 것 {folded}{unit.ko} · 종목 {done.symbols:,}",
        en=f"reused {reused} {unit.en} · folded {folded} {unit.en} · symbols {done.symbols:,}",
    )
    print(say(counts))
    if done.reason.en:
        print(say(Text(ko=f"처음부터: {done.reason.ko}", en=f"from the start: {done.reason.en}")))
    former = former_tables(place, chosen)
    for name in former:
        print(
            say(Text(ko=f"옛 정의의 표가 남아 있습니다: {name}", en=f"a table of a former definition is left: {name}"))
        )
    record = {
        "set": chosen.name, "hash": chosen.hash, "table": done.table, "version": done.version, "digest": done.digest,
        "from": str(done.first_day), "to": str(done.last_day), "symbols": done.symbols, "reused": done.reused,
        "folded": done.folded, "from_the_start": done.reason.en, "optional_inputs": list(done.optional),
        "former": list(former),
    }  # fmt: skip
    write_record(json_file, record)
