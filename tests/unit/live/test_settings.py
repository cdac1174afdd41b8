"""What a driver of a trading day, and its messages, cannot work with is refused before the day begins."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from haetae.live import LiveSettings, NotifySettings

PAUSES = ("end_grace_s", "read_retry_s")


@pytest.mark.parametrize("name", [one.name for one in fields(LiveSettings) if one.name != "reserve"])
def test_a_number_of_nothing_is_refused_by_its_name(name: str) -> None:
    if name in PAUSES:
        assert getattr(LiveSettings(**{name: 0}), name) == 0  # a driver that does not wait is hasty, not broken
        with pytest.raises(ValueError, match=f"{name}: 0 or more"):
            LiveSettings(**{name: -1})
        return
    with pytest.raises(ValueError, match=f"{name}: more than 0"):
        LiveSettings(**{name: 0})


def test_all_faults_are_told_together() -> None:
    with pytest.raises(ValueError, match="start_reads, beat_s: more than 0"):
        LiveSettings(start_reads=0, beat_s=-1)


@pytest.mark.parametrize(("warn", "halt"), [(100_000, 100_001), (1_000_000, 100_000), (2_000_000, 1_500_000)])
def test_a_disk_that_halts_before_it_warns_or_warns_when_empty_is_refused(warn: int, halt: int) -> None:
    with pytest.raises(ValueError, match="disk_halt_ppm is at most disk_warn_ppm"):
        LiveSettings(disk_warn_ppm=warn, disk_halt_ppm=halt)


def test_the_edges_of_what_works_are_taken() -> None:
    made = LiveSettings(disk_warn_ppm=999_999, disk_halt_ppm=999_999, reserve=Path("elsewhere"))
    assert (made.disk_halt_ppm, made.reserve) == (999_999, Path("elsewhere"))


@pytest.mark.parametrize("changes", [{"least": -1}, {"least": 3}, {"storm_s": -1}, {"waiting": 0}, {"tries": 0}])
def test_messages_that_cannot_be_sent_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="least is 0, 1 or 2"):
        NotifySettings(**changes)
    assert NotifySettings(least=2, storm_s=0, waiting=1, tries=1).least == 2
