"""``haetae features check`` and ``drift``: whether features keep their word, and whether they look as they did."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.features import OfSet, Until, nouns, sets_of
from haetae.cli.options import JSON, LAKE, LakeFolder, read_day
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

if TYPE_CHECKING:
    from haetae.features.drift import Drift
    from haetae.features.proofs import Finding
    from haetae.wiring.feature_studies import Proven

FAILED_EXIT = 1
"""Of ``check`` where a proof failed, and of ``drift`` where a feature shifted."""

_PROOFS = {
    "look-ahead": "미래 참조 없음",
    "batch is step": "한 번에 = 하나씩",
    "NaN until filled": "차기 전 NaN",
    "a value once filled": "차면 값",
    "older bars do not matter": "더 오래된 봉 무관",
    "has values": "값 있음",
}
_VERDICTS = {"shifted": "달라짐", "watch": "살펴봄", "stable": "그대로", "unknown": "모름"}
_HEAD = (
    Text(ko="특징", en="feature"),
    Text(ko="PSI", en="PSI"),
    Text(ko="KS", en="KS"),
    Text(ko="없음 (기준)", en="missing before"),
    Text(ko="없음 (최근)", en="missing now"),
    Text(ko="판정", en="verdict"),
)


@nouns.command(
    "check",
    help=hint(
        "특징마다 증명합니다: 미래를 바꿔도 그대로, 한 번에 = 하나씩, 되돌아보는 길이. 레이크가 없으면 무작위 봉에서.",
        "Prove every feature: the future moves nothing, batch is step, look-backs. Without a lake: on random bars.",
    ),
)
def check(
    set_: OfSet = None,
    lake: Annotated[
        Path | None,
        typer.Option("--lake", metavar="DIR", help=hint("레이크 (없으면 무작위 봉)", "lake; random bars if none")),
    ] = None,
    end: Until = None,
    places: Annotated[int, typer.Option("--rows", min=1, help=hint("바꿔 보는 행 수", "rows that are tried"))] = 3,
    names: Annotated[int, typer.Option("--symbols", min=2, help=hint("종목 수", "names that are drawn"))] = 30,
    seed: Annotated[int, typer.Option(min=0, help=hint("씨앗", "seed"))] = 7,
    json_file: JSON = None,
) -> None:
    """Print a line for each proof of each set; the exit code is 1 if one failed."""
    check_target(json_file)
    from haetae.wiring.feature_rows import has_bars
    from haetae.wiring.feature_studies import prove_set
    from haetae.wiring.lakes import open_lake

    place, until = None if lake is None else open_lake(lake), read_day(end, "--to")
    record: dict[str, Any] = {"synthetic": lake is None, "sets": {}, "skipped": []}
    faults = 0
    for each in sets_of(set_):
        if place is not None and set_ is None and not has_bars(place, each.grain):
            print(
                say(
                    Text(
                        ko=f"{each.name} · 레이크에 그 봉이 없어 건너뜀", en=f"{each.name} · skipped: no such bars here"
                    )
                )
            )
            record["skipped"].append(each.name)
            continue
        with watching() as report:
            proven = prove_set(each, place, seed=seed, places=places, names=names, until=until, told=report)
        _show(proven, synthetic=lake is None)
        faults += len(proven.faults)
        record["sets"][each.name] = {
            "hash": each.hash, "features": len(each.specs), "rows": proven.rows, "symbols": proven.symbols,
            "from": str(proven.first_day), "to": str(proven.last_day),
            "findings": [_told(found) for found in proven.findings],
        }  # fmt: skip
    said = Text(ko=f"지켜지지 않은 약속 {faults}개", en=f"{faults} promise(s) broken")
    print(say(said if faults else Text(ko="모든 약속이 지켜졌습니다.", en="every promise was kept.")))
    write_record(json_file, record)
    if faults:
        raise typer.Exit(FAILED_EXIT)


def _show(proven: Proven, *, synthetic: bool) -> None:
    from haetae.features.proofs import Proof

    where = Text(ko="무작위 봉", en="random bars") if synthetic else Text(ko="레이크", en="lake")
    name, count, span = (
        proven.feature_set.name,
        len(proven.feature_set.specs),
        f"{proven.first_day} ~ {proven.last_day}",
    )
    head = Text(
        ko=f"{name} · 특징 {count}개 · {proven.rows:,}행 {proven.symbols}종목 · {span} · {where.ko}",
        en=f"{name} · {count} features · {proven.rows:,} rows of {proven.symbols} symbols · {span} · {where.en}",
    )
    print(say(head))
    for proof in Proof:
        found = proven.failed(proof)
        wrong = [each for each in found if not each.excused]
        mark = (
            Text(ko="실패", en="FAIL")
            if wrong
            else Text(ko="참고" if found else "통과", en="note" if found else "pass")
        )
        told = ", ".join(f"{each.feature} ({say(each.detail)})" for each in (wrong or found)[:4])
        rest = f" +{len(wrong or found) - 4}" if len(wrong or found) > 4 else ""
        print(
            f"  [{say(mark)}] {say(Text(ko=_PROOFS[proof.value], en=proof.value))}{': ' + told + rest if told else ''}"
        )


@nouns.command(
    "drift",
    help=hint(
        "두 기간의 특징 분포를 견줍니다 (PSI, KS). 많이 달라진 것부터.",
        "Compare the features of two windows (PSI, KS), worst first.",
    ),
)
def drift(
    reference: Annotated[str, typer.Option(metavar="A:B", help=hint("기준 기간", "reference window"))],
    recent: Annotated[str, typer.Option(metavar="C:D", help=hint("최근 기간", "recent window"))],
    set_: Annotated[str, typer.Option("--set", metavar="SET", help=hint("특징 집합 이름", "feature set"))] = "daily",
    lake: LakeFolder = LAKE,
    top: Annotated[int, typer.Option(min=1, help=hint("보일 줄 수", "lines to show"))] = 20,
    json_file: JSON = None,
) -> None:
    """Print the features that moved most; the exit code is 1 if one of them counts as shifted."""
    check_target(json_file)
    from haetae.features.catalogue import named
    from haetae.features.drift import KS_SHIFTED, KS_WATCH, PSI_SHIFTED, PSI_WATCH, Verdict
    from haetae.wiring.feature_studies import drift_of, window
    from haetae.wiring.lakes import open_lake

    chosen = named(set_)
    windows = window(reference, "--reference"), window(recent, "--recent")
    with watching() as report:
        found = drift_of(open_lake(lake), chosen, *windows, told=report)
    head = [say(each) for each in _HEAD]
    rows = [
        [
            each.feature, f"{each.psi:.3f}", f"{each.ks:.3f}", f"{each.missing_before:.1%}", f"{each.missing_now:.1%}",
            say(Text(ko=_VERDICTS[each.verdict.value], en=each.verdict.value)),
        ]
        for each in found[:top]
    ]  # fmt: skip
    title = Text(ko=f"{chosen.name} · {reference} → {recent}", en=f"{chosen.name} · {reference} → {recent}")
    print_table(title, head, rows)
    shifted = sum(each.verdict is Verdict.SHIFTED for each in found)
    limits = f"PSI {PSI_WATCH} / {PSI_SHIFTED}, KS {KS_WATCH} / {KS_SHIFTED}"
    print(say(Text(
        ko=f"{len(found)}개 가운데 달라진 특징 {shifted}개 (문턱 {limits})",
        en=f"{shifted} of {len(found)} features shifted (thresholds {limits})",
    )))  # fmt: skip
    record = {
        "set": chosen.name, "hash": chosen.hash, "reference": reference, "recent": recent,
        "thresholds": {"psi": [PSI_WATCH, PSI_SHIFTED], "ks": [KS_WATCH, KS_SHIFTED]},
        "features": [_figures(each) for each in found],
    }  # fmt: skip
    write_record(json_file, record)
    if shifted:
        raise typer.Exit(FAILED_EXIT)


def _told(found: Finding) -> dict[str, Any]:
    return {
        "proof": found.proof.value, "feature": found.feature, "detail": found.detail.en, "excused": found.excused,
    }  # fmt: skip


def _figures(each: Drift) -> dict[str, Any]:
    figures = {"psi": each.psi, "chance": each.chance, "ks": each.ks}
    known = {name: None if math.isnan(value) else round(value, 6) for name, value in figures.items()}
    missing = {"missing_before": each.missing_before, "missing_now": each.missing_now}
    return {"feature": each.feature, **known, **missing, "verdict": each.verdict.value}
