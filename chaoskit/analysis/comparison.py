"""Several variants of one scenario side by side: the content of a comparison's `result.json` (schema version 1).

All durations are seconds, all shares ratios. The first of `runs` is the scenario itself, as long as it was played.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from chaoskit.analysis.result import DomainFinding, ObjectiveResult, Result, Verdict, leading
from chaoskit.errors import StoreError
from chaoskit.plan.model import Plan

VERSION: Final = 1
_GRAVITY: Final = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ABORTED)


@dataclass(frozen=True, slots=True)
class Played:
    """One run that is compared: the `name` of its variant, a `title` for people, and the name of its `folder`."""

    name: str
    title: str
    folder: str
    plan: Plan
    result: Result


@dataclass(frozen=True, slots=True)
class ComparedStream:
    """One stream in `phase`, the surge where there is one. A quantile that the samples cannot carry is None."""

    phase: str
    offered: int
    ok_ratio: float | None
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One variant. `recovery_s` is by stream the longest time until it stayed good, None where it never did."""

    name: str
    title: str
    run: str
    verdict: Verdict
    headline: str
    bottleneck: str | None
    objectives: tuple[ObjectiveResult, ...]
    streams: Mapping[str, ComparedStream]
    recovery_s: Mapping[str, float | None]
    domain_findings: tuple[DomainFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All variants that were played, and those that were `not_played`; `verdict` is the gravest of them."""

    version: int
    scenario: str
    seed: int
    verdict: Verdict
    runs: tuple[ComparedRun, ...]
    not_played: tuple[str, ...]


_COMPARISON: Final[TypeAdapter[Comparison]] = TypeAdapter(Comparison)


def compare(played: Sequence[Played], not_played: Sequence[str] = ()) -> Comparison:
    """Return the comparison of at least one run."""
    first = played[0].plan
    return Comparison(
        version=VERSION,
        scenario=first.scenario,
        seed=first.seed,
        verdict=max((one.result.verdict for one in played), key=_GRAVITY.index),
        runs=tuple(_run(one) for one in played),
        not_played=tuple(not_played),
    )


def compared_again(before: Comparison, played: Sequence[Played]) -> Comparison:
    """Return `before` with the runs that are still there, `played`, compared anew; others stay as they were."""
    anew = {one.name: _run(one) for one in played}
    runs = tuple(anew.get(run.name, run) for run in before.runs)
    return replace(before, verdict=max((run.verdict for run in runs), key=_GRAVITY.index), runs=runs)


def decode_comparison(document: bytes | str) -> Comparison:
    """Return the comparison that `encode_comparison` wrote.

    Raises:
        StoreError: it is none, or not of this version.
    """
    try:
        comparison = _COMPARISON.validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"a comparison's result.json does not fit version {VERSION}: {where or 'the file'}: {first['msg']}"
        raise StoreError(message) from error
    if comparison.version != VERSION or not comparison.runs:
        message = f"a comparison's result.json does not fit version {VERSION}; compare the variants again"
        raise StoreError(message)
    return comparison


def encode_comparison(comparison: Comparison) -> bytes:
    """Return a comparison as indented JSON with sorted keys and a newline at the end."""
    document = _COMPARISON.dump_python(comparison, mode="json")
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False).encode() + b"\n"


def _run(one: Played) -> ComparedRun:
    result = one.result
    first = leading(result.bottlenecks, result.unexplained)
    phase = one.plan.surge_phase or one.plan.phases[-1].name
    recovery: dict[str, float | None] = {}
    for found in result.recovery:
        before = recovery.get(found.stream, 0.0)
        later = None if before is None or found.stays_good_s is None else max(before, found.stays_good_s)
        recovery[found.stream] = later
    return ComparedRun(
        name=one.name,
        title=one.title,
        run=one.folder,
        verdict=result.verdict,
        headline=result.headline,
        bottleneck=first.resource if first else None,
        objectives=result.objectives,
        streams={name: _stream(phase, result, name) for name in result.streams},
        recovery_s=recovery,
        domain_findings=result.domain_findings,
    )


def _stream(phase: str, result: Result, name: str) -> ComparedStream:
    found = result.streams[name].get(phase)
    if found is None or not found.offered:
        return ComparedStream(phase, 0, None, None, None)
    quantiles = found.response_s
    return ComparedStream(phase, found.offered, found.ok / found.offered, quantiles.get("p50"), quantiles.get("p99"))
