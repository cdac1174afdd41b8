"""The one table of KIS REST calls: what the client sends, what the emulator answers.

Here: the calls of all areas by name, and which call a request means. Not here: their rows (``table``), the envelope
(`envelope`), typed requests and replies (``calls``), network (`rest`), rules of the market.
A TR id selects the operation on a shared path; ids of the real domain begin with T, C, F or H, mock trading
ids with V, quotations have the same id on both. ``""`` means that a domain does not serve the call.
"""

from __future__ import annotations

from collections.abc import Mapping

from haetae.kis.wire.shape import Mode as Mode
from haetae.kis.wire.shape import Operation as Operation
from haetae.kis.wire.shape import Output as Output
from haetae.kis.wire.table import boards, charts, companies, investors, market, prices, trading
from haetae.kis.wire.table.prices import MULTPRICE_SLOTS as MULTPRICE_SLOTS

_AREAS = (trading, prices, charts, investors, boards, companies, market)

OPERATIONS: Mapping[str, Operation] = {operation.name: operation for area in _AREAS for operation in area.TABLE}
"""Every operation by name."""

_BY_TR: Mapping[tuple[str, str], Operation] = {
    (operation.path, tr_id): operation
    for operation in OPERATIONS.values()
    for tr_id in (operation.real, operation.mock, operation.legacy_real, operation.legacy_mock)
    if tr_id
}
_BY_PATH: Mapping[str, Operation] = {
    operation.path: operation for operation in OPERATIONS.values() if not operation.real and not operation.mock
}


def operation_for(path: str, tr_id: str) -> Operation | None:
    """Return the operation a request means, whatever the domain; None if the table has none.

    The four authentication calls are found by path alone. Whether the domain serves the TR is for the caller
    to ask with ``Operation.serves``.
    """
    return _BY_PATH.get(path) or _BY_TR.get((path, tr_id))
