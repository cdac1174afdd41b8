"""All settings of the product: one section per room, each room's own frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field

from haetae.emulator.settings import EmulatorSettings
from haetae.sim.settings import FillModel
from haetae.store.settings import StoreSettings
from haetae.universe.settings import UniverseSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Sections carry the names of their rooms; a section that is not given keeps its room's defaults."""

    emulator: EmulatorSettings = field(default_factory=EmulatorSettings)
    sim: FillModel = field(default_factory=FillModel)
    store: StoreSettings = field(default_factory=StoreSettings)
    universe: UniverseSettings = field(default_factory=UniverseSettings)
