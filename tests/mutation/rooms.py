"""The rooms whose mistakes cost money: their files, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Room:
    """Files to change, and the tests that must notice.

    ``reaching`` are further tests that only the coverage runs: too slow to be tried on every mutant. ``without`` are
    properties with hundreds of examples whose laws shorter tests of the same room state too.
    """

    files: tuple[str, ...]
    tests: tuple[str, ...]
    reaching: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


EMBEDDED = (
    "backup", "chain", "chained", "database", "export", "file_lease", "layout", "lease", "lock", "marks", "memory",
    "packing", "projections", "settings", "space", "tables",
)  # fmt: skip
ON_A_SERVER = ("postgres", "schema", "server", "server_lease")
"""Files of the journal that need PostgreSQL: a mutant there takes seconds, for each has a server of its own."""
LIFE = "tests/unit/execution/test_life.py"
ROOMS: dict[str, Room] = {
    "life": Room(
        tuple(f"execution/{name}.py" for name in ("life", "blotter", "comparing", "reconcile", "unknowns")),
        (
            LIFE,
            "tests/unit/execution/test_reconciling.py",
            "tests/unit/execution/test_absences.py",
            "tests/unit/execution/test_every_field.py",
        ),
        without=(
            f"{LIFE}::test_executions_are_booked_exactly_once_however_they_are_told",
            f"{LIFE}::TestOneOrder::runTest",
        ),
    ),
    "recovery": Room(("live/recovery.py", "live/handover.py"), ("tests/unit/live",)),
    "journal": Room(
        tuple(f"journal/{name}.py" for name in EMBEDDED),
        ("tests/unit/journal", "tests/contract/test_sqlite_journal.py", "tests/contract/test_memory_journal.py"),
        reaching=("tests/contract/test_postgres_journal.py",),
        without=(
            "tests/unit/journal/test_journal.py::test_no_changed_byte_of_the_file_changes_what_is_read_unnoticed",
            "tests/unit/journal/test_journal.py::test_no_flipped_bit_of_the_file_changes_what_is_read_unnoticed",
        ),
    ),
    "server": Room(
        (*(f"journal/{name}.py" for name in ON_A_SERVER), "journal/migrations/versions/*.py"),
        ("tests/contract/test_postgres_journal.py",),
        reaching=("tests/unit/journal",),
    ),
    "guards": Room(("guards/*.py",), ("tests/unit/guards",), without=("tests/unit/guards/test_mutants.py",)),
    "orders": Room(
        ("execution/plan.py", "desk/ordering.py", "desk/account.py"),
        ("tests/unit/execution/test_planning.py", "tests/unit/desk"),
    ),
}
