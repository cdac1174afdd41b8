"""One REST call and its reply, as the emulator's core sees them; and how a reply reaches its client.

Here: plain records without sockets. A reply carries its ``Delivery``: an honest one is written whole and at
once; a scripted fault may delay, cut or swallow it. Not here: what is answered (``core``), the writing (``delivery``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from haetae.emulator.gate import Refusal
from haetae.kis.wire import codes, envelope
from haetae.kis.wire.operations import Mode


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: header names in lower case, ``path`` without doubled slashes.

    ``reused`` says that the connection has carried a request before.
    """

    mode: Mode
    method: str
    path: str
    headers: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reused: bool = False

    def sent(self) -> Mapping[str, str] | None:
        """Return what a client sent, of a query or of a body; none where the body is no JSON object."""
        return self.json() if self.method == "POST" else self.params

    def json(self) -> dict[str, str] | None:
        """Return the body's values as texts; none where it is no JSON object."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return None
        return {str(name): str(value) for name, value in parsed.items()} if isinstance(parsed, dict) else None


class Manner(Enum):
    """How the bytes of a reply leave, or do not.

    ``WHOLE``: as they are. ``DRIP``: byte by byte. ``SILENT``: never, the connection stays open. ``CLOSED``: never,
    the connection is closed. ``RESET``: never, the connection is reset. ``CUT``: fewer body bytes than
    ``Content-Length`` says, then closed. ``SURPLUS``: more body bytes than it says, then closed.
    """

    WHOLE = "whole"
    DRIP = "drip"
    SILENT = "silent"
    CLOSED = "closed"
    RESET = "reset"
    CUT = "cut"
    SURPLUS = "surplus"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a reply is sent: after a wait, in a manner.

    The wait is in seconds of the machine, or of the market; ``drip_s``, what dripping takes, is always the machine's.
    """

    manner: Manner = Manner.WHOLE
    wait_s: float = 0.0
    market_time: bool = False
    drip_s: float = 0.0


PLAIN = Delivery()


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply; ``tr_cont`` is sent even when blank."""

    body: bytes
    status: int = 200
    tr_id: str = ""
    tr_cont: str = ""
    media: str = "application/json; charset=utf-8"
    delivery: Delivery = PLAIN


def refuse(refusal: Refusal, tr_id: str) -> Reply:
    """Return the reply of a refusal with the service's HTTP status."""
    body = envelope.build_refusal(refusal.code, refusal.text, rt_cd=refusal.rt_cd)
    return Reply(body, codes.http_status(refusal.code), tr_id)


def refuse_oauth(refusal: Refusal) -> Reply:
    """Return the reply of a refusal under /oauth2, which has names of its own."""
    body = envelope.build_oauth_refusal(refusal.code, refusal.text)
    return Reply(body, codes.http_status(refusal.code, on_oauth=True))
