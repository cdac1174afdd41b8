"""Honesty tools: what must hold of a strategy before its figures are worth reading.

Look-ahead, order of symbols, noise, delisted names, determinism, output, costs: each check is a function from a
`Subject` to a `Finding`, with its dice given from outside. Not here: the report of a run (``backtest.report``), where
strategies and bars come from (``wiring``).
"""

from haetae.backtest.audit.auditing import CHECKS, audit
from haetae.backtest.audit.findings import Audit, Finding, Verdict
from haetae.backtest.audit.subject import Subject

__all__ = ["CHECKS", "Audit", "Finding", "Subject", "Verdict", "audit"]
