"""Reads the Prometheus text format (version 0.0.4), quickly: the same series come back at every scrape.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/. Comments and time stamps are skipped.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPE: Final = re.compile(r"\\(.)")
_SERIES_REMEMBERED: Final = 20_000


class Series(NamedTuple):
    """A metric's name and labels."""

    name: str
    labels: Mapping[str, str]


class Sample(NamedTuple):
    """One series with its value at the moment of the scrape."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse(text: str) -> Iterator[Sample]:
    """Yield each sample of an exposition.

    Raises:
        ValueError: a line is not of the format; the message quotes it.
    """
    for line in text.splitlines():
        if not line or line[0] == "#" or line.isspace():
            continue
        series, value = _cut(line)
        name, labels = _series(series)
        yield Sample(name, labels, _number(value, line))


def _cut(line: str) -> tuple[str, str]:
    """Cut a line into its series and its value; a closing brace inside a label's value does not count as the end."""
    opening = line.find("{")
    if opening < 0:
        series, *rest = line.split(maxsplit=2)
        return series, rest[0] if rest else ""
    closing = line.find("}", opening)
    while closing >= 0 and _inside_quotes(line, opening, closing):
        closing = line.find("}", closing + 1)
    values = line[closing + 1 :].split(maxsplit=1)
    return line[: closing + 1], values[0] if values else ""


def _inside_quotes(line: str, start: int, end: int) -> bool:
    """Return whether `end` lies within a quoted value; escaped backslashes and quotes are left out of the count."""
    part = line[start:end]
    if "\\" in part:
        part = _ESCAPE.sub("", part)
    return part.count('"') % 2 == 1


@lru_cache(maxsize=_SERIES_REMEMBERED)
def _series(text: str) -> Series:
    name = _NAME.match(text)
    if name is None:
        message = f"not a metric: {text[:80]!r}"
        raise ValueError(message)
    inner = text[name.end() :].strip()[1:-1].strip()
    labels: dict[str, str] = {}
    position = 0
    while position < len(inner):
        label = _LABEL.match(inner, position)
        if label is None:
            message = f"not labels: {text[:80]!r}"
            raise ValueError(message)
        labels[label[1]] = _ESCAPE.sub(_unescaped, label[2])
        position = label.end()
    return Series(name[0], labels)


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _number(text: str, line: str) -> float:
    try:
        return float(text)  # reads +Inf, -Inf and NaN as well
    except ValueError:
        message = f"not a sample: {line[:80]!r}"
        raise ValueError(message) from None
