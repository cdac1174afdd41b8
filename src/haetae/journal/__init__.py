"""The journal: append-only, hash-chained, durable record of what we knew and did.

Here: what every journal does alike (``ChainedJournal``), kept in one SQLite file (``JournalDb``), in PostgreSQL
(``postgres``, loaded only where it is asked for) or in memory for simulated days (``MemoryJournal``); the lease of its
one writer, the projections, backup and export. Not here: what the records mean (``domain``), folding them into a desk
(``live``).
"""

from haetae.journal.backup import RESTORED, restored_unreconciled
from haetae.journal.chained import ChainedJournal
from haetae.journal.database import JournalDb
from haetae.journal.export import export_jsonl
from haetae.journal.lease import Holder
from haetae.journal.memory import MemoryDisk, MemoryJournal, MemoryLease
from haetae.journal.settings import JournalSettings
from haetae.journal.space import Ballast, Room, space_of
from haetae.journal.tables import TABLES

__all__ = [
    "RESTORED",
    "TABLES",
    "Ballast",
    "ChainedJournal",
    "Holder",
    "JournalDb",
    "JournalSettings",
    "MemoryDisk",
    "MemoryJournal",
    "MemoryLease",
    "Room",
    "export_jsonl",
    "restored_unreconciled",
    "space_of",
]
