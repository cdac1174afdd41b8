"""One fixed split by dates: what is learned from, chosen by, and judged on, purged by when labels end.

Windows are given by their first and last day. Where a window begins on the day the one before ends, that day
belongs to the later one (``A:B`` and ``B:C``). A row whose label ends, with the embargo, after the next window
begins is dropped. Not here: windows that move (``folds``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ConfigError, Text
from haetae.domain.market import Int64Array
from haetae.domain.units import day_from, yyyymmdd

SLACK_DAYS: Final = 10
"""Calendar days a window may reach past the bars: the longest run of holidays and a weekend."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days from ``first`` to ``last``, both inside."""

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        """Return the form of the command line."""
        return f"{self.first}:{self.last}"


@dataclass(frozen=True, slots=True)
class Windows:
    """The three windows in their order of time."""

    train: Window
    valid: Window
    test: Window

    def named(self) -> tuple[tuple[str, Window], ...]:
        """Return the windows with their names, oldest first."""
        return (("train", self.train), ("valid", self.valid), ("test", self.test))


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of the panel of each window, ascending, purged; ``purged`` counts what was dropped of each."""

    train: Int64Array
    valid: Int64Array
    test: Int64Array
    purged: tuple[int, int]


def check_windows(windows: Windows) -> None:
    """Raise ``ConfigError`` where a window ends before it begins or two of them overlap."""
    before: tuple[str, Window] | None = None
    for name, window in windows.named():
        if window.last < window.first:
            raise _refused(
                Text(ko=f"{name} 구간의 끝이 처음보다 앞섭니다", en=f"the {name} window ends before it begins"),
                "FIRST:LAST",
                str(window),
                f"--{name} {window.last}:{window.first}",
            )
        if before is not None and window.first < before[1].last:
            raise _refused(
                Text(
                    ko=f"{before[0]} 구간과 {name} 구간이 겹치거나 순서가 바뀌었습니다",
                    en=f"the windows {before[0]} and {name} overlap or are not in order",
                ),
                f"--{name} from {before[1].last} on",
                f"{before[0]} {before[1]}, {name} {window}",
                f"--{name} {before[1].last + dt.timedelta(days=1)}:{max(window.last, before[1].last)}",
            )
        before = (name, window)


def fixed_split(days: NDArray[np.int32], end_row: Int64Array, windows: Windows, embargo_rows: int) -> Split:
    """Return the rows of three windows, none of whose labels reaches into the next window.

    Parameters
    ----------
    days : (n_days,) int32
        Trading days of the panel, yyyymmdd.
    end_row : (n_days,) int64
        Row on which each day's label is known (``Labels.end_row``).
    embargo_rows : int
        Sessions between the last label's end and the next window, beyond the purge.

    Raises
    ------
    ConfigError
        If windows overlap, are not in order, or reach out of the panel's days.
    """
    check_windows(windows)
    rows = {}
    for name, window in windows.named():
        _refuse_outside(days, name, window)
        first = int(np.searchsorted(days, yyyymmdd(window.first)))
        last = int(np.searchsorted(days, yyyymmdd(window.last), side="right"))
        rows[name] = (first, last)
    train = np.arange(rows["train"][0], min(rows["train"][1], rows["valid"][0]), dtype=np.int64)
    valid = np.arange(rows["valid"][0], min(rows["valid"][1], rows["test"][0]), dtype=np.int64)
    test = np.arange(*rows["test"], dtype=np.int64)
    kept_train = train[end_row[train] + embargo_rows <= rows["valid"][0]]
    kept_valid = valid[end_row[valid] + embargo_rows <= rows["test"][0]]
    for name, kept in (("train", kept_train), ("valid", kept_valid), ("test", test)):
        if not len(kept):
            window = dict(windows.named())[name]
            raise _refused(
                Text(
                    ko=f"{name} 구간에 쓸 수 있는 거래일이 없습니다",
                    en=f"the {name} window holds no usable session",
                ),
                f"more than {embargo_rows} sessions and the horizon",
                str(window),
                f"--{name} {window.first}:{window.first + dt.timedelta(days=365)}",
            )
    return Split(kept_train, kept_valid, test, (len(train) - len(kept_train), len(valid) - len(kept_valid)))


def _refuse_outside(days: NDArray[np.int32], name: str, window: Window) -> None:
    first, last = day_from(int(days[0])), day_from(int(days[-1]))
    slack = dt.timedelta(days=SLACK_DAYS)
    if window.first < first - slack or window.last > last + slack:
        raise _refused(
            Text(ko=f"{name} 구간이 레이크 밖입니다", en=f"the {name} window is outside the lake"),
            f"{first}:{last}",
            str(window),
            f"--{name} {max(window.first, first)}:{min(window.last, last)}",
        )


def _refused(message: Text, expected: str, found: str, next_step: str) -> ConfigError:
    return ConfigError(message, expected=expected, found=found, next_step=next_step)
