"""What one kind of fault is: where it strikes, what can be said about it, and in which words.

Here: ``Entry`` and ``Param``, the form of the catalogue, from which scripts are checked and documents are written.
Not here: the entries (``catalogue``), scripts (``script``), effects (``transport``, ``orders`` and their neighbours).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from haetae.domain.errors import Text


class Site(Enum):
    """Where in the emulator a fault strikes.

    ``ARRIVAL``: a request's head has come, its body not. ``AHEAD``: before the call reaches the broker. ``BEHIND``: the
    broker has answered. ``ACK``: a registration is answered. ``FRAME``: a data frame is put out. ``STRIKE``: a moment,
    by the clock, a state, or a number of calls or frames.
    """

    ARRIVAL = "arrival"
    AHEAD = "ahead"
    BEHIND = "behind"
    ACK = "ack"
    FRAME = "frame"
    STRIKE = "strike"


class Form(Enum):
    """Form of one parameter."""

    WHOLE = "whole"
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"
    CHOICE = "choice"
    SYMBOL = "symbol"
    WHOLES = "wholes"
    DOORS = "doors"


class Timebase(Enum):
    """Which clock the seconds of a fault are counted on: the machine's, or the emulator's market."""

    REAL = "real"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of ``what``: its form, default and bounds; a choice names its words."""

    name: str
    form: Form
    default: Any
    words: Text
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def accepts(self) -> str:
        """What may stand there, in a few words."""
        match self.form:
            case Form.CHOICE:
                return " | ".join(self.choices)
            case Form.DOORS:
                return "list of " + " | ".join(self.choices)
            case Form.FLAG:
                return "true | false"
            case Form.TEXT:
                return "text"
            case Form.SYMBOL:
                return "a code of 6 characters"
            case Form.WHOLES:
                return "list of whole numbers"
            case Form.WHOLE | Form.NUMBER:
                name = "a whole number" if self.form is Form.WHOLE else "a number"
                edges = [f"from {self.least:g}" if self.least is not None else ""]
                edges += [f"to {self.most:g}" if self.most is not None else ""]
                return " ".join([name, *(edge for edge in edges if edge)])

    def fault_of(self, value: Any) -> bool:
        """Whether a value does not fit."""
        match self.form:
            case Form.WHOLE:
                return not _whole(value) or not self._inside(value)
            case Form.NUMBER:
                return isinstance(value, bool) or not isinstance(value, int | float) or not self._inside(value)
            case Form.FLAG:
                return not isinstance(value, bool)
            case Form.TEXT:
                return not isinstance(value, str)
            case Form.SYMBOL:
                return not isinstance(value, str) or not (value == "" or (len(value) == 6 and value.isalnum()))
            case Form.CHOICE:
                return value not in self.choices
            case Form.WHOLES:
                return not isinstance(value, list) or not value or not all(_whole(item) and item > 0 for item in value)
            case Form.DOORS:
                return not isinstance(value, list) or not value or not set(map(str, value)) <= set(self.choices)

    def _inside(self, value: float) -> bool:
        low = self.least is None or value >= self.least
        return value == value and low and (self.most is None or value <= self.most)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of fault.

    Attributes
    ----------
    site : Site
        Where it strikes.
    words : Text
        What happens, in one sentence.
    wants : Text
        What a client is expected to make of it.
    source : str
        Where it is known from, or ``unverified``.
    operations : tuple of str
        The calls it meets where a script names none; empty: every call.
    streams : tuple of str
        The same of streams.
    times : int
        How often it strikes where a script does not say, 0: always.
    timebase : Timebase
        The clock its seconds are counted on by default.
    needs : str
        What must be there: ``tls``, ``symbol`` (in ``where``), ``calendar`` (a date to run on, no script), or blank.
    example : str
        Complete ``[[fault]]`` tables; the command of what needs a date.
    elsewhere : tuple of (str, value, Site)
        Sites that a value of a parameter asks for in place of ``site``.
    also : tuple of Site
        Sites at which it strikes besides.
    """

    id: str
    site: Site
    words: Text
    wants: Text
    source: str
    example: str
    params: tuple[Param, ...] = ()
    operations: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    times: int = 1
    timebase: Timebase = Timebase.REAL
    needs: str = ""
    elsewhere: tuple[tuple[str, Any, Site], ...] = ()
    also: tuple[Site, ...] = ()

    def sites(self, what: Mapping[str, Any]) -> tuple[Site, ...]:
        """Return where it strikes with these parameters."""
        site = next((site for name, value, site in self.elsewhere if what.get(name) == value), self.site)
        return (site, *self.also)

    def param(self, name: str) -> Param | None:
        """Return a parameter by its name."""
        return next((param for param in self.params if param.name == name), None)

    def defaults(self) -> Mapping[str, Any]:
        """Return every parameter with its default."""
        return {param.name: param.default for param in self.params}


def seconds(default: float, words: Text, name: str = "seconds", *, most: float = 86_400.0) -> Param:
    """Return a parameter that is a span of time."""
    return Param(name, Form.NUMBER, default, words, least=0.0, most=most)


def count(name: str, default: int, words: Text, *, least: int = 0, most: int = 10_000_000) -> Param:
    """Return a parameter that is a whole number."""
    return Param(name, Form.WHOLE, default, words, least=least, most=most)


def choice(name: str, words: Text, *choices: str) -> Param:
    """Return a parameter that is one of some words, the first by default."""
    return Param(name, Form.CHOICE, choices[0], words, choices=choices)


def flag(name: str, words: Text, *, default: bool) -> Param:
    """Return a parameter that is true or false."""
    return Param(name, Form.FLAG, default, words)


def text(name: str, default: str, words: Text) -> Param:
    """Return a parameter that is any text."""
    return Param(name, Form.TEXT, default, words)
