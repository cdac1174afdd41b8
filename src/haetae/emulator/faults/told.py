"""Effects on what a reply says: pages, rows, fields, codes. What has happened is never changed.

Here: B08 to B12, B20; M06 and M07 in quotes. Not here: how a reply is delivered (``transport``), orders and
cash (``orders``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from haetae.emulator.accounts import BRANCHES
from haetae.emulator.calls import Reply, refuse
from haetae.emulator.faults import garble
from haetae.emulator.faults.armed import Armed
from haetae.emulator.faults.occasions import Occasion
from haetae.emulator.faults.stage import Stage
from haetae.emulator.gate import Refusal
from haetae.kis.wire import codes
from haetae.kis.wire.fields import Form
from haetae.kis.wire.operations import Mode

LOOP_KEY = "HAETAE-AND-AGAIN"
_NUMBERS = (Form.COUNT, Form.LOOSE)


def _changed(reply: Reply, change: Callable[[dict[str, Any]], None]) -> Reply:
    """Return a successful reply with its body changed; others as they are."""
    if reply.status != 200 or not reply.body.startswith(b"{"):
        return reply
    body = json.loads(reply.body)
    change(body)
    return replace(reply, body=json.dumps(body, ensure_ascii=False).encode())


def _rows(body: dict[str, Any]) -> list[dict[str, str]]:
    """Return every row of every output."""
    outputs = [value for name, value in body.items() if name.startswith("output")]
    return [row for output in outputs for row in (output if isinstance(output, list) else [output])]


def endless_pages(_armed: Armed, _stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B08: another page is said to follow, whatever page was asked for."""
    operation = occasion.operation
    if operation is None or operation.cursor is None:
        return reply
    name, width = f"ctx_area_nk{operation.cursor}", int(operation.cursor or 100)
    changed = _changed(reply, lambda body: body.update({name: LOOP_KEY.ljust(width)}))
    return replace(changed, tr_cont="M" if occasion.is_next_page else "F")


def doubled_rows(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """B09: the first holding stands in the balance more than once."""

    def change(body: dict[str, Any]) -> None:
        rows = body.get("output1") or []
        body["output1"] = rows[:1] * armed.fault.what["copies"] + rows

    return _changed(reply, change)


def empty_list(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """B10: the list is empty (totals beside it stand), and the call is said to have gone well."""

    def change(body: dict[str, Any]) -> None:
        for name, value in body.items():
            if name in ("output", "output1") and isinstance(value, list):
                body[name] = []
            if name.startswith("ctx_area_nk"):
                body[name] = " " * len(value)
        code = str(armed.fault.what["code"])
        body.update(msg_cd=code, msg1=codes.TEXTS.get(code, body["msg1"]), rt_cd="0")

    return replace(_changed(reply, change), tr_cont="D" if reply.tr_cont else "")


def unknown_words(armed: Armed, _stage: Stage, occasion: Occasion, reply: Reply | None = None) -> Reply:
    """B11: a code or a text nobody knows, a field too many, a field too few."""
    what = armed.fault.what
    if reply is None:
        return refuse(Refusal(what["code"], what["text"]), occasion.tr)

    def change(body: dict[str, Any]) -> None:
        match what["how"]:
            case "code":
                body["msg_cd"] = what["code"]
            case "text":
                body["msg1"] = what["text"]
            case "new_field":
                for row in _rows(body):
                    row[what["field"] or "new_clmn_2027"] = "1"
            case "missing_field":
                for row in _rows(body):
                    row.pop(what["field"] or next(iter(row), ""), None)

    return _changed(reply, change)


def odd_numbers(armed: Armed, _stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B12: texts that are no numbers where numbers stand."""
    name, value = armed.fault.what["field"], armed.fault.what["value"]
    outputs = occasion.operation.outputs if occasion.operation else ()
    numeric = {field for output in outputs for field, form in output.row.forms.items() if form in _NUMBERS}
    wanted = {name} if name else numeric

    def change(body: dict[str, Any]) -> None:
        for row in _rows(body):
            row.update({field: value for field in row if field in wanted})

    return _changed(reply, change)


def other_mode(armed: Armed, _stage: Stage, occasion: Occasion, reply: Reply | None = None) -> Reply:
    """B20: a domain answers as if it were the other one."""
    other = Mode.MOCK if occasion.mode is Mode.REAL else Mode.REAL
    if reply is None:
        text = "모의투자 TR 이 아닙니다." if occasion.mode is Mode.MOCK else "실전투자 TR 이 아닙니다."
        return refuse(Refusal("EGW02004", text), occasion.tr)
    if armed.fault.what["how"] == "branch":

        def change(body: dict[str, Any]) -> None:
            for row in _rows(body):
                row.update({name: BRANCHES[other] for name in row if name in ("KRX_FWDG_ORD_ORGNO", "ord_gno_brno")})

        return _changed(reply, change)
    swapped = occasion.operation.tr_id(other) if occasion.operation else ""
    return replace(reply, tr_id=swapped or ("V" if other is Mode.MOCK else "T") + occasion.tr[1:])


def odd_books(armed: Armed, _stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """M06: a quote whose book lacks a side, or is crossed."""
    return _quotes(armed, reply, lambda row, _: garble.book_fields(armed.fault.what["how"], row))


def odd_prices(armed: Armed, stage: Stage, _occasion: Occasion, reply: Reply) -> Reply:
    """M07: a quote with a price that cannot be."""
    board = stage.exchange.board
    return _quotes(armed, reply, lambda row, symbol: garble.price_fields(armed.fault.what, row, symbol, board))


def _quotes(armed: Armed, reply: Reply, change: Callable[[dict[str, str], str], None]) -> Reply:
    wanted = armed.fault.where.symbol

    def each(body: dict[str, Any]) -> None:
        for row in _rows(body):
            symbol = row.get("inter_shrn_iscd") or row.get("stck_shrn_iscd") or ""
            if not wanted or not symbol or symbol in wanted:
                change(row, symbol)

    return _changed(reply, each)
