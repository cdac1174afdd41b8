"""Named stages of the research flow, from the lake to the report, each with a manifest.

``run`` walks lake, universe, features, models, portfolio, backtest, report; ``ResearchSettings``
says how, ``plan`` what a change of it would remake. Not here: the crafts themselves (``features``,
``universe``, ``ml``, ``portfolio``), the simulation and its statistics (``backtest``), promotion (``registry``).
"""

from haetae.research.flow import run
from haetae.research.market import LakeReader
from haetae.research.outcome import SCHEMA, Outcome
from haetae.research.plan import STAGES
from haetae.research.settings import ResearchSettings

__all__ = ["SCHEMA", "STAGES", "LakeReader", "Outcome", "ResearchSettings", "run"]
