"""Which symbols may be traded, point in time, and the reason for each one that may not.

``select`` picks exactly the wanted number from what was known on a day; ``settings`` holds the
floors and weights, ``reasons`` every code that is told. Not here: what to do with the symbols (``portfolio``,
``policies``), reading a lake (``wiring``, ``research``), where snapshots lie (``store``).
"""

from haetae.universe.selection import select
from haetae.universe.settings import MissingParts, UniverseSettings
from haetae.universe.statements import NO_STATEMENTS, Statements
from haetae.universe.statuses import NO_STATUSES, Statuses

__all__ = ["NO_STATEMENTS", "NO_STATUSES", "MissingParts", "Statements", "Statuses", "UniverseSettings", "select"]
