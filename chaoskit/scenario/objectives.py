"""The grammar of objectives and abort rules: `trading p99 < 250ms in baseline`, `errors > 95% for 15s`."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, cast

from pydantic import BeforeValidator, WithJsonSchema

from chaoskit.units import parse_duration_s, parse_rate_rps, parse_ratio

Comparison = Literal["<", "<=", ">", ">="]
Metric = Literal["quantile", "service_quantile", "errors", "rate", "amplification", "recovery"]

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999}
RESERVED: Final = frozenset({"service", "errors", "rate", "amplification", "recovery", "in", "for", *QUANTILES})
_NEGATED: Final[dict[str, Comparison]] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_STATEMENT: Final = re.compile(
    r"(?:(?P<stream>(?!(?:service|errors|rate|amplification|recovery|p[\d.]+)\b)[a-z][\w-]*)\s+)?"
    r"(?P<service>service\s+)?"
    r"(?P<metric>p[\d.]+|errors|rate|amplification|recovery)\s*"
    r"(?P<comparison><=|>=|<|>)\s*"
    r"(?P<bound>\d[\d.]*\s?(?!(?:in|for)\b)[^\s\d]*)"
    r"(?:\s+in\s+(?P<phase>[\w-]+))?"
    r"(?:\s+for\s+(?P<length>\S+))?"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One bound as written. `bound` is in seconds (quantiles, recovery), a ratio (errors), per second (rate) or
    attempts per arrival (amplification).

    `stream` None means all streams together, `phase` None the whole run; `for_s` belongs to abort rules.
    """

    text: str
    stream: str | None
    metric: Metric
    quantile: float | None
    comparison: Comparison
    bound: float
    phase: str | None
    for_s: float | None = None

    def negated(self) -> "Statement":
        """Return the statement that holds exactly where this one does not; the text stays."""
        return replace(self, comparison=_NEGATED[self.comparison])


def parse_objective(text: object) -> Statement:
    """Read `[STREAM] [service] p99|errors|rate|amplification|recovery < BOUND [in PHASE]`.

    Raises:
        ValueError: the text is no objective; the message says what it should look like.
    """
    statement = _parse(text, "trading p99 < 250ms in baseline")
    if statement.for_s is not None:
        message = "`for` belongs to `abort_when`; an objective is judged over its whole phase, leave `for` out"
        raise ValueError(message)
    if statement.metric == "recovery" and statement.phase is not None:
        message = "recovery is measured after faults and surges, wherever they fall; leave `in` out"
        raise ValueError(message)
    return statement


def parse_abort_rule(text: object) -> Statement:
    """Read an objective's form with `for DURATION`: what, once it has held so long, stops the run.

    Raises:
        ValueError: the text is no abort rule; the message says what it should look like.
    """
    statement = _parse(text, "errors > 95% for 15s")
    if not statement.for_s:
        message = f"{text!r} does not say for how long it must hold; end it with `for 15s` or the like"
        raise ValueError(message)
    if statement.metric == "recovery":
        message = "recovery is known after the run only and cannot stop it; write it as an objective"
        raise ValueError(message)
    return statement


def _parse(text: object, example: str) -> Statement:
    match = _STATEMENT.fullmatch(text.strip()) if isinstance(text, str) and len(text) <= 200 else None
    if match is None:
        message = f"{str(text)[:80]!r} is not understood; write it like `{example}`"
        raise ValueError(message)
    word = match["metric"]
    if word.startswith("p") and word not in QUANTILES:
        message = f"the percentile {word} is not measured; use one of {', '.join(QUANTILES)}"
        raise ValueError(message)
    if match["service"] and word not in QUANTILES:
        message = f"`service` goes with a percentile, not with {word}; write `service p99 < 20ms` or leave it out"
        raise ValueError(message)
    parse = {"errors": parse_ratio, "rate": parse_rate_rps, "amplification": _multiple}.get(word, parse_duration_s)
    metric = ("service_quantile" if match["service"] else "quantile") if word in QUANTILES else word
    return Statement(
        text=" ".join(str(text).split()),
        stream=match["stream"],
        metric=cast("Metric", metric),
        quantile=QUANTILES.get(word),
        comparison=cast("Comparison", match["comparison"]),
        bound=parse(match["bound"]),
        phase=match["phase"],
        for_s=None if match["length"] is None else parse_duration_s(match["length"]),
    )


def _multiple(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{text!r} is no number of attempts per arrival; write `amplification < 1.5` or the like"
        raise ValueError(message) from None


_TEXT: Final = {"type": "string", "minLength": 1}
ObjectiveText = Annotated[
    Statement,
    BeforeValidator(parse_objective),
    WithJsonSchema(
        {**_TEXT, "pattern": "[<>]", "examples": ["trading p99 < 250ms in baseline", "errors < 1% in surge"]}
    ),
]
AbortText = Annotated[
    Statement,
    BeforeValidator(parse_abort_rule),
    WithJsonSchema({**_TEXT, "pattern": r"[<>].*\bfor\b", "examples": ["errors > 95% for 15s"]}),
]
