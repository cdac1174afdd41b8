"""Strategies by name, file and module, and the template of a new one."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from haetae.domain.errors import HaetaeError, StrategyError
from haetae.policies import LIBRARY, SignalStrategy, Strategy
from haetae.wiring.strategies import FORMS, code_digest, make_strategy, new_strategy, strategy_class

ONE = """
from haetae.policies import Strategy

class Mine(Strategy):
    top: int = 3

    def propose(self, view):
        return self.hold(view, {})
"""


def written(folder: Path, text: str, name: str = "mine.py") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_ready_ones_files_and_modules_are_found(tmp_path: Path) -> None:
    file = written(tmp_path, ONE + "\nclass Other(Mine):\n    pass\n")
    assert strategy_class("equal_weight") is LIBRARY["equal_weight"]
    assert strategy_class(f"{file}:Mine").__name__ == "Mine"
    assert strategy_class("haetae.policies.library:Reversal") is LIBRARY["reversal_5"]
    assert strategy_class(written(tmp_path, ONE)).title() == "mine"


def test_parameters_come_as_text(tmp_path: Path) -> None:
    made = make_strategy(written(tmp_path, ONE), {"top": "7"})
    assert made.parameters == {"top": 7}
    for given in ({"top": "many"}, {"bottom": "7"}):
        with pytest.raises(StrategyError):
            make_strategy(written(tmp_path, ONE), given)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module_here\n", "ModuleNotFoundError"),
        ("x = 1\n\n\n1 / 0\n", "ZeroDivisionError: division by zero (line 4)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 (line 1)"),
        (ONE.replace("top: int = 3", "top: int = undefined"), "NameError"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    before = set(sys.modules)
    with pytest.raises(StrategyError) as fault:
        strategy_class(written(tmp_path, text))
    assert told in fault.value.found
    assert not {name for name in set(sys.modules) - before if name.startswith("haetae_strategy")}


@pytest.mark.parametrize("named", ["no_such", "nowhere/mine.py", "no.such:Mine", "haetae.policies.library:Nobody"])
def test_what_is_not_there_is_told_with_what_to_do(named: str) -> None:
    with pytest.raises(StrategyError) as fault:
        strategy_class(named)
    assert str(fault.value.next_step)


def test_a_file_with_two_or_none_asks_which(tmp_path: Path) -> None:
    for text, expected in ((ONE + "\nclass Other(Mine):\n    pass\n", "mine.py:Mine"), ("x = 1\n", "class …")):
        with pytest.raises(StrategyError, match="which strategy") as fault:
            strategy_class(written(tmp_path, text))
        assert expected in str(fault.value.expected)


def test_what_a_file_imports_is_not_its_own(tmp_path: Path) -> None:
    text = "from haetae.policies.library import Momentum\n" + ONE
    assert strategy_class(written(tmp_path, text)).__name__ == "Mine"
    assert strategy_class(written(tmp_path, text) + ":Momentum") is LIBRARY["momentum_12_1"]


def test_the_digest_follows_the_code_and_nothing_else(tmp_path: Path) -> None:
    first = code_digest(strategy_class(written(tmp_path, ONE)))
    assert first == code_digest(make_strategy(written(tmp_path, ONE), {"top": "9"}))
    assert first != code_digest(strategy_class(written(tmp_path, ONE + "# changed\n")))
    assert code_digest(LIBRARY["cash"]) == code_digest(LIBRARY["momentum_12_1"])


@pytest.mark.parametrize("form", FORMS)
def test_the_template_is_a_strategy_under_its_new_name(tmp_path: Path, form: str) -> None:
    path = new_strategy("far_away", tmp_path, form)
    made = strategy_class(str(path))
    assert (path.name, made.__name__, made.title()) == ("far_away.py", "FarAway", "far_away")
    assert issubclass(made, SignalStrategy if form == "signals" else Strategy)
    text = path.read_text(encoding="utf-8")
    assert "my_strategy" not in text.replace("far_away", "")
    assert "MyStrategy" not in text
    method = "signals" if form == "signals" else "propose"
    (body,) = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == method)
    assert len(body.body) <= 10, "a stranger writes it in ten lines"


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = new_strategy("far_away", tmp_path)
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(StrategyError, match="exists"):
        new_strategy("far_away", tmp_path, "signals")
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Far",
        "9lives",
        "with-dash",
        "with space",
        "../up",
        "momentum_12_1",
        "json",
        "numpy",
        "strategy",
        "none",
        "가",
    ],
)
def test_names_that_would_hide_something_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StrategyError, match="cannot be used"):
        new_strategy(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_form_and_a_folder_that_is_not_there_are_typed(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="form"):
        new_strategy("far_away", tmp_path, "arrays")
    with pytest.raises(HaetaeError, match="cannot write"):
        new_strategy("far_away", tmp_path / "nowhere")


def test_the_templates_are_part_of_the_package() -> None:
    import haetae.wiring

    folder = Path(str(haetae.wiring.__file__)).parent / "templates"
    assert sorted(path.name for path in folder.iterdir()) == [f"strategy_{form}.py.txt" for form in sorted(FORMS)]
