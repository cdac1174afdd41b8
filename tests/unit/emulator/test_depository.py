"""Corporate actions as the depository lists them: by record date, announced a month ahead, in padded figures."""

import datetime as dt

import pytest

from haetae.domain.market import Kind
from haetae.emulator.depository import record_date
from haetae.emulator.interventions import Action, ActionKind
from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.kis.wire.calls.events import BonusIssues, Dividends, Mergers, RightsIssues, Splits
from haetae.krx.calendar import next_trading_day, previous_trading_day
from unit.emulator.asking import rows
from unit.emulator.service_rig import DAY, Desk

SETTINGS = MarketSettings(seed=11, listed=120, history_sessions=40, live_sessions=60)
EX = next_trading_day(DAY, 3)
ARRIVES = next_trading_day(EX, 8)
SPAN = {"f_dt": "20261101", "t_dt": "20270331"}


@pytest.fixture(scope="module")
def acting() -> World:
    """A market in which a share is split, one issued free, one against money, one taken over, some pay dividends."""
    world = build_world(SETTINGS)
    board = Desk(80_000, world=world).core.board
    for action in actions(world):
        board.script(action)
    return world


def actions(world: World) -> list[Action]:
    commons = [item.symbol for item in world.instruments if item.kind is Kind.COMMON and not item.flags]
    names = [symbol for symbol in commons if world.daily.base[world.row[DAY], world.column[symbol]] > 0]
    split, bonus, rights, gone, keeper = names[5:10]
    return [
        Action(EX, split, ActionKind.SPLIT, ratio=5.0),
        Action(EX, bonus, ActionKind.BONUS, ratio=0.2, arrives=ARRIVES),
        Action(EX, rights, ActionKind.RIGHTS, ratio=0.125, price=5_000, arrives=ARRIVES),
        Action(EX, gone, ActionKind.MERGER, ratio=0.66, partner=keeper, arrives=ARRIVES),
    ]


def test_each_call_tells_its_own_action_in_the_forms_of_the_documented_examples(acting: World) -> None:
    desk = Desk(80_000, world=acting).log_in()
    split, bonus, rights, merger = actions(acting)
    (row,) = rows(desk, Splits(**SPAN))
    assert (row["sht_cd"], row["inter_bf_face_amt"], row["inter_af_face_amt"]) == (
        split.symbol,
        "000000500",
        "000000100",
    )
    assert (row["record_date"], row["list_dt"]) == (f"{previous_trading_day(EX):%Y%m%d}", f"{EX:%Y/%m/%d}")
    (row,) = rows(desk, BonusIssues(**SPAN))
    assert (row["sht_cd"], row["fix_rate"], row["right_dt"]) == (bonus.symbol, "20.00", f"{EX:%Y%m%d}")
    assert row["record_date"] == f"{next_trading_day(EX):%Y%m%d}"
    before, issued = int(row["tot_issue_stk_qty"]), int(row["issue_stk_qty"])
    assert before == acting.by_symbol[bonus.symbol].shares_outstanding
    assert issued == round(before * 0.2)
    assert len(row["issue_stk_qty"]) == 12
    (row,) = rows(desk, RightsIssues(**SPAN))
    assert (row["sht_cd"], row["fix_rate"], row["fix_price"]) == (rights.symbol, "12.50", "    5000")
    (row,) = rows(desk, Mergers(**SPAN))
    assert (row["sht_cd"], row["merge_rate"], row["merge_type"]) == (merger.symbol, "0.66", "흡수합병")
    assert row["cust_nm"] == acting.by_symbol[merger.partner].name


def test_the_end_of_a_year_is_the_record_date_of_its_dividends_and_they_are_told_a_month_ahead(acting: World) -> None:
    assert rows(Desk(80_000, world=acting, day=dt.date(2026, 11, 27)).log_in(), Dividends(**SPAN)) == []
    desk = Desk(80_000, world=acting, day=dt.date(2026, 12, 1)).log_in()
    found = rows(desk, Dividends(**SPAN))
    own = desk.core.board.library.corporate_actions(DAY, dt.date(2026, 12, 31))
    paying = {one.symbol: one for one in own if one.kind is ActionKind.DIVIDEND}
    assert [row["sht_cd"] for row in found] == sorted(paying)
    assert len(found) > 20
    for row in found:
        assert (row["record_date"], row["divi_kind"]) == ("20261231", "결산")
        assert row["per_sto_divi_amt"] == f"{paying[row['sht_cd']].price:012d}"
        assert float(row["divi_rate"]) == pytest.approx(paying[row["sht_cd"]].price / 5, abs=0.01)
        assert paying[row["sht_cd"]].day == dt.date(2026, 12, 29)
        assert row["divi_pay_dt"].startswith("2027/04/")


def test_range_name_market_and_kind_choose(acting: World) -> None:
    desk = Desk(80_000, world=acting, day=dt.date(2026, 12, 1)).log_in()
    (split, *_) = actions(acting)
    day = f"{record_date(split):%Y%m%d}"
    assert len(rows(desk, Splits(f_dt=day, t_dt=day))) == 1
    later = f"{record_date(split) + dt.timedelta(days=1):%Y%m%d}"
    assert rows(desk, Splits(f_dt=later, t_dt="20271231")) == []
    assert len(rows(desk, Splits(**SPAN, sht_cd=split.symbol))) == 1
    assert rows(desk, Splits(**SPAN, sht_cd="000660")) == []
    market = acting.by_symbol[split.symbol].market.value
    assert len(rows(desk, Splits(**SPAN, market_gb="1" if market == "KOSPI" else "2"))) == 1
    assert rows(desk, Splits(**SPAN, market_gb="2" if market == "KOSPI" else "1")) == []
    finals, interims = rows(desk, Dividends(**SPAN, gb1="1")), rows(desk, Dividends(**SPAN, gb1="2"))
    assert finals == rows(desk, Dividends(**SPAN))
    assert interims == []


@pytest.mark.parametrize(
    ("kind", "day", "record"),
    [
        (ActionKind.DIVIDEND, dt.date(2026, 12, 29), dt.date(2026, 12, 31)),
        (ActionKind.DIVIDEND, dt.date(2026, 9, 29), dt.date(2026, 9, 30)),
        (ActionKind.DIVIDEND, dt.date(2026, 11, 24), dt.date(2026, 11, 25)),
        (ActionKind.BONUS, dt.date(2026, 12, 29), dt.date(2026, 12, 30)),
        (ActionKind.SPLIT, dt.date(2026, 11, 23), dt.date(2026, 11, 20)),
        (ActionKind.MERGER, dt.date(2026, 11, 23), dt.date(2026, 11, 23)),
    ],
)
def test_the_record_date_is_where_trades_of_the_last_cum_day_are_settled(kind, day, record) -> None:
    assert record_date(Action(day, "005930", kind, ratio=1.0, price=1, partner="000660")) == record
