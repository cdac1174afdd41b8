"""Indices as they stand: the level of the tape, the breadth of the members, minutes that add up to the day."""

import pytest

from haetae.domain.market import Market
from haetae.domain.units import instant_at
from haetae.emulator.interventions import Lock
from haetae.emulator.server import build_world
from haetae.kis.wire.calls.charts import IndexDays, IndexMinutes
from haetae.kis.wire.calls.prices import IndexNow
from unit.emulator.asking import TODAY, ask, rows
from unit.emulator.service_rig import DAY, SMALL, Desk, shared_world

WORLD = shared_world()
BEFORE = f"{WORLD.days[WORLD.row[DAY] - 1]:%Y%m%d}"
CODES = ["0001", "1001", "2001"]


def points(text: str) -> int:
    return round(float(text) * 100)


def now(desk: Desk, code: str) -> dict[str, str]:
    return dict(ask(desk, IndexNow(fid_input_iscd=code)).row("output"))


def day_bar(desk: Desk, code: str, day: str) -> dict[str, str]:
    asked = IndexDays(fid_input_iscd=code, fid_input_date_1=day, fid_input_date_2=day)
    return rows(desk, asked)[0]


def minutes(desk: Desk, code: str = "0001", **other: str) -> list[dict[str, str]]:
    return rows(desk, IndexMinutes(fid_input_iscd=code), **other)


def session_of(desk: Desk, code: str, **other: str) -> list[dict[str, str]]:
    """Return today's bars by walking the clock: a call brings the newest 102 alone."""
    found: dict[str, dict[str, str]] = {}
    for clock in (103_000, 120_000, 133_000, 150_000, 153_500):
        desk.to(clock)
        found |= {row["stck_cntg_hour"]: row for row in minutes(desk, code, fid_pw_data_incu_yn="N", **other)}
    return [found[clock] for clock in sorted(found)]


@pytest.mark.parametrize("code", CODES)
def test_after_the_close_the_level_is_the_bar_of_the_day(code: str) -> None:
    desk = Desk(180_000).log_in()
    told, bar, before = now(desk, code), day_bar(desk, code, TODAY), day_bar(desk, code, BEFORE)
    for name in ("prpr", "oprc", "hgpr", "lwpr"):
        assert told[f"bstp_nmix_{name}"] == bar[f"bstp_nmix_{name}"]
    assert told["acml_vol"] == bar["acml_vol"]
    assert told["prdy_vol"] == before["acml_vol"]
    change = points(bar["bstp_nmix_prpr"]) - points(before["bstp_nmix_prpr"])
    assert points(told["bstp_nmix_prdy_vrss"]) == change
    assert told["prdy_vrss_sign"] == ("2" if change > 0 else "5")


@pytest.mark.parametrize("code", CODES)
def test_the_minutes_of_a_day_aggregate_to_its_bar(code: str) -> None:
    desk = Desk(90_000).log_in()
    found = session_of(desk, code)
    bar = day_bar(desk, code, TODAY)
    assert len(found) == 381
    assert (found[0]["stck_cntg_hour"], found[-1]["stck_cntg_hour"]) == ("090000", "153000")
    assert found[0]["bstp_nmix_oprc"] == bar["bstp_nmix_oprc"]
    assert found[-1]["bstp_nmix_prpr"] == bar["bstp_nmix_prpr"]
    assert max(points(row["bstp_nmix_hgpr"]) for row in found) == points(bar["bstp_nmix_hgpr"])
    assert min(points(row["bstp_nmix_lwpr"]) for row in found) == points(bar["bstp_nmix_lwpr"])
    assert sum(int(row["cntg_vol"]) for row in found) == int(bar["acml_vol"])
    won = [int(row["acml_tr_pbmn"]) for row in found]
    assert won == sorted(won)
    assert won[-1] == pytest.approx(int(now(desk, code)["acml_tr_pbmn"]), rel=0.001)


def test_longer_bars_are_made_of_the_minutes() -> None:
    fine, coarse = (session_of(Desk(90_000).log_in(), "0001", fid_input_hour_1=code) for code in ("60", "600"))
    assert len(coarse) == 39
    for row in coarse[:-1]:
        own = [one for one in fine if one["stck_cntg_hour"][:3] == row["stck_cntg_hour"][:3]]
        assert row["stck_cntg_hour"] == own[0]["stck_cntg_hour"]
        assert (row["bstp_nmix_oprc"], row["bstp_nmix_prpr"]) == (own[0]["bstp_nmix_oprc"], own[-1]["bstp_nmix_prpr"])
        assert int(row["cntg_vol"]) == sum(int(one["cntg_vol"]) for one in own)
        assert points(row["bstp_nmix_hgpr"]) == max(points(one["bstp_nmix_hgpr"]) for one in own)
    assert coarse[-1] == fine[-1]
    half = minutes(Desk().log_in(), fid_input_hour_1="30")
    assert half == minutes(Desk().log_in())


def test_a_page_has_102_bars_and_goes_on_into_the_day_before_where_that_is_asked() -> None:
    desk = Desk(100_000).log_in()
    found = minutes(desk)
    stamps = [(row["stck_bsop_date"], row["stck_cntg_hour"]) for row in found]
    assert len(found) == 102
    assert stamps == sorted(set(stamps), reverse=True)
    assert stamps[59:61] == [(TODAY, "090000"), (BEFORE, "153000")]
    assert found[60]["bstp_nmix_prpr"] == day_bar(desk, "0001", BEFORE)["bstp_nmix_prpr"]
    assert {row["stck_bsop_date"] for row in minutes(desk, fid_pw_data_incu_yn="N")} == {TODAY}


def test_only_minutes_that_have_ended_are_told() -> None:
    assert minutes(Desk(90_059).log_in(), fid_pw_data_incu_yn="N") == []
    desk = Desk(90_100).log_in()
    assert [row["stck_cntg_hour"] for row in minutes(desk, fid_pw_data_incu_yn="N")] == ["090000"]
    told = now(desk, "0001")
    assert told["bstp_nmix_prpr"] == minutes(desk)[0]["bstp_nmix_prpr"]


def test_before_the_open_an_index_stands_at_its_last_close() -> None:
    desk = Desk(83_000).log_in()
    told = now(desk, "0001")
    assert told["bstp_nmix_prpr"] == day_bar(desk, "0001", BEFORE)["bstp_nmix_prpr"]
    assert (told["bstp_nmix_oprc"], told["bstp_nmix_prdy_vrss"], told["acml_vol"]) == ("0.00", "0.00", "0")
    assert told["prdy_nmix_vrss_nmix_oprc"] == "0.00"


@pytest.mark.parametrize(("code", "market"), [("0001", Market.KOSPI), ("1001", Market.KOSDAQ)])
def test_breadth_counts_every_member_once_and_limits_again(code: str, market: Market) -> None:
    world = build_world(SMALL)
    desk = Desk(90_000, world=world).log_in()
    column = next(c for c in world.members[code].tolist() if desk.core.board.session.base[c] > 0)
    desk.core.board.script(Lock(instant_at(DAY, 91_000), world.symbols[column]))
    desk.to(100_000)
    told, board = now(desk, code), desk.core.board
    sights = [board.sight(world.symbols[c]) for c in world.members[code].tolist() if board.instrument(world.symbols[c])]
    assert all(world.by_symbol[sight.symbol].market is market for sight in sights)
    assert int(told["ascn_issu_cnt"]) == sum(sight.last > sight.base for sight in sights)
    assert int(told["down_issu_cnt"]) == sum(sight.last < sight.base for sight in sights)
    assert int(told["stnr_issu_cnt"]) == sum(sight.last == sight.base for sight in sights)
    assert int(told["uplm_issu_cnt"]) == sum(sight.sign == "1" for sight in sights) >= 1
    assert int(told["lslm_issu_cnt"]) == sum(sight.sign == "4" for sight in sights)
    assert int(told["acml_vol"]) == sum(sight.volume for sight in sights) // 1_000
    assert int(told["acml_tr_pbmn"]) == sum(sight.turnover for sight in sights) // 1_000_000


def test_the_year_has_its_extremes_and_today_may_set_them() -> None:
    desk = Desk(100_000).log_in()
    told = now(desk, "0001")
    bars = desk.core.board.index_rows("0001", WORLD.days[0], DAY)
    high = max([bar[1] for _, bar in bars] + [points(told["bstp_nmix_hgpr"])])
    low = min([bar[2] for _, bar in bars] + [points(told["bstp_nmix_lwpr"])])
    assert WORLD.days[0].year == DAY.year
    assert (points(told["dryy_bstp_nmix_hgpr"]), points(told["dryy_bstp_nmix_lwpr"])) == (high, low)
    assert float(told["dryy_hgpr_vrss_prpr_rate"]) <= 0 <= float(told["dryy_lwpr_vrss_prpr_rate"])
