"""Typed settings from TOML and environment: ``base`` < file < environment, read once, all faults at once.

Here: reading, layering, checking types and names. Not here: defaults and their reasons (each room's
``settings``), nor who uses them (``wiring``). Secrets come from the environment only.
"""

from haetae.config.loading import changed, load
from haetae.config.settings import Settings

__all__ = ["Settings", "changed", "load"]
