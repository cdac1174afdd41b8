"""The journal: append-only, hash-chained, durable record of what we knew and did.

Here: ``JournalDb`` on SQLite (WAL, ``synchronous=FULL`` asserted, one writer), its hash chain, its
projections, export. Not here: what the records mean (``domain``), folding them again (``live``).
"""

from haetae.journal.database import JournalDb
from haetae.journal.export import export_jsonl
from haetae.journal.projections import TABLES
from haetae.journal.settings import JournalSettings

__all__ = ["TABLES", "JournalDb", "JournalSettings", "export_jsonl"]
