"""Strategies by name, by file or by module; the template of a new one.

``equal_weight`` is a ready one, ``mine.py`` a file with one strategy in it, ``mine.py:Highs`` a class of a file and
``package.module:Highs`` a class of an installed module. Not here: what a strategy is (``policies.strategy``).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import keyword
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import haetae
from haetae.domain.errors import StrategyError, Text
from haetae.policies import LIBRARY, Strategy
from haetae.policies.forms import SignalStrategy, TargetStrategy
from haetae.policies.strategy import Parameter, read_parameter
from haetae.wiring.records import write_text

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TEMPLATES = Path(__file__).parent / "templates"
FORMS = ("view", "signals")
"""Templates: one method from view to proposal, or entries and exits over whole arrays."""


def strategy_class(named: str) -> type[Strategy]:
    """Return the class a name, file or module gives; ``StrategyError`` says what is missing."""
    if named in LIBRARY:
        return LIBRARY[named]
    place, _, wanted = named.partition(":")
    if place.endswith(".py"):
        module = _file_module(Path(place))
    elif "." in place or wanted:
        module = _installed_module(place)
    else:
        raise StrategyError(
            Text(ko=f"모르는 전략입니다: {named}", en=f"unknown strategy: {named}"),
            expected=Text(
                ko=", ".join(sorted(LIBRARY)) + " 또는 파일.py[:클래스]",
                en=", ".join(sorted(LIBRARY)) + " or FILE.py[:Class]",
            ),
            found=named,
            next_step="haetae strategy new my_strategy",
        )
    return _chosen(module, wanted, named)


def make_strategy(named: str, given: Mapping[str, str] | None = None) -> Strategy:
    """Return a strategy with parameters given as text."""
    made = strategy_class(named)
    known = made.defaults()
    values: dict[str, Parameter] = {
        name: read_parameter(made.title(), name, text, known[name]) if name in known else text
        for name, text in (given or {}).items()
    }
    return made(**values)


def code_digest(strategy: Strategy | type[Strategy]) -> str:
    """Return a hash of the source a strategy is made of: its file, and for ready ones the rooms behind them."""
    made = strategy if isinstance(strategy, type) else type(strategy)
    files = [Path(inspect.getfile(made))]
    if made.__module__.startswith("haetae."):
        package = Path(haetae.__file__).parent
        files = sorted(path for room in ("policies", "portfolio") for path in (package / room).rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def new_strategy(name: str, folder: Path, form: str = "view") -> Path:
    """Write the template of a strategy and return its path; an existing file is never written over."""
    if form not in FORMS:
        raise StrategyError(
            Text(ko="모르는 형식입니다", en="unknown form"),
            expected=", ".join(FORMS),
            found=form,
            next_step=f"haetae strategy new {name} --form {FORMS[0]}",
        )
    path = folder / f"{name}.py"
    if path.exists():
        raise StrategyError(
            Text(ko="이미 있는 파일입니다", en="the file exists already"),
            expected=Text(ko="새 이름", en="a new name"),
            found=str(path),
            next_step=Text(ko="다른 이름을 쓰거나 파일을 옮기세요", en="choose another name, or move the file"),
        )
    title = "".join(part.capitalize() for part in name.split("_"))
    if not _NAME.fullmatch(name) or name in LIBRARY or _taken(name, title):
        raise StrategyError(
            Text(ko=f"쓸 수 없는 이름입니다: {name}", en=f"this name cannot be used: {name}"),
            expected=Text(
                ko="작은 글자로 시작하는 영문·숫자·_ (준비된 전략과 파이썬 모듈의 이름 제외)",
                en="small letters, digits and _, not the name of a ready strategy or of a Python module",
            ),
            found=name,
            next_step="haetae strategy new my_strategy",
        )
    text = (_TEMPLATES / f"strategy_{form}.py.txt").read_text(encoding="utf-8")
    write_text(path, text.replace("MyStrategy", title).replace("my_strategy", name))
    return path


def _taken(name: str, title: str) -> bool:
    """Whether a file of this name would hide a module, or its class a name that the template uses."""
    hides = name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None
    return hides or keyword.iskeyword(title) or title in ("Strategy", "SignalStrategy", "View", "Proposal")


def _file_module(path: Path) -> ModuleType:
    if not path.is_file():
        raise StrategyError(
            Text(ko="전략 파일이 없습니다", en="there is no such file of a strategy"),
            expected=Text(ko="있는 .py 파일", en="an existing .py file"),
            found=str(path),
            next_step="haetae strategy new my_strategy",
        )
    name = f"haetae_strategy_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that annotations can be read, and other processes can name the class
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        del sys.modules[name]
        raise _broken(str(path), fault) from fault
    return module


def _installed_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as fault:
        raise _broken(name, fault) from fault


def _chosen(module: ModuleType, wanted: str, named: str) -> type[Strategy]:
    bases = (Strategy, SignalStrategy, TargetStrategy)
    found = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value not in bases
    }
    own = {name: value for name, value in found.items() if value.__module__ == module.__name__}
    choice = found if wanted else own
    if wanted in choice:
        return choice[wanted]
    if not wanted and len(choice) == 1:
        return next(iter(choice.values()))
    raise StrategyError(
        Text(ko="어느 전략인지 알 수 없습니다", en="it is not said which strategy is meant"),
        expected=", ".join(f"{named.partition(':')[0]}:{name}" for name in choice) or "class … (Strategy)",
        found=named,
        next_step="from haetae.policies import Strategy",
    )


def _broken(where: str, fault: BaseException) -> StrategyError:
    line = getattr(fault, "lineno", None)
    told = fault.__traceback__
    while told is not None:
        if told.tb_frame.f_code.co_filename == where:
            line = told.tb_lineno
        told = told.tb_next
    return StrategyError(
        Text(ko=f"전략을 읽을 수 없습니다: {where}", en=f"the strategy cannot be read: {where}"),
        expected=Text(ko="오류 없이 읽히는 파이썬 파일", en="a Python file that imports without an error"),
        found=f"{type(fault).__name__}: {fault}" + (f" (line {line})" if line else ""),
        next_step=Text(ko="파일을 고치세요", en="mend the file"),
    )
