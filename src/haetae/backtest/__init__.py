"""Simulated trading day after day, and the report of it.

Here: running target weights or a policy over a panel on ``sim.batch``, statistics, comparison with
baselines through the same engine, the HTML and JSON report, and the reference episode around the
desk. Not here: the simulated exchange (``sim``), the strategies (``policies``), training (``rl``).
"""

from haetae.backtest.asking import run_policy
from haetae.backtest.engine import Listing, run
from haetae.backtest.episode import Session, Track, episode, run_episode
from haetae.backtest.metrics import Comparison, Metrics, compare, deflated_sharpe, measure
from haetae.backtest.report import ReportNotes, figures, html
from haetae.backtest.result import Result, index_result
from haetae.backtest.settings import BacktestSettings
from haetae.backtest.strategies import Ground, Views, run_strategy

__all__ = [
    "BacktestSettings",
    "Comparison",
    "Ground",
    "Listing",
    "Metrics",
    "ReportNotes",
    "Result",
    "Session",
    "Track",
    "Views",
    "compare",
    "deflated_sharpe",
    "episode",
    "figures",
    "html",
    "index_result",
    "measure",
    "run",
    "run_episode",
    "run_policy",
    "run_strategy",
]
