"""What happened: interruptions as the exchange told them, headlines up to a time, page after page."""

import datetime as dt

import pytest

from haetae.domain.units import NS_PER_MINUTE, hhmmss_of, instant_at
from haetae.emulator.holds import ViKind
from haetae.emulator.interventions import Trip
from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.kis.wire.calls.events import Headlines, Interruptions
from unit.emulator.asking import TODAY, ask, rows
from unit.emulator.service_rig import DAY, SMALL, Desk, shared_world

VI = Interruptions(fid_input_date_1=TODAY)
NAME = "005930"


@pytest.fixture(scope="module")
def tripped() -> World:
    """A market in which names are interrupted: one twice, others once, up and down."""
    world = build_world(SMALL)
    desk = Desk(90_000, world=world)
    names = [NAME, NAME, *[symbol for symbol in world.symbols if symbol != NAME][:45]]
    for place, symbol in enumerate(names):
        at = instant_at(DAY, 91_000) + (60 if place == 1 else place) * NS_PER_MINUTE
        desk.core.board.script(Trip(at, symbol, upward=place % 3 != 2))
    return world


def test_thirty_interruptions_of_the_day_newest_first(tripped: World) -> None:
    desk = Desk(140_000, world=tripped).log_in()
    told = desk.core.board.vi_events(DAY)
    found = rows(desk, VI)
    assert len(told) > 30
    assert len(found) == 30
    assert [(row["mksc_shrn_iscd"], int(row["cntg_vi_hour"])) for row in found] == [
        (symbol, hhmmss_of(event.at)) for symbol, event in told[:30]
    ]
    for row, (_, event) in zip(found, told, strict=False):
        assert row["bsop_date"] == TODAY
        assert int(row["vi_prc"]) == event.price
        static, dynamic = int(row["vi_stnd_prc"]), int(row["vi_dmc_stnd_prc"])
        assert static == (event.static_reference if event.kind is not ViKind.DYNAMIC else 0)
        assert dynamic == (event.dynamic_reference if event.kind is not ViKind.STATIC else 0)
        if dynamic:
            assert float(row["vi_dmc_dprt"]) == pytest.approx(100 * (event.price - dynamic) / dynamic, abs=0.006)
        assert row["vi_kind_code"] == {ViKind.STATIC: "1", ViKind.DYNAMIC: "2", ViKind.BOTH: "3"}[event.kind]


def test_names_markets_directions_and_kinds_choose(tripped: World) -> None:
    desk = Desk(140_000, world=tripped).log_in()
    own = rows(desk, VI, fid_input_iscd=NAME)
    assert [row["vi_count"] for row in own] == [str(len(own) - k) for k in range(len(own))]
    assert len(own) >= 2
    assert {row["mksc_shrn_iscd"] for row in own} == {NAME}
    for code, market in (("K", "KOSPI"), ("Q", "KOSDAQ")):
        found = rows(desk, VI, fid_mrkt_cls_code=code)
        assert {tripped.by_symbol[row["mksc_shrn_iscd"]].market.value for row in found} == {market}
    for code, sign in (("1", 1), ("2", -1)):
        found = rows(desk, VI, fid_div_cls_code=code)
        assert found
        for row in found:
            reference = int(row["vi_stnd_prc"]) or int(row["vi_dmc_stnd_prc"])
            assert sign * (int(row["vi_prc"]) - reference) > 0
    for kind in "123":
        assert {row["vi_kind_code"] for row in rows(desk, VI, fid_rank_sort_cls_code=kind)} <= {kind}
    assert sum(len(rows(desk, VI, fid_rank_sort_cls_code=kind, fid_input_iscd=NAME)) for kind in "123") == len(own)


def test_an_interruption_lasts_until_its_auction_ends_and_is_not_told_before_it_began(tripped: World) -> None:
    symbol, event = next(
        pair for pair in reversed(Desk(140_000, world=tripped).core.board.vi_events(DAY)) if pair[0] == NAME
    )
    desk = Desk(90_000, world=tripped).log_in()
    desk.at(event.at - 1)
    assert rows(desk, VI, fid_input_iscd=symbol) == []
    desk.at(event.at)
    (row,) = rows(desk, VI, fid_input_iscd=symbol)
    assert (row["vi_cls_code"], row["vi_cncl_hour"]) == ("Y", "000000")
    desk.at(event.released_at)
    (row,) = rows(desk, VI, fid_input_iscd=symbol)
    assert (row["vi_cls_code"], int(row["vi_cncl_hour"])) == ("N", hhmmss_of(event.released_at))


def test_another_day_is_another_list(tripped: World) -> None:
    desk = Desk(140_000, world=tripped).log_in()
    tomorrow = tripped.days[tripped.row[DAY] + 1]
    assert rows(desk, VI, fid_input_date_1=f"{tomorrow:%Y%m%d}") == []
    assert rows(desk, VI, fid_input_date_1=f"{DAY - dt.timedelta(days=1):%Y%m%d}") == [], "a Sunday"


def test_headlines_are_those_until_now_forty_a_page() -> None:
    desk = Desk(120_000).log_in()
    found = rows(desk, Headlines())
    own = desk.core.board.library.headlines(40)
    assert [row["cntt_usiq_srno"] for row in found] == [one.key for one in own]
    stamps = [(row["data_dt"], row["data_tm"]) for row in found]
    assert stamps == sorted(stamps, reverse=True)
    assert stamps[0] <= (TODAY, "120000")
    assert rows(desk, Headlines(fid_input_date_1=f"00{TODAY}", fid_input_hour_1="0000235959")) == found, "nothing ahead"
    for row, one in zip(found, own, strict=True):
        assert [row[f"iscd{n}"] for n in range(1, 6)] == [*one.symbols, *[""] * (5 - len(one.symbols))]


def test_pages_of_headlines_join_by_time_and_by_number() -> None:
    desk = Desk(180_000).log_in()
    first = rows(desk, Headlines(fid_input_date_1=f"00{TODAY}", fid_input_hour_1="0000180000"))
    last = first[-1]
    place = {"fid_input_date_1": f"00{last['data_dt']}", "fid_input_hour_1": f"0000{last['data_tm']}"}
    by_time = rows(desk, Headlines(), **place)
    by_number = rows(desk, Headlines(), **place, fid_input_srno=last["cntt_usiq_srno"])
    assert last in by_time
    after = by_time.index(last) + 1
    assert by_time[after:] == by_number[: 40 - after]
    assert len(by_number) == 40


def test_headlines_of_a_name_name_it() -> None:
    desk = Desk(180_000).log_in()
    found = rows(desk, Headlines(fid_input_iscd=NAME))
    assert 5 < len(found) <= 40
    assert {row["iscd1"] for row in found} == {NAME}
    assert rows(desk, Headlines(fid_input_iscd="999999")) == []
    first = shared_world().days[0] - dt.timedelta(days=1)
    assert rows(desk, Headlines(fid_input_date_1=f"00{first:%Y%m%d}")) == []
    assert ask(desk, Headlines(fid_input_date_1="00202611")).code == "OPSQ2002"
