"""All settings of the product: one section per room, each room's own frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field

from haetae.collector.settings import CollectorSettings
from haetae.desk.settings import DeskSettings
from haetae.emulator.settings import EmulatorSettings
from haetae.features.feargreed.settings import FearGreedSettings
from haetae.journal.settings import JournalSettings
from haetae.kis.settings import KisSettings
from haetae.krx.settings import FeeSchedule
from haetae.live.settings import LiveSettings, NotifySettings
from haetae.ml.settings import MlSettings
from haetae.research.settings import ResearchSettings
from haetae.sim.settings import FillModel
from haetae.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Sections carry the names of their rooms; a section that is not given keeps its room's defaults."""

    collector: CollectorSettings = field(default_factory=CollectorSettings)
    desk: DeskSettings = field(default_factory=DeskSettings)
    emulator: EmulatorSettings = field(default_factory=EmulatorSettings)
    feargreed: FearGreedSettings = field(default_factory=FearGreedSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    kis: KisSettings | None = None
    """An account at the broker; none unless its keys are in the environment."""
    krx: FeeSchedule = field(default_factory=FeeSchedule)
    live: LiveSettings = field(default_factory=LiveSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    """Whom the desk tells; nobody unless addresses are in the environment."""
    ml: MlSettings = field(default_factory=MlSettings)
    research: ResearchSettings = field(default_factory=ResearchSettings)
    sim: FillModel = field(default_factory=FillModel)
    store: StoreSettings = field(default_factory=StoreSettings)
