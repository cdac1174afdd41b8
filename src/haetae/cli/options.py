"""Options that mean the same in every verb, and the reading of what they name."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from haetae.cli.text import hint
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.config import Settings

JSON: TypeAlias = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help=hint("같은 사실을 JSON 으로", "the same facts as JSON"))
]
TriesFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--tries",
        metavar="FILE",
        help=hint("한 것을 한 줄씩 남기고, 끊긴 데서 이어 갑니다", "keeps what is done, goes on from there"),
    ),
]
Config: TypeAlias = Annotated[
    list[Path] | None, typer.Option(metavar="FILE", help=hint("설정 파일 (여럿이면 뒤가 위)", "settings; later wins"))
]
LAKE = Path("data/lake")
LakeFolder: TypeAlias = Annotated[Path, typer.Option("--lake", help=hint("레이크 폴더", "folder of the lake"))]
LakeAddress: TypeAlias = Annotated[
    str,
    typer.Option(
        "--lake", metavar="DIR|S3", help=hint("레이크 폴더 또는 s3://버킷/레이크", "folder, or s3://bucket/lake")
    ),
]
Region: TypeAlias = Annotated[
    str, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help=hint("AWS 지역", "AWS region"))
]
REGION = "ap-northeast-2"
Endpoint: TypeAlias = Annotated[
    str | None, typer.Option(envvar="AWS_ENDPOINT_URL", help=hint("다른 AWS 주소 (시험용)", "another AWS"))
]

BASE = Path(__file__).resolve().parents[3] / "configs" / "base.toml"
"""Read under every other file where the package runs from a checkout."""


def read_settings(files: list[Path] | None) -> Settings:
    """Return the settings: base file, the given files, the environment."""
    from haetae.config import load

    return load([*([BASE] if BASE.is_file() else []), *(files or [])], os.environ)


def read_day(text: str | None, option: str) -> dt.date | None:
    """Return the day an option gives, or ``None`` where it was not given."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            Text(ko="날짜가 아닙니다", en="not a day"),
            expected="2026-11-23",
            found=text,
            next_step=f"{option} 2026-11-23",
        ) from None


def given(pairs: list[str] | None) -> dict[str, str]:
    """Return ``NAME=VALUE`` options as a mapping."""
    found = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigError(
                Text(ko="매개변수를 읽을 수 없습니다", en="a parameter cannot be read"),
                expected="NAME=VALUE",
                found=pair,
                next_step="--set top=10",
            )
        found[name.strip()] = value.strip()
    return found
