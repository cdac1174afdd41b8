"""A desk's folder: lake, models, journal, plan and facts; begun from another folder's lake and models.

The layout is that of a demo's output, so every reader of one reads the other. Files of lake and
registry never change once written, so a new desk links them instead of copying; what either desk
adds later is its own.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from haetae.domain.errors import ConfigError, Text
from haetae.domain.learning import ModelState
from haetae.registry.registry import Registry

POLICY, RANKER = "policy", "ranker"
_INHERITED = (
    "identity", "seed", "listed", "synthetic", "features", "feature_sets", "ml", "rl", "backtest", "policy", "rankers",
)  # fmt: skip
"""Facts of the folder a desk began from that stay true in its own."""


def open_folder(out: Path, source: Path | None) -> dict[str, Any]:
    """Return the facts of a desk's folder, begun from ``source`` where it is new."""
    if (out / "lake").is_dir() and (out / "models").is_dir():
        return read_facts(out)
    if source is None or not (source / "lake").is_dir() or not (source / "models").is_dir():
        raise ConfigError(
            Text(ko="레이크와 모델이 없습니다", en="there is neither lake nor models"),
            expected=Text(ko="lake/ 와 models/ 가 있는 폴더", en="a folder with lake/ and models/"),
            found=str(source or out),
            next_step=Text(
                ko="먼저 `haetae demo`, 그리고 --from data/demo", en="first `haetae demo`, then --from data/demo"
            ),
        )
    out.mkdir(parents=True, exist_ok=True)
    for part in ("lake", "models"):
        shutil.copytree(
            source / part,
            out / part,
            copy_function=_link,
            ignore=shutil.ignore_patterns("*.lock", "*.tmp"),
            dirs_exist_ok=True,
        )
    return {name: value for name, value in read_facts(source).items() if name in _INHERITED}


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the facts of a folder; none is an empty record."""
    try:
        record = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def in_charge(registry: Registry) -> tuple[str, str]:
    """Return the policy and the ranker that trade: the champions of their kinds."""
    policy, ranker = registry.champion(POLICY), registry.champion(RANKER)
    if policy is None or ranker is None:
        listed = ", ".join(f"{card.model_id} {state.value}" for card, state in registry.models()) or "-"
        raise ConfigError(
            Text(ko="맡은 모델이 없습니다", en="no model is in charge"),
            expected=f"{POLICY}, {RANKER}: {ModelState.CHAMPION.value}",
            found=listed,
            next_step=Text(ko="`haetae model promote 이름`", en="`haetae model promote NAME`"),
        )
    return policy.model_id, ranker.model_id
