"""Haetae (해태): a trading platform for Korean stocks on the KIS Open API.

The floor plan, the two flows and the laws are in ``ARCHITECTURE.md``. Rooms are sub-packages;
imports run downward only, and ``pyproject.toml`` holds the contracts that a machine checks.
"""

__version__ = "0.1.0"
