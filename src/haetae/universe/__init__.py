"""Which symbols may be traded, point in time, and the reason for each one that may not.

``select`` picks exactly the wanted number from what was known on a day; ``settings`` holds the
floors and weights. Not here: what to do with the symbols (``portfolio``, ``policies``).
"""

from haetae.universe.selection import select
from haetae.universe.settings import UniverseSettings

__all__ = ["UniverseSettings", "select"]
