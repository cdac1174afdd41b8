"""Mutants of a module: its source with one comparison, constant or operator changed, loaded beside the true one."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

_FLIPS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_SWAPS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A changed module: where, what, and the module itself."""

    function: str
    line: int
    change: str
    module: ModuleType


def mutants(module: ModuleType, functions: set[str] | None = None) -> Iterator[Mutant]:
    """Yield every mutant of a module's functions (or of some of them)."""
    tree = ast.parse(inspect.getsource(module))
    for body in tree.body:
        if not isinstance(body, ast.FunctionDef) or (functions is not None and body.name not in functions):
            continue
        nodes = _nodes(body)
        for place, node in enumerate(nodes):
            for change in _changes(node):
                made = copy.deepcopy(tree)
                twin = next(b for b in made.body if isinstance(b, ast.FunctionDef) and b.name == body.name)
                target = _nodes(twin)[place]
                told = change(target)
                yield Mutant(body.name, node.lineno, told, _loaded(module, made))


def _nodes(body: ast.FunctionDef) -> list[ast.AST]:
    """Everything of a function but the words it speaks."""
    words = {id(n) for node in ast.walk(body) if isinstance(node, ast.JoinedStr) for n in ast.walk(node)}
    return [node for node in ast.walk(body) if hasattr(node, "lineno") and id(node) not in words]


def without(module: ModuleType, function: str, words: str) -> ModuleType:
    """Return the module with the ``if`` of a function deleted whose test holds ``words``; there must be one."""
    tree = ast.parse(inspect.getsource(module))
    body = next(b for b in tree.body if isinstance(b, ast.FunctionDef) and b.name == function)
    found = [node for node in ast.walk(body) if isinstance(node, ast.If) and words in ast.unparse(node.test)]
    assert len(found) == 1, f"{len(found)} comparisons with {words!r}"
    found[0].test = ast.Constant(value=False)
    return _loaded(module, tree)


def _changes(node: ast.AST):
    match node:
        case ast.Compare():
            for k, op in enumerate(node.ops):
                for other in _FLIPS[type(op)]:
                    yield lambda n, k=k, other=other: _flip(n, k, other)
        case ast.If():
            yield lambda n: _never(n)
        case ast.BinOp() if type(node.op) in _SWAPS and not isinstance(node.left, ast.Set | ast.Constant):
            yield lambda n: _swap(n)
        case ast.BoolOp():
            yield lambda n: _other(n)
        case ast.Constant() if type(node.value) is int:
            yield lambda n: _more(n)
        case ast.UnaryOp(op=ast.Not()):
            yield lambda n: _drop(n)


def _flip(node: ast.Compare, k: int, other: type[ast.cmpop]) -> str:
    before, node.ops[k] = type(node.ops[k]).__name__, other()
    return f"{before} -> {other.__name__} in {ast.unparse(node)}"


def _never(node: ast.If) -> str:
    told, node.test = ast.unparse(node.test), ast.Constant(value=False)
    return f"never: if {told}"


def _swap(node: ast.BinOp) -> str:
    node.op = _SWAPS[type(node.op)]()
    return f"operator of {ast.unparse(node)}"


def _other(node: ast.BoolOp) -> str:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return f"connective of {ast.unparse(node)}"


def _more(node: ast.Constant) -> str:
    node.value += 1
    return f"constant {node.value - 1} -> {node.value}"


def _drop(node: ast.UnaryOp) -> str:
    told, node.op, node.operand = ast.unparse(node), ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    return f"not dropped of {told}"


def _loaded(module: ModuleType, tree: ast.Module) -> ModuleType:
    made = ModuleType(module.__name__)
    made.__file__ = module.__file__
    exec(compile(ast.fix_missing_locations(tree), f"{module.__name__}~", "exec"), made.__dict__)
    return made
