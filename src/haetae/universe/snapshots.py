"""The stored form of a snapshot: plain values, canonical text, and the id that names both.

The id is a hash of the text, so equal inputs give equal ids on any machine and another setting, another former
selection or another result gives another one. Which code made it and which versions of tables were read it does not
hold: tables of a lake get new versions when later days are added, and that must not rename a selection of an earlier
day. Who stores a snapshot notes them beside it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import Exclusion, UniverseSnapshot
from haetae.domain.market import Instrument
from haetae.universe.settings import UniverseSettings

SCHEMA: Final = 1
_ID_DIGITS: Final = 16


def settings_record(settings: UniverseSettings) -> dict[str, Any]:
    """Return settings as plain values."""
    plain = dataclasses.asdict(settings)
    plain["excluded_flags"] = list(settings.excluded_flags)
    plain["missing_parts"] = settings.missing_parts.value
    return plain


def settings_hash(settings: UniverseSettings) -> str:
    """Return sixteen hex digits that name settings; equal values give equal hashes."""
    return identity(settings_record(settings))


def content(
    snapshot: UniverseSnapshot,
    instruments: Iterable[Instrument],
    settings: UniverseSettings,
    *,
    table: str,
    previous: str | None,
) -> dict[str, Any]:
    """Return everything a selection says, as plain values.

    Parameters
    ----------
    instruments : iterable of Instrument
        Those that were judged; they give the names.
    table : str
        Where the bars are from: ``daily`` or ``daily_adjusted``.
    previous : str or None
        Id of the snapshot whose members the buffer favoured.
    """
    named = {item.symbol: item for item in instruments}
    places = sorted(snapshot.scores, key=lambda symbol: (-snapshot.scores[symbol]["total"], symbol))
    return {
        "schema": SCHEMA,
        "day": snapshot.day.isoformat(),
        "settings": settings_record(settings),
        "settings_hash": settings_hash(settings),
        "bars": table,
        "previous": previous,
        "universe": list(snapshot.symbols),
        "candidates": {
            symbol: {
                "name": named[symbol].name,
                "market": named[symbol].market.value,
                "sector": named[symbol].sector,
                "place": place,
                "scores": dict(snapshot.scores[symbol]),
                "figures": dict(snapshot.figures.get(symbol, {})),
                "flags": list(snapshot.flags.get(symbol, ())),
            }
            for place, symbol in enumerate(places, start=1)
        },
        "exclusions": [
            {
                "symbol": item.symbol,
                "name": named[item.symbol].name if item.symbol in named else "",
                "code": item.code,
                "detail": item.detail,
            }
            for item in snapshot.exclusions
        ],
    }


def canonical(record: Mapping[str, Any]) -> str:
    """Return the one text of plain values: sorted names, no spaces, no NaN."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def identity(record: Mapping[str, Any]) -> str:
    """Return sixteen hex digits that name plain values."""
    return hashlib.sha256(canonical(record).encode("utf-8")).hexdigest()[:_ID_DIGITS]


def snapshot_of(record: Mapping[str, Any]) -> UniverseSnapshot:
    """Return the snapshot that a record holds; raises ``DataError`` for one of another schema."""
    if record.get("schema") != SCHEMA:
        raise DataError(
            Text(ko="이 판의 스냅샷은 읽을 수 없습니다", en="a snapshot of this schema cannot be read"),
            expected=f"schema {SCHEMA}",
            found=f"schema {record.get('schema')!r}",
            next_step=Text(ko="haetae universe select 로 다시 고르세요", en="select again with haetae universe select"),
        )
    candidates = record["candidates"]
    return UniverseSnapshot(
        day=dt.date.fromisoformat(record["day"]),
        symbols=tuple(record["universe"]),
        scores={symbol: dict(told["scores"]) for symbol, told in candidates.items()},
        exclusions=tuple(Exclusion(told["symbol"], told["code"], told["detail"]) for told in record["exclusions"]),
        flags={symbol: tuple(told["flags"]) for symbol, told in candidates.items() if told["flags"]},
        figures={symbol: dict(told["figures"]) for symbol, told in candidates.items()},
    )
