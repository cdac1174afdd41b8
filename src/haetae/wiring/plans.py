"""What ``haetae trade plan`` and ``promote`` show and write: the agenda of a day, the promotion of what runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from haetae.config import load
from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Instant, day_of, kst_text
from haetae.krx import Rulebook, is_trading_day
from haetae.krx.calendar import next_trading_day
from haetae.live.agenda import agenda, due
from haetae.wiring import attestation
from haetae.wiring.desks import DECISION_MINUTES, FIRST_DECISION_MINUTE


def plan_of(day: dt.date | None, now: Instant) -> dict[str, Any]:
    """Return the steps of a day as JSON values; without a day that of today, or of the next trading day."""
    chosen = day or day_of(now)
    if day is None and (not is_trading_day(chosen) or now >= Rulebook.on(chosen).session.close_at):
        chosen = next_trading_day(chosen)
    if not is_trading_day(chosen):
        following = next_trading_day(chosen)
        raise ConfigError(
            Text(ko=f"{chosen} 은 휴장일입니다", en=f"the exchange is closed on {chosen}"),
            expected=Text(ko="거래일", en="a trading day"),
            found=str(chosen),
            next_step=f"haetae trade plan --day {following}",
        )
    steps = [
        {
            "name": step.name,
            "at": step.at,
            "kst": kst_text(step.at),
            "late": step.late.value,
            "now": state,
            "ko": step.title.ko,
            "en": step.title.en,
        }
        for step, state in due(agenda(Rulebook.on(chosen)), now)
    ]
    return {"day": chosen.isoformat(), "steps": steps}


def promote_desk(
    folder: Path, files: tuple[Path, ...], env: Mapping[str, str], day: dt.date, people: Sequence[str]
) -> attestation.Promotion:
    """Promote what runs in a desk's folder with the settings of these files."""
    if not folder.is_dir():
        raise ConfigError(
            Text(ko=f"데스크 폴더가 없습니다: {folder}", en=f"there is no desk folder {folder}"),
            expected=Text(ko="`haetae trade` 가 쓰는 폴더", en="the folder `haetae trade` works in"),
            found=str(folder),
            next_step=Text(ko="--out 으로 폴더를 주세요", en="give the folder with --out"),
        )
    others = {name: value for name, value in env.items() if not name.startswith("HAETAE_KIS__")}
    desk = load(files, others).desk
    desk = replace(desk, decision_minutes=DECISION_MINUTES, first_decision_minute=FIRST_DECISION_MINUTE)
    return attestation.promote(folder, desk, day, people)
