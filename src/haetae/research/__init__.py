"""Named stages of the research flow, from the lake to the report, each with a manifest.

``flow.run`` walks lake, universe, features, models, portfolio, backtest, report; ``ResearchSettings``
says how, ``plan`` what a change of it would remake. Not here: the crafts themselves (``features``,
``universe``, ``ml``, ``portfolio``), the simulation and its statistics (``backtest``), promotion (``registry``).

The flow is imported from ``flow``: every command reads ``ResearchSettings``, few of them learn anything.
"""

from haetae.research.settings import ResearchSettings

__all__ = ["ResearchSettings"]
