"""The catalogue of faults: what a script may ask for, and what each of them means.

One table, from which scripts are checked, ``haetae emulator faults list`` and the documents are written.
"""

from __future__ import annotations

from collections.abc import Mapping

from haetae.emulator.faults import broker_entries, market_entries, transport_entries
from haetae.emulator.faults.entries import Entry

CATALOGUE: tuple[Entry, ...] = (*transport_entries.ENTRIES, *broker_entries.ENTRIES, *market_entries.ENTRIES)
BY_ID: Mapping[str, Entry] = {entry.id: entry for entry in CATALOGUE}
