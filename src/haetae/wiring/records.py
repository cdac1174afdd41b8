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
from haetae.domain.passing import Passing, pass_by


def write_json(path: Path, record: Mapping[str, Any], passing: Passing = pass_by) -> None:
    """Write a record as JSON with sorted names; days and paths become their text."""
    write_text(path, json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n", passing)


def write_text(path: Path, text: str, passing: Passing = pass_by) -> None:
    """Write a whole file of UTF-8 text durably, see ``write_bytes``."""
    write_bytes(path, text.encode("utf-8"), passing)


def write_bytes(path: Path, content: bytes, passing: Passing = pass_by) -> None:
    """Write a whole file durably, its name too; a refusal of the disk leaves the old one and is one typed error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            passing("record.draft_written")
            os.fsync(file.fileno())
        passing("record.draft_synced")
        temporary.replace(path)
        passing("record.renamed")
        sync_folder(path.parent)
        passing("record.durable")
    except OSError as fault:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, fault) from fault


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; raises ``OSError`` where the disk refuses."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
