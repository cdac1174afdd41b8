"""Faults of registrations and frames, seen by a client that reads the socket."""

import pytest

from haetae.domain.errors import WireError
from haetae.kis.wire.control import Subscription, build_subscription
from haetae.kis.wire.frames import decrypt, parse_frame, records
from haetae.kis.wire.records import BookRecord, NoticeRecord, TradeRecord
from unit.emulator.service_rig import KEY, shared_world
from unit.emulator.wire_rig import Client, collect, register, rows_of, running

BOTH = 'where = { symbol = "005930" }\n'


async def watched(client: Client, ws, *symbols: str, tr_id: str = "H0STCNT0") -> None:
    approval = await client.approval()
    for symbol in symbols:
        assert (await register(ws, approval, tr_id, symbol)).rt_cd == "0"


async def frames_of(toml: str, *symbols: str, tr_id: str = "H0STCNT0", seconds: float = 60) -> list[str]:
    """Return the frames of one minute with a fault armed after the registrations."""
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
        await watched(client, ws, *symbols, tr_id=tr_id)
        if toml:
            await client.arm(toml)
        sent = (await client.to(seconds))["ws_sent"][KEY]
        frames = await collect(ws)
        assert len(frames) == sent
        return frames


@pytest.mark.parametrize("registered", [False, True])
async def test_t17_an_ack_is_missing(registered: bool) -> None:
    what = f'what = {{ how = "missing", registered = {str(registered).lower()} }}'
    async with (
        running(f'[[fault]]\nid = "T17"\n{what}\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        asked = Subscription(await client.approval(), "H0STCNT0", "005930", register=True)
        await ws.send_str(build_subscription(asked))
        with pytest.raises(TimeoutError):
            await ws.receive(timeout=0.2)
        await client.to(60)
        assert bool(await collect(ws)) is registered
        assert (await client.control("/lines"))[0]["registrations"] == int(registered)


@pytest.mark.parametrize(("how", "code", "rt_cd"), [("error", "OPSP0007", "1"), ("in_use", "OPSP8996", "9")])
async def test_t17_an_ack_is_an_error_and_nothing_is_registered(how: str, code: str, rt_cd: str) -> None:
    async with (
        running(f'[[fault]]\nid = "T17"\nwhat = {{ how = "{how}" }}\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        approval = await client.approval()
        ack = await register(ws, approval, "H0STCNT0", "005930")
        assert (ack.code, ack.rt_cd) == (code, rt_cd)
        assert (await client.control("/lines"))[0]["registrations"] == 0
        assert (await register(ws, approval, "H0STCNT0", "005930")).code == "OPSP0000"


async def test_t17_strikes_the_stream_it_names_only() -> None:
    async with (
        running('[[fault]]\nid = "T17"\nwhere = { stream = "H0STCNI0" }\nwhat = { how = "error" }\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        approval = await client.approval()
        assert (await register(ws, approval, "H0STCNT0", "005930")).code == "OPSP0000"
        assert (await register(ws, approval, "H0STCNI0", "id")).code == "OPSP0007"


async def test_t18_frames_come_twice_out_of_order_or_late() -> None:
    plain = await frames_of("", "005930")
    assert len(plain) == 4
    twice = await frames_of('[[fault]]\nid = "T18"\nwhen = { frame = 2 }\nwhat = { how = "duplicated" }\n', "005930")
    assert twice == [plain[0], plain[1], plain[1], plain[2], plain[3]]
    swapped = await frames_of('[[fault]]\nid = "T18"\nwhen = { frame = 2 }\nwhat = { how = "reordered" }\n', "005930")
    assert swapped == [plain[0], plain[2], plain[1], plain[3]]
    late = '[[fault]]\nid = "T18"\nclock = "market"\nwhen = { frame = 1 }\nwhat = { how = "delayed", seconds = 20 }\n'
    assert await frames_of(late, "005930") == [plain[1], plain[0], plain[2], plain[3]]


async def test_t18_a_delay_on_the_machines_clock_arrives_with_the_clock_standing() -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
        await watched(client, ws, "005930")
        await client.arm('[[fault]]\nid = "T18"\nwhat = { how = "delayed", seconds = 0.3 }\n')
        await client.to(15)
        assert await collect(ws, 0.1) == []
        assert len(await collect(ws, 0.5)) == 1


@pytest.mark.parametrize("most", [1, 3, 20])
async def test_t19_no_frame_has_more_records_than_wanted(most: int) -> None:
    symbols = shared_world().symbols[:12]
    plain = rows_of(await frames_of("", *symbols))
    frames = await frames_of(f'[[fault]]\nid = "T19"\nwhat = {{ records = {most} }}\ntimes = 0\n', *symbols)
    counts = [parse_frame(text).count for text in frames]
    assert max(counts) == min(most, 12)
    assert rows_of(frames) == plain


@pytest.mark.parametrize("off", [1, -1, 3])
async def test_t19_a_wrong_count_does_not_divide(off: int) -> None:
    frames = await frames_of(f'[[fault]]\nid = "T19"\nwhat = {{ count = {off} }}\n', "005930", "000660")
    told = [(frame.count, len(frame.payload.split("^")) // 47) for frame in map(parse_frame, frames)]
    assert told == [(2 + off, 2), *[(2, 2)] * (len(frames) - 1)]


@pytest.mark.parametrize("how", ["wrong_key", "bad_padding", "plain"])
async def test_t20_a_notice_does_not_open(how: str) -> None:
    async with (
        running(f'[[fault]]\nid = "T20"\nwhat = {{ how = "{how}" }}\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        key = (await register(ws, await client.approval(), "H0STCNI0", "id")).key
        await client.buy()
        await client.to(30)
        first, *others = [parse_frame(text) for text in await collect(ws)]
        assert first.encrypted
        with pytest.raises(WireError):
            NoticeRecord.decode(records(first, key)[0])
        assert (first.payload.count("^") > 20) is (how == "plain")
        assert NoticeRecord.decode(records(others[0], key)[0]).executed
        assert decrypt(others[0].payload, key)


@pytest.mark.parametrize("how", ["zero_ask", "zero_bid", "crossed"])
async def test_m06_books_lack_a_side_or_cross_in_the_stream(how: str) -> None:
    toml = f'[[fault]]\nid = "M06"\n{BOTH}what = {{ how = "{how}" }}\ntimes = 0\n'
    books = [BookRecord.decode(row) for row in rows_of(await frames_of(toml, "005930", tr_id="H0STASP0"), "H0STASP0")]
    trades = [TradeRecord.decode(row) for row in rows_of(await frames_of(toml, "005930", "000660"))]
    assert books
    for book in books:
        assert (book.asks[0] == 0) is (how == "zero_ask")
        assert (book.bids[0] == 0) is (how == "zero_bid")
        assert (book.bids[0] > book.asks[0] > 0) is (how == "crossed")
        assert (sum(book.ask_sizes) == 0) is (how == "zero_ask")
    for trade in trades:
        hit = trade.symbol == "005930"
        assert (trade.ask == 0) is (hit and how == "zero_ask")
        assert (trade.bid == 0) is (hit and how == "zero_bid")
        assert (trade.bid > trade.ask > 0) is (hit and how == "crossed")
    assert {trade.symbol for trade in trades} == {"005930", "000660"}


async def test_m06_strikes_queries_too() -> None:
    async with running(f'[[fault]]\nid = "M06"\n{BOTH}what = {{ how = "zero_bid" }}\ntimes = 0\n') as client:
        path = "/uapi/domestic-stock/v1/quotations/"
        book = await client.get(f"{path}inquire-asking-price-exp-ccn?FID_INPUT_ISCD=005930", "FHKST01010200")
        assert book["output1"]["bidp1"] == "0" != book["output1"]["askp1"]
        asked = "FID_INPUT_ISCD_1=005930&FID_INPUT_ISCD_2=000660"
        rows = (await client.get(f"{path}intstock-multprice?{asked}", "FHKST11300006"))["output"]
        assert [row["inter2_bidp"] == "0" for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("what", "check"),
    [
        ('how = "zero"', lambda wrong, right: wrong == 0),
        ('how = "negative"', lambda wrong, right: wrong == -right),
        ('how = "times", factor = 10', lambda wrong, right: wrong == 10 * right),
        ('how = "other", symbol = "000660"', lambda wrong, right: wrong > 0 and wrong != right),
    ],
)
async def test_m07_prices_that_cannot_be(what: str, check) -> None:
    plain = rows_of(await frames_of("", "005930"))
    toml = f'[[fault]]\nid = "M07"\n{BOTH}what = {{ {what} }}\ntimes = 2\n'
    struck = rows_of(await frames_of(toml, "005930"))
    for place, (wrong, right) in enumerate(zip(struck, plain, strict=True)):
        assert check(int(wrong[2]), int(right[2])) if place < 2 else wrong == right
        assert int(wrong[2]) - int(wrong[4]) == int(right[2]) - int(right[4])
    async with running(toml) as client:
        path = "/uapi/domestic-stock/v1/quotations/inquire-price?FID_INPUT_ISCD="
        right = client.service.core.board.sight("005930").last
        wrong = int((await client.get(f"{path}005930", "FHKST01010100"))["output"]["stck_prpr"])
        other = int((await client.get(f"{path}000660", "FHKST01010100"))["output"]["stck_prpr"])
        assert check(wrong, right)
        assert other == client.service.core.board.sight("000660").last


async def test_counters_tell_what_was_struck_and_a_fault_can_be_taken_back() -> None:
    async with (
        running('[[fault]]\nid = "T18"\nwhat = { how = "duplicated" }\ntimes = 0\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        await watched(client, ws, "005930")
        await client.to(30)
        (fault,) = await client.control("/faults")
        assert (fault["id"], fault["seen"], fault["fired"], fault["left"]) == ("T18", 2, 2, None)
        assert fault["last"][0]["what"] == "H0STCNT0 005930"
        assert fault["last"][0]["clock"] == "100015"
        assert await client.control(f"/faults/{fault['key']}", method="DELETE") == {"disarmed": 1}
        await client.to(30)
        assert len(await collect(ws)) == 4 + 2
        assert "expected" in await client.control(f"/faults/{fault['key']}", method="DELETE")


async def test_faults_of_one_domain_leave_the_other_alone() -> None:
    async with (
        running('[[fault]]\nid = "T15"\nwhere = { domain = "mock" }\nwhat = { code = 1001 }\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        await watched(client, ws, "005930")
        await client.to(15)
        assert len(await collect(ws)) == 1
