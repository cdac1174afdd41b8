"""The leg and its context that tests of the agent and of the language model ask about."""

from __future__ import annotations

from haetae.agent import BriefContext
from haetae.domain.decisions import Leg
from haetae.domain.orders import Side

AT = 1_795_392_300_000_000_000
LEG = Leg("P1.00", "P1", "005930", Side.BUY, 100, 50_200, 0.04, 0.9)
CONTEXT = BriefContext(
    policy_id="top-1",
    market="KOSPI",
    sector="01",
    last=50_000,
    base_price=49_500,
    lower_limit=34_650,
    upper_limit=64_300,
    snapshot_at=AT,
    average_turnover=50_000_000_000,
    traded_today_won=1_000_000_000,
    held=0,
    average_price=0,
    cash=10**8,
    equity=10**8,
    day_return=0.0,
    drawdown=0.0,
    regime="calm",
    volatility_ratio=1.0,
    fear_greed=55.0,
    score_rank=0.9,
    features={"ret_1m": 0.001},
)
