"""The last word before an order: limits, kill switch, sanity of price, size, session, behaviour.

Here: ``review`` (an intent against a ``Situation``), ``clear`` (the only maker of ``ClearedOrder``),
``Limits`` with ceilings that configuration cannot exceed, the volatility escape as a fold
(``observe``). Not here: acting on it (``desk``), order life (``execution``).

Every guard is pure, works on the worst case (open and unknown orders count as filled) and refuses
when an input is missing. Numbers and codes (G01 …) follow the project's reliability table.
"""

from haetae.guards.escape import EscapeLevel, EscapeState, observe, open_escape, start_session
from haetae.guards.finding import Cap, Guard
from haetae.guards.review import GUARDS, clear, cleared, review
from haetae.guards.settings import CEILINGS, EscapeSettings, Limits, TrialLimits, require_ceilings
from haetae.guards.situation import Sent, Situation, Traffic

__all__ = [
    "CEILINGS",
    "GUARDS",
    "Cap",
    "EscapeLevel",
    "EscapeSettings",
    "EscapeState",
    "Guard",
    "Limits",
    "Sent",
    "Situation",
    "Traffic",
    "TrialLimits",
    "clear",
    "cleared",
    "observe",
    "open_escape",
    "require_ceilings",
    "review",
    "start_session",
]
