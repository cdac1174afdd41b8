"""``haetae bench NAME``: one of the benchmarks of the checkout, as a table and as JSON."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint
from haetae.domain.errors import ConfigError, Text

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"
"""Benchmarks stand beside the package in a checkout; an installed wheel has none."""


def names(folder: Path) -> list[str]:
    """Return the benchmarks of a folder; a name may be written with hyphens or, as its file is, with underscores."""
    return sorted(path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.stem.startswith("_"))


def rows(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested facts as ``(dotted name, value)``; floats with four digits."""
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from rows(value, f"{name}.")
        elif isinstance(value, float):
            yield name, f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
        else:
            yield name, f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def bench(
    name: Annotated[str, typer.Argument(help=hint("벤치마크 이름", "name of the benchmark"))],
    json_file: Annotated[Path | None, typer.Option("--json", help=hint("결과 JSON", "result as JSON"))] = None,
) -> None:
    """Run one benchmark of the checkout."""
    known = names(FOLDER)
    if name.replace("_", "-") not in known:
        raise ConfigError(
            Text(ko="그런 벤치마크가 없습니다", en="no such benchmark"),
            expected=", ".join(known) or str(FOLDER),
            found=name,
            next_step=Text(ko="`haetae bench m60` 처럼 쓰세요", en="for example `haetae bench m60`"),
        )
    check_target(json_file)
    stem = name.replace("-", "_")
    spec = importlib.util.spec_from_file_location(f"benchmarks.{stem}", FOLDER / f"{stem}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with contextlib.redirect_stdout(sys.stderr):  # what a benchmark tells on its way is no result
        spec.loader.exec_module(module)
        record: dict[str, Any] = module.run(None)
    leaves = list(rows(record))
    width = max(len(label) for label, _ in leaves)
    for label, value in leaves:
        print(f"{label:<{width}}  {value}")
    write_record(json_file, record)
