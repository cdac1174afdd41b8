"""CNN's fear & greed index as rows of the lake: when each day was known, and by which way it was made.

Here: what the columns of a file do not say, and which rows may enter. Not here: our own index (``features``),
reading files (``columns``), writing (``importer``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haetae.ports.tables import FEAR_GREED, QUALITY, TABLES
from haetae.store.judgement import Judged
from haetae.store.merge import row_codes

CNN = "CNN"
"""Name of the source in the table."""
INDEX = "index"
"""The component that is the index itself."""
OWN_FROM = dt.date(2021, 2, 1)
"""First day of CNN's own endpoint. What is told of days before was pieced together by others from pages of the time
(integers; a fifth of the days differ between copies, 95 % by 4 points or less), and CNN changed its method since."""
PIECED, OWN = "pieced", "cnn"
"""The two regimes."""


def mood_columns(rows: pa.Table) -> pa.Table:
    """Return rows with source, component, regime and ``known_on`` filled where the file is silent.

    New York closes at 05:00 or 06:00 of the next Korean day, so a day is known on the morning after it.
    """
    size = len(rows)
    columns = {name: rows.column(name) for name in rows.column_names}
    columns.setdefault("source", pa.array([CNN] * size, pa.string()))
    for name, default in TABLES["fear_greed"].defaults.items():
        columns[name] = (
            pc.fill_null(columns[name], default) if name in columns else pa.array([default] * size, pa.string())
        )
    days = columns["day"]
    own = pc.fill_null(pc.greater_equal(days, pa.scalar(OWN_FROM, pa.date32())), fill_value=False)
    columns["regime"] = pc.if_else(own, OWN, PIECED)
    numbers = days.combine_chunks().view(pa.int32()) if isinstance(days, pa.ChunkedArray) else days.view(pa.int32())
    columns["known_on"] = pc.add(numbers, pa.scalar(1, pa.int32())).view(pa.date32())
    return pa.table({name: columns[name] for name in FEAR_GREED.names})


def judge_moods(rows: pa.Table) -> Judged:
    """Return the rows that may enter, and a finding for each that may not.

    Kept out: no day or no number (MISSING_VALUE), an index outside 0 to 100 (OUT_OF_RANGE), all but the last row
    of a day told twice (DUPLICATE_KEY).
    """
    verdict = np.full(len(rows), "", dtype=object)
    values = pc.fill_null(rows.column("value"), float("nan")).to_numpy()
    unknown = rows.column("day").is_null().to_numpy() | ~np.isfinite(values)
    verdict[unknown] = "MISSING_VALUE"
    index = pc.equal(rows.column("component"), INDEX).to_numpy()
    verdict[index & (verdict == "") & ((values < 0.0) | (values > 100.0))] = "OUT_OF_RANGE"
    sound = np.flatnonzero(verdict == "")
    keys = TABLES["fear_greed"].keys
    codes = row_codes(rows.select(list(keys)).take(pa.array(sound)), keys)
    order = np.argsort(codes, kind="stable")
    again = codes[order][1:] == codes[order][:-1]
    verdict[sound[order[:-1][again]]] = "DUPLICATE_KEY"
    out = np.flatnonzero(verdict != "")
    told = rows.take(pa.array(out))
    findings = pa.table(
        {
            "day": pc.fill_null(told.column("day"), pa.scalar(dt.date(1970, 1, 1), pa.date32())),
            "table": pa.array(["fear_greed"] * len(out), pa.string()),
            "symbol": told.column("source"),
            "code": pa.array(verdict[out].tolist(), pa.string()),
            "detail": pa.array(
                [f"{row['component']}={row['value']}" for row in told.select(["component", "value"]).to_pylist()],
                pa.string(),
            ),
        }
    ).cast(pa.schema([pa.field(field.name, field.type) for field in QUALITY]))
    return Judged(rows.filter(pa.array(verdict == "")), findings, dict(Counter(verdict[out].tolist())), {})
