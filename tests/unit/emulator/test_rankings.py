"""Leader boards: sorted, of the board's own figures, about the names that were asked for."""

import datetime as dt

import pytest

from haetae.domain.market import Kind, Market
from haetae.domain.units import hhmmss_of
from haetae.kis.wire.calls.studies import CapBoard, FluctuationBoard, VolumeBoard
from unit.emulator.asking import rows
from unit.emulator.service_rig import Desk, shared_world

WORLD = shared_world()
RISE, FALL = FluctuationBoard(fid_rank_sort_cls_code="0"), FluctuationBoard(fid_rank_sort_cls_code="1")


def values(desk: Desk, figure) -> dict[str, float]:
    """Return a figure of every listed name as a quote of it tells."""
    board = desk.core.board
    return {symbol: figure(board.sight(symbol)) for symbol in WORLD.symbols if board.instrument(symbol) is not None}


def best(desk: Desk, figure, *, falling: bool = False) -> list[str]:
    """Return the thirty symbols of the highest figures among names that traded, by code where they are equal."""
    sign = -1 if falling else 1
    found = values(desk, figure)
    traded = [symbol for symbol in found if desk.core.board.sight(symbol).volume]
    return sorted(traded, key=lambda symbol: (-sign * found[symbol], symbol))[:30]


BOARDS = [
    ("volume", VolumeBoard(fid_blng_cls_code="0"), lambda sight: sight.volume, False),
    ("turnover", VolumeBoard(fid_blng_cls_code="3"), lambda sight: sight.turnover, False),
    ("rise", RISE, lambda sight: sight.change_rate, False),
    ("fall", FALL, lambda sight: sight.change_rate, True),
    ("rise of the low", FluctuationBoard(fid_rank_sort_cls_code="0", fid_prc_cls_code="0"),
     lambda sight: (sight.last - sight.low) / sight.low if sight.low else 0.0, False),
    ("fall of the high", FluctuationBoard(fid_rank_sort_cls_code="1", fid_prc_cls_code="0"),
     lambda sight: (sight.last - sight.high) / sight.high if sight.high else 0.0, True),
    ("rise of the open", FluctuationBoard(fid_rank_sort_cls_code="2"),
     lambda sight: (sight.last - sight.open) / sight.open if sight.open else 0.0, False),
]  # fmt: skip


@pytest.mark.parametrize("clock", [91_000, 180_000])
@pytest.mark.parametrize(("board", "figure", "falling"), [each[1:] for each in BOARDS], ids=[e[0] for e in BOARDS])
def test_a_board_is_sorted_and_equals_the_quotes_of_its_names(clock, board, figure, falling) -> None:
    desk = Desk(clock).log_in()
    found = rows(desk, board)
    symbols = [row.get("mksc_shrn_iscd") or row["stck_shrn_iscd"] for row in found]
    assert [int(row["data_rank"]) for row in found] == list(range(1, 31))
    assert symbols == best(desk, figure, falling=falling)
    for row, symbol in zip(found, symbols, strict=True):
        sight = desk.core.board.sight(symbol)
        assert (int(row["stck_prpr"]), int(row["prdy_vrss"])) == (sight.last, sight.change)
        assert (row["prdy_vrss_sign"], int(row["acml_vol"])) == (sight.sign, sight.volume)


def test_growth_and_turnover_of_volume_rank_too() -> None:
    desk = Desk().log_in()
    for code, name in (("1", "vol_inrt"), ("2", "vol_tnrt"), ("4", "tr_pbmn_tnrt")):
        figures = [float(row[name]) for row in rows(desk, VolumeBoard(fid_blng_cls_code=code))]
        assert figures == sorted(figures, reverse=True)
    (first, *_) = rows(desk, VolumeBoard(fid_blng_cls_code="1"))
    assert float(first["vol_inrt"]) == pytest.approx(100 * int(first["acml_vol"]) / int(first["prdy_vol"]), abs=0.01)


def test_size_is_shares_times_price_in_hundred_millions_and_shares_of_the_whole_list() -> None:
    desk = Desk().log_in()
    found = rows(desk, CapBoard())
    caps = values(desk, lambda sight: desk.core.board.cap(sight.symbol))
    assert [row["mksc_shrn_iscd"] for row in found] == sorted(caps, key=lambda s: (-caps[s], s))[:30]
    for row in found:
        assert int(row["stck_avls"]) == caps[row["mksc_shrn_iscd"]] // 100_000_000
        share = 100 * caps[row["mksc_shrn_iscd"]] / sum(caps.values())
        assert float(row["mrkt_whol_avls_rlim"]) == pytest.approx(share, abs=0.006)


def kinds(found: list[dict[str, str]]) -> set[Kind]:
    return {WORLD.by_symbol[row["mksc_shrn_iscd"]].kind for row in found}


def test_index_kind_price_and_volume_choose_the_names() -> None:
    desk = Desk().log_in()
    for code, market in (("0001", Market.KOSPI), ("1001", Market.KOSDAQ)):
        found = rows(desk, VolumeBoard(), fid_input_iscd=code)
        assert {WORLD.by_symbol[row["mksc_shrn_iscd"]].market for row in found} == {market}
    members = {WORLD.symbols[column] for column in WORLD.members["2001"].tolist()}
    assert {row["mksc_shrn_iscd"] for row in rows(desk, CapBoard(), fid_input_iscd="2001")} <= members
    assert kinds(rows(desk, CapBoard(), fid_div_cls_code="2")) == {Kind.PREFERRED}
    assert Kind.PREFERRED not in kinds(rows(desk, VolumeBoard(), fid_div_cls_code="1"))
    sector = WORLD.by_symbol["005930"].sector
    own = rows(desk, VolumeBoard(), fid_input_iscd=sector)
    assert {WORLD.by_symbol[row["mksc_shrn_iscd"]].sector for row in own} == {sector}
    for row in rows(desk, VolumeBoard(), fid_input_price_1="10000", fid_input_price_2="50000", fid_vol_cnt="20000"):
        assert 10_000 <= int(row["stck_prpr"]) <= 50_000
        assert int(row["acml_vol"]) >= 20_000
    assert all(1 <= float(row["prdy_ctrt"]) <= 3 for row in rows(desk, RISE, fid_rsfl_rate1="1", fid_rsfl_rate2="3"))
    assert all(float(row["prdy_ctrt"]) >= 0 for row in rows(desk, FALL, fid_rsfl_rate1="0")), "0 is a bound of rates"
    assert len(rows(desk, VolumeBoard(), fid_input_price_2="0", fid_vol_cnt="0")) == 30, "and none of prices"
    assert rows(desk, VolumeBoard(), fid_cond_mrkt_div_code="NX") == []


def test_each_place_of_the_mask_leaves_its_names_out() -> None:
    desk = Desk().log_in()
    wide = {"fid_input_price_2": "5000"}
    everything = kinds(rows(desk, VolumeBoard())) | kinds(rows(desk, VolumeBoard(), **wide))
    assert {Kind.ETF, Kind.SPAC} <= everything
    masks = {Kind.PREFERRED: "0000100000", Kind.ETF: "0000001000", Kind.ETN: "0000000100", Kind.SPAC: "0000000001"}
    for kind, mask in masks.items():
        for more in ({}, wide):
            assert kind not in kinds(rows(desk, VolumeBoard(), fid_trgt_exls_cls_code=mask, **more))
    flagged = {item.symbol for item in WORLD.instruments if item.flags & {"caution", "warning", "danger"}}
    for more in ({}, wide):
        shown = {row["mksc_shrn_iscd"] for row in rows(desk, VolumeBoard(), fid_trgt_exls_cls_code="1", **more)}
        assert not shown & flagged


def test_before_the_first_print_boards_of_trading_are_empty_and_that_of_size_is_not() -> None:
    desk = Desk(83_000).log_in()
    assert (rows(desk, VolumeBoard()), rows(desk, RISE)) == ([], [])
    assert len(rows(desk, CapBoard())) == 30


def test_a_change_over_some_sessions_starts_from_the_base_price_of_the_first() -> None:
    desk = Desk(180_000).log_in()
    found = rows(desk, RISE, fid_input_cnt_1="5")
    rates = [float(row["prd_rsfl_rate"]) for row in found]
    assert rates == sorted(rates, reverse=True)
    board, row = desk.core.board, desk.core.board.session.row
    for each in found[:5]:
        bars = board.daily_rows(each["stck_shrn_iscd"], board.world.days[row - 4], board.world.days[row])
        grown = 1.0
        for _, bar in bars:
            grown *= bar[3] / bar[6]
        assert float(each["prd_rsfl_rate"]) == pytest.approx(100 * (grown - 1), abs=0.01)
    assert {row["prd_rsfl_rate"] for row in rows(desk, RISE)} == {"0.00"}
    one = {row["stck_shrn_iscd"]: row["prd_rsfl_rate"] for row in rows(desk, RISE, fid_input_cnt_1="1")}
    assert all(row["prdy_ctrt"] == one[row["stck_shrn_iscd"]] for row in rows(desk, RISE))


def test_times_of_high_and_low_and_streaks_are_those_of_the_tape() -> None:
    desk = Desk(130_000).log_in()
    board, tape = desk.core.board, desk.core.board.session.tape
    for row in rows(desk, RISE)[:10]:
        column, seen = WORLD.column[row["stck_shrn_iscd"]], board.seen
        printed = [r for r in range(seen) if tape.volume[r, column]]
        high = next(r for r in printed if tape.price[r, column] == int(row["stck_hgpr"]))
        low = next(r for r in printed if tape.price[r, column] == int(row["stck_lwpr"]))
        assert int(row["hgpr_hour"]) == hhmmss_of(int(tape.end[high]) - 1)
        assert int(row["lwpr_hour"]) == hhmmss_of(int(tape.end[low]) - 1)
        bars = board.daily_rows(row["stck_shrn_iscd"], dt.date(2026, 10, 1), board.session.day)
        up = 0
        for _, bar in reversed(bars):
            if bar[3] <= bar[6]:
                break
            up += 1
        assert int(row["cnnt_ascn_dynu"]) == up
