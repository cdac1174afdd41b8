"""Files that other programs read: a reader sees the old file or the new one, never a part.

Here: JSON records and pages of text. Not here: the lake's and the registry's own durable files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haetae.domain.errors import HaetaeError, Text


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON with sorted names; days and paths become their text."""
    write_text(path, json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a whole file of UTF-8 text durably, see ``write_bytes``."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file durably; a refusal of the disk leaves the old one and is one typed error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as fault:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, fault) from fault


def storage_error(path: Path, fault: OSError) -> HaetaeError:
    """Return the refusal of a disk as people read it."""
    return HaetaeError(
        Text(ko=f"{path} 에 쓸 수 없습니다", en=f"cannot write {path}"),
        expected=Text(ko="쓰기 권한과 빈 공간", en="a writable folder with free space"),
        found=fault.strerror or str(fault),
        next_step=Text(
            ko="공간과 권한을 확인하거나 다른 경로를 고르세요", en="check space and permission, or choose another path"
        ),
    )
