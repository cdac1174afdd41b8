"""Master files: what is built reads back, and layout faults are named."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import WireError
from haetae.domain.market import Instrument, Kind, Market
from haetae.kis.wire import masters

AS_OF = dt.date(2026, 11, 20)
FLAGS = ["halted", "administrative", "liquidation", "unfaithful_disclosure", "short_overheated"]
instruments = st.builds(
    Instrument,
    symbol=st.from_regex(r"[0-9]{4}[0-9A-Z]{2}", fullmatch=True),
    name=st.text(st.characters(whitelist_categories=["Lu"], codec="cp949"), min_size=1, max_size=15)
    | st.sampled_from(["삼성전자", "한화에어로스페이스", "SK하이닉스우"]),
    market=st.sampled_from([Market.KOSPI, Market.KOSDAQ]),
    kind=st.sampled_from([Kind.COMMON, Kind.PREFERRED, Kind.ETF, Kind.ETN, Kind.SPAC, Kind.REIT]),
    listed_on=st.dates(dt.date(1956, 3, 3), AS_OF),
    base_price=st.integers(1, 5_000_000),
    shares_outstanding=st.integers(1, 10**7).map(lambda n: n * 1_000),
    sector=st.sampled_from(["", "0013", "1009"]),
    lot=st.just(1),
    flags=st.builds(
        lambda words, alarm: frozenset(words) | alarm,
        st.lists(st.sampled_from(FLAGS)),
        st.sampled_from([frozenset(), frozenset({"caution"}), frozenset({"warning"}), frozenset({"danger"})]),
    ),
    as_of=st.just(AS_OF),
)


@given(st.lists(instruments, max_size=8, unique_by=lambda one: one.symbol))
def test_what_a_server_builds_a_client_reads_back(listed):
    for market in (Market.KOSPI, Market.KOSDAQ):
        expected = sorted((one for one in listed if one.market is market), key=lambda one: one.symbol)
        assert list(masters.parse_master(market, masters.build_master(market, listed), AS_OF)) == expected


def test_equal_content_gives_equal_bytes(samsung):
    assert masters.build_master(Market.KOSPI, [samsung]) == masters.build_master(Market.KOSPI, [samsung])


def test_line_widths_are_those_of_the_official_layout(samsung):
    kospi = masters.build_lines(Market.KOSPI, [masters.from_instrument(samsung)])
    kosdaq = masters.build_lines(Market.KOSDAQ, [masters.from_instrument(samsung)])
    assert (len(kospi) - 1, len(kosdaq) - 1) == (288, 282)
    assert (len(masters.LAYOUTS[Market.KOSPI]), len(masters.LAYOUTS[Market.KOSDAQ])) == (70, 64)


def test_a_korean_name_does_not_shift_the_tail(samsung):
    named = dataclasses.replace(samsung, name="가나다라마바사아자차카타파하가나다라마바사아자차")
    (read,) = masters.parse_master(Market.KOSPI, masters.build_master(Market.KOSPI, [named]), AS_OF)
    assert read.base_price == samsung.base_price
    assert named.name.startswith(read.name)


def test_an_etn_loses_its_leading_letter_and_funds_are_left_out(samsung):
    fund = masters.MasterLine("F70100026", "KR5", "펀드", dict(masters.from_instrument(samsung).tail) | {"group": "MF"})
    assert masters.to_instrument(fund, Market.KOSPI, AS_OF) is None
    etn = masters.from_instrument(dataclasses.replace(samsung, symbol="500001", kind=Kind.ETN))
    assert etn.code == "Q500001"
    assert masters.to_instrument(etn, Market.KOSPI, AS_OF).symbol == "500001"


def test_a_line_of_a_wrong_length_is_named(samsung):
    blob = masters.build_lines(Market.KOSPI, [masters.from_instrument(samsung)])
    with pytest.raises(WireError, match="line 2 has 10 bytes"):
        masters.parse_lines(Market.KOSPI, blob + b"x" * 10 + b"\n")


def test_a_download_that_is_no_zip_is_refused():
    with pytest.raises(WireError):
        masters.unpack(b"<html>", Market.KOSPI)
