"""Insert or replace by key: the arithmetic of a write, on Arrow tables in memory.

Keys become one integer per row whose order is the order of the keys, so sorting and finding
duplicates are integer work. Not here: files (``lake``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def _ranks(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], int]:
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[encoded.indices.to_numpy()], len(order)


def row_codes(rows: pa.Table, keys: Sequence[str]) -> NDArray[np.int64]:
    """Return ``(n_rows,) int64``: equal for equal keys, and ordered as the keys are.

    The codes compare only within one call.
    """
    codes = np.zeros(len(rows), dtype=np.int64)
    for key in keys:
        ranks, size = _ranks(rows.column(key))
        codes = codes * max(size, 1) + ranks
    return codes


def sort_rows(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return the rows in the order of the keys; the input itself if it is already so."""
    codes = row_codes(rows, keys)
    if len(codes) < 2 or bool(np.all(codes[:-1] <= codes[1:])):
        return rows
    return rows.take(pa.array(np.argsort(codes, kind="stable")))


def upsert(old: pa.Table, new: pa.Table, order: Sequence[str]) -> pa.Table:
    """Return the old rows with the new ones inserted or put in their place, sorted by ``order``.

    ``order`` holds the keys of the table and nothing that does not follow from them. Where ``new``
    holds a key twice, its last row counts.
    """
    both = pa.concat_tables([old, new]).combine_chunks()
    if not len(both):
        return both
    codes = row_codes(both, order)
    rising = codes[1:] > codes[:-1]
    if bool(np.all(rising)):
        return both
    place = np.argsort(codes, kind="stable")
    ordered = codes[place]
    last_of_key = np.append(ordered[1:] != ordered[:-1], [True])
    return both.take(pa.array(place[last_of_key]))
