"""Who bought and sold: both sides meet, parts add up, markets are the sum of their names, today after the close."""

import datetime as dt

import pytest

from haetae.domain.market import Kind, Market
from haetae.kis.wire.calls.studies import FlowsOfMarket, FlowsOfName, RecentFlows
from haetae.kis.wire.operations import Mode
from unit.emulator.asking import TODAY, ask, rows
from unit.emulator.service_rig import DAY, Desk, shared_world

NAME = "005930"
WORLD = shared_world()
BEFORE = WORLD.days[WORLD.row[DAY] - 1]
HOUSES = ("scrt", "ivtr", "pe_fund", "bank", "insu", "mrbn", "fund", "etc")


def of_market(day: dt.date, code: str = "0001", sub: str = "KSP") -> FlowsOfMarket:
    text = f"{day:%Y%m%d}"
    return FlowsOfMarket(
        fid_input_iscd=code, fid_input_date_1=text, fid_input_date_2=text, fid_input_iscd_1=sub, fid_input_iscd_2=code
    )


@pytest.mark.parametrize(("clock", "newest"), [(152_959, BEFORE), (153_000, DAY)])
def test_a_day_is_told_after_its_close(clock: int, newest: dt.date) -> None:
    desk = Desk(clock).log_in()
    for asked in (RecentFlows(fid_input_iscd=NAME), FlowsOfName(fid_input_iscd=NAME, fid_input_date_1=TODAY)):
        days = [row["stck_bsop_date"] for row in rows(desk, asked)]
        assert days[0] == f"{newest:%Y%m%d}"
        assert days == sorted(set(days), reverse=True)
        assert len(days) == 30
    assert len(rows(desk, of_market(DAY))) == (1 if newest == DAY else 0)
    assert len(rows(desk, of_market(BEFORE))) == 1


def test_what_is_bought_is_the_volume_and_so_is_what_is_sold() -> None:
    desk = Desk().log_in()
    for row in rows(desk, FlowsOfName(fid_input_iscd=NAME, fid_input_date_1=TODAY)):
        figure = {name: int(text) for name, text in row.items() if text.lstrip("-").isdigit()}
        for side in ("shnu", "seln"):
            parties = ("prsn", "frgn", "orgn", "etc_corp", "etc_orgt")
            assert sum(figure[f"{party}_{side}_vol"] for party in parties) == figure["acml_vol"]
            assert sum(figure[f"{house}_{side}_vol"] for house in HOUSES) == figure["orgn_" + side + "_vol"]
            assert min(figure[f"{party}_{side}_vol"] for party in (*parties, *HOUSES)) >= 0
        for party in ("prsn", "frgn", "orgn"):
            assert figure[f"{party}_ntby_qty"] == figure[f"{party}_shnu_vol"] - figure[f"{party}_seln_vol"]
            won = figure[f"{party}_shnu_tr_pbmn"] - figure[f"{party}_seln_tr_pbmn"]
            assert figure[f"{party}_ntby_tr_pbmn"] == won
        net = [name for name in figure if name.endswith(("ntby_qty", "ntby_vol")) and name.split("_ntby")[0] in HOUSES]
        assert sum(figure[name] for name in net) == figure["orgn_ntby_qty"]
        assert figure["frgn_reg_ntby_qty"] + figure["frgn_nreg_ntby_qty"] == figure["frgn_ntby_qty"]
        assert (
            figure["prsn_ntby_qty"] + figure["frgn_ntby_qty"] + figure["orgn_ntby_qty"] == -figure["etc_corp_ntby_vol"]
        )


def test_both_calls_about_a_name_tell_the_same_figures() -> None:
    desk = Desk().log_in()
    full = {row["stck_bsop_date"]: row for row in rows(desk, FlowsOfName(fid_input_iscd=NAME, fid_input_date_1=TODAY))}
    for row in rows(desk, RecentFlows(fid_input_iscd=NAME)):
        assert row.items() <= full[row["stck_bsop_date"]].items()
    own = {f"{day:%Y%m%d}": flow for day, flow in desk.core.board.library.flows(NAME, WORLD.days[0], BEFORE)}
    for day, row in full.items():
        assert int(row["frgn_ntby_qty"]) == own[day].foreign_sh
        assert int(row["orgn_ntby_tr_pbmn"]) == pytest.approx(own[day].institution_won / 1e6, abs=1)


def test_pages_of_a_name_join_without_a_gap() -> None:
    desk, found, until = Desk().log_in(), [], DAY
    while page := rows(desk, FlowsOfName(fid_input_iscd=NAME, fid_input_date_1=f"{until:%Y%m%d}")):
        found += [row["stck_bsop_date"] for row in page]
        until = dt.datetime.strptime(found[-1], "%Y%m%d").date() - dt.timedelta(days=1)  # noqa: DTZ007
    assert found == [f"{day:%Y%m%d}" for day in reversed(WORLD.days) if day < DAY]


@pytest.mark.parametrize(("code", "sub", "market"), [("0001", "KSP", Market.KOSPI), ("1001", "KSQ", Market.KOSDAQ)])
def test_a_market_is_the_sum_of_its_shares(code: str, sub: str, market: Market) -> None:
    desk = Desk().log_in()
    (row,) = rows(desk, of_market(BEFORE, code, sub))
    mine = [
        item.symbol for item in WORLD.instruments if item.market is market and item.kind not in (Kind.ETF, Kind.ETN)
    ]
    flows = [desk.core.board.library.flows(symbol, BEFORE, BEFORE)[0][1] for symbol in mine]
    for name, part in (("frgn", "foreign"), ("orgn", "institution"), ("prsn", "individual")):
        assert int(row[f"{name}_ntby_qty"]) == pytest.approx(
            sum(getattr(f, f"{part}_sh") for f in flows) / 1e3, abs=0.51
        )
        assert int(row[f"{name}_ntby_tr_pbmn"]) == pytest.approx(
            sum(getattr(f, f"{part}_won") for f in flows) / 1e6, abs=0.51
        )
    (day, bar), *_ = desk.core.board.index_rows(code, BEFORE, BEFORE)
    assert (row["stck_bsop_date"], row["bstp_nmix_prpr"]) == (f"{day:%Y%m%d}", f"{bar[3] / 100:.2f}")


def test_a_market_without_its_own_code_is_all_zero() -> None:
    desk = Desk().log_in()
    for sub in ("", "KSQ", "KOSPI"):
        (row,) = rows(desk, of_market(BEFORE, "0001", sub))
        assert {text for name, text in row.items() if "ntby" in name} == {"0"}
        assert float(row["bstp_nmix_prpr"]) > 0
    assert rows(desk, of_market(DAY - dt.timedelta(days=1))) == [], "a Sunday"


def test_mock_serves_the_recent_flows_alone() -> None:
    desk = Desk(mode=Mode.MOCK).log_in()
    assert len(rows(desk, RecentFlows(fid_input_iscd=NAME))) == 30
    assert rows(desk, RecentFlows(fid_input_iscd=NAME), fid_cond_mrkt_div_code="NX") == []
    assert ask(desk, RecentFlows(fid_input_iscd="000000")).code == "APBK0656"
