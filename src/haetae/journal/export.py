"""Export of a journal as lines of JSON, one per entry, hashes included."""

from __future__ import annotations

import json
from pathlib import Path

from haetae.journal.chained import ChainedJournal


def export_jsonl(journal: ChainedJournal, target: Path, *, kind: str | None = None) -> int:
    """Write ``{"seq", "at", "kind", "hash", "record"}`` per line; return the number of lines."""
    count = 0
    with target.open("w", encoding="utf-8") as out:
        for seq, at, found, text, digest in journal.raw(kind=kind):
            head = json.dumps({"seq": seq, "at": at, "kind": found, "hash": digest})
            out.write(f'{head[:-1]}, "record": {text}}}\n')
            count += 1
    return count
