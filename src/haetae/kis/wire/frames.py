"""WebSocket data frames: ``0|TR_ID|NNN|v1^v2^…``, plain or AES-256-CBC, one or many records.

Here: stream tables (field order, widths per schema revision), parse and build of frames, encryption.
Not here: what the values mean (`records`), subscription messages (`control`), the socket (`stream`).
The width of a record is always values / count, never a constant: fields are only ever added at the end.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from haetae.domain.errors import WireError

_AES_BLOCK_BITS = 128


class Revision(Enum):
    """Schema generation of a server: before NXT, June 2026, since 2026-09-14."""

    LEGACY = "2025-legacy"
    JUNE_2026 = "2026-06"
    SEPTEMBER_2026 = "2026-09"


@dataclass(frozen=True, slots=True)
class Stream:
    """One real-time TR: its ids, the width of a record per revision, and whether it is encrypted."""

    real: str
    mock: str
    widths: Mapping[Revision, int]
    korean: str
    encrypted: bool = False

    @property
    def least_width(self) -> int:
        """Return the narrowest record any revision sends."""
        return min(self.widths.values())

    def tr_id(self, *, mock: bool) -> str:
        """Return the TR id of a domain, blank where it is not served."""
        return self.mock if mock else self.real


def _widths(legacy: int, june: int, september: int) -> dict[Revision, int]:
    return {Revision.LEGACY: legacy, Revision.JUNE_2026: june, Revision.SEPTEMBER_2026: september}


TRADES = Stream("H0STCNT0", "H0STCNT0", _widths(46, 46, 47), "체결가")
BOOKS = Stream("H0STASP0", "H0STASP0", _widths(59, 59, 60), "호가")
NOTICES = Stream("H0STCNI0", "H0STCNI9", _widths(23, 26, 26), "체결통보", encrypted=True)
MARKET_STATUS = Stream("H0STMKO0", "", _widths(10, 11, 11), "장운영정보")
EXPECTED = Stream("H0STANC0", "", _widths(45, 45, 45), "예상체결")
INDEX = Stream("H0UPCNT0", "", _widths(30, 30, 30), "지수")
NAV = Stream("H0STNAV0", "", _widths(8, 8, 8), "ETF NAV")
STREAMS: Mapping[str, Stream] = {
    tr_id: stream
    for stream in (TRADES, BOOKS, NOTICES, MARKET_STATUS, EXPECTED, INDEX, NAV)
    for tr_id in (stream.real, stream.mock)
    if tr_id
}
"""Every stream by TR id, of both domains."""


@dataclass(frozen=True, slots=True)
class CipherKey:
    """Key (32 characters) and initial vector (16) a session's subscription ack hands out."""

    key: str
    iv: str

    def __repr__(self) -> str:
        """Hide both parts."""
        return "CipherKey(***)"


@dataclass(frozen=True, slots=True)
class Frame:
    """One data message: TR, record count and the raw payload, still encrypted if ``encrypted``."""

    tr_id: str
    count: int
    payload: str
    encrypted: bool


def encrypt(text: str, key: CipherKey) -> str:
    """Return base64 of AES-256-CBC with PKCS7 padding."""
    padder = PKCS7(_AES_BLOCK_BITS).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key.key.encode()), modes.CBC(key.iv.encode())).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(text: str, key: CipherKey) -> str:
    """Return the plain text of ``encrypt``; raises ``WireError`` where the key does not fit."""
    try:
        decryptor = Cipher(algorithms.AES(key.key.encode()), modes.CBC(key.iv.encode())).decryptor()
        padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(_AES_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (ValueError, binascii.Error, AttributeError) as fault:
        raise WireError(
            "an encrypted notice does not open",
            expected="AES-256-CBC with the key of this session's ack",
            found=f"{len(text)} characters",
            next_step="subscribe the notice again; its ack carries the key",
        ) from fault


def is_data(text: str) -> bool:
    """Whether a message is a data frame rather than JSON."""
    return text[:2] in {"0|", "1|"}


def parse_frame(text: str) -> Frame:
    """Return the frame of a data message; raises ``WireError`` where head or count is malformed."""
    parts = text.split("|", 3)
    count = parts[2] if len(parts) == 4 else ""
    if parts[0] not in {"0", "1"} or not (count.isascii() and count.isdecimal() and len(count) < 5) or not int(count):
        raise WireError(
            "a WebSocket message is no data frame",
            expected="0|TR_ID|NNN|values",
            found=repr(text[:60]),
            next_step="keep the message; the frame format may have changed",
        )
    return Frame(parts[1], int(count), parts[3], encrypted=parts[0] == "1")


def records(frame: Frame, key: CipherKey | None = None) -> list[list[str]]:
    """Return the records of a frame as lists of texts, all of the same width.

    Raises ``WireError`` where the values do not divide by the count, the width is below the narrowest known
    one or as wide as two (then the count is wrong), or the frame is not encrypted as its stream is. One trailing ``^``
    is tolerated; empty values are kept.
    """
    payload, stream = frame.payload, STREAMS.get(frame.tr_id)
    if stream is not None and stream.encrypted is not frame.encrypted:
        raise WireError(
            f"{frame.tr_id}: a frame is {'' if frame.encrypted else 'not '}encrypted",
            expected="encrypted" if stream.encrypted else "plain text",
            found=f"{len(payload)} characters",
            next_step="drop it and ask by REST",
        )
    if frame.encrypted:
        if key is None:
            raise WireError(f"{frame.tr_id}: encrypted frame without a key", expected="the key of the subscription ack")
        payload = decrypt(payload, key)
    values = payload.split("^")
    if len(values) % frame.count and values[-1] == "":
        values.pop()
    width, rest = divmod(len(values), frame.count)
    least = stream.least_width if stream else 1
    if rest or width < least or (stream is not None and width >= 2 * least):
        shown = "" if frame.encrypted else f", beginning {payload[:40]!r}"
        raise WireError(
            f"{frame.tr_id}: {len(values)} values do not form {frame.count} records",
            expected=f"{frame.count} records of {least} or more values",
            found=f"{len(values)} values{shown}",
            next_step="keep the message; the schema of this stream may have changed",
        )
    if frame.count == 1:
        return [values]
    return [values[start : start + width] for start in range(0, len(values), width)]


def build_frame(tr_id: str, rows: Sequence[Sequence[str]], key: CipherKey | None = None) -> str:
    """Return the data message of one or more records (at most 999) of one TR, encrypted if a key is given."""
    if not 1 <= len(rows) <= 999:
        raise ValueError(f"a frame carries 1 to 999 records, not {len(rows)}")
    payload = "^".join(["^".join(row) for row in rows])
    return f"{'1' if key else '0'}|{tr_id}|{len(rows):03d}|{encrypt(payload, key) if key else payload}"
