"""The grammar of objectives and abort rules: `trading p99 < 250ms in baseline`, `errors > 95% for 15s`."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Final, cast

from pydantic import BeforeValidator, WithJsonSchema

from chaoskit.metric import OF_MESSAGES, Comparison, Metric
from chaoskit.units import parse_duration_s, parse_rate_rps, parse_ratio

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999}
_CLOCKS: Final = ("service", "silence", "age")
_METRICS: Final = ("errors", "rate", "amplification", "recovery", "messages", "drops")
RESERVED: Final = frozenset({"in", "for", "finding", *_CLOCKS, *_METRICS, *QUANTILES})
_NEGATED: Final[dict[str, Comparison]] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_STATEMENT: Final = re.compile(
    rf"(?:(?P<stream>(?!(?:finding|{'|'.join((*_CLOCKS, *_METRICS))}|p[\d.]+)\b)[a-z][\w-]*)\s+)?"
    rf"(?:(?P<clock>{'|'.join(_CLOCKS)})\s+)?"
    rf"(?P<metric>p[\d.]+|{'|'.join(_METRICS)}|finding\s+(?P<finding>[a-z][\w-]*))\s*"
    r"(?P<comparison><=|>=|<|>)\s*"
    r"(?P<bound>\d[\d.]*\s?(?!(?:in|for)\b)[^\s\d]*)"
    r"(?:\s+in\s+(?P<phase>[\w-]+))?"
    r"(?:\s+for\s+(?P<length>\S+))?"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One bound as written. `bound` is in seconds (quantiles, recovery), a ratio (errors, drops), per second (rate,
    messages) or attempts per arrival (amplification).

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
    finding: str | None = None

    def negated(self) -> "Statement":
        """Return the statement that holds exactly where this one does not; the text stays."""
        return replace(self, comparison=_NEGATED[self.comparison])


def parse_objective(text: object) -> Statement:
    """Read `[STREAM] [service] p99|errors|rate|amplification|recovery < BOUND [in PHASE]`.

    Of subscriptions also `[STREAM] silence|age p99` and `[STREAM] messages|drops`; of what the target itself declares
    `finding NAME`.

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
    if statement.metric in {"recovery", "finding"} or statement.metric in OF_MESSAGES:
        what = "a finding" if statement.finding else statement.metric.removesuffix("_quantile")
        message = f"{what} is known after the run only and cannot stop it; write it as an objective"
        raise ValueError(message)
    return statement


def _parse(text: object, example: str) -> Statement:
    match = _STATEMENT.fullmatch(text.strip()) if isinstance(text, str) and len(text) <= 200 else None
    if match is None:
        message = f"{str(text)[:80]!r} is not understood; write it like `{example}`"
        raise ValueError(message)
    word = "finding" if match["finding"] else match["metric"]
    if word == "finding" and match["stream"]:
        message = f"a finding is of the target, and not of a stream; write `finding {match['finding']} < 1.2`"
        raise ValueError(message)
    if word.startswith("p") and word not in QUANTILES:
        message = f"the percentile {word} is not measured; use one of {', '.join(QUANTILES)}"
        raise ValueError(message)
    clock = match["clock"]
    if clock and word not in QUANTILES:
        message = f"`{clock}` goes with a percentile, not with {word}; write `{clock} p99 < 20ms` or leave it out"
        raise ValueError(message)
    metric = (f"{clock}_quantile" if clock else "quantile") if word in QUANTILES else word
    return Statement(
        text=" ".join(str(text).split()),
        stream=match["stream"],
        metric=cast("Metric", metric),
        quantile=QUANTILES.get(word),
        comparison=cast("Comparison", match["comparison"]),
        bound=_BOUNDS.get(word, parse_duration_s)(match["bound"]),
        phase=match["phase"],
        for_s=None if match["length"] is None else parse_duration_s(match["length"]),
        finding=match["finding"],
    )


def _multiple(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{text!r} is no number of attempts per arrival; write `amplification < 1.5` or the like"
        raise ValueError(message) from None


def _plain(text: str) -> float:
    """Return a bound on a finding: a number, a share in percent, or a duration in seconds."""
    try:
        return float(text)
    except ValueError:
        pass
    if text.endswith("%"):
        return float(text.removesuffix("%").strip()) / 100
    return parse_duration_s(text)


_BOUNDS: Final = {
    "finding": _plain,
    "errors": parse_ratio,
    "drops": parse_ratio,
    "rate": parse_rate_rps,
    "messages": parse_rate_rps,
    "amplification": _multiple,
}
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
