"""Streams beside trades: expected prices, status, indices, fund values, as a client reads them."""

import pytest

from haetae.domain.market import Kind
from haetae.domain.units import instant_at
from haetae.emulator.interventions import Trip
from haetae.emulator.server import build_world
from haetae.kis.wire.market_records import ExpectedRecord, IndexRecord, NavRecord, StatusRecord
from haetae.kis.wire.records import BookRecord, TradeRecord
from unit.emulator.service_rig import DAY, SECRET, SMALL, shared_world
from unit.emulator.wire_rig import collect, register, rows_of, running

SYMBOL = "005930"


def fund() -> str:
    return next(item.symbol for item in shared_world().instruments if item.kind is Kind.ETF)


async def frames_from(
    clock: int, seconds: float, *wanted: tuple[str, str], events=(), world=None, **changes
) -> list[str]:
    """Return what comes on a real stream in some market seconds after a time of day."""
    async with (
        running(start=instant_at(DAY, clock), world=world, **changes) as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        approval = await client.approval()
        for tr_id, key in wanted:
            assert (await register(ws, approval, tr_id, key)).rt_cd == "0"
        for event in events:
            client.service.core.board.script(event)
        await client.to(seconds)
        return await collect(ws)


async def test_opening_auction_tells_what_it_expects_and_no_trade() -> None:
    frames = await frames_from(84_000, 19 * 60, ("H0STANC0", SYMBOL), ("H0STCNT0", SYMBOL), ("H0STASP0", SYMBOL))
    told = [ExpectedRecord.decode(row) for row in rows_of(frames, "H0STANC0")]
    assert len(told) > 20
    assert rows_of(frames, "H0STCNT0") == []
    assert {record.hour_class for record in told} == {"B"}
    assert len({record.price for record in told}) > 3
    assert all(84_000 < record.clock < 90_000 and record.volume > 0 for record in told)
    assert len(rows_of(frames, "H0STASP0")) == len(told)
    grown = [record.volume for record in told]
    assert grown[-1] > grown[0]


async def test_closing_auction_ends_in_one_trade_at_its_price() -> None:
    frames = await frames_from(152_500, 330, ("H0STANC0", SYMBOL), ("H0STCNT0", SYMBOL))
    told = [ExpectedRecord.decode(row) for row in rows_of(frames, "H0STANC0")]
    assert {record.hour_class for record in told} == {"C"}
    (close,) = [TradeRecord.decode(row) for row in rows_of(frames, "H0STCNT0")]
    assert close.clock == 153_000
    assert abs(told[-1].price / close.price - 1) < 0.02


async def test_continuous_trading_expects_nothing() -> None:
    assert rows_of(await frames_from(100_000, 120, ("H0STANC0", SYMBOL)), "H0STANC0") == []


async def test_an_interruption_is_announced_expected_and_released() -> None:
    world = build_world(SMALL)
    trip = Trip(instant_at(DAY, 100_100), SYMBOL)
    wanted = (("H0STMKO0", SYMBOL), ("H0STMKO0", "000660"), ("H0STANC0", SYMBOL), ("H0STCNT0", SYMBOL))
    frames = await frames_from(100_000, 300, *wanted, events=[trip], world=world)
    status = [StatusRecord.decode(row) for row in rows_of(frames, "H0STMKO0")]
    assert [(record.symbol, record.in_vi) for record in status] == [(SYMBOL, True), (SYMBOL, False)]
    expected = [ExpectedRecord.decode(row) for row in rows_of(frames, "H0STANC0")]
    assert expected
    trades = [TradeRecord.decode(row).clock for row in rows_of(frames, "H0STCNT0")]
    first, last = expected[0].clock, expected[-1].clock
    assert not [clock for clock in trades if first < clock <= last]
    assert [clock for clock in trades if clock > last]


async def test_phases_are_announced_to_every_name() -> None:
    frames = await frames_from(85_900, 120, ("H0STMKO0", SYMBOL), ("H0STMKO0", fund()))
    told = [StatusRecord.decode(row) for row in rows_of(frames, "H0STMKO0")]
    for symbol in (SYMBOL, fund()):
        codes = [record.phase_code for record in told if record.symbol == symbol]
        assert "112" in codes
        assert "F01" in codes
        assert codes.index("F01") < codes.index("112")


async def test_indices_move_with_their_names_inside_the_day() -> None:
    frames = await frames_from(100_000, 600, ("H0UPCNT0", "0001"), ("H0UPCNT0", "2001"))
    kospi = [IndexRecord.decode(row) for row in rows_of(frames, "H0UPCNT0") if row[0] == "0001"]
    assert len(kospi) == 40
    assert len({record.level for record in kospi}) > 10
    world, row = shared_world(), shared_world().row[DAY]
    table = world.indices["0001"]
    for record in kospi:
        assert record.low <= record.level <= record.high
        assert table.low[row] <= record.low
        assert record.high <= table.high[row]
        assert record.level - record.change == table.close[row - 1]
        assert record.rising + record.flat + record.falling == len(world.members["0001"])
    assert [record.volume for record in kospi] == sorted(record.volume for record in kospi)
    minutes = world.index_minutes("0001", row)[3]
    assert [record.level for record in kospi[3::4]] == minutes[60:70].tolist()


async def test_fund_values_stand_near_their_prices() -> None:
    symbol = fund()
    frames = await frames_from(100_000, 300, ("H0STNAV0", symbol), ("H0STCNT0", symbol))
    values = [NavRecord.decode(row) for row in rows_of(frames, "H0STNAV0")]
    prices = [TradeRecord.decode(row).price for row in rows_of(frames, "H0STCNT0")]
    assert len(values) == 20
    assert all(record.low <= record.nav <= record.high for record in values)
    assert abs(values[-1].nav / 100 / prices[-1] - 1) < 0.02


@pytest.mark.parametrize(
    ("tr_id", "key", "code"),
    [
        ("H0STNAV0", SYMBOL, "OPSP8992"),
        ("H0UPCNT0", SYMBOL, "OPSP8992"),
        ("H0UPCNT0", "0001", "OPSP0000"),
        ("H0STANC0", "999999", "OPSP8992"),
        ("H0STMKO0", SYMBOL, "OPSP0000"),
        ("H0EWCNT0", SYMBOL, "OPSP8991"),
    ],
)
async def test_streams_take_the_keys_they_know(tr_id: str, key: str, code: str) -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
        assert (await register(ws, await client.approval(), tr_id, key)).code == code


@pytest.mark.parametrize("tr_id", ["H0STANC0", "H0STMKO0", "H0UPCNT0", "H0STNAV0", "H0STCNI0"])
async def test_the_mock_server_does_not_serve_them(tr_id: str) -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_mock']}/") as ws:
        body = {"grant_type": "client_credentials", "appkey": "M" * 36, "secretkey": SECRET}
        approval = (await client.post(f"{client.ready['rest_mock']}/oauth2/Approval", body))["approval_key"]
        assert (await register(ws, approval, tr_id, SYMBOL)).code == "OPSP8991"


async def test_the_aftermarket_prints_with_its_own_class() -> None:
    frames = await frames_from(155_900, 1_800, ("H0STCNT0", SYMBOL), ("H0STASP0", SYMBOL), ("H0STCNT0", fund()))
    rows = rows_of(frames, "H0STCNT0")
    assert rows
    assert {row[0] for row in rows} == {SYMBOL}
    assert {TradeRecord.decode(row).market_class for row in rows} == {"3"}
    assert [BookRecord.decode(row) for row in rows_of(frames, "H0STASP0")]


async def test_registrations_of_every_stream_count_toward_the_limit() -> None:
    async with running() as client, client.session.ws_connect(f"{client.ready['ws_real']}/") as ws:
        approval, symbols = await client.approval(), shared_world().symbols
        for tr_id, count in (("H0STCNT0", 20), ("H0STANC0", 10), ("H0STMKO0", 10)):
            for symbol in symbols[:count]:
                assert (await register(ws, approval, tr_id, symbol)).rt_cd == "0"
        assert (await register(ws, approval, "H0STCNI0", "id")).rt_cd == "0"
        assert (await register(ws, approval, "H0UPCNT0", "0001")).code == "OPSP0008"


async def test_frames_of_many_books_are_longer_than_a_small_reader_takes() -> None:
    symbols = shared_world().symbols[:40]
    frames = await frames_from(100_000, 60, *(("H0STASP0", symbol) for symbol in symbols), frame_records=40)
    assert max(len(frame) for frame in frames) > 8 * 1024
    assert {BookRecord.decode(row).symbol for row in rows_of(frames, "H0STASP0")} <= set(symbols)
