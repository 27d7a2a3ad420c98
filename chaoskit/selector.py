"""Which series of a metrics text are meant: PromQL's instant vector selector, `name{label="value", other=~"a|b"}`.

The operators are `=`, `!=`, `=~` and `!~`; expressions match the whole value, and a label that a series lacks counts as
empty, as in Prometheus (https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

Operator = Literal["=", "!=", "=~", "!~"]

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MATCHER: Final = re.compile(
    r"""\s*(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<operator>=~|!~|!=|=)\s*
        (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(?:,|$)""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label."""

    label: str
    operator: Operator
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether a series with `labels` fulfils it."""
        present = labels.get(self.label, "")
        # `re` keeps compiled expressions by itself.
        agrees = present == self.value if self.operator in {"=", "!="} else bool(re.fullmatch(self.value, present))
        return agrees == (self.operator in {"=", "=~"})


@dataclass(frozen=True, slots=True)
class Selector:
    """All series of the metric `name` that fulfil every matcher."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Read `name` or `name{label="value", …}`.

        Raises:
            ValueError: it is something else (functions, ranges and operators of PromQL are not known here), or one of
                its regular expressions is none.
        """
        name = _NAME.match(text.strip())
        rest = text.strip()[name.end() :].strip() if name else ""
        if name is None or (rest and not (rest.startswith("{") and rest.endswith("}"))):
            message = f'{text!r} selects no series; write a metric name, or one with labels: name{{label="value"}}'
            raise ValueError(message)
        inner, position, matchers = rest[1:-1].strip(), 0, []
        while position < len(inner):
            found = _MATCHER.match(inner, position)
            if found is None:
                message = f'{text!r}: the labels are not of the form {{label="value", other=~"a|b"}}'
                raise ValueError(message)
            matchers.append(_matcher(found, text))
            position = found.end()
        return cls(name[0], tuple(matchers))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether a series of this name with `labels` is among those selected."""
        return all(matcher.holds(labels) for matcher in self.matchers)


def _matcher(found: re.Match[str], text: str) -> Matcher:
    value = _ESCAPE.sub(lambda escaped: "\n" if escaped[1] == "n" else escaped[1], found["value"][1:-1])
    operator = cast("Operator", found["operator"])
    if operator in {"=~", "!~"}:
        try:
            re.compile(value)
        except re.error as error:
            message = f"{text!r}: {value!r} is not a regular expression: {error}"
            raise ValueError(message) from None
    return Matcher(found["label"], operator, value)
