"""The envelope around REST rows: ``rt_cd``, ``msg_cd``, ``msg1``, outputs, paging keys.

Here: reading a reply into `Reply`, building a reply or a refusal as JSON bytes, paging names and headers.
Not here: HTTP itself. Paging is told by the response header ``tr_cont`` (F or M: more; D, E or blank: last).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from haetae.domain.errors import WireError
from haetae.kis.wire.codes import QUERY_EMPTY, QUERY_LAST_PAGE, QUERY_MORE_PAGES, SUCCESS, TEXTS
from haetae.kis.wire.operations import OPERATIONS, Operation
from haetae.kis.wire.typed import Reading

R = TypeVar("R", bound=Reading)
MORE_PAGES = frozenset({"F", "M"})
NEXT_PAGE = "N"


@dataclass(frozen=True, slots=True)
class Reply:
    """A parsed reply. ``more`` says that another page follows ``cursor`` (its FK and NK keys)."""

    operation: str
    tr: str
    status: int
    rt_cd: str
    code: str
    text: str
    body: Mapping[str, Any] = field(repr=False)
    more: bool = False
    cursor: tuple[str, str] = ("", "")

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status == 200 and self.rt_cd == "0"

    def rows(self, key: str) -> list[Mapping[str, str]]:
        """Return a list output; an absent one raises ``WireError`` unless KIS said that there is nothing."""
        found = self.body.get(key)
        if found is None and self.code == QUERY_EMPTY:
            return []
        if not isinstance(found, list):
            raise self._missing(key, "a list of rows", found)
        return found

    def row(self, key: str) -> Mapping[str, str]:
        """Return an object output; a list of one row is accepted."""
        found = self.body.get(key)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if not isinstance(found, dict):
            raise self._missing(key, "one row", found)
        return found

    def one(self, reading: type[R], *, about: str = "") -> R:
        """Return the typed reading of the output that is an object; raises ``WireError``."""
        return reading.of(self.row(self._key(reading)), tr=self.tr, about=about)

    def many(self, reading: type[R], *, about: str = "") -> list[R]:
        """Return the typed readings of the output that is a list; raises ``WireError``."""
        key = self._key(reading)
        return [reading.of(row, tr=self.tr, about=f"{about} row {i}") for i, row in enumerate(self.rows(key))]

    def raw(self, reading: type[R]) -> list[Mapping[str, str]]:
        """Return the list output a reading is of, as it came."""
        return self.rows(self._key(reading))

    def _key(self, reading: type[R]) -> str:
        outputs = OPERATIONS[self.operation].outputs
        return next(output.key for output in outputs if output.row is reading.table)

    def _missing(self, key: str, expected: str, found: object) -> WireError:
        return WireError(
            f"{self.tr}: reply of {self.operation} has no usable {key}",
            expected=expected,
            found=f"{type(found).__name__}; message {self.code} {self.text}"[:120],
            next_step="repeat the query; a reply without its output is a failure, not an empty result",
        )


def _cursor_names(operation: Operation) -> tuple[str, str]:
    return f"ctx_area_fk{operation.cursor}", f"ctx_area_nk{operation.cursor}"


def next_request(operation: Operation, values: Mapping[str, str], cursor: tuple[str, str]) -> dict[str, str]:
    """Return the request of the next page: the same values with the keys of the last reply."""
    fk, nk = (name.upper() for name in _cursor_names(operation))
    return {**values, fk: cursor[0], nk: cursor[1]}


def asked_cursor(operation: Operation, request: Mapping[str, str], tr_cont: str) -> str:
    """Return the next-page key a client sent, blank for a first page (`tr_cont` N or a filled key asks on)."""
    if operation.cursor is None:
        return ""
    key = request.get(_cursor_names(operation)[1].upper(), "").strip()
    return key if key or tr_cont == NEXT_PAGE else ""


def read_reply(operation: Operation, tr: str, status: int, tr_cont: str, payload: bytes) -> Reply:
    """Return the reply of one call; raises ``WireError`` where the body is no KIS envelope.

    Error bodies of /oauth2 (``error_code``, ``error_description``) and its success bodies, which have no
    ``rt_cd``, are read into the same form.
    """
    try:
        body = json.loads(payload)
    except ValueError as fault:
        raise WireError(
            f"{tr or operation.name}: reply is not JSON (HTTP {status})",
            expected="JSON object",
            found=repr(payload[:60]),
            next_step="check the address of the REST server",
        ) from fault
    if not isinstance(body, dict):
        raise WireError(f"{tr}: reply is a {type(body).__name__}", expected="JSON object", found=repr(payload[:60]))
    code = str(body.get("msg_cd") or body.get("error_code") or "")
    text = str(body.get("msg1") or body.get("error_description") or "").rstrip()
    outside_ledger = not operation.real and not operation.mock
    rt_cd = str(body.get("rt_cd", "0" if outside_ledger and status == 200 and not code else "1"))
    cursor = ("", "")
    if operation.cursor is not None:
        fk, nk = _cursor_names(operation)
        cursor = (str(body.get(fk, "")), str(body.get(nk, "")))
    more = tr_cont in MORE_PAGES and operation.cursor is not None
    return Reply(operation.name, tr, status, rt_cd, code, text, body, more=more, cursor=cursor)


def build_reply(
    operation: Operation,
    outputs: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any] | str]],
    *,
    code: str = "",
    text: str = "",
    next_key: str = "",
    search_key: str = "",
) -> bytes:
    """Return the JSON body of a success.

    Parameters
    ----------
    outputs : mapping
        Per output key one mapping of values or a sequence of them; rows are completed from the row table, and an
        output that is not given is sent blank (an object) or empty (a list). A row of a list may be its JSON text
        already (``Row.json``).
    code, text : str
        Message; by default the success code of the family.
    next_key : str
        Opaque key of the next page, blank on the last one. Send it with header ``tr_cont`` F or M.
    search_key : str
        The ``ctx_area_fk`` text, by custom the request keys joined by ``^``.
    """
    paged = operation.cursor is not None
    if not code:
        code = SUCCESS if not paged else QUERY_MORE_PAGES if next_key else QUERY_LAST_PAGE
    head = json.dumps({"rt_cd": "0", "msg_cd": code, "msg1": text or TEXTS.get(code, "")}, ensure_ascii=False)
    parts = [head[:-1]]
    for output in operation.outputs:
        given = outputs.get(output.key)
        if output.many:
            rows = ", ".join([row if type(row) is str else output.row.json(row) for row in given or ()])  # type: ignore[arg-type]
            parts.append(f'"{output.key}": [{rows}]')
        else:
            parts.append(f'"{output.key}": {output.row.json(given or {})}')  # type: ignore[arg-type]
    if paged:
        fk, nk = _cursor_names(operation)
        width = int(operation.cursor or 100)
        keys = json.dumps({fk: search_key.ljust(width), nk: next_key.ljust(width)}, ensure_ascii=False)
        parts.append(keys[1:-1])
    return (", ".join(parts) + "}").encode()


def build_refusal(code: str, text: str = "", *, rt_cd: str = "1") -> bytes:
    """Return the JSON body of a refusal; the HTTP status is ``codes.http_status``."""
    return json.dumps(
        {"rt_cd": rt_cd, "msg_cd": code, "msg1": text or TEXTS.get(code, "")}, ensure_ascii=False
    ).encode()


def build_oauth_refusal(code: str, text: str = "") -> bytes:
    """Return the error body of the /oauth2 calls."""
    body = {"error_code": code, "error_description": text or TEXTS.get(code, "")}
    return json.dumps(body, ensure_ascii=False).encode()
