"""Which call a request means, of any table the emulator knows.

Here: the lookup over the platform's own table (``kis.wire.operations``) and the calls about shares abroad that only
third-party clients make (``overseas``). Not here: their answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from haetae.emulator import overseas
from haetae.kis.wire import operations
from haetae.kis.wire.operations import Operation

_BY_TR: Mapping[tuple[str, str], Operation] = {
    (operation.path, tr_id): operation
    for operation in overseas.TABLE
    for tr_id in (operation.real, operation.mock)
    if tr_id
}


NAMES = tuple(operations.OPERATIONS)
"""Every call the emulator knows, by the name of its operation."""


def operation_for(path: str, tr_id: str) -> Operation | None:
    """Return the operation a request means, of any table."""
    return operations.operation_for(path, tr_id) or _BY_TR.get((path, tr_id))
