"""What a fault may strike at: a call, a registration, a frame, a moment.

Here: ``Occasion`` and the names under which a script knows the calls. Not here: which fault meets it (``engine``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from haetae.emulator.calls import Call
from haetae.emulator.hub import Line
from haetae.emulator.served import NAMES
from haetae.kis.wire.frames import Frame
from haetae.kis.wire.operations import Mode, Operation

GROUPS: Mapping[str, str] = {
    "order": "order-cash-buy, order-cash-sell",
    "change": "order-rvsecncl",
    "modify": "order-rvsecncl with 01",
    "cancel": "order-rvsecncl with 02",
    "list": "inquire-daily-ccld, inquire-psbl-rvsecncl",
    "trading": "every call under /trading/",
    "quote": "every call under /quotations/",
    "oauth": "tokenP, revokeP, Approval",
}
"""Names that stand for several calls. ``modify`` and ``cancel`` are known only once the body has come."""
OPERATION_NAMES = tuple(NAMES)
_CHANGES = {"01": "modify", "02": "cancel"}
_LISTS = {"inquire-daily-ccld", "inquire-daily-ccld-past", "inquire-psbl-rvsecncl"}
ORDERS = frozenset({"order-cash-buy", "order-cash-sell"})


@dataclass(frozen=True, slots=True)
class Occasion:
    """One call, registration or frame, with what a script may ask about it.

    ``names`` holds the operation and every group it belongs to; ``asked`` the request under the table's names, empty
    before its body has come; ``what`` is what the counters tell of it.
    """

    mode: Mode
    what: str
    names: frozenset[str] = frozenset()
    tr: str = ""
    path: str = ""
    stream: str = ""
    symbols: frozenset[str] = frozenset()
    account: str = ""
    app_key: str = ""
    operation: Operation | None = None
    asked: Mapping[str, str] = field(default_factory=dict)
    is_next_page: bool = False
    line: Line | None = None
    frame: Frame | None = None


def of_call(call: Call, operation: Operation | None, asked: Mapping[str, str] | None = None) -> Occasion:
    """Return the occasion of a call; ``asked`` is none before its body has been read."""
    name = operation.name if operation else call.path.rpartition("/")[2]
    given = asked or {}
    names = {name}
    names |= {"order"} if name in ORDERS else set()
    names |= {"change"} if name == "order-rvsecncl" else set()
    names |= {_CHANGES.get(given.get("RVSE_CNCL_DVSN_CD", "").strip(), "change")} if name == "order-rvsecncl" else set()
    names |= {"list"} if name in _LISTS else set()
    names |= {group for part, group in _PARTS.items() if part in call.path}
    symbols = {given[key].strip() for key in ("PDNO", "FID_INPUT_ISCD") if given.get(key, "").strip()}
    symbols |= {value.strip() for key, value in given.items() if key.startswith("FID_INPUT_ISCD_") and value.strip()}
    return Occasion(
        mode=call.mode,
        what=" ".join([name, *sorted(symbols)[:2]]),
        names=frozenset(names),
        tr=call.headers.get("tr_id", "").strip(),
        path=call.path,
        symbols=frozenset(symbols),
        account=given.get("CANO", "").strip(),
        app_key=call.headers.get("appkey", "") or given.get("appkey", ""),
        operation=operation,
        asked=given,
        is_next_page=call.headers.get("tr_cont", "").strip() == "N",
    )


_PARTS = {"/trading/": "trading", "/quotations/": "quote", "/oauth2/": "oauth"}
