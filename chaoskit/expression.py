"""Arithmetic over a target's own metrics: `increase(sold_total{why="forced"}) / increase(sold_total{why="free"})`.

A reading is a function of one selector (`chaoskit.selector`): `increase` of counters, `first`, `last`, `max`, `min` of
anything, `p50` … `p99.9` of a histogram's buckets. Readings, numbers, + - * / and parentheses, and no more.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from chaoskit.selector import Selector

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
FUNCTIONS: Final = ("increase", "first", "last", "max", "min", *QUANTILES)
_SELECTOR: Final = r"""[a-zA-Z_:][\w:]*\s*(?:\{(?:[^"'}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\})?"""
_TOKEN: Final = re.compile(
    rf"""\s*(?:(?P<reading>(?P<function>[a-z][\w.]*)\s*\(\s*(?P<selector>{_SELECTOR})\s*\))
        |(?P<number>\d+(?:\.\d+)?)|(?P<mark>[-+*/()]))""",
    re.VERBOSE,
)
_DEEPEST: Final = 32


class NotMeasured(ValueError):
    """A value that a run cannot tell; the message says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A function of the series that `selector` means."""

    function: str
    selector: str

    def __str__(self) -> str:
        return f"{self.function}({self.selector})"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two parts and what is done with them."""

    mark: str
    left: "Node"
    right: "Node"

    def __str__(self) -> str:
        return f"({self.left} {self.mark} {self.right})"


Node = Reading | Operation | float


def parse(text: str) -> Node:
    """Return the expression in `text`.

    Raises:
        ValueError: it is none; the message says what is wrong, and with which part.
    """
    parser = _Parser(text)
    node = parser.sum(0)
    if parser.token is not None:
        raise parser.wrong()
    if not any(readings(node)):
        message = f"{text!r} reads no metric; write it like increase(forced_total) / increase(initial_total)"
        raise ValueError(message)
    return node


def readings(node: Node) -> Iterator[Reading]:
    """Yield every reading in `node`, from left to right."""
    if isinstance(node, Reading):
        yield node
    elif isinstance(node, Operation):
        yield from readings(node.left)
        yield from readings(node.right)


def evaluate(node: Node, read: Callable[[Reading], float]) -> float:
    """Return what `node` comes to, where `read` tells each reading.

    Raises:
        NotMeasured: of `read`, or because something is divided by 0.
    """
    if isinstance(node, Reading):
        return read(node)
    if not isinstance(node, Operation):
        return node
    left, right = evaluate(node.left, read), evaluate(node.right, read)
    if node.mark == "/" and right == 0:
        message = f"{node.right} was 0, and nothing can be divided by it"
        raise NotMeasured(message)
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else 0.0}[node.mark]


class _Parser:
    """A parser of one expression; `token` is the next one, None at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.token: re.Match[str] | None = None
        self._step()

    def sum(self, depth: int) -> Node:
        return self._chain("+-", self._product, depth)

    def wrong(self) -> ValueError:
        start = self._position if self.token is None else self.token.start()
        rest = self._text[start:].strip()
        where = f"at {rest[:40]!r}" if rest else "at its end"
        return ValueError(f"{self._text[:120]!r} is not understood {where}; {_FORM}")

    def _product(self, depth: int) -> Node:
        return self._chain("*/", self._part, depth)

    def _chain(self, marks: str, part: Callable[[int], Node], depth: int) -> Node:
        """Read parts with any of `marks` between them, from left to right."""
        node = part(depth)
        while (mark := self._mark()) and mark in marks:
            self._step()
            node = Operation(mark, node, part(depth))
        return node

    def _part(self, depth: int) -> Node:
        token = self.token
        if token is None or depth > _DEEPEST:
            raise self.wrong()
        if token["reading"]:
            self._step()
            return _reading(token)
        if token["number"]:
            self._step()
            return float(token["number"])
        if token["mark"] != "(":
            raise self.wrong()
        self._step()
        node = self.sum(depth + 1)
        if self._mark() != ")":
            raise self.wrong()
        self._step()
        return node

    def _mark(self) -> str:
        return (self.token["mark"] or "") if self.token is not None else ""

    def _step(self) -> None:
        if self.token is not None:
            self._position = self.token.end()
        self.token = _TOKEN.match(self._text, self._position)
        if self.token is None and self._text[self._position :].strip():
            raise self.wrong()


_FORM: Final = "write readings (increase(NAME), last(NAME), p99(NAME) …), numbers, + - * / and parentheses"


def _reading(token: re.Match[str]) -> Reading:
    function = token["function"]
    if function not in FUNCTIONS:
        message = f"{function!r} is no function of metrics; use one of {', '.join(FUNCTIONS)}"
        raise ValueError(message)
    Selector.parse(token["selector"])
    return Reading(function, " ".join(token["selector"].split()))
