import datetime as dt

import pytest

from haetae.domain.market import Instrument, Kind, Market
from haetae.kis.wire.records import TradeRecord


@pytest.fixture
def samsung() -> Instrument:
    return Instrument(
        symbol="005930",
        name="삼성전자",
        market=Market.KOSPI,
        kind=Kind.COMMON,
        listed_on=dt.date(1975, 6, 11),
        base_price=71_000,
        shares_outstanding=5_969_782_000,
        sector="0013",
        as_of=dt.date(2026, 11, 20),
    )


@pytest.fixture
def sample_trade() -> TradeRecord:
    return TradeRecord(
        symbol="005930",
        day=dt.date(2026, 11, 23),
        clock=90001,
        price=71_200,
        volume=10,
        cumulative_volume=1_000,
        cumulative_turnover=71_150_000,
        open=71_000,
        high=71_300,
        low=71_000,
        ask=71_300,
        bid=71_200,
        ask_size=500,
        bid_size=700,
        base=71_000,
    )
