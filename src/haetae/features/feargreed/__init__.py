"""Fear & greed of the Korean market, 0 (fear) to 100 (greed), from what the lake holds.

Each component is one number a day; it is ranked against its own trailing year (0-100, ties count half), and
the index is the weighted mean of the ranks that exist that day. A missing component is left out, the others
take its weight, and ``FearGreed.flags`` names it with the day it was last known; it is never filled with a
number. ``components`` declares what there is, ``intraday`` measures a running day by the same fold.

Modelled on the components of CNN's index; option ratios and credit spreads are not in the lake. Not here:
CNN's own index (a table of the lake, never mixed into ours), any use of the value (a policy sees it in its
``View``).
"""

from haetae.features.feargreed.components import COMPONENTS, NAMES, Component, specs, word_of
from haetae.features.feargreed.index import FearGreed, Missing, MoodState, build, fold, start
from haetae.features.feargreed.inputs import MoodInputs, of_panel
from haetae.features.feargreed.ranking import trailing_rank
from haetae.features.feargreed.settings import FearGreedSettings

__all__ = [
    "COMPONENTS",
    "NAMES",
    "Component",
    "FearGreed",
    "FearGreedSettings",
    "Missing",
    "MoodInputs",
    "MoodState",
    "build",
    "fold",
    "of_panel",
    "specs",
    "start",
    "trailing_rank",
    "word_of",
]
