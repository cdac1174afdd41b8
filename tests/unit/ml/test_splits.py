"""Fixed windows: in order, inside the bars, and no label reaches into the next one."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError
from haetae.domain.units import yyyymmdd
from haetae.ml.splits import Window, Windows, check_windows, fixed_split
from random_panels import business_days

DATES = business_days(dt.date(2019, 1, 2), 900)
DAYS = np.array([yyyymmdd(day) for day in DATES], dtype=np.int32)


def _windows(a: str, b: str, c: str, d: str, e: str, f: str) -> Windows:
    first = [dt.date.fromisoformat(text) for text in (a, b, c, d, e, f)]
    return Windows(Window(*first[:2]), Window(*first[2:4]), Window(*first[4:]))


YEARS = _windows("2019-01-02", "2020-12-31", "2021-01-01", "2021-12-31", "2022-01-01", "2022-05-31")


@settings(max_examples=60, deadline=None)
@given(horizon=st.integers(1, 40), embargo=st.integers(0, 20))
def test_no_label_reaches_into_the_next_window(horizon: int, embargo: int) -> None:
    end_row = np.arange(len(DAYS)) + 1 + horizon
    split = fixed_split(DAYS, end_row, YEARS, embargo)
    for before, after in ((split.train, split.valid), (split.valid, split.test)):
        assert end_row[before].max() + embargo <= after[0]
        assert end_row[before.max() + 1] + embargo > after[0]
    assert split.purged == (horizon + embargo, horizon + embargo)
    assert DATES[split.test[0]] == dt.date(2022, 1, 3)
    assert DATES[split.test[-1]] == dt.date(2022, 5, 31)


def test_a_day_shared_by_two_windows_belongs_to_the_later_one() -> None:
    end_row = np.arange(len(DAYS)) + 2
    shared = _windows("2019-01-02", "2021-01-04", "2021-01-04", "2022-01-03", "2022-01-03", "2022-05-31")
    split = fixed_split(DAYS, end_row, shared, 0)
    assert DATES[split.valid[0]] == dt.date(2021, 1, 4)
    assert DATES[split.train[-1]] < dt.date(2021, 1, 4)
    assert not set(split.valid) & set(split.test)


@pytest.mark.parametrize(
    ("windows", "named", "remedy"),
    [
        (
            _windows("2019-01-02", "2021-03-31", "2021-01-01", "2021-12-31", "2022-01-01", "2022-05-31"),
            "train and valid overlap",
            "--valid 2021-04-01:2021-12-31",
        ),
        (
            _windows("2021-01-02", "2021-12-31", "2019-01-02", "2020-12-31", "2022-01-01", "2022-05-31"),
            "train and valid overlap or are not in order",
            "--valid 2022-01-01",
        ),
        (
            _windows("2019-12-31", "2019-01-02", "2021-01-01", "2021-12-31", "2022-01-01", "2022-05-31"),
            "train window ends before it begins",
            "--train 2019-01-02:2019-12-31",
        ),
    ],
)
def test_windows_that_overlap_or_run_backward_are_refused(windows: Windows, named: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        check_windows(windows)
    assert str(refused.value.next_step).startswith(remedy)


@pytest.mark.parametrize(
    ("windows", "named"),
    [
        (_windows("2018-01-02", "2020-12-31", "2021-01-01", "2021-12-31", "2022-01-01", "2022-05-31"), "train"),
        (_windows("2019-01-02", "2020-12-31", "2021-01-01", "2021-12-31", "2022-01-01", "2023-12-31"), "test"),
    ],
)
def test_a_window_outside_the_bars_is_refused_with_what_there_is(windows: Windows, named: str) -> None:
    with pytest.raises(ConfigError, match=f"the {named} window is outside the lake") as refused:
        fixed_split(DAYS, np.arange(len(DAYS)) + 2, windows, 5)
    assert str(refused.value.expected) == f"{DATES[0]}:{DATES[-1]}"


def test_a_window_that_the_purge_leaves_empty_is_refused() -> None:
    short = _windows("2019-01-02", "2020-12-31", "2021-01-01", "2021-01-08", "2021-01-09", "2022-05-31")
    with pytest.raises(ConfigError, match="valid window holds no usable session"):
        fixed_split(DAYS, np.arange(len(DAYS)) + 6, short, 5)
