"""A check that no code reaches for time, dice or an order that nobody chose: `python tests/ambient.py`.

The same seed must give the same day. ruff bans the commonest clocks and dice (``TID251``, ``NPY``, ``DTZ``); this check
resolves names through imports, covers the rest (nanosecond clocks, sleeps, entropy, uuids, hashes of objects, the
event loop's own time) and finds sets whose order leaks into a sequence: text hashes differ from process to process.
A place that may is named in ``SEAMS`` with its reason, and a seam that nothing uses is told too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "haetae"

CLOCKS = frozenset(
    {f"time.{name}" for name in (
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
        "process_time_ns", "thread_time", "localtime", "gmtime", "ctime", "sleep", "clock_gettime",
    )}
    | {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"}
)  # fmt: skip
DICE = frozenset(
    {"os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "numpy.random.default_rng", "numpy.random.seed"}
    | {f"numpy.random.{name}" for name in ("rand", "randn", "randint", "random", "choice", "shuffle", "permutation",
                                           "normal", "uniform", "standard_normal", "RandomState")}
)  # fmt: skip
DICE_MODULES = ("random.", "secrets.")
OBJECTS = frozenset({"id", "hash"})
"""Their values differ between processes (``hash`` of text by PYTHONHASHSEED)."""
LOOP = "loop.time"
"""The event loop's own clock; a seeded schedule turns it, a socket's time-out may use it."""
SET_ORDER = "set order"
ORDERED = frozenset({"list", "tuple", "enumerate", "iter", "next", "dict.fromkeys", "zip", "map", "reversed"})
"""What makes a sequence of what it is given; ``sorted``, ``set``, ``sum``, ``any``, ``len``, ``min`` do not care."""

_SOCKET = "the time-out of a socket is the event loop's"
_VIRTUAL = "the loop of a drill has virtual time"
_TOGETHER = "tasks are cancelled together at the end; nobody sees their order"
SEAMS: Mapping[str, Mapping[str, str]] = {
    "wiring/clocks.py": {
        "time.time_ns": "the wall clock",
        "time.monotonic": "the wall clock",
        "asyncio.sleep": "the wall clock waits",
    },
    "wiring/dice.py": {"numpy.random.default_rng": "the named generators"},
    "wiring/lockstep.py": {
        LOOP: "real seconds until a stalled desk is given up",
        "asyncio.sleep": "yields the processor while sockets are read",
    },
    "wiring/drills/loop.py": {"asyncio.sleep": _VIRTUAL},
    "wiring/drills/line.py": {LOOP: _VIRTUAL, "asyncio.sleep": _VIRTUAL},
    "wiring/drills/rig.py": {LOOP: _VIRTUAL, "asyncio.sleep": _VIRTUAL},
    "wiring/drills/shell.py": {"asyncio.sleep": _VIRTUAL},
    "wiring/drills/days.py": {
        "time.monotonic": "how long drills may take, and took",
        "time.process_time": "how much of a processor a day took",
    },
    "wiring/health.py": {"time.time": "the age of a desk's sign of life is the host's"},
    "wiring/heartbeat.py": {"time.time": "a sign of life is dated by the host, for processes that outlive the desk"},
    "wiring/killing.py": {LOOP: "a kill waits real seconds for the desk", "asyncio.sleep": "and no longer"},
    "wiring/notifying.py": {"asyncio.sleep": "a channel far away is tried again in real time"},
    "wiring/watchdog.py": {"time.monotonic": "a thread beside a blocked loop has no clock but its own"},
    "wiring/weeks.py": {"asyncio.sleep": "waits for child processes"},
    "wiring/journal_places.py": {"time.monotonic": "the term of a lease is counted on the host's own clock"},
    "wiring/crashes/cases.py": {"time.sleep": "waits for a child process"},
    "wiring/views/wishes.py": {"secrets.token_hex": "a name for a person's wish, nothing is drawn by it"},
    "service/tokens.py": {
        "secrets.token_urlsafe": "a secret that a seed must not tell",
        "secrets.token_hex": "the name of such a secret",
    },
    "cloud/stacks.py": {"time.sleep": "waits for a service far away"},
    "domain/secret.py": {"hash": "equality of secrets in one process"},
    "emulator/library.py": {"id": "a key of a cache, never an order"},
    "emulator/world.py": {"id": "a key of a cache, never an order"},
    "emulator/interrupts.py": {SET_ORDER: "two whole numbers, whose hashes are themselves"},
    "emulator/delivery.py": {"asyncio.sleep": "the emulator's sockets live in real time"},
    "emulator/service.py": {
        LOOP: "the emulator's sockets live in real time",
        "asyncio.sleep": "the emulator's sockets live in real time",
        SET_ORDER: _TOGETHER,
    },
    "kis/stream.py": {LOOP: _SOCKET, "asyncio.sleep": _SOCKET},
    "kis/pacing.py": {"asyncio.sleep": "a lock between processes is tried again in real time"},
    "kis/broker.py": {SET_ORDER: _TOGETHER},
    "kis/sending.py": {SET_ORDER: _TOGETHER},
    "live/runner.py": {SET_ORDER: _TOGETHER},
    "live/lanes.py": {SET_ORDER: "jobs that ended together are only asked for what went wrong"},
    "llm/client.py": {LOOP: "how long a model took"},
    "llm/decider.py": {"asyncio.sleep": "between two tries of a model, inside its deadline"},
}
"""Who may, what, and why; files are named from the package."""


@dataclass(frozen=True, slots=True)
class Use:
    """An ambient name in a file."""

    file: str
    line: int
    name: str

    def __str__(self) -> str:
        """Return it as a checker writes it."""
        return f"{self.file}:{self.line}: {self.name}: take it from the event, the Clock or a named generator"


class _Reader(ast.NodeVisitor):
    """Finds ambient uses in one module; names are resolved through its imports."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Use] = []
        self._known: dict[str, str] = {}
        self._sets: list[set[str]] = [set()]
        self._fields: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._known[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self._known[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        outer, self._fields = self._fields, set(_set_fields(node))
        self.generic_visit(node)
        self._fields = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._sets.append(set(_set_arguments(node.args)))
        self.generic_visit(node)
        self._sets.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name ast asks for

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._note(target.id, is_set=self._is_set(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self._note(node.target.id, is_set=_is_set_type(node.annotation))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._ambient(node, self._full(node))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._ambient(node, self._known.get(node.id, ""))

    def visit_Call(self, node: ast.Call) -> None:
        name = self._full(node.func)
        if name in OBJECTS and name not in self._known:
            self._tell(node, name)
        if name in ("asyncio.sleep",) and not _is_zero(node):
            self._tell(node, name)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "time" and self._is_loop(node.func.value):
            self._tell(node, LOOP)
        joins = isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "extend", "fromkeys")
        if name in ORDERED or joins:
            for argument in node.args[:1]:
                self._leak(node, argument)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._leak(node, node.iter)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp | ast.DictComp) -> None:
        self._leak(node, node.generators[0].iter)
        self.generic_visit(node)

    visit_DictComp = visit_ListComp  # noqa: N815 - the name ast asks for

    def visit_List(self, node: ast.List | ast.Tuple) -> None:
        for item in node.elts:
            if isinstance(item, ast.Starred):
                self._leak(item, item.value)
        self.generic_visit(node)

    visit_Tuple = visit_List  # noqa: N815 - the name ast asks for

    def _ambient(self, node: ast.expr, name: str) -> None:
        if name in CLOCKS or name in DICE or name.startswith(DICE_MODULES):
            self._tell(node, name)

    def _leak(self, node: ast.AST, iterated: ast.expr) -> None:
        if self._is_set(iterated):
            self._tell(node, SET_ORDER)

    def _tell(self, node: ast.AST, name: str) -> None:
        self.found.append(Use(self.file, getattr(node, "lineno", 0), name))

    def _note(self, name: str, *, is_set: bool) -> None:
        (self._sets[-1].add if is_set else self._sets[-1].discard)(name)

    def _is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self._fields
            case ast.Name(id=name):
                return any(name in scope for scope in self._sets)
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
                return self._is_set(left) or self._is_set(right)
            case ast.Call(func=ast.Attribute(value=value, attr="union" | "difference" | "intersection" | "copy")):
                return self._is_set(value)
        return False

    def _is_loop(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return "loop" in node.id
        if isinstance(node, ast.Attribute):
            return "loop" in node.attr
        return isinstance(node, ast.Call) and self._full(node.func).endswith(("_loop", "running_loop"))

    def _full(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._known.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self._full(node.value)}.{node.attr}"
        return ""


def _is_zero(node: ast.Call) -> bool:
    """Whether a sleep only yields to others."""
    return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0


def _is_set_type(node: ast.expr) -> bool:
    base = node.value if isinstance(node, ast.Subscript) else node
    return isinstance(base, ast.Name) and base.id in ("set", "frozenset")


def _set_fields(node: ast.ClassDef) -> Iterator[str]:
    """Yield the fields of a class that are declared as sets, in its body or on ``self``."""
    for each in ast.walk(node):
        if isinstance(each, ast.AnnAssign) and _is_set_type(each.annotation):
            target = each.target
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                yield target.attr
            elif isinstance(target, ast.Name) and each in node.body:
                yield target.id


def _set_arguments(arguments: ast.arguments) -> Iterator[str]:
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if each.annotation is not None and _is_set_type(each.annotation):
            yield each.arg


def uses_in(source: str, file: str = "") -> list[Use]:
    """Return every ambient use in a source."""
    reader = _Reader(file)
    reader.visit(ast.parse(source))
    return reader.found


def check(package: Path, seams: Mapping[str, Mapping[str, str]]) -> tuple[list[Use], list[str]]:
    """Return the uses outside the seams, and the seams that nothing uses."""
    used: set[tuple[str, str]] = set()
    wrong: list[Use] = []
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        for use in uses_in(path.read_text(encoding="utf-8"), file):
            if use.name in seams.get(file, {}):
                used.add((file, use.name))
            else:
                wrong.append(use)
    idle = [f"{file}: {name}" for file, names in seams.items() for name in names if (file, name) not in used]
    return wrong, idle


def main(arguments: Sequence[str]) -> int:
    """Check the package, or another folder, and print what is wrong."""
    wrong, idle = check(Path(arguments[0]) if arguments else PACKAGE, SEAMS)
    for use in wrong:
        print(use)
    for seam in idle:
        print(f"{seam}: this seam is not used; take it out of SEAMS")
    return 1 if wrong or idle else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
