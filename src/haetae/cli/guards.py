"""``haetae guards show|explain``: what stands before an order, and what it says of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.options import JSON, Config, read_settings
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, language, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.wiring.guarding import Explained

nouns = typer.Typer(no_args_is_help=True, help=hint("가드", "The guards"))
DESK = Path("data/paper")
REDUCED, REFUSED = 10, 11
"""Exit codes of ``explain``: the guards leave fewer shares, or none; 0 is the whole order."""
_VERDICTS = {
    "allow": Text(ko="통과", en="passes whole"),
    "reduce": Text(ko="줄여서 통과", en="passes reduced"),
    "deny": Text(ko="거부", en="refused"),
}


@nouns.command("show", help=hint("모든 가드와 한도를 보입니다.", "Show every guard and its limits."))
def show(config: Config = None, json_file: JSON = None) -> None:
    """Print each guard: code, name, what it protects, its limits with default and bound."""
    check_target(json_file)
    from haetae.wiring import guarding

    rows = guarding.shown(read_settings(config).desk.limits)
    mark = "" if language() == "ko" else "_en"
    for row in rows:
        exits = say(Text(ko=" · 탈출 주문도", en=" · escapes too")) if row["escapes_pass_it_too"] else ""
        print(f"{row['code']} {row[f'name{mark}']}: {row[f'protects{mark}']}{exits}  [{row['source']}]")
        for limit in row["limits"]:
            print(f"      {_limit(limit)}")
        print(f"      → {row[f'remedy{mark}']}")
    write_record(json_file, {"guards": rows})


def _limit(limit: dict[str, Any]) -> str:
    told = f"{limit['name']} = {_value(limit['value'])}"
    if limit["value"] != limit["default"]:
        told += say(Text(ko=f" (기본 {_value(limit['default'])})", en=f" (default {_value(limit['default'])})"))
    if limit["ceiling"] is not None:
        told += f" ≤ {_value(limit['ceiling'])}"
    return told + (f" ≥ {_value(limit['floor'])}" if limit["floor"] is not None else "")


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) or "-" if isinstance(value, list) else str(value)


@nouns.command(
    "explain",
    help=hint(
        "주문 하나를 가드마다 설명합니다: 저널의 의도 번호, 주문 파일(TOML/JSON), 또는 옵션. "
        "끝 코드 0 통과, 10 줄임, 11 거부.",
        "Explain one order guard by guard: an intent id of the journal, a file (TOML/JSON), or options. "
        "Exit code 0 passes, 10 reduced, 11 refused.",
    ),
)
def explain(
    order: Annotated[str | None, typer.Argument(help=hint("의도 번호 또는 주문 파일", "intent id or file"))] = None,
    symbol: Annotated[str | None, typer.Option(help=hint("종목", "symbol"))] = None,
    side: Annotated[str, typer.Option(help="buy | sell")] = "buy",
    quantity: Annotated[int | None, typer.Option(help=hint("주", "shares"))] = None,
    price: Annotated[int | None, typer.Option(help=hint("원", "won"))] = None,
    escape: Annotated[bool, typer.Option("--escape", help=hint("탈출 주문으로", "as an escape"))] = False,
    at: Annotated[str | None, typer.Option(metavar="HH:MM", help=hint("저널의 그 시각", "that time"))] = None,
    out: Annotated[Path, typer.Option("--out", help=hint("데스크 폴더", "folder of the desk"))] = DESK,
    json_file: JSON = None,
) -> None:
    """Print what each guard compared and found; a hypothetical order meets the state the journal ends with."""
    check_target(json_file)
    from haetae.wiring import guarding

    if order is not None and (symbol is not None or quantity is not None or price is not None):
        raise ConfigError(
            Text(ko="주문을 두 번 주었습니다", en="the order is given twice"),
            expected=Text(
                ko="ORDER 하나, 또는 --symbol --quantity --price", en="ORDER, or --symbol --quantity --price"
            ),
            found=order,
            next_step=Text(ko="하나만 주세요", en="give one of them"),
        )
    if order is not None and not Path(order).is_file() and Path(order).suffix not in (".toml", ".json"):
        found = guarding.explain_past(out, order)
    else:
        told = {"symbol": symbol, "side": side, "quantity": quantity, "price": price, "escape": escape}
        given = {name: value for name, value in told.items() if value is not None}
        found = guarding.explain_if(out, guarding.read_order(Path(order)) if order is not None else given, at)
    record = guarding.record_of(found)
    _print(record)
    write_record(json_file, record)
    code = _exit_code(found)
    if code:
        raise typer.Exit(code)


def _exit_code(found: Explained) -> int:
    from haetae.wiring import guarding

    left = guarding.left_of(found)
    if left == found.intent.quantity:
        return 0
    return REDUCED if left else REFUSED


def _print(record: dict[str, Any]) -> None:
    name = "name" if language() == "ko" else "name_en"
    price = f"{record['limit_price']:,}" if record["limit_price"] else "-"
    print(f"{record['at']}  {record['symbol']} {record['side']} {record['quantity']:,} @ {price}")
    for row in record["guards"]:
        told = " ".join(f"{key}={_short(value)}" for key, value in row["compared"].items())
        result = f"CAP {row['left']}" if row["result"] == "CAP" else row["result"]
        print(f"{row['code']} {result:<8} {row[name]}: {told}")
        if row["message"]:
            print(f"             {row['message']}")
    print(f"{say(_VERDICTS[record['verdict']])}: {record['left']:,} / {record['quantity']:,}")


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return _value(value)
    return _value(value) if isinstance(value, list) else str(value)
