"""What one REST call of KIS looks like: domain, ids, request names, outputs, page sizes.

Here: `Mode`, `Output`, `Operation` and the short words that the tables are written with. Not here: the calls
themselves (`table`), lookup (`operations`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from haetae.kis.wire.fields import Row


class Mode(Enum):
    """The two domains of KIS: real money and mock investment."""

    REAL = "real"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a reply: its key, its row table, and whether it is a list of rows."""

    key: str
    row: Row
    many: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST call.

    Attributes
    ----------
    cursor : str or None
        Suffix of the paging names (``100``: ``CTX_AREA_FK100`` asks, ``ctx_area_fk100`` answers; blank for
        ``CTX_AREA_FK``); None where the call is not paged by cursor.
    page_rows, page_rows_mock : int
        Most rows in one reply, 0 where KIS names no limit.
    used, quirks : str
        For ``KIS_API.md``, in Korean: which rooms make the call, and what surprises its users.
    """

    name: str
    korean: str
    method: str
    path: str
    real: str
    mock: str
    request: tuple[str, ...]
    outputs: tuple[Output, ...] = ()
    legacy_real: str = ""
    legacy_mock: str = ""
    cursor: str | None = None
    page_rows: int = 0
    page_rows_mock: int = 0
    is_order: bool = False
    used: str = ""
    quirks: str = ""

    def tr_id(self, mode: Mode) -> str:
        """Return the current TR id of a domain; blank if that domain does not serve the call."""
        return self.real if mode is Mode.REAL else self.mock

    def serves(self, tr_id: str, mode: Mode) -> bool:
        """Whether a domain takes this TR id, of either generation."""
        ids = (self.real, self.legacy_real) if mode is Mode.REAL else (self.mock, self.legacy_mock)
        return bool(tr_id) and tr_id in ids

    def output(self, key: str) -> Output:
        """Return an output by its key; raises ``KeyError``."""
        for output in self.outputs:
            if output.key == key:
                return output
        raise KeyError(f"{self.name} has no output {key}")

    def rows_per_page(self, mode: Mode) -> int:
        """Return the page size of a domain."""
        return self.page_rows_mock if mode is Mode.MOCK and self.page_rows_mock else self.page_rows

    def body(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the request with every name of the table, blank where no value is given.

        Names match whatever their case, and are sent in that of the table. An unknown name raises ``KeyError``: a
        typing error must not become a silently ignored parameter.
        """
        given = {name.upper(): value for name, value in values.items()}
        unknown = set(given) - {name.upper() for name in self.request}
        if unknown:
            raise KeyError(f"{self.name} takes no {sorted(unknown)}")
        return {name: given.get(name.upper(), "") for name in self.request}

    def read(self, sent: Mapping[str, str]) -> dict[str, str]:
        """Return what a client sent under the names of the table: case of names ignored, missing is blank."""
        upper = {str(name).upper(): str(value) for name, value in sent.items()}
        return {name: upper.get(name.upper(), "") for name in self.request}


TRADING = "/uapi/domestic-stock/v1/trading/"
QUOTES = "/uapi/domestic-stock/v1/quotations/"
RANKING = "/uapi/domestic-stock/v1/ranking/"
FINANCE = "/uapi/domestic-stock/v1/finance/"
DEPOSITORY = "/uapi/domestic-stock/v1/ksdinfo/"
FUNDS = "/uapi/etfetn/v1/quotations/"
ACCOUNT = "CANO ACNT_PRDT_CD"
ITEM = "FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD"


def one(key: str, table: Row) -> Output:
    """Return an output that is an object."""
    return Output(key, table, many=False)


def many(key: str, table: Row) -> Output:
    """Return an output that is a list of rows."""
    return Output(key, table, many=True)


def words(text: str) -> tuple[str, ...]:
    """Return request names from one text."""
    return tuple(text.split())
