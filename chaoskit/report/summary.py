"""A run in Markdown: what a CI job shows on its summary page."""

import re
from collections.abc import Iterator
from typing import Final

from chaoskit.analysis.result import Bottleneck, Result, Verdict
from chaoskit.report import wording

MAX_RUNGS: Final = 3
AMPLIFIED: Final = 1.01
_MARKS: Final = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "⚠️", Verdict.ABORTED: "🛑"}
_MARKUP: Final = re.compile(r"([\\`*\[\]<>|#~]|\b_|_\b)")


def render_summary(result: Result, report: str = "report.html") -> str:
    """Return verdict, objectives, bottleneck and the nearest rungs as GitHub-flavoured Markdown; `report` is linked."""
    lines = [
        f"## {_MARKS[result.verdict]} {result.verdict.value}: {plain(result.scenario)}",
        "",
        f"**{plain(result.headline)}**",
        "",
        *_reasons(result),
        *_objectives(result),
        *_domain(result),
        *_amplification(result),
        *(_bottleneck(result.bottlenecks[0]) if result.bottlenecks else ()),
        *_ladder(result),
        *_validity(result),
        f"[Full report]({report})",
    ]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return `text` on one line with everything escaped that Markdown or HTML would read as markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _reasons(result: Result) -> Iterator[str]:
    if result.reasons:
        yield from (f"- {plain(reason)}" for reason in result.reasons)
        yield ""


def _objectives(result: Result) -> Iterator[str]:
    if not result.objectives:
        return
    yield "| | objective | measured | bound | |"
    yield "|---|---|---:|---:|---|"
    for objective in result.objectives:
        mark = "❔" if objective.met is None else "✅" if objective.met else "❌"
        measured = wording.quantity(objective.measured, objective.unit)
        bound = wording.quantity(objective.bound, objective.unit)
        reason = "" if objective.met else plain(objective.reason)
        yield f"| {mark} | {plain(objective.text)} | {plain(measured)} | {plain(bound)} | {reason} |"
    yield ""


def _domain(result: Result) -> Iterator[str]:
    told = [finding for finding in result.domain_findings if finding.value is not None]
    if not told:
        return
    yield "| what it came to | |"
    yield "|---|---:|"
    for finding in told:
        yield f"| {plain(finding.title)} | {plain(wording.quantity(finding.value, finding.unit))} |"
    yield ""


def _amplification(result: Result) -> Iterator[str]:
    """Say where arrivals took more attempts than in the stream's best phase; a flow of two requests has 2 anyway."""
    amplified = []
    for stream, phases in result.streams.items():
        attempts = {name: phase.attempts_per_arrival for name, phase in phases.items() if phase.offered}
        usual = min(attempts.values(), default=1.0) if len(attempts) > 1 else 1.0
        worst = max(attempts, key=lambda name: attempts[name], default="")
        if attempts and attempts[worst] > max(1.0, usual) * AMPLIFIED:
            said = f"{attempts[worst]:.2f} attempts per arrival in {worst}, {usual:.2f} at best"
            amplified.append(f"- retry amplification: {plain(stream)} {plain(said)}")
    if amplified:
        yield from (*amplified, "")


def _bottleneck(bottleneck: Bottleneck) -> Iterator[str]:
    yield f"### Bottleneck: {plain(bottleneck.resource)}"
    yield ""
    yield f"{plain(bottleneck.title)} (confidence {wording.ratio(bottleneck.confidence)})"
    yield ""
    if bottleneck.saturates_at is not None:
        point = bottleneck.saturates_at
        load = f" ({plain(wording.multiples(point))})" if point.multiples else ""
        if wording.surge(point.share) not in bottleneck.title:
            yield f"- gives way at {wording.surge(point.share)}{load}"
    yield from (f"- {step.role}: {plain(wording.step(step))}" for step in bottleneck.cause_chain)
    if bottleneck.prediction:
        yield f"- prediction: {plain(bottleneck.prediction)}"
    yield ""


def _ladder(result: Result) -> Iterator[str]:
    if not result.ladder:
        return
    yield "| gives way in this order | at | load | setting |"
    yield "|---|---:|---|---|"
    for rung in result.ladder[:MAX_RUNGS]:
        share, load = wording.surge(rung.saturates_at.share), wording.multiples(rung.saturates_at)
        name = plain(wording.short_resource(rung.resource))
        yield f"| {name} | {share} | {plain(load)} | {plain(rung.setting or wording.ABSENT)} |"
    yield ""


def _validity(result: Result) -> Iterator[str]:
    broken = [check for check in result.validity if not check.ok]
    if broken:
        yield "**What stands against the run**"
        yield ""
        yield from (f"- {plain(check.name)}: {plain(check.statement)}" for check in broken)
        yield ""
