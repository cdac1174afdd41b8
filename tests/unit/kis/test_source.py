"""History and reference data from scripted answers: walks, units, what is absent stays absent."""

import datetime as dt

import pytest

from haetae.domain.errors import BrokerError, Fatal, WireError
from haetae.domain.market import Market
from haetae.domain.units import NS_PER_SECOND, hhmmss_of, instant_at
from haetae.kis.rest import KisRest
from haetae.kis.source import KisSource
from haetae.kis.wire.operations import Mode
from haetae.krx import Rulebook, trading_days
from haetae.ports.tables import TABLES
from haetae.wiring.clocks import DrivenClock
from unit.kis.stub import Answer, ok, refused, serving

TODAY = dt.date(2026, 11, 20)
NOW = instant_at(TODAY, 180_000)
DAYS = trading_days(dt.date(2026, 11, 10), TODAY)


class QuickClock(DrivenClock):
    async def sleep(self, seconds: float) -> None:
        self.advance(self.now() + round(seconds * NS_PER_SECOND))


@pytest.fixture
async def stub():
    async with serving() as running:
        yield running


@pytest.fixture
async def source(stub):
    clock = QuickClock(NOW)
    async with KisRest(stub.settings(), clock) as rest:
        yield KisSource(rest, clock)


def minutes_on(day: dt.date) -> list[int]:
    """Clocks of a day's minute rows as the broker stamps them."""
    session = Rulebook.on(day).session
    starts, ends = (edges.tolist() for edges in session.minute_edges())
    return [hhmmss_of(start) for start in starts[:-1]] + [hhmmss_of(ends[-1])]


def minute_server(*, goes_on: bool, page: int = 120, skip=frozenset(), first=DAYS[0]):
    """A chart of minutes that goes on into earlier days, or stops at the first minute of the day asked for."""

    def answer(asked):
        day, until = asked["FID_INPUT_DATE_1"], int(asked["FID_INPUT_HOUR_1"])
        rows = []
        for each in reversed(trading_days(first, TODAY)):
            text = f"{each:%Y%m%d}"
            if text > day or (text < day and not goes_on):
                continue
            for clock in reversed(minutes_on(each)):
                if (text == day and clock > until) or (each, clock) in skip or len(rows) == page:
                    continue
                row = {"stck_bsop_date": each, "stck_cntg_hour": clock, "stck_oprc": 10, "stck_hgpr": 12}
                rows.append({**row, "stck_lwpr": 9, "stck_prpr": 11, "cntg_vol": clock})
        return ok("inquire-time-dailychartprice", {"output2": rows})

    return answer


@pytest.mark.parametrize("goes_on", [True, False])
async def test_minutes_come_whole_whether_or_not_a_page_goes_on_into_earlier_days(stub, source, goes_on) -> None:
    stub.answers["inquire-time-dailychartprice"] = [minute_server(goes_on=goes_on)]
    rows = await source.minute_bars("005930", DAYS[0], TODAY)
    wanted = [
        (day, instant_at(day, clock) if clock != minutes_on(day)[-1] else Rulebook.on(day).session.auction_from)
        for day in DAYS
        for clock in minutes_on(day)
    ]
    assert list(zip(rows["day"].to_pylist(), rows["start"].to_pylist(), strict=True)) == wanted
    effort = source.effort
    assert effort.least == -(-len(wanted) // 120)
    assert effort.calls == (effort.least if goes_on else 4 * len(DAYS))


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_thin_name_without_first_minutes_and_whole_days_is_walked_through(stub, source, goes_on) -> None:
    gone = {(day, clock) for day in DAYS[2:4] for clock in minutes_on(day)}
    gone |= {(day, clock) for day in DAYS for clock in minutes_on(day) if clock < 100_000 or clock % 1_000}
    stub.answers["inquire-time-dailychartprice"] = [minute_server(goes_on=goes_on, skip=gone)]
    rows = await source.minute_bars("005930", DAYS[0], TODAY)
    assert set(rows["day"].to_pylist()) == set(DAYS) - set(DAYS[2:4])
    assert len(rows) == sum((day, clock) not in gone for day in DAYS for clock in minutes_on(day))


async def test_a_repeated_call_counts_as_often_as_it_was_made(stub, source) -> None:
    server = minute_server(goes_on=True)
    stub.answers["inquire-time-dailychartprice"] = [refused("EGW00201"), Answer(b"<html>", 502), server]
    await source.minute_bars("005930", DAYS[4], DAYS[4])
    assert source.effort.calls == source.effort.least + 2


async def test_minutes_outside_the_range_and_the_session_are_left_out(stub, source) -> None:
    stub.answers["inquire-time-dailychartprice"] = [minute_server(goes_on=True)]
    rows = await source.minute_bars("005930", DAYS[3], DAYS[4])
    assert set(rows["day"].to_pylist()) == {DAYS[3], DAYS[4]}


async def test_a_page_that_fails_fails_the_whole_and_never_shortens_history(stub, source) -> None:
    server = minute_server(goes_on=True)
    stub.answers["inquire-time-dailychartprice"] = [server, server, refused("EGW00316")]
    with pytest.raises(BrokerError):
        await source.minute_bars("005930", DAYS[0], TODAY)


async def test_an_empty_page_is_not_believed_at_once(stub, source) -> None:
    server, empty = minute_server(goes_on=True), ok("inquire-time-dailychartprice", {"output2": []})
    stub.answers["inquire-time-dailychartprice"] = [server, server, empty, empty, server]
    rows = await source.minute_bars("005930", DAYS[0], TODAY)
    assert len(rows) == sum(len(minutes_on(day)) for day in DAYS)


async def test_before_a_names_history_empty_pages_are_true_in_the_end(stub, source) -> None:
    stub.answers["inquire-time-dailychartprice"] = [minute_server(goes_on=True, first=DAYS[4])]
    rows = await source.minute_bars("005930", DAYS[0], TODAY)
    assert set(rows["day"].to_pylist()) == set(DAYS[4:])
    assert source.effort.calls == source.effort.least + 3


async def test_the_mock_domain_has_the_minutes_of_today_alone(stub) -> None:
    def today(asked):
        until, clocks = int(asked["FID_INPUT_HOUR_1"]), minutes_on(TODAY)
        shown = [clock for clock in reversed(clocks) if clock <= until][:30]
        rows = [
            {"stck_bsop_date": TODAY, "stck_cntg_hour": c, "stck_oprc": 1, "stck_hgpr": 1, "stck_lwpr": 1,
             "stck_prpr": 1, "cntg_vol": 1}
            for c in shown
        ]  # fmt: skip
        return ok("inquire-time-itemchartprice", {"output2": rows})

    stub.answers["inquire-time-itemchartprice"] = [today]
    clock = QuickClock(NOW)
    async with KisRest(stub.settings(mode=Mode.MOCK), clock) as rest:
        source = KisSource(rest, clock)
        assert len(await source.minute_bars("005930", TODAY, TODAY)) == 381
        assert all(int(asked["FID_INPUT_HOUR_1"]) <= 153_000 for asked in stub.named("inquire-time-itemchartprice"))
        with pytest.raises(Fatal, match="mock domain"):
            await source.minute_bars("005930", DAYS[0], TODAY)


async def test_flows_leave_in_won_and_shares(stub, source) -> None:
    row = {"stck_bsop_date": TODAY, "frgn_ntby_qty": -5, "orgn_ntby_qty": 3, "prsn_ntby_qty": 2}
    won = {"frgn_ntby_tr_pbmn": -7, "orgn_ntby_tr_pbmn": 4, "prsn_ntby_tr_pbmn": 3}
    stub.answers["investor-trade-by-stock-daily"] = [ok("investor-trade-by-stock-daily", {"output2": [row | won]})]
    (flow,) = (await source.flows("005930", TODAY, TODAY)).to_pylist()
    assert (flow["foreign_sh"], flow["foreign_won"], flow["individual_won"]) == (-5, -7_000_000, 3_000_000)
    stub.answers["inquire-investor-daily-by-market"] = [ok("inquire-investor-daily-by-market", {"output": [row | won]})]
    (market,) = (await source.market_flows(Market.KOSDAQ, TODAY)).to_pylist()
    assert (market["market"], market["foreign_sh"], market["institution_won"]) == ("KOSDAQ", -5_000, 4_000_000)
    assert stub.named("inquire-investor-daily-by-market")[0]["FID_INPUT_ISCD_1"] == "KSQ"


async def test_a_market_flow_of_another_day_is_not_taken_for_the_day_asked(stub, source) -> None:
    row = {"stck_bsop_date": DAYS[-2]}
    stub.answers["inquire-investor-daily-by-market"] = [ok("inquire-investor-daily-by-market", {"output": [row]})]
    assert len(await source.market_flows(Market.KOSPI, TODAY)) == 0


async def test_statements_leave_in_won_and_what_nobody_filed_is_absent(stub, source) -> None:
    names = ("financial-ratio", "profit-ratio", "stability-ratio", "growth-ratio", "other-major-ratios")
    for name in names:
        stub.answers[name] = [ok(name, {"output": []})]
    stub.answers["balance-sheet"] = [ok("balance-sheet", {"output": []})]
    income = {"stac_yymm": "202512", "sale_account": 2589355.0, "bsop_prti": 99.99, "thtr_ntin": 0.0}
    stub.answers["income-statement"] = [
        ok("income-statement", {"output": [income]}),
        ok("income-statement", {"output": []}),
    ]
    rows = (await source.fundamentals("005930")).to_pylist()
    assert {row["item"]: row["value"] for row in rows} == {"sales_won": 258_935_500_000_000.0, "net_income_won": 0.0}
    assert {(row["period"], row["basis"], row["known_on"]) for row in rows} == {(202512, "year", TODAY)}


async def test_interruptions_say_kind_reference_and_whether_they_last(stub, source) -> None:
    base = {"mksc_shrn_iscd": "005930", "bsop_date": TODAY, "cntg_vi_hour": 100_001, "vi_prc": 110, "vi_count": 1}
    rows = [
        {**base, "vi_cncl_hour": 100_201, "vi_kind_code": "1", "vi_stnd_prc": 100},
        {**base, "cntg_vi_hour": 140_000, "vi_kind_code": "2", "vi_dmc_stnd_prc": 105},
    ]
    stub.answers["inquire-vi-status"] = [ok("inquire-vi-status", {"output": rows})]
    first, second = (await source.interruptions(TODAY)).to_pylist()
    assert (first["kind"], first["reference"], first["released_at"]) == ("static", 100, instant_at(TODAY, 100_201))
    assert (second["kind"], second["reference"], second["released_at"]) == ("dynamic", 105, 0)


async def test_headlines_are_walked_back_to_the_morning_and_come_once(stub, source) -> None:
    clocks = [(9 + k // 60) * 10_000 + k % 60 * 100 for k in range(95)]

    def page(asked):
        until = int(asked["FID_INPUT_HOUR_1"])
        shown = [clock for clock in reversed(clocks) if clock <= until][:40]
        rows = [
            {
                "cntt_usiq_srno": f"k{clock}",
                "data_dt": TODAY,
                "data_tm": clock,
                "hts_pbnt_titl_cntt": "제목",
                "iscd1": "005930",
            }
            for clock in shown
        ]
        return ok("news-title", {"output": rows})

    stub.answers["news-title"] = [page]
    rows = await source.headlines(TODAY)
    assert len(rows) == len(clocks)
    assert set(rows["symbols"].to_pylist()) == {"005930"}
    assert stub.named("news-title")[0]["FID_INPUT_DATE_1"] == "0020261120"


async def test_events_of_shares_keep_ratio_and_kind(stub, source) -> None:
    day = {"record_date": TODAY, "sht_cd": "005930"}
    answers = {
        "ksdinfo-rev-split": {
            **day,
            "inter_bf_face_amt": "000005000",
            "inter_af_face_amt": "000000100",
            "list_dt": f"{DAYS[-3]:%Y/%m/%d}",
        },
        "ksdinfo-bonus-issue": {**day, "fix_rate": 20.0, "right_dt": DAYS[-2], "issue_stk_qty": "   273199"},
        "ksdinfo-paidin-capin": {**day, "fix_rate": 12.5, "fix_price": "     500"},
        "ksdinfo-merger-split": {**day, "merge_type": "흡수합병", "merge_rate": 0.66},
        "ksdinfo-dividend": {**day, "divi_kind": "결산", "per_sto_divi_amt": "000000000600"},
    }
    for name, row in answers.items():
        stub.answers[name] = [ok(name, {"output1": [row, {**row, "sht_cd": ""}]})]
    rows = {row["kind"]: row for row in (await source.corporate_actions(DAYS[0], TODAY)).to_pylist()}
    ratios = {kind: row["ratio"] for kind, row in rows.items()}
    assert ratios == {"split": 50.0, "bonus": 0.2, "rights": 0.125, "merger": 0.66, "dividend": 600.0}
    assert rows["bonus"]["day"] == DAYS[-2]
    assert rows["split"]["day"] == DAYS[-3], "a split takes effect on its listing day"
    assert rows["dividend"]["day"] == DAYS[-2], "the list of a record date is that of two sessions before"


async def test_a_dividend_of_a_year_falls_away_before_its_last_two_sessions_end(stub, source) -> None:
    row = {"record_date": dt.date(2025, 12, 31), "sht_cd": "005930", "per_sto_divi_amt": "000000000361"}
    for name in ("ksdinfo-rev-split", "ksdinfo-bonus-issue", "ksdinfo-paidin-capin", "ksdinfo-merger-split"):
        stub.answers[name] = [ok(name, {"output1": []})]
    stub.answers["ksdinfo-dividend"] = [
        ok("ksdinfo-dividend", {"output1": [row, {**row, "record_date": dt.date(1999, 12, 31)}]})
    ]
    days = (await source.corporate_actions(dt.date(1999, 1, 1), TODAY))["day"].to_pylist()
    assert days == [dt.date(1999, 12, 31), dt.date(2025, 12, 29)], "the exchange is closed on the last day of a year"


async def test_rises_and_falls_are_asked_against_the_last_close(stub, source) -> None:
    for name in ("volume-rank", "fluctuation", "market-cap"):
        stub.answers[name] = [ok(name, {"output": []})]
    await source.rankings()
    asked = [(one["fid_rank_sort_cls_code"], one["fid_prc_cls_code"]) for one in stub.named("fluctuation")]
    assert asked == [("0", "1"), ("1", "1")]


async def test_boards_are_ranked_and_in_the_unit_of_the_board(stub, source) -> None:
    traded = {"mksc_shrn_iscd": "005930", "data_rank": 1, "acml_vol": 7, "acml_tr_pbmn": 500}
    moved = {"stck_shrn_iscd": "000660", "data_rank": 1, "prdy_ctrt": -3.25}
    size = {"mksc_shrn_iscd": "005930", "data_rank": 1, "stck_avls": 4_340_032}
    stub.answers["volume-rank"] = [ok("volume-rank", {"output": [traded]})]
    stub.answers["fluctuation"] = [ok("fluctuation", {"output": [moved]})]
    stub.answers["market-cap"] = [ok("market-cap", {"output": [size]})]
    rows = {row["board"]: row["value"] for row in (await source.rankings()).to_pylist()}
    assert rows == {"turnover": 500.0, "volume": 7.0, "rise": -3.25, "fall": -3.25, "market_cap": 434_003_200_000_000.0}


async def test_status_joins_quote_and_basic_facts(stub, source) -> None:
    stub.answers["inquire-price"] = [
        ok("inquire-price", {"output": {"iscd_stat_cls_code": "51", "mrkt_warn_cls_code": "02"}})
    ]
    facts = {"tr_stop_yn": True, "cptt_trad_tr_psbl_yn": True}
    stub.answers["search-stock-info"] = [ok("search-stock-info", {"output": facts})]
    assert (await source.status("005930"))["flag"].to_pylist() == ["administrative", "halted", "nxt", "warning"]
    stub.answers["inquire-price"] = [ok("inquire-price", {"output": {}})]
    stub.answers["search-stock-info"] = [ok("search-stock-info", {"output": {}})]
    assert (await source.status("000660"))["flag"].to_pylist() == ["listed"]


async def test_navs_and_index_minutes_are_points_times_hundred(stub, source) -> None:
    nav = {"stck_bsop_date": TODAY, "nav": 3_595_209, "stck_clpr": 35_875, "acml_vol": 9}
    stub.answers["nav-comparison-daily-trend"] = [ok("nav-comparison-daily-trend", {"output": [nav]})]
    (day,) = (await source.navs("069500", TODAY, TODAY)).to_pylist()
    assert (day["nav"], day["close"]) == (3_595_209, 35_875)
    bars = [
        {"stck_bsop_date": TODAY, "stck_cntg_hour": c, "bstp_nmix_prpr": c, "cntg_vol": 2} for c in (93_100, 93_000)
    ]
    stub.answers["inquire-time-indexchartprice"] = [ok("inquire-time-indexchartprice", {"output2": bars})]
    rows = (await source.index_minutes("0001")).to_pylist()
    assert [row["start"] for row in rows] == [instant_at(TODAY, 93_000), instant_at(TODAY, 93_100)]
    assert [row["volume"] for row in rows] == [2_000, 2_000]


async def test_weeks_are_asked_as_weeks_of_raw_prices(stub, source) -> None:
    row = {"stck_bsop_date": TODAY, "stck_oprc": 1, "stck_hgpr": 3, "stck_lwpr": 1, "stck_clpr": 2, "acml_vol": 9}
    stub.answers["inquire-daily-itemchartprice"] = [ok("inquire-daily-itemchartprice", {"output2": [row]})]
    table = await source.period_bars("005930", "weekly", DAYS[0], TODAY)
    assert table.schema == TABLES["weekly"].schema
    asked = stub.named("inquire-daily-itemchartprice")[0]
    assert (asked["FID_PERIOD_DIV_CODE"], asked["FID_ORG_ADJ_PRC"]) == ("W", "1")


async def test_a_price_that_does_not_parse_stops_the_job_with_field_symbol_and_tr(stub, source) -> None:
    row = {"stck_bsop_date": TODAY, "stck_oprc": "1e5", "stck_hgpr": 3, "stck_lwpr": 1, "stck_clpr": 2, "acml_vol": 9}
    stub.answers["inquire-daily-itemchartprice"] = [ok("inquire-daily-itemchartprice", {"output2": [row]})]
    with pytest.raises(WireError, match="FHKST03010100: field stck_oprc of 005930"):
        await source.daily_bars("005930", TODAY, TODAY)
