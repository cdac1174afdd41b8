"""Settings of the lake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How the lake lays out and reads its files.

    Attributes
    ----------
    row_group_rows : int
        Rows of a Parquet row group. 65 536 lets a read of a few symbols skip most of a year file
        (rows are sorted by symbol) and keeps the footer small.
    compression : str
        ``lz4`` reads a session of minutes in 1.0 ms where zstd takes 1.8 and snappy 1.6; its files
        are a fifth larger than those of zstd.
    query_memory_mb : int
        Limit of DuckDB per query, so that a query cannot take the memory of a trading desk.
    query_threads : int
        Threads of a query; two leave a core for the desk on the smallest machine.
    keep_versions : int
        Versions of a table that stay readable; 0 keeps all. A day of collecting the whole market
        writes some 13 versions of ``daily`` of 8 MB each, so 100 versions are a week and a bounded
        disk. What must be reproducible for longer is exported or kept in a lake of its own.
    sweep_every : int
        Older versions are dropped at every so many writes: seldom, since it lists the files. In a bucket
        only ``haetae lake vacuum`` drops them: it needs the right to delete, which a writer need not have.
    checkpoint_every : int
        The state of a table is kept whole at every so many versions, as Delta writers do by default;
        a reader then opens at most so many entries.
    commit_attempts : int
        A writer that finds another was first reads, merges and tries again so often. On this machine
        writers wait for one another; in a bucket each round of a race has one winner.
    fold_rows : int
        When a month of minutes is over, its day files become one file if it has at most so many rows:
        a scan of 50 symbols then reads 12 files a year, not 250. 4 million rows take 0.3 GB to fold; the
        whole market's days have a million rows each and are large enough by themselves.
    orphan_hours : int
        In a bucket no lock keeps the clean-up from a writer that is not finished, so files that no
        version names are dropped only when they are so old.
    """

    row_group_rows: int = 65_536
    compression: str = "lz4"
    query_memory_mb: int = 1_024
    query_threads: int = 2
    keep_versions: int = 100
    sweep_every: int = 25
    checkpoint_every: int = 10
    commit_attempts: int = 16
    fold_rows: int = 4_000_000
    orphan_hours: int = 24
