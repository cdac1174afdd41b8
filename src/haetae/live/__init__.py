"""The real or paper trading day around the desk: queue, journal, sends, timers, recovery, replay.

Here: ``TradingDayRunner`` (see its module for how to drive it), ``replay`` of a journalled day,
``DayReport``, the offline decider as a port. Not here: any rule of the market or of the desk; the
adapters behind the ports (``kis``, ``emulator``, ``journal``, ``llm``) are plugged in by the wiring.
"""

from haetae.live.deciders import OfflineDecider
from haetae.live.handover import Handover, handover_of, latest_book, latest_handover
from haetae.live.replaying import Mismatch, Replay, replay
from haetae.live.report import DayReport, report_day
from haetae.live.runner import TradingDayRunner
from haetae.live.settings import LiveSettings, NotifySettings

__all__ = [
    "DayReport",
    "Handover",
    "LiveSettings",
    "Mismatch",
    "NotifySettings",
    "OfflineDecider",
    "Replay",
    "TradingDayRunner",
    "handover_of",
    "latest_book",
    "latest_handover",
    "replay",
    "report_day",
]
