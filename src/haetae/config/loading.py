"""``load``: the layers in order, and one error that lists every fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from haetae.config.reading import Leaf, Tree, build, overlay, read_environment, read_file
from haetae.config.settings import Settings
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)


def load(paths: Sequence[Path], env: Mapping[str, str]) -> Settings:
    """Return the settings of some TOML files, later ones above earlier ones, and the environment above all.

    Parameters
    ----------
    paths : sequence of Path
        ``configs/base.toml`` first. A missing file is a fault; an empty sequence gives the defaults.
    env : mapping
        ``HAETAE_SECTION__FIELD=text`` variables count, all others are left alone.

    Raises
    ------
    ConfigError
        With every fault of every layer: unreadable files, unknown names, wrong types, values that a
        room refuses, secrets in files.
    """
    tree: Tree = {}
    faults: list[str] = []
    for path in paths:
        layer, found = read_file(path)
        tree = overlay(tree, layer)
        faults += found
    layer, found = read_environment(env)
    faults += found
    settings = build(Settings, overlay(tree, layer), faults)
    if faults:
        raise _faulty(faults)
    assert isinstance(settings, Settings)
    return settings


def changed(record: T, given: Mapping[str, str], origin: str) -> T:
    """Return one room's settings with some values given as text, as in the environment.

    Parameters
    ----------
    record : dataclass
        The settings below; only fields that hold no records of their own can be given.
    given : mapping
        Name of a field to its text.
    origin : str
        Where the text is from, named in faults: ``--set``.

    Raises
    ------
    ConfigError
        With every fault: unknown names, wrong types, values that the room refuses.
    """
    faults: list[str] = []
    unfit = build(type(record), {name: Leaf(text, origin, is_text=True) for name, text in given.items()}, faults)
    if faults:
        raise _faulty(faults)
    return dataclasses.replace(record, **{name: getattr(unfit, name) for name in given})


def _faulty(faults: Sequence[str]) -> ConfigError:
    count = len(faults)
    return ConfigError(
        Text(ko=f"설정에 잘못이 {count}곳 있습니다", en=f"the configuration has {count} fault(s)"),
        expected=Text(ko="이름과 값이 모두 맞는 설정", en="known names and fitting values"),
        found="\n    - ".join(["", *faults]),
        next_step=Text(
            ko="위의 자리를 모두 고치세요; 이름과 기본값은 configs/base.toml 에 있습니다",
            en="mend every place above; names and defaults are in configs/base.toml",
        ),
    )
