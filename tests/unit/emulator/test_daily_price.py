"""The call of the last thirty bars: days, weeks, months, raw or adjusted."""

import datetime as dt

import pytest

from haetae.domain.units import instant_at
from haetae.emulator.board import Board
from haetae.emulator.interventions import Action, ActionKind
from haetae.emulator.periods import Period, gather
from haetae.emulator.server import build_world
from unit.emulator.service_rig import DAY, SMALL, Desk, shared_world

NAME = "005930"


def bars(desk: Desk, period: str, adjusted: str = "0") -> list[dict[str, str]]:
    asked = {"FID_INPUT_ISCD": NAME, "FID_PERIOD_DIV_CODE": period, "FID_ORG_ADJ_PRC": adjusted}
    return desk.get("quotations/inquire-daily-price", "FHKST01010400", **asked)["output"]


@pytest.mark.parametrize(("letter", "period"), [("D", None), ("W", Period.WEEK), ("M", Period.MONTH)])
def test_bars_are_the_newest_thirty_of_their_length(letter: str, period: Period | None) -> None:
    desk = Desk(180_000).log_in()
    daily = desk.core.board.daily_rows(NAME, shared_world().days[0], DAY)
    wanted = (gather(daily, period) if period else daily)[-30:][::-1]
    found = bars(desk, letter)
    assert [row["stck_bsop_date"] for row in found] == [f"{day:%Y%m%d}" for day, _ in wanted]
    assert [int(row["stck_hgpr"]) for row in found] == [bar[1] for _, bar in wanted]
    assert [int(row["acml_vol"]) for row in found] == [bar[4] for _, bar in wanted]


def test_prices_before_a_split_are_raw_unless_adjusted_ones_are_asked_for() -> None:
    world = build_world(SMALL)
    day = world.days[world.row[DAY] + 1]
    Board(world, instant_at(DAY, 80_000)).script(Action(day, NAME, ActionKind.SPLIT, ratio=5.0))
    desk = Desk(180_000, world=world, day=day).log_in()
    raw, adjusted = bars(desk, "D"), bars(desk, "D", "1")
    assert raw[0] == adjusted[0]
    assert int(raw[1]["stck_clpr"]) == pytest.approx(5 * int(adjusted[1]["stck_clpr"]), rel=0.01)
    assert dt.date.fromisoformat(raw[1]["stck_bsop_date"]) == DAY
