"""The machine of ``rigs.order_life``, a minute's worth; the environment makes it as long as a night.

``HAETAE_LIFE_EXAMPLES=20000 HAETAE_LIFE_STEPS=100`` is a night.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from rigs.order_life import OrderLife

TestOrderLife = pytest.mark.slow(OrderLife.TestCase)
TestOrderLife.settings = settings(
    max_examples=int(os.environ.get("HAETAE_LIFE_EXAMPLES", "60")),
    stateful_step_count=int(os.environ.get("HAETAE_LIFE_STEPS", "50")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
