"""Tables of the documents that are written from the code, each between two marks of its name.

``tests/unit/docs`` compares them with the pages. After a change of the code they are written anew by

    PYTHONPATH=src .venv/bin/python tests/page_tables.py
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from escape_tables import escape_tables
from guard_tables import guard_tables
from haetae.domain.errors import Text
from haetae.domain.learning import ModelState
from haetae.domain.market import Phase
from haetae.domain.orders import TimeInForce
from haetae.emulator.behaviours import BEHAVIOURS
from haetae.emulator.control import Control
from haetae.emulator.faults.catalogue import CATALOGUE
from haetae.emulator.faults.entries import Entry
from haetae.features.catalogue import SETS
from haetae.kis.wire.frames import STREAMS
from haetae.kis.wire.operations import OPERATIONS
from haetae.krx.afterhours import OffHours
from haetae.ml.promotion import Case, demands
from haetae.ml.settings import PromotionSettings
from haetae.sim import ALWAYS, LAWS, REFUSES, FillModel, Pricing, takes
from haetae.wiring.drills.faults import FAULTS
from haetae.wiring.drills.invariants import INVARIANTS
from mood_tables import mood_tables
from order_tables import order_tables
from rule_tables import rule_tables
from universe_tables import universe_tables

ROOT = Path(__file__).resolve().parents[1]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    told = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in told)]
    return "\n".join(lines)


def operations() -> str:
    """Return the REST calls of the platform, with what has to be known of each."""
    rows = []
    for call in OPERATIONS.values():
        real, mock = (call.real, call.mock or "없음") if call.real else ("-", "-")
        pages = str(call.page_rows) if call.page_rows else "-"
        pages += f" / {call.page_rows_mock}" if call.page_rows_mock else ""
        rows.append(
            [call.name, call.korean, f"{call.method} `{call.path}`", real, mock, pages, call.used or "-", call.quirks]
        )
    return table(["이름", "하는 일", "호출", "TR 실전", "TR 모의", "쪽당", "쓰는 곳", "주의"], rows)


def streams() -> str:
    """Return the streams of the platform, each once though it may have two names."""
    rows = []
    for stream in {stream.real: stream for stream in STREAMS.values()}.values():
        widths = " / ".join(map(str, sorted(set(stream.widths.values()))))
        rows.append([stream.real, stream.mock or "없음", stream.korean, widths, "예" if stream.encrypted else "아니오"])
    return table(["TR 실전", "TR 모의", "무엇", "값 개수", "암호화"], rows)


def control() -> str:
    """Return the calls of the control port; they are asked for, not made, so no service stands behind them."""
    routes = Control(cast(Any, None)).routes
    return table(
        ["호출 / call", "받는 것 / takes", "주는 것 / gives"],
        [
            [f"`{route.method} {route.path}`", f"`{route.takes}`" if route.takes else "", route.gives]
            for route in routes
        ],
    )


def faults() -> str:
    """Return the catalogue of faults."""
    return table(
        ["id", "무엇 / what", "클라이언트에 바라는 것 / wanted", "`what`", "횟수 / times", "출처 / source"],
        [
            [
                entry.id,
                f"{entry.words.ko}<br>{entry.words.en}",
                f"{entry.wants.ko}<br>{entry.wants.en}",
                _settings(entry),
                str(entry.times) if entry.times else "∞",
                entry.source,
            ]
            for entry in CATALOGUE
        ],
    )


def _settings(entry: Entry) -> str:
    if entry.needs == "calendar":
        return f"`{entry.example}`"
    return "<br>".join(f"`{param.name} = {_toml(param.default)}` {param.accepts}" for param in entry.params)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def behaviours() -> str:
    """Return what the emulator does and from where it is known; faults have a table of their own."""
    told = [row for row in BEHAVIOURS if not row.id.startswith("fault.")]
    return table(["id", "what", "source"], [[f"`{row.id}`", row.what, row.source] for row in told])


def fill_model() -> str:
    """Return what the fill model assumes at its defaults."""
    return said(FillModel().assumptions())


def said(texts: Iterable[Text]) -> str:
    """Return numbered sentences in both languages."""
    rows = [[str(number), text.ko, text.en] for number, text in enumerate(texts, start=1)]
    return table(["#", "한국어", "English"], rows)


def kinds() -> str:
    """Return which phase takes which kind of resting order."""
    phases = (Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION, Phase.AFTERMARKET)
    rows = []
    for pricing in Pricing:
        if pricing is Pricing.CLOSE:
            rows.append([f"`{pricing.value}`", *["장전·장후 시간외에만 / off hours only"] * len(phases), "-"])
            continue
        cells = [
            takes(pricing, TimeInForce.DAY, phase, hours=OffHours.AFTERMARKET if phase is Phase.AFTERMARKET else None)
            for phase in phases
        ]
        cells.append(takes(pricing, TimeInForce.DAY, Phase.CONTINUOUS, in_call=True))
        rows.append([f"`{pricing.value}`", *("O" if refusal is None else "-" for refusal in cells)])
    head = ["종류 / kind", "시가 동시호가", "접속매매", "종가 동시호가", "애프터마켓", "VI·정지 뒤 단일가"]
    return table(head, rows)


def features() -> str:
    """Return every feature of every set with what it declares."""
    head = [
        "집합 / set",
        "이름 / name",
        "판 / v",
        "되돌아봄 / look-back",
        "입력 / inputs",
        "알 수 있는 때 / known at",
        "단위 / unit",
        "없을 때 / missing",
    ]
    rows = [
        [
            feature_set.name,
            f"`{spec.name}`",
            str(spec.version),
            str(spec.look_back),
            " ".join(spec.inputs),
            spec.known_at,
            spec.unit,
            spec.missing,
        ]
        for feature_set in SETS.values()
        for spec in feature_set.specs
    ]
    return table(head, rows)


def promotion_demands() -> str:
    """Return what each step demands of a ranker and of a policy, by the rules themselves with nothing measured."""
    rows = []
    for kind in ("ranker", "policy"):
        nothing = Case(kind, {}, {}, 0, math.nan, 0, (), "old", ())
        gate = {one.key for one in demands(nothing, ModelState.SHADOW, PromotionSettings())}
        for one in demands(nothing, ModelState.CHAMPION, PromotionSettings()):
            row = [f"`{one.key}`", f"{one.name.ko}<br>{one.name.en}", one.threshold]
            known = next((each for each in rows if each[0] == row[0]), None)
            if known is None:
                rows.append([*row, kind, "shadow, champion" if one.key in gate else "champion"])
            else:
                known[3] = f"{known[3]}, {kind}"
    return table(["요구 / demand", "무엇 / what", "기준 / threshold", "누구에게 / of", "어느 상태로 / for"], rows)


def invariants() -> str:
    """Return the laws that every drilled day is judged by."""
    return table(
        ["", "지켜야 할 것 / what must hold"], [[one.id, f"{one.words.ko} / {one.words.en}"] for one in INVARIANTS]
    )


def drilled() -> str:
    """Return the faults of the table, with how each is drilled."""
    rows = []
    for one in FAULTS:
        where = ", ".join(f"`{place.rpartition('::')[2].rpartition('/')[2]}`" for place in one.where)
        rows.append([one.id, f"{one.words.ko} / {one.words.en}", one.how.value + (f": {where}" if where else "")])
    return table(["", "장애 / fault", "어떻게 / how"], rows)


TABLES: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("KIS_API.md", "operations", operations),
    ("KIS_API.md", "streams", streams),
    ("docs/emulator.md", "control", control),
    ("docs/emulator.md", "faults", faults),
    ("docs/emulator.md", "behaviours", behaviours),
    ("docs/promotion.md", "demands", promotion_demands),
    *guard_tables("docs/guards.md", table),
    *rule_tables("docs/market-rules.md", table),
    ("docs/features.md", "features", features),
    *universe_tables("docs/universe.md", table),
    *mood_tables("docs/fear-greed.md", table),
    *order_tables("docs/order-life.md", table),
    *escape_tables("docs/escape.md", table),
    ("docs/simulator.md", "fill-model", fill_model),
    ("docs/simulator.md", "always", partial(said, ALWAYS)),
    ("docs/simulator.md", "laws", partial(said, LAWS)),
    ("docs/simulator.md", "refuses", partial(said, REFUSES)),
    ("docs/simulator.md", "kinds", kinds),
    ("docs/simulation.md", "invariants", invariants),
    ("docs/simulation.md", "drilled", drilled),
)
"""Page, name between the marks, and the function that tells the table."""


def shown(page: str, name: str) -> str:
    """Return what a page shows between the marks of a name."""
    return _split(page, name)[1].strip()


def _split(page: str, name: str) -> tuple[str, str, str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    before, rest = text.split(f"<!-- {name}:begin -->")
    middle, after = rest.split(f"<!-- {name}:end -->")
    return before, middle, after


def write() -> None:
    """Write every table into its page."""
    for page, name, told in TABLES:
        before, _, after = _split(page, name)
        text = f"{before}<!-- {name}:begin -->\n\n{told()}\n\n<!-- {name}:end -->{after}"
        (ROOT / page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
