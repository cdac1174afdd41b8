"""Faults of the market: what a client sees of each on the wire, after a script and not before."""

import datetime as dt
import json

import pytest

from haetae.domain.market import Market
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.emulator.core import Core
from haetae.emulator.faults.script import check_script
from haetae.emulator.server import build_world
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.kis.wire.market_records import StatusRecord
from haetae.kis.wire.records import TradeRecord
from unit.emulator.service_rig import DAY, NO_LIMITS, SMALL, Desk
from unit.emulator.wire_rig import collect, register, rows_of, running

SYMBOL, OTHER = "005930", "000660"
WHERE = f'where = {{ symbol = "{SYMBOL}" }}\n'


async def day(toml: str, seconds: float, *streams: str) -> dict[str, list]:
    """Return the records of some streams of both symbols, on a market of its own, from 10:00 on."""
    async with (
        running(toml, world=build_world(SMALL)) as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        approval = await client.approval()
        for tr_id in streams:
            for symbol in (SYMBOL, OTHER):
                await register(ws, approval, tr_id, symbol)
        await client.to(seconds)
        frames = await collect(ws)
        decode = {"H0STCNT0": TradeRecord.decode, "H0STMKO0": StatusRecord.decode}
        return {tr_id: [decode[tr_id](row) for row in rows_of(frames, tr_id)] for tr_id in streams}


def armed(toml: str, clock: int = 100_000) -> Desk:
    desk = Desk(clock, world=build_world(SMALL)).log_in()
    script, mistakes = check_script(toml)
    assert mistakes == []
    for fault in script.faults:
        desk.core.faults.arm(fault)
    desk.core.faults.strike_due()
    return desk


def price(desk: Desk, symbol: str = SYMBOL) -> dict:
    return desk.get("quotations/inquire-price", "FHKST01010100", FID_INPUT_ISCD=symbol)["output"]


def next_morning(desk: Desk) -> Desk:
    days = desk.core.world.days
    desk.at(instant_at(days[days.index(DAY) + 1], 100_000))
    return desk.log_in()


async def test_m01_prices_gap_and_come_back() -> None:
    toml = f'[[fault]]\nid = "M01"\n{WHERE}when = {{ at = "10:01:00" }}\nwhat = {{ bp = 1500, back_minutes = 10 }}\n'
    trades = (await day(toml, 1_200, "H0STCNT0"))["H0STCNT0"]
    mine = [trade for trade in trades if trade.symbol == SYMBOL]
    before = [trade.price for trade in mine if trade.clock < 100_100][-1]
    after = [trade.price for trade in mine if trade.clock >= 100_100]
    assert max(after) > before * 1.10
    assert after[-1] < max(after) * 0.90
    others = [trade.price for trade in trades if trade.symbol == OTHER]
    assert max(others) < min(others) * 1.05


@pytest.mark.parametrize("side", ["upper", "lower"])
async def test_m02_a_name_is_locked_at_its_limit(side: str) -> None:
    what = f'when = {{ at = "10:01:00" }}\nwhat = {{ side = "{side}" }}\n'
    desk = armed(f'[[fault]]\nid = "M02"\n{WHERE}{what}')
    calm = price(desk)
    desk.to(101_500)
    row = price(desk)
    limit = row["stck_mxpr" if side == "upper" else "stck_llam"]
    assert calm["stck_prpr"] != limit
    assert row["stck_prpr"] == limit
    assert row["prdy_vrss_sign"] == ("1" if side == "upper" else "4")
    book = desk.get("quotations/inquire-asking-price-exp-ccn", "FHKST01010200", FID_INPUT_ISCD=SYMBOL)["output1"]
    assert (book["askp1"] == "0") is (side == "upper")
    assert (book["bidp1"] == "0") is (side == "lower")
    kind = {"PDNO": SYMBOL, "ORD_DVSN": "01", "ORD_UNPR": "0", "ORD_QTY": "3"}
    if side == "upper":
        assert desk.order("TTTC0012U", **kind)["rt_cd"] == "0"
        desk.to(102_500)
        assert desk.core.accounts[desk.mode, "12345678", "01"].executions == []


async def test_m03_an_interruption_comes_and_goes() -> None:
    told = await day(f'[[fault]]\nid = "M03"\n{WHERE}when = {{ at = "10:01:00" }}\n', 300, "H0STMKO0", "H0STCNT0")
    assert [(record.symbol, record.in_vi) for record in told["H0STMKO0"]] == [(SYMBOL, True), (SYMBOL, False)]
    clocks = {symbol: [t.clock for t in told["H0STCNT0"] if t.symbol == symbol] for symbol in (SYMBOL, OTHER)}
    assert not [clock for clock in clocks[SYMBOL] if 100_130 < clock < 100_250]
    assert [clock for clock in clocks[OTHER] if 100_130 < clock < 100_250]


def test_m03_waits_for_an_open_order_which_survives() -> None:
    desk = armed(f'[[fault]]\nid = "M03"\n{WHERE}when = {{ state = "order-open" }}\n')
    desk.to(100_500)
    assert desk.core.board.vi_events(DAY) == []
    low = desk.core.board.session.rules.floor_tick(int(desk.core.board.sight(SYMBOL).last * 0.8))
    desk.order("TTTC0012U", PDNO=SYMBOL, ORD_UNPR=str(low), ORD_QTY="2")
    desk.to(100_600)
    assert [symbol for symbol, _ in desk.core.board.vi_events(DAY)] == [SYMBOL]
    desk.to(101_500)
    assert desk.core.accounts[desk.mode, "12345678", "01"].rows[0].working


def test_m04_a_halt_refuses_orders_and_ends() -> None:
    desk = armed(f'[[fault]]\nid = "M04"\n{WHERE}when = {{ at = "10:01:00" }}\nwhat = {{ seconds = 600 }}\n')
    kind = {"PDNO": SYMBOL, "ORD_DVSN": "01", "ORD_UNPR": "0", "ORD_QTY": "1"}
    desk.to(100_200)
    assert price(desk)["temp_stop_yn"] == "Y"
    assert price(desk, OTHER)["temp_stop_yn"] == "N"
    desk.order("TTTC0012U", **kind)
    row = desk.core.accounts[desk.mode, "12345678", "01"].rows[-1]
    assert (row.working, row.rejected) == (False, 1)
    desk.to(103_000)
    assert price(desk)["temp_stop_yn"] == "N"
    desk.order("TTTC0012U", **kind)
    assert desk.core.accounts[desk.mode, "12345678", "01"].rows[-1].working


@pytest.mark.parametrize(
    ("how", "field", "value"),
    [
        ("administrative", "mang_issu_cls_code", "Y"),
        ("warning", "mrkt_warn_cls_code", "02"),
        ("caution", "invt_caful_yn", "Y"),
    ],
)
def test_m04_designations_come_overnight(how: str, field: str, value: str) -> None:
    desk = armed(f'[[fault]]\nid = "M04"\n{WHERE}what = {{ how = "{how}" }}\n')
    assert price(desk)[field] != value
    assert price(next_morning(desk))[field] == value


def test_m04_a_delisted_name_is_gone_in_the_morning() -> None:
    desk = armed(f'[[fault]]\nid = "M04"\n{WHERE}what = {{ how = "delisted" }}\n')
    assert price(desk)["stck_shrn_iscd"] == SYMBOL
    next_morning(desk)
    body = desk.get("quotations/inquire-price", "FHKST01010100", FID_INPUT_ISCD=SYMBOL)
    assert body["msg_cd"] == "APBK0656"


async def test_m05_the_breaker_stops_both_markets() -> None:
    told = await day('[[fault]]\nid = "M05"\nwhen = { at = "10:01:00" }\n', 1_500, "H0STMKO0", "H0STCNT0")
    codes = [record.phase_code for record in told["H0STMKO0"] if record.symbol == SYMBOL]
    assert "174" in codes
    clocks = [trade.clock for trade in told["H0STCNT0"]]
    assert [clock for clock in clocks if clock < 100_100]
    assert not [clock for clock in clocks if 100_200 < clock < 102_000]


def test_m05_level_three_ends_the_day_of_one_market() -> None:
    desk = armed('[[fault]]\nid = "M05"\nwhen = { at = "10:01:00" }\nwhat = { level = 3, market = "KOSPI" }\n')
    kosdaq = next(item.symbol for item in desk.core.world.instruments if item.market is Market.KOSDAQ)
    volumes = {symbol: int(price(desk, symbol)["acml_vol"]) for symbol in (SYMBOL, kosdaq)}
    desk.to(100_200)
    stopped = int(price(desk)["acml_vol"])
    desk.to(140_000)
    assert int(price(desk)["acml_vol"]) == stopped >= volumes[SYMBOL]
    assert int(price(desk, kosdaq)["acml_vol"]) > volumes[kosdaq]


@pytest.mark.parametrize(("what", "factor"), [('kind = "split", ratio = 50', 50), ('kind = "bonus", ratio = 1.0', 2)])
def test_m08_base_price_and_shares_change_overnight(what: str, factor: int) -> None:
    desk = armed(f'[[fault]]\nid = "M08"\n{WHERE}what = {{ {what} }}\n')
    desk.order("TTTC0012U", PDNO=SYMBOL, ORD_DVSN="01", ORD_UNPR="0", ORD_QTY="3")
    desk.to(153_500)
    close = int(price(desk)["stck_prpr"])
    next_morning(desk)
    assert int(price(desk)["stck_sdpr"]) == pytest.approx(close / factor, rel=0.02)
    holding = desk.get("trading/inquire-balance", "TTTC8434R", CANO="12345678", ACNT_PRDT_CD="01")["output1"][0]
    assert holding["hldg_qty"] == str(3 * factor)


def test_a_symbol_nobody_lists_stands_in_the_counters_and_stops_nothing() -> None:
    desk = armed('[[fault]]\nid = "M03"\nwhere = { symbol = "999999" }\nwhen = { at = "10:01:00" }\n')
    desk.to(100_500)
    (fault,) = desk.core.faults.report()
    assert fault["fired"] == 1
    assert "refused" in fault["last"][-1]["what"]
    assert "999999" in fault["last"][-1]["what"]


def core_on(first_day: dt.date, sessions: int, clock: int) -> Desk:
    """Return a desk whose market begins on another day of the calendar."""
    market = MarketSettings(seed=11, listed=120, history_sessions=60, live_sessions=sessions, first_live_day=first_day)
    desk = Desk()
    desk.core = Core(
        build_world(market), EmulatorSettings(market=market, limits=NO_LIMITS), instant_at(first_day, clock)
    )
    return desk.log_in()


def test_m09_the_exam_day_opens_at_ten() -> None:
    exam = dt.date(2026, 11, 19)
    desk = core_on(exam, 1, 93_000)
    kind = {"PDNO": SYMBOL, "ORD_DVSN": "01", "ORD_UNPR": "0", "ORD_QTY": "1"}
    assert int(price(desk)["acml_vol"]) == 0
    desk.order("TTTC0012U", **kind)
    desk.at(instant_at(exam, 100_100))
    assert int(price(desk)["acml_vol"]) > 0
    desk.at(instant_at(exam, 160_000))
    assert int(price(desk)["acml_vol"]) > 0


def test_m10_the_aftermarket_begins_while_the_emulator_runs() -> None:
    friday, monday = dt.date(2026, 9, 11), dt.date(2026, 9, 14)
    desk = core_on(friday, 2, 161_000)
    kind = {"PDNO": SYMBOL, "ORD_DVSN": "41", "ORD_QTY": "1"}
    base = desk.core.board.sight(SYMBOL).last
    before = desk.order("TTTC0012U", **kind, ORD_UNPR=str(base))
    desk.at(instant_at(monday, 161_000))
    desk.log_in()
    last = desk.core.board.sight(SYMBOL).last
    after = desk.order("TTTC0012U", **kind, ORD_UNPR=str(last))
    assert (before["rt_cd"] == "0", after["rt_cd"]) == (False, "0")


def test_strikes_in_one_long_step_are_those_of_many_short_ones() -> None:
    toml = "\n".join(
        [
            f'[[fault]]\nid = "M03"\n{WHERE}when = {{ at = "10:05:00" }}',
            '[[fault]]\nid = "M05"\nwhen = { at = "10:40:00" }',
            f'[[fault]]\nid = "M01"\n{WHERE}when = {{ at = "11:30:00" }}',
        ]
    )

    def ledger(step_s: int) -> list:
        desk = armed(toml)
        low = desk.core.board.session.rules.floor_tick(int(desk.core.board.sight(SYMBOL).last * 0.99))
        desk.order("TTTC0012U", PDNO=SYMBOL, ORD_UNPR=str(low), ORD_QTY="40")
        desk.order("TTTC0012U", PDNO=OTHER, ORD_DVSN="01", ORD_UNPR="0", ORD_QTY="10")
        end = instant_at(DAY, 153_500)
        while desk.core.now < end:
            desk.at(min(end, desk.core.now + step_s * NS_PER_SECOND))
        prices = [desk.core.board.sight(symbol).last for symbol in (SYMBOL, OTHER)]
        return [*desk.core.accounts[desk.mode, "12345678", "01"].executions, *prices, json.dumps(price(desk))]

    assert ledger(60) == ledger(20_000)
