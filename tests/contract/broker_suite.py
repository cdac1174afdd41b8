"""What every broker must do, as one inherited suite.

A subclass gives a fixture ``open_rig``: a clock time of the shared day in, an async context manager of a ``Rig`` out.
The simulated broker in process and the KIS client on the emulator's wire run the same cases.
"""

from __future__ import annotations

from contract.admission_suite import AdmissionSuite
from contract.books_suite import BooksSuite
from contract.life_suite import LifeSuite
from contract.rig import CASH as CASH
from contract.rig import OpenRig as OpenRig
from contract.rig import Rig as Rig
from contract.session_suite import SessionSuite


class BrokerSuite(LifeSuite, AdmissionSuite, SessionSuite, BooksSuite):
    """Subclass as ``class TestMyBroker(BrokerSuite)`` with a fixture ``open_rig``."""
