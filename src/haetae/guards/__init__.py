"""The last word before an order: limits, kill switch, sanity of price, size, session, behaviour.

Here: ``review`` (an intent against a ``Situation``), ``clear`` (the only maker of ``ClearedOrder``),
``Limits`` with ceilings that configuration cannot exceed, the volatility escape as a fold
(``observe``). Not here: acting on it (``desk``), order life (``execution``).

Every guard is pure, works on the worst case (open and unknown orders count as filled) and refuses
when an input is missing. Numbers and codes (G01 …) follow the project's reliability table.
"""

from haetae.guards.asking import EscapeLevel, Figures
from haetae.guards.compared import compared
from haetae.guards.escape import EscapeState, glimpse, heed, observe, open_escape, start_session
from haetae.guards.escape_settings import ESCAPE_BOUNDS, EscapeSettings
from haetae.guards.finding import Cap, Guard
from haetae.guards.judgement import STEERED, worth_of
from haetae.guards.review import Step, check, clear, cleared, explain, guards_of, inputs_of, inputs_of_all, review
from haetae.guards.settings import (
    CEILINGS,
    FLOORS,
    Limits,
    TrialLimits,
    require_ceilings,
    require_measured,
)
from haetae.guards.situation import Sent, Situation, Traffic
from haetae.guards.state import blind_for_s
from haetae.guards.table import GUARDS
from haetae.guards.watch import PriceWatch, make_ready

__all__ = [
    "CEILINGS",
    "ESCAPE_BOUNDS",
    "FLOORS",
    "GUARDS",
    "STEERED",
    "Cap",
    "EscapeLevel",
    "EscapeSettings",
    "EscapeState",
    "Figures",
    "Guard",
    "Limits",
    "PriceWatch",
    "Sent",
    "Situation",
    "Step",
    "Traffic",
    "TrialLimits",
    "blind_for_s",
    "check",
    "clear",
    "cleared",
    "compared",
    "explain",
    "glimpse",
    "guards_of",
    "heed",
    "inputs_of",
    "inputs_of_all",
    "make_ready",
    "observe",
    "open_escape",
    "require_ceilings",
    "require_measured",
    "review",
    "start_session",
    "worth_of",
]
