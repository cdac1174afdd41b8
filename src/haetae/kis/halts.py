"""Which symbols stand still: halts, volatility interruptions (VI), circuit breakers, as messages tell them.

Here: `Halts`, which tells each change once. Pure; the instant comes in. Not here: which symbols are watched (`feed`).
A breaker that any message tells of holds for every symbol: the message does not say which market it is of, and to
withhold a purchase too often costs less than to make one.
"""

from __future__ import annotations

from collections.abc import Iterable

from haetae.domain.market import HaltChange
from haetae.domain.units import Instant, Symbol
from haetae.kis.wire.market_records import StatusRecord

_BREAKER_ON = frozenset({"164", "174", "184"})
_BREAKER_OFF = frozenset({"175", "185"})
"""MKOP_CLS_CODE of H0STMKO0: market suspended, circuit breaker triggered and begun; released (KIS workbook 2026-06)."""


class Halts:
    """What stands still now.

    Attributes
    ----------
    in_breaker : bool
        Whether a circuit breaker holds the market.
    """

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        """Nothing stands still yet, as far as we know."""
        self.in_breaker = False
        self._reasons: dict[Symbol, dict[str, str]] = {symbol: {} for symbol in symbols}
        self._told: set[Symbol] = set()

    def status(self, record: StatusRecord, at: Instant) -> list[HaltChange]:
        """Return what a status message changes."""
        if record.phase_code in _BREAKER_ON:
            self.in_breaker = True
        elif record.phase_code in _BREAKER_OFF:
            self.in_breaker = False
        self._set(record.symbol, "halt", record.reason or "halted", on=record.halted)
        self._set(record.symbol, "vi", "vi", on=record.in_vi)
        return self._changes(at)

    def printed(self, symbol: Symbol, at: Instant, *, halted: bool) -> list[HaltChange]:
        """Return what the halt flag of a print changes."""
        if halted is ("print" in self._reasons.get(symbol, {})):
            return []
        self._set(symbol, "print", "halted", on=halted)
        return self._changes(at)

    def _set(self, symbol: Symbol, kind: str, reason: str, *, on: bool) -> None:
        known = self._reasons.get(symbol)
        if known is not None and on:
            known[kind] = reason
        elif known is not None:
            known.pop(kind, None)

    def _changes(self, at: Instant) -> list[HaltChange]:
        changes = []
        for symbol, reasons in self._reasons.items():
            stands = self.in_breaker or bool(reasons)
            if stands is not (symbol in self._told):
                why = next(iter(reasons.values()), "circuit breaker" if self.in_breaker else "")
                changes.append(HaltChange(at, symbol, stands, why))
        self._told = {symbol for symbol, reasons in self._reasons.items() if self.in_breaker or reasons}
        return changes
