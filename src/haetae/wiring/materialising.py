"""Features kept in the lake: built chunk by chunk, gone on from the state after the last row.

The table of a set is ``features_<set>_<hash>``: a row for each symbol and day (or minute), a float32 column for each
feature, so what a name means never changes. Beside it ``…_state`` holds the fold's state after the last row, as plain
numbers. A chunk is two writes: the state, then the rows with a note that names the state's version, so the rows and
the note of one version always belong together. A process that dies in between leaves the version before, and the next
build goes on from there.

What was read is remembered as a digest of every input up to the last row. Where it is the same, only new rows are
folded; where history, names, sectors or optional inputs are others, all is built anew and the reason is told. Either
way the values are those of one fold over everything, to the last bit.

Not here: what a lake gives as inputs (``feature_rows``), the tables and reading back (``feature_tables``), the sets
(``features.catalogue``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, day_of
from haetae.features.catalogue import JOINABLE
from haetae.features.refusals import refuse_duplicates, refuse_short_history
from haetae.features.sets import FeatureSet, FloatArray, Inputs, State
from haetae.store.lake import Lake
from haetae.wiring.feature_rows import BARS_PER_CHUNK, Rows, rows_of
from haetae.wiring.feature_tables import NOTE, Progress, flat_state, state_rows, state_table, table_of, value_rows

Told = Callable[[Text, int, int], None]

_KEPT_VERSIONS = 3
"""Of a table that can be computed again: enough for a reader that began before the last two chunks."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did: rows are days or minutes, ``reason`` says why rows were not reused, empty if all were."""

    table: str
    version: int
    digest: str
    first_day: dt.date
    last_day: dt.date
    symbols: int
    reused: int
    folded: int
    reason: Text
    optional: tuple[str, ...]


class _Reading:
    """The digest of everything read so far, of some symbols: equal digests are equal inputs, however they were cut."""

    def __init__(self, rows: Rows, symbols: tuple[Symbol, ...], first_day: dt.date | None) -> None:
        place = {symbol: column for column, symbol in enumerate(rows.symbols)}
        self._columns = np.array([place[symbol] for symbol in symbols], dtype=np.int64)
        sectors = [rows.sector_names[column] for column in self._columns] if rows.sector_names else []
        head = "\n".join([rows.table, *rows.optional, str(first_day), *symbols, *sectors])
        self._sum = hashlib.sha256(head.encode())

    def take(self, inputs: Inputs) -> None:
        panel = inputs.panel
        wide: list[NDArray[Any]] = [panel.open, panel.high, panel.low, panel.close, panel.volume, panel.traded]
        if inputs.flows is not None:
            wide += [inputs.flows.foreign, inputs.flows.institution, inputs.flows.individual]
        narrow: list[NDArray[Any] | None] = [panel.days, panel.start, inputs.index_close, inputs.minutes]
        parts = [_bytes(block[:, self._columns]) for block in wide]
        parts += [_bytes(block[:, None]) for block in narrow if block is not None]
        self._sum.update(np.concatenate(parts, axis=1).tobytes())

    @property
    def digest(self) -> str:
        return self._sum.hexdigest()


def _bytes(block: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(block).view(np.uint8).reshape(len(block), -1)


def build(
    lake: Lake,
    feature_set: FeatureSet,
    *,
    first_day: dt.date | None = None,
    last_day: dt.date | None = None,
    told: Told | None = None,
    bars_per_chunk: int = BARS_PER_CHUNK,
) -> Built:
    """Bring the table of a set up to the newest bars, or to ``last_day``; see the head of the module.

    ``first_day`` is the first day that is kept; days before it are folded and not written.

    Raises
    ------
    DataError
        If the lake has no bars, fewer than the longest look-back, or two of one time.
    """
    spec, state_spec = table_of(feature_set), state_table(feature_set)
    lake.declare(spec)
    lake.declare(state_spec)
    note = lake.notes(spec.name).get(NOTE)
    kept = None if note is None else Progress.of(note)
    until = last_day if kept is None or last_day is None else max(last_day, day_of(kept.through))
    rows = rows_of(lake, feature_set.grain, until, bars_per_chunk=bars_per_chunk)
    refuse_short_history(feature_set, rows.count)
    work = _Work(lake, feature_set, rows, first_day, told)
    reason = Text(ko="처음 만듭니다", en="built for the first time") if kept is None else work.go_on(kept)
    if reason is not None:
        work.begin()
    work.finish()
    for name in (spec.name, state_spec.name):
        lake.vacuum(name, keep=_KEPT_VERSIONS)
    first, last = rows.chunks[0][0], rows.chunks[-1][1]
    return Built(
        spec.name,
        lake.versions()[spec.name],
        lake.digest(spec.name),
        max(first, first_day or first),
        max(last, day_of(work.through)),
        len(rows.symbols),
        work.reused,
        work.folded,
        reason or Text(ko="", en=""),
        rows.optional,
    )


class _Work:
    """One build: where the fold stands, and the chunks that are left."""

    def __init__(
        self, lake: Lake, feature_set: FeatureSet, rows: Rows, first_day: dt.date | None, told: Told | None
    ) -> None:
        self.reused = 0
        self.folded = 0
        self.through = 0
        self._lake = lake
        self._set = feature_set
        self._rows = rows
        self._first_day = first_day
        self._told = told
        self._whole = False
        self._state: State = feature_set.start(len(rows.symbols))
        self._reading = _Reading(rows, rows.symbols, first_day)
        self._left: Iterator[Inputs] = iter(())
        self._done_chunks = 0

    def begin(self) -> None:
        """Stand before the first bar; the first write will take the place of all that is there."""
        self.reused, self.through, self._done_chunks, self._whole = 0, 0, 0, True
        self._state = self._set.start(len(self._rows.symbols))
        self._reading = _Reading(self._rows, self._rows.symbols, self._first_day)
        self._left = self._rows.inputs()

    def go_on(self, kept: Progress) -> Text | None:
        """Stand behind the last row that was written, or say why that cannot be."""
        try:
            held = self._lake.read(state_table(self._set).name, version=kept.state)
        except DataError as fault:
            return Text(ko=f"저장된 상태를 읽을 수 없습니다: {fault}", en=f"the stored state cannot be read: {fault}")
        old = tuple(held.column("symbol").to_pylist())
        came = set(self._rows.symbols) - set(old)
        if set(old) - set(self._rows.symbols) or (came and self._set.name not in JOINABLE):
            return Text(ko="종목이 달라졌습니다", en="the names are others")
        before = _Reading(self._rows, old, self._first_day) if came else self._reading
        new = np.array([symbol in came for symbol in self._rows.symbols])
        seen, rest, chunks = 0, None, self._rows.inputs()
        for inputs in chunks:
            past = int(np.searchsorted(inputs.panel.start, kept.through, side="right"))
            if past:
                part = inputs.rows(0, past)
                before.take(part)
                if came:
                    self._reading.take(part)
                if (part.panel.close[:, new] > 0).any():
                    return Text(ko="새 종목에 지난 봉이 있습니다", en="new names have bars of the past")
            seen += past
            if past < len(inputs):
                rest = inputs.rows(past, len(inputs))
                break
            self._done_chunks += 1
        if seen != kept.rows or before.digest != kept.digest:
            return Text(ko="지난 봉이나 입력이 달라졌습니다", en="bars of the past, or inputs, are others")
        self._state = self._widened(flat_state(held), old, new)
        self.reused, self.through = seen, kept.through
        self._left = chunks if rest is None else chain([rest], chunks)
        return None

    def _widened(self, numbers: NDArray[np.float64], old: tuple[Symbol, ...], new: NDArray[np.bool_]) -> State:
        state = numbers.reshape(self._set.start(len(old)).shape)
        if not new.any():
            return state
        wide = self._set.start(len(self._rows.symbols))
        wide[~new] = state
        return wide

    def finish(self) -> None:
        """Fold what is left, and keep each chunk as soon as it is there."""
        label = Text(ko=f"특징 {self._set.name}", en=f"features {self._set.name}")
        total = len(self._rows.chunks)
        history = self.reused
        for inputs in self._left:
            refuse_duplicates(inputs.panel)
            self._state, values = self._set.fold(self._state, inputs)
            self._reading.take(inputs)
            self.folded += len(inputs)
            history += len(inputs)
            self._keep(inputs.panel, values, history)
            self._done_chunks += 1
            if self._told:
                self._told(label, self._done_chunks, total)

    def _keep(self, panel: Panel, values: FloatArray, rows: int) -> None:
        self.through = int(panel.start[-1])
        state = state_rows(self._state, self._rows.symbols, day_from(int(panel.days[-1])))
        version = self._lake.replace(state_table(self._set).name, state)
        note = {NOTE: Progress(self.through, rows, version, self._reading.digest).note()}
        spec = table_of(self._set)
        table = value_rows(spec, panel, values, self._first_day)
        if self._whole:
            self._lake.replace(spec.name, table, notes=note)
            self._whole = False
        else:
            self._lake.write(spec.name, table, keys=spec.keys, notes=note)
