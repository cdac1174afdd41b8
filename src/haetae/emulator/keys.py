"""App keys the emulator admits: any well-formed pair, or those of a file.

Here: the form of a pair, the file, and what it says about each key. Not here: tokens and rates (``gate``).
A file is a JSON list of ``{"appkey", "appsecret"}``, each with, where wanted, ``"domain"`` (``real`` or ``mock``),
``"since"`` (the day the key was applied for) and ``"registrations"`` (WebSocket limit; 3 was measured for IRP keys).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import ConfigError, Text
from haetae.kis.wire.operations import Mode

APP_KEY_LENGTH = 36
APP_SECRET_LENGTH = 180


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key of a file."""

    secret: str
    mode: Mode | None = None
    since: dt.date | None = None
    registrations: int | None = None

    def __repr__(self) -> str:
        """Hide the secret."""
        return f"KeyRow(***, {self.mode}, {self.since}, {self.registrations})"


def well_formed(text: str, length: int) -> bool:
    """Whether a key or a secret has its length in printable ASCII."""
    return len(text) == length and text.isascii() and text.isprintable()


def read_keys(path: Path) -> Mapping[str, KeyRow]:
    """Return the keys of a file by app key; raises ``ConfigError`` that lists every mistake."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise _unusable(path, [str(fault)[:120]]) from fault
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unusable(path, ["no list of objects"])
    keys: dict[str, KeyRow] = {}
    faults: list[str] = []
    for place, row in enumerate(rows, start=1):
        found = _faults(row, keys)
        faults += [f"{place}: {fault}" for fault in found]
        if not found:
            since = row.get("since")
            keys[row["appkey"]] = KeyRow(
                row["appsecret"],
                Mode(row["domain"]) if "domain" in row else None,
                dt.date.fromisoformat(since) if since else None,
                row.get("registrations"),
            )
    if faults or not keys:
        raise _unusable(path, faults or ["no key"])
    return keys


def _faults(row: Mapping[str, Any], known: Mapping[str, KeyRow]) -> list[str]:
    found = []
    for name, length in (("appkey", APP_KEY_LENGTH), ("appsecret", APP_SECRET_LENGTH)):
        text = row.get(name)
        if not isinstance(text, str) or not well_formed(text, length):
            size = len(text) if isinstance(text, str) else 0
            found.append(f"{name} has {size} characters, not {length} of ASCII")
    if row.get("appkey") in known:
        found.append("appkey stands twice")
    if row.get("domain", "real") not in {mode.value for mode in Mode}:
        found.append(f"domain {row['domain']!r} is neither real nor mock")
    try:
        dt.date.fromisoformat(row.get("since") or "2026-01-01")
    except (ValueError, TypeError):
        found.append(f"since {row['since']!r} is no day")
    limit = row.get("registrations", 1)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        found.append(f"registrations {limit!r} is no count")
    found += [f"unknown name {name}" for name in sorted(set(row) - _NAMES)]
    return found


_NAMES = {"appkey", "appsecret", "domain", "since", "registrations"}


def _unusable(path: Path, faults: list[str]) -> ConfigError:
    return ConfigError(
        Text(ko=f"키 파일을 쓸 수 없습니다: {path}", en=f"the keys file cannot be used: {path}"),
        expected='[{"appkey": "36 characters", "appsecret": "180 characters"}, …]',
        found="; ".join(faults),
        next_step=Text(ko="파일을 고치거나 --keys 없이 실행하세요", en="mend the file, or run without --keys"),
    )
