"""Statements and ratios: what is filed by now, quarters of the year so far, ratios that follow from the amounts."""

import datetime as dt

import pytest

from haetae.domain.market import Kind
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.kis.wire.calls import studies
from unit.emulator.asking import FUND, ask, rows
from unit.emulator.service_rig import Desk, shared_world

NAME = "005930"
FILED = dt.date(2026, 11, 14)
"""The last day on which the third quarter had to be filed."""


def periods(desk: Desk, basis: str) -> list[str]:
    return [
        row["stac_yymm"] for row in rows(desk, studies.IncomeStatement(fid_input_iscd=NAME, fid_div_cls_code=basis))
    ]


def test_a_statement_is_shown_from_the_day_it_had_to_be_filed() -> None:
    before = Desk(day=FILED - dt.timedelta(days=1)).log_in()
    assert periods(before, "1")[0] == "202606"
    after = Desk(day=FILED).log_in()
    assert periods(after, "1")[:2] == ["202609", "202606"]
    assert periods(after, "0")[0] == "202512"


def test_periods_come_newest_first_and_each_once() -> None:
    for basis, months in (("0", {"12"}), ("1", {"03", "06", "09", "12"})):
        found = periods(Desk().log_in(), basis)
        assert found == sorted(set(found), reverse=True)
        assert {period[4:] for period in found} == months
        assert len(found) >= 4


def test_the_last_quarter_of_a_year_is_the_year_and_the_quarters_before_are_less_of_it() -> None:
    desk = Desk().log_in()
    year = {
        row["stac_yymm"]: row for row in rows(desk, studies.IncomeStatement(fid_input_iscd=NAME, fid_div_cls_code="0"))
    }
    quarters = {
        row["stac_yymm"]: row for row in rows(desk, studies.IncomeStatement(fid_input_iscd=NAME, fid_div_cls_code="1"))
    }
    for period in year:
        assert quarters[period] == year[period]
        sold = [float(quarters[f"{period[:4]}{month}"]["sale_account"]) for month in ("03", "06", "09", "12")]
        assert sold == sorted(sold)
        assert sold[0] < 0.35 * sold[3]
    own = [one for one in desk.core.board.library.statements(NAME) if not one.annual and one.period // 100 == 2025]
    assert float(quarters["202506"]["sale_account"]) == pytest.approx(sum(one.sales for one in own[:2]) / 1e8, abs=0.01)


def test_amounts_balance_and_what_has_no_figure_is_99_99() -> None:
    desk = Desk().log_in()
    for row in rows(desk, studies.BalanceSheet(fid_input_iscd=NAME, fid_div_cls_code="1")):
        assets, debts, equity = (float(row[name]) for name in ("total_aset", "total_lblt", "total_cptl"))
        assert assets == pytest.approx(debts + equity, abs=0.02)
        assert float(row["cras"]) + float(row["fxas"]) == pytest.approx(assets, abs=0.02)
        assert float(row["flow_lblt"]) + float(row["fix_lblt"]) == pytest.approx(debts, abs=0.02)
        assert (row["cfp_surp"], row["prfi_surp"]) == ("99.99", "99.99")
    for row in rows(desk, studies.IncomeStatement(fid_input_iscd=NAME, fid_div_cls_code="0")):
        assert float(row["sale_account"]) - float(row["sale_cost"]) == pytest.approx(
            float(row["sale_totl_prfi"]), abs=0.02
        )
        assert float(row["sale_totl_prfi"]) > float(row["bsop_prti"])
        assert {row[name] for name in ("depr_cost", "sell_mang", "bsop_non_ernn", "bsop_non_expn")} == {"99.99"}


@pytest.mark.parametrize("basis", ["0", "1"])
def test_ratios_follow_from_the_amounts(basis: str) -> None:
    desk = Desk().log_in()

    def table(request) -> dict[str, dict[str, float]]:
        found = rows(desk, request(fid_input_iscd=NAME, fid_div_cls_code=basis))
        return {row["stac_yymm"]: {k: float(v) for k, v in row.items() if v} for row in found}

    income, sheet, ratio = table(studies.IncomeStatement), table(studies.BalanceSheet), table(studies.Ratios)
    profit, stable = table(studies.ProfitRatios), table(studies.StabilityRatios)
    growth, other = table(studies.GrowthRatios), table(studies.OtherRatios)
    shares = shared_world().by_symbol[NAME].shares_outstanding
    assert set(income) == set(sheet) == set(ratio) == set(profit) == set(stable) == set(growth) == set(other)
    for period, flow in income.items():
        stand, net = sheet[period], flow["thtr_ntin"]
        near = {"rel": 1e-3, "abs": 0.011}
        assert ratio[period]["roe_val"] == pytest.approx(100 * net / stand["total_cptl"], **near)
        assert ratio[period]["lblt_rate"] == pytest.approx(100 * stand["total_lblt"] / stand["total_cptl"], **near)
        assert ratio[period]["eps"] == pytest.approx(net * 1e8 / shares, rel=1e-3)
        assert ratio[period]["bps"] == pytest.approx(stand["total_cptl"] * 1e8 / shares, rel=1e-3)
        assert profit[period]["sale_ntin_rate"] == pytest.approx(100 * net / flow["sale_account"], **near)
        assert profit[period]["sale_totl_rate"] == pytest.approx(
            100 * flow["sale_totl_prfi"] / flow["sale_account"], **near
        )
        assert stable[period]["crnt_rate"] == pytest.approx(100 * stand["cras"] / stand["flow_lblt"], **near)
        assert 0 < stable[period]["quck_rate"] < stable[period]["crnt_rate"]
        assert other[period]["ebitda"] > flow["bsop_prti"]
        before = f"{int(period[:4]) - 1}{period[4:]}"
        if before in income:
            grown = 100 * (flow["sale_account"] / income[before]["sale_account"] - 1)
            assert ratio[period]["grs"] == growth[period]["grs"] == pytest.approx(grown, abs=0.02)
        else:
            assert "grs" not in ratio[period]


def test_funds_and_blank_cheques_file_nothing() -> None:
    desk = Desk().log_in()
    spac = next(item.symbol for item in shared_world().instruments if item.kind is Kind.SPAC)
    for symbol in (FUND, spac):
        assert rows(desk, studies.Ratios(fid_input_iscd=symbol, fid_div_cls_code="0")) == []


def test_payout_is_known_of_years_that_the_market_covers() -> None:
    settings = MarketSettings(seed=11, listed=40, history_sessions=560, live_sessions=3)
    desk = Desk(world=build_world(settings)).log_in()
    (newest, *_) = rows(desk, studies.OtherRatios(fid_input_iscd=NAME, fid_div_cls_code="0"))
    paid = desk.core.board.library.corporate_actions(dt.date(2025, 1, 1), dt.date(2025, 12, 31), NAME)
    income = ask(desk, studies.Ratios(fid_input_iscd=NAME, fid_div_cls_code="0")).many(studies.Ratio)[0]
    assert newest["stac_yymm"] == "202512"
    assert len(paid) == 4
    assert float(newest["payout_rate"]) == pytest.approx(100 * sum(one.price for one in paid) / income.eps, rel=0.01)
