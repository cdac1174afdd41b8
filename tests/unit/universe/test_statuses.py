"""Status words of a day: the newer source counts, and none of a later day."""

from __future__ import annotations

import datetime as dt

import pytest

from haetae.domain.market import Instrument, Kind, Market
from haetae.universe import NO_STATUSES, Statuses
from haetae.universe.statuses import flags_on

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2026, 11, day) for day in (16, 17, 18))


def listed(as_of: dt.date, *flags: str) -> Instrument:
    return Instrument(
        "000010", "이름", Market.KOSPI, Kind.COMMON, dt.date(2010, 1, 4), 0, 1, flags=frozenset(flags), as_of=as_of
    )


def told(*rows: tuple[dt.date, str]) -> Statuses:
    return Statuses.of(["000010"] * len(rows), [int(f"{day:%Y%m%d}") for day, _ in rows], [word for _, word in rows])


@pytest.mark.parametrize(
    ("instrument", "rows", "expected"),
    [
        (listed(MONDAY, "halted"), [], {"halted"}),
        (listed(MONDAY, "halted"), [(TUESDAY, "listed")], {"listed"}),
        (listed(TUESDAY), [(MONDAY, "halted")], set()),
        (listed(MONDAY), [(TUESDAY, "halted"), (TUESDAY, "administrative")], {"halted", "administrative"}),
        (listed(TUESDAY, "caution"), [(TUESDAY, "listed")], {"caution", "listed"}),
        (listed(MONDAY, "unfaithful_disclosure", "halted"), [(TUESDAY, "listed")], {"unfaithful_disclosure", "listed"}),
        (listed(MONDAY), [(WEDNESDAY, "halted")], set()),
        (listed(WEDNESDAY, "halted"), [(MONDAY, "warning")], {"warning"}),
        (listed(WEDNESDAY, "halted"), [], set()),
    ],
    ids=[
        "the list alone",
        "a newer call clears",
        "a newer list clears",
        "words of one call stand together",
        "of one day both count",
        "the call cannot clear unfaithful disclosure",
        "a call of tomorrow is not read",
        "a list of tomorrow is not read, the call before it is",
        "nothing is known",
    ],
)
def test_the_words_that_hold_on_tuesday(
    instrument: Instrument, rows: list[tuple[dt.date, str]], expected: set[str]
) -> None:
    newest = told(*rows).on(TUESDAY) if rows else NO_STATUSES.on(TUESDAY)
    assert set(flags_on(TUESDAY, instrument, newest.get("000010"))) == expected


def test_each_word_bears_the_day_it_was_told() -> None:
    newest = told((MONDAY, "halted"), (TUESDAY, "caution")).on(WEDNESDAY)["000010"]
    found = flags_on(WEDNESDAY, listed(MONDAY, "unfaithful_disclosure"), newest)
    assert found == {"unfaithful_disclosure": MONDAY, "caution": TUESDAY}
