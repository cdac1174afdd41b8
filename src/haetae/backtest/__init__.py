"""Simulated trading day after day, and the report of it.

Here: running target weights or a policy over a panel on ``sim.batch``, statistics and their errors,
comparison with baselines through the same engine, examinations (trials, overfitting, bootstrap, costs
and delays), the HTML, JSON and PNG report, and the reference episode around the desk. Not here: the
simulated exchange (``sim``), the strategies (``policies``), training (``rl``).
"""

from haetae.backtest.asking import run_policy
from haetae.backtest.bootstrap import Intervals, intervals
from haetae.backtest.breakdown import by_name, by_period
from haetae.backtest.capacity import participation
from haetae.backtest.drawdowns import drawdowns
from haetae.backtest.engine import Listing, run
from haetae.backtest.episode import Session, Track, episode, run_episode
from haetae.backtest.evidence import Evidence, best_benchmark, gather
from haetae.backtest.metrics import Comparison, Metrics, compare, measure
from haetae.backtest.overfitting import Overfitting, overfitting
from haetae.backtest.page import html
from haetae.backtest.picture import png
from haetae.backtest.report import figures
from haetae.backtest.result import FILLS, Result, index_result
from haetae.backtest.settings import BacktestSettings
from haetae.backtest.sharpe import deflated_sharpe, minimum_track_record, probabilistic_sharpe
from haetae.backtest.strategies import Ground, Views, run_strategy
from haetae.backtest.stress import Stress, stress
from haetae.backtest.trials import Deflated, Trials, deflate
from haetae.backtest.trips import round_trips, trip_figures
from haetae.backtest.verdict import ReportNotes

__all__ = [
    "FILLS",
    "BacktestSettings",
    "Comparison",
    "Deflated",
    "Evidence",
    "Ground",
    "Intervals",
    "Listing",
    "Metrics",
    "Overfitting",
    "ReportNotes",
    "Result",
    "Session",
    "Stress",
    "Track",
    "Trials",
    "Views",
    "best_benchmark",
    "by_name",
    "by_period",
    "compare",
    "deflate",
    "deflated_sharpe",
    "drawdowns",
    "episode",
    "figures",
    "gather",
    "html",
    "index_result",
    "intervals",
    "measure",
    "minimum_track_record",
    "overfitting",
    "participation",
    "png",
    "probabilistic_sharpe",
    "round_trips",
    "run",
    "run_episode",
    "run_policy",
    "run_strategy",
    "stress",
    "trip_figures",
]
