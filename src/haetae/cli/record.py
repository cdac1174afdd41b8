"""JSON files of facts (``--json FILE``): checked before the work, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haetae.domain.errors import ConfigError, Text
from haetae.wiring.records import write_json


def check_target(path: Path | None) -> None:
    """Refuse a place that cannot be written before minutes are spent on its content."""
    if path is None:
        return
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigError(
            Text(ko="JSON 파일을 쓸 수 없는 자리입니다", en="the JSON file cannot be written there"),
            expected=Text(ko="있는 폴더 안의, 쓸 수 있는 파일 이름", en="a file name in an existing, writable folder"),
            found=str(path),
            next_step=Text(ko="--json 에 다른 경로를 주세요", en="give another path to --json"),
        )


def write_record(path: Path | None, record: Mapping[str, Any]) -> None:
    """Write the facts whole or not at all; ``None`` writes nothing."""
    if path is not None:
        write_json(path, record)
