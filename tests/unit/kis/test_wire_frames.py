"""Data frames, encryption, control messages and typed records."""

import contextlib
import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import WireError
from haetae.domain.orders import Side
from haetae.kis.wire import control
from haetae.kis.wire.frames import (
    BOOKS,
    NOTICES,
    STREAMS,
    TRADES,
    CipherKey,
    Revision,
    build_frame,
    decrypt,
    encrypt,
    is_data,
    parse_frame,
    records,
)
from haetae.kis.wire.market_records import ExpectedRecord, IndexRecord, NavRecord, StatusRecord
from haetae.kis.wire.prints import read_prints
from haetae.kis.wire.records import BookRecord, NoticeRecord, TradeRecord
from real_bars import SHARED

FRAMES = SHARED / "kis_raw" / "ws_frames.jsonl"
DOCUMENTED = Path(__file__).with_name("documented_frames.jsonl")
KEY = CipherKey("k" * 32, "i" * 16)

won = st.integers(1, 2_000_000)
shares = st.integers(0, 10**9)
volumes = st.tuples(shares, shares).map(sorted)
trades = st.builds(
    lambda volumes, **rest: TradeRecord(volume=volumes[0], cumulative_volume=volumes[1], **rest),
    volumes=volumes,
    symbol=st.from_regex(r"[0-9][0-9A-Z]{5}", fullmatch=True),
    day=st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
    clock=st.sampled_from([90000, 93005, 152959, 153000]),
    price=won,
    cumulative_turnover=st.integers(0, 10**14),
    open=won,
    high=won,
    low=won,
    ask=won,
    bid=won,
    ask_size=shares,
    bid_size=shares,
    base=won,
    halted=st.booleans(),
    vi_reference=st.integers(0, 2_000_000),
    market_class=st.sampled_from("1235"),
)
notices = st.builds(
    NoticeRecord,
    customer=st.just("tester"),
    account=st.just("5012345601"),
    number=st.integers(1, 10**10 - 1),
    original=st.integers(0, 10**10 - 1),
    side=st.sampled_from(Side),
    symbol=st.from_regex(r"[0-9]{6}", fullmatch=True),
    quantity=st.integers(0, 10**9),
    price=st.integers(0, 10**8),
    clock=st.sampled_from([90001, 120000, 153000]),
    executed=st.booleans(),
    order_quantity=st.integers(1, 10**8),
    order_price=st.integers(0, 10**8),
    change=st.sampled_from("012"),
    refused=st.booleans(),
    acceptance=st.sampled_from("123"),
    name=st.sampled_from(["삼성전자", "SK하이닉스"]),
)


@given(st.lists(trades, min_size=1, max_size=20), st.sampled_from(Revision))
def test_trades_survive_a_frame_of_one_or_many_records_in_every_revision(sent, revision):
    frame = parse_frame(build_frame("H0STCNT0", [trade.encode(revision) for trade in sent]))
    got = records(frame)
    assert all(len(values) == TRADES.widths[revision] for values in got)
    told = [TradeRecord.decode(values) for values in got]
    if revision is not Revision.SEPTEMBER_2026:
        sent = [dataclasses.replace(trade, market_class="") for trade in sent]
    assert told == sent


@given(st.lists(notices, min_size=1, max_size=5), st.sampled_from(Revision))
def test_notices_survive_encryption_in_every_revision(sent, revision):
    text = build_frame("H0STCNI0", [notice.encode(revision) for notice in sent], KEY)
    assert "삼성전자" not in text
    got = records(parse_frame(text), KEY)
    assert all(len(values) == NOTICES.widths[revision] for values in got)
    assert [NoticeRecord.decode(values) for values in got] == sent


@given(st.text(max_size=200))
def test_encryption_is_reversible(text):
    assert decrypt(encrypt(text, KEY), KEY) == text


def test_a_wrong_key_is_refused_and_never_shown():
    with pytest.raises(WireError):
        decrypt(encrypt("x" * 40, KEY), CipherKey("q" * 32, "i" * 16))
    assert "kkk" not in repr(KEY)


@pytest.mark.parametrize("revision", Revision)
def test_a_book_survives_with_missing_levels_as_zero(revision):
    book = BookRecord("005930", 93000, (71_100, 71_200), (71_000,), (10, 20), (30,), 5)
    values = book.encode(revision)
    assert len(values) == BOOKS.widths[revision]
    back = BookRecord.decode(values)
    assert back.asks[:3] == (71_100, 71_200, 0)
    assert back.bid_sizes[0] == 30
    assert len(back.bids) == 10


@pytest.mark.parametrize("revision", Revision)
def test_market_status_survives(revision):
    status = StatusRecord("005930", True, "거래정지", "174", "58", True)
    assert StatusRecord.decode(status.encode(revision)) == status


@pytest.mark.parametrize("change", [-120, 0, 35])
def test_expectations_levels_and_values_survive(change):
    expected = ExpectedRecord("005930", dt.date(2026, 11, 27), 85_930, 71_000 + change, 12_345, 71_000, 0, "B")
    level = IndexRecord("0001", 100_000, 261_081 + change, change, 5, 6, 261_000, 262_000, 260_000, 500, 20, 300)
    value = NavRecord("069500", 3_612_730 + change, change, 3_600_000, 3_650_000, 3_590_000)
    for record in (expected, level, value):
        values = record.encode()
        assert all(isinstance(text, str) for text in values)
        assert type(record).decode(values) == record


@pytest.mark.parametrize("kind", [ExpectedRecord, IndexRecord, NavRecord])
@pytest.mark.parametrize("values", [["005930"], ["005930", "x"] + ["y"] * 50, []])
def test_a_record_of_the_market_that_does_not_parse_says_so(kind, values):
    with pytest.raises(WireError):
        kind.decode(values)


def test_two_records_with_one_value_missing_are_refused_not_shifted():
    values = ["1"] * (46 * 2 - 1)
    with pytest.raises(WireError, match="do not form"):
        records(parse_frame("0|H0STCNT0|002|" + "^".join(values)))


def test_a_record_narrower_than_any_known_schema_is_refused():
    with pytest.raises(WireError):
        records(parse_frame("0|H0STCNT0|001|" + "^".join(["1"] * 45)))


def test_wider_records_of_a_later_schema_still_read(sample_trade):
    wide = [*sample_trade.encode(), "new", "newer"]
    assert TradeRecord.decode(records(parse_frame(build_frame("H0STCNT0", [wide, wide])))[1]) == sample_trade


def test_a_count_that_is_too_small_is_seen_by_records_as_wide_as_two(sample_trade):
    text = build_frame("H0STCNT0", [sample_trade.encode()] * 4)
    for wrong in ("001", "002"):
        with pytest.raises(WireError, match="do not form"):
            records(parse_frame(text.replace("|004|", f"|{wrong}|")))


def test_a_frame_is_encrypted_where_its_stream_is_and_nowhere_else(sample_trade):
    plain_notice = build_frame("H0STCNI0", [["x"] * 26])
    for text, key in ((plain_notice, KEY), (build_frame("H0STCNT0", [sample_trade.encode()], KEY), KEY)):
        with pytest.raises(WireError, match="encrypted"):
            records(parse_frame(text), key)


@pytest.mark.parametrize("payload", ["not base64!", "YWJj", "", "가나다", "A" * 64])
def test_a_notice_that_does_not_open_is_refused_and_not_shown(payload):
    with pytest.raises(WireError) as caught:
        records(parse_frame(f"1|H0STCNI0|001|{payload}"), KEY)
    assert not payload or payload not in caught.value.found


def test_a_notice_of_a_later_schema_keeps_its_price_and_name():
    notice = NoticeRecord(
        "u", "5012345601", 7, 0, Side.BUY, "005930", 3, 71_000, 93_000, True, 10, 71_100, name="삼성전자"
    )
    wide = [*notice.encode(), "new"]
    assert NoticeRecord.decode(wide) == notice


@pytest.mark.parametrize("odd", [" 71000", "71_000", "-", "", "1e5", "NaN", "+5", "٣", "7.5", "9" * 19])
@pytest.mark.parametrize("place", [2, 12, 13, 14, 7])
def test_a_number_that_is_not_digits_alone_is_refused(sample_trade, odd, place):
    values = sample_trade.encode()
    values[place] = odd
    with pytest.raises(WireError, match="005930"):
        TradeRecord.decode(values)


def test_a_price_of_nothing_and_shares_from_nowhere_are_refused(sample_trade):
    for place, text in (
        (2, "0"),
        (2, "-71200"),
        (12, "1001"),
        (1, "246000"),
        (33, "20261332"),
        (0, "2"),
        (0, "005 30"),
    ):
        values = sample_trade.encode()
        values[place] = text
        with pytest.raises(WireError):
            TradeRecord.decode(values)


def test_a_trailing_separator_is_tolerated(sample_trade):
    text = build_frame("H0STCNT0", [sample_trade.encode(), sample_trade.encode()]) + "^"
    assert [TradeRecord.decode(values) for values in records(parse_frame(text))] == [sample_trade, sample_trade]


@pytest.mark.parametrize(
    "text",
    [
        *("0|H0STCNT0|000|1", "0|H0STCNT0|1", "2|H0STCNT0|001|1", "0|H0STCNT0|abc|1", "{}", ""),
        *("0|H0STCNT0|²|1", "0|H0STCNT0|٣|1", "0|H0STCNT0|-1|1", "0|H0STCNT0|+1|1", "0|H0STCNT0|1_0|1"),
        "0|H0STCNT0|" + "9" * 5_000 + "|1",
    ],
)
def test_a_malformed_head_is_refused(text):
    with pytest.raises(WireError):
        parse_frame(text)


def test_control_messages_survive_both_ways():
    asked = control.Subscription("key", "H0STCNT0", "005930", register=True)
    assert control.read_subscription(control.build_subscription(asked)) == asked
    ack = control.Ack("H0STCNI0", "tester", "0", control.SUBSCRIBED, "SUBSCRIBE SUCCESS", KEY)
    assert control.read_control(control.build_ack(ack)) == ack
    ping = control.build_ping("20261123090000")
    assert control.read_control(ping) == control.Ping(ping)
    assert not is_data(ping)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "OPSP9999"),
        ("{}", "OPSP9998"),
        ('{"header": {}}', "OPSP9992"),
        ('{"header": {}, "body": {}}', "OPSP9991"),
        ('{"header": {"tr_type": "9"}, "body": {"input": {}}}', "OPSP8997"),
        ('{"header": {"tr_type": "1"}, "body": {"input": {"tr_id": "H0STCNT0"}}}', "OPSP8993"),
    ],
)
def test_a_server_names_what_is_wrong_with_a_subscription(text, code):
    assert control.read_subscription(text) == code


def test_a_cipher_key_that_fits_no_cipher_is_none():
    for key, iv in (("k" * 31, "i" * 16), (5, "i" * 16), ("k" * 32, None), ("ㅋ" * 32, "i" * 16), ("", "")):
        message = {
            "header": {"tr_id": "H0STCNI0", "tr_key": "u"},
            "body": {"rt_cd": "0", "msg_cd": "OPSP0000", "output": {"key": key, "iv": iv}},
        }
        assert control.read_control(json.dumps(message)).key is None


RECORDS = (TradeRecord, BookRecord, NoticeRecord, StatusRecord, ExpectedRecord, IndexRecord, NavRecord)
fuzz = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")),
    st.text(alphabet="01|^H0STCNTI9 ", max_size=200),
    st.builds(
        "{}|{}|{}|{}".format, st.sampled_from("01"), st.sampled_from(sorted(STREAMS)), st.text(max_size=4), st.text()
    ),
)


@given(fuzz)
def test_no_bytes_raise_anything_but_a_wire_error(text):
    try:
        frame = parse_frame(text)
        for values in records(frame, KEY):
            for kind in RECORDS:
                with contextlib.suppress(WireError):
                    kind.decode(values)
        if frame.tr_id == TRADES.real:
            read_prints(frame)
    except WireError:
        pass
    with contextlib.suppress(WireError):
        control.read_control(text)
    assert isinstance(control.read_subscription(text), str | control.Subscription)


def test_a_message_that_is_nothing_known_is_refused():
    for text in ("", "[]", '{"header": {}}', "null", "[" * 100_000):
        with pytest.raises(WireError):
            control.read_control(text)


@pytest.mark.realdata
@pytest.mark.skipif(not FRAMES.exists(), reason=f"recorded KIS frames are not at {FRAMES}")
def test_recorded_frames_of_the_real_server_decode():
    check_recorded(FRAMES)


def test_the_broker_s_own_example_decodes():
    check_recorded(DOCUMENTED)


def check_recorded(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        recorded = json.loads(line)
        (values,) = records(parse_frame(recorded["frame"]))
        if recorded["tr_id"] == "H0STCNT0":
            trade = TradeRecord.decode(values)
            assert trade.base == recorded["check"]["price_minus_change"]
            assert trade.low <= trade.price <= trade.high
            assert list(read_prints(parse_frame(recorded["frame"])).symbols) == [trade.symbol]
            assert abs(trade.cumulative_turnover / trade.cumulative_volume - recorded["check"]["vwap"]) < 0.01
        else:
            book = BookRecord.decode(values)
            assert sum(book.ask_sizes) == recorded["check"]["sum_ask"]
            assert book.asks[0] > book.bids[0]
