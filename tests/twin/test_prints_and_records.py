"""The bulk pass over trade frames and the decoder of one record read the same, and refuse the same."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import WireError
from haetae.domain.units import yyyymmdd
from haetae.kis.wire.frames import Revision, build_frame, parse_frame, records
from haetae.kis.wire.prints import COLUMNS, read_prints
from haetae.kis.wire.records import TradeRecord

numbers = st.integers(0, 10**12)
prices = st.integers(1, 10**7)


@st.composite
def trades(draw: st.DrawFn) -> TradeRecord:
    volume, total = sorted((draw(numbers), draw(numbers)))
    price = draw(prices)
    rest = [draw(prices) for _ in range(5)] + [draw(numbers), draw(numbers)]
    return TradeRecord(
        draw(st.from_regex(r"[0-9A-Z]{6,7}", fullmatch=True)),
        draw(st.dates(dt.date(1999, 1, 1), dt.date(2099, 12, 31))),
        draw(st.sampled_from([0, 90_000, 93_005, 153_000, 235_959])),
        price,
        volume,
        total,
        draw(numbers),
        *rest,
        base=draw(prices),
        halted=draw(st.booleans()),
        vi_reference=draw(prices),
    )


tails = st.lists(st.text("0123456789.ABZ-", max_size=6), max_size=40)


def row_of(trade: TradeRecord) -> list[int]:
    known = {**dataclasses.asdict(trade), "day": yyyymmdd(trade.day)}
    return [int(known[name]) for name in COLUMNS]


@given(st.lists(trades(), min_size=1, max_size=20), tails, st.sampled_from(["", "^"]))
def test_every_record_of_every_width_reads_the_same(sent: list[TradeRecord], tail: list[str], end: str) -> None:
    rows = [[*trade.encode(Revision.JUNE_2026), *tail] for trade in sent]
    if tail and not tail[-1] and len(sent) == 1:
        end = ""  # one record's blank last value and a trailing separator look alike
    frame = parse_frame(build_frame("H0STCNT0", rows) + end)
    found = read_prints(frame)
    assert list(found.symbols) == [trade.symbol for trade in sent]
    assert found.values.tolist() == [row_of(trade) for trade in sent]
    market_class = tail[0] if tail else ""
    wanted = [dataclasses.replace(trade, market_class=market_class) for trade in sent]
    assert [TradeRecord.decode(values) for values in records(frame)] == wanted


def verdicts(text: str) -> tuple[object, object]:
    """Return what each makes of a message: rows, or that it is refused."""
    try:
        frame = parse_frame(text)
    except WireError:
        return "refused", "refused"
    try:
        found = read_prints(frame)
        bulk: object = [[name, *row] for name, row in zip(found.symbols, found.values.tolist(), strict=True)]
    except WireError as fault:
        bulk = "defect" if "one by one" in str(fault) else "refused"
    try:
        single: object = [[(t := TradeRecord.decode(values)).symbol, *row_of(t)] for values in records(frame)]
    except WireError:
        single = "refused"
    return bulk, single


@given(st.lists(trades(), min_size=1, max_size=20), tails, st.data())
def test_a_frame_that_is_cut_anywhere_is_read_whole_or_refused_never_shifted(
    sent: list[TradeRecord], tail: list[str], data: st.DataObject
) -> None:
    text = build_frame("H0STCNT0", [[*trade.encode(), *tail] for trade in sent])
    cut = text[: data.draw(st.integers(0, len(text)))]
    bulk, single = verdicts(cut)
    assert bulk == single
    if bulk != "refused":
        assert isinstance(bulk, list)
        # The last value of all may be cut itself; of a narrow record that is the VI reference.
        assert [row[:-1] for row in bulk] == [[trade.symbol, *row_of(trade)[:-1]] for trade in sent]
        assert bulk[:-1] == [[trade.symbol, *row_of(trade)] for trade in sent[:-1]]


@given(st.lists(trades(), min_size=1, max_size=20), st.integers(1, 40))
def test_a_wrong_count_is_refused_never_shifted(sent: list[TradeRecord], count: int) -> None:
    text = build_frame("H0STCNT0", [trade.encode() for trade in sent])
    wrong = text.replace(f"|{len(sent):03d}|", f"|{count:03d}|", 1)
    bulk, single = verdicts(wrong)
    assert bulk == single
    assert (bulk == "refused") is (count != len(sent))


ODD = [
    "00593",
    "0059301",
    "00593012",
    "00593a",
    "00593-",
    "0000000",
    "",
    " ",
    "-",
    "-5",
    "+5",
    "0",
    "00",
    " 7",
    "7 ",
    "1_0",
    "1e5",
    "NaN",
    "٣",
    "7.0",
    "9" * 18,
    "9" * 19,
    "가",
    "Y",
    "\0",
]


@pytest.mark.parametrize("place", range(47))
def test_one_odd_value_is_judged_the_same(place: int) -> None:
    good = TradeRecord("005930", dt.date(2026, 1, 2), 90_000, 71_000, 5, 900, *[10**6] * 9).encode()
    for text in ODD:
        values = list(good)
        values[place] = text
        for before in (0, 2):
            bulk, single = verdicts(build_frame("H0STCNT0", [*[good] * before, values]))
            assert bulk == single, text


@given(trades(), st.integers(0, 46), st.text(max_size=4).filter(lambda text: "^" not in text), st.integers(0, 3))
def test_any_odd_value_is_judged_the_same(trade: TradeRecord, place: int, text: str, before: int) -> None:
    values = trade.encode()
    values[place] = text
    bulk, single = verdicts(build_frame("H0STCNT0", [*[trade.encode()] * before, values]))
    assert bulk == single


@given(st.integers(0, 99_999_999), st.integers(0, 999_999))
def test_days_and_clocks_exist_for_both_or_for_neither(day: int, clock: int) -> None:
    values = TradeRecord("005930", dt.date(2026, 1, 2), 1, *[10] * 12).encode()
    values[1], values[33] = str(clock), str(day)
    bulk, single = verdicts(build_frame("H0STCNT0", [values]))
    assert bulk == single


@pytest.mark.parametrize("year", [1900, 2000, 2023, 2024])
def test_leap_days_are_those_of_the_calendar(year: int) -> None:
    values = TradeRecord("005930", dt.date(2026, 1, 2), 1, *[10] * 12).encode()
    values[33] = f"{year}0229"
    bulk, single = verdicts(build_frame("H0STCNT0", [values]))
    assert bulk == single
    assert (bulk != "refused") is (year in (2000, 2024))


def test_values_are_whole_numbers_of_64_bits() -> None:
    trade = TradeRecord("005930", dt.date(2026, 1, 2), 90_000, *[10] * 12)
    found = read_prints(parse_frame(build_frame("H0STCNT0", [trade.encode()])))
    assert found.values.dtype == np.int64
    assert found.values.shape == (1, len(COLUMNS))
