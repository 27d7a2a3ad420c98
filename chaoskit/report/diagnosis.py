"""The first screen: what broke, why, and what to do, for each of the four verdicts; and the streams at a glance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from chaoskit.analysis.result import Bottleneck, Messages, Result, StreamPhase, Verdict, leading
from chaoskit.plan.model import Plan
from chaoskit.report import wording

Measured = TypeVar("Measured")

VERDICT_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.PASS: "Passed",
    Verdict.FAIL: "Failed",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.ABORTED: "Aborted",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One of the cards under the headline."""

    question: str
    answer: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StreamCard:
    """One stream at its worst: the surge where there is one, beside the baseline."""

    stream: str
    phase: str
    multiple: str
    now: StreamPhase
    before: StreamPhase | None


def cards(result: Result) -> tuple[Card, ...]:
    """Return the answers to "what broke, why, what to do", or what stands in the way of an answer."""
    lead = leading(result.bottlenecks, result.unexplained)
    if lead is not None:
        return _found(lead)
    unproven = tuple(check.statement for check in result.validity if not check.ok)
    if result.verdict in {Verdict.INCONCLUSIVE, Verdict.ABORTED}:
        why = " ".join(unproven) or " ".join(result.reasons) or "The run says no more."
        stopped = result.verdict is Verdict.ABORTED
        todo = "See under Timeline what led to the stop" if stopped else "Mend what stands under Validity"
        return (
            Card("What broke", "Nothing that this run could prove"),
            Card("Why", why),
            Card("What to do", f"{todo}, then repeat the run"),
        )
    broke = "Nothing gave way" if result.verdict is Verdict.PASS else "An objective, and no resource that explains it"
    why = (
        "Every resource that was measured carried the surge."
        if result.verdict is Verdict.PASS
        else "No cause found: no resource, link or region that was measured ran out."
    )
    if result.bottlenecks:
        first = result.bottlenecks[0]
        told = f"{wording.ratio(first.explains)} of the harm is explained, by {wording.short_resource(first.resource)}."
        why = f"No cause found for {wording.ratio(result.unexplained)} of it. {told}"
    return Card("What broke", broke), Card("Why", why), _next_to_give_way(result)


def _found(bottleneck: Bottleneck) -> tuple[Card, ...]:
    root = next((step for step in bottleneck.cause_chain if step.role == "root"), None)
    point = bottleneck.saturates_at
    load = wording.multiples(point) if point else ""
    detail = f"Gives way at {load}." if load and "×" not in bottleneck.title else ""
    why = wording.step(root) if root else bottleneck.evidence[0].statement if bottleneck.evidence else ""
    setting = f"Setting: {bottleneck.setting}" if bottleneck.setting else ""
    return (
        Card("What broke", bottleneck.title, detail),
        Card("Why", why or "The evidence stands below.", f"Confidence {wording.ratio(bottleneck.confidence)}."),
        Card("What to do", bottleneck.prediction or "See the evidence below.", setting),
    )


def _next_to_give_way(result: Result) -> Card:
    if not result.ladder:
        return Card("What to do", "Publish resource metrics, so that a run can say what gives way next")
    rung = result.ladder[0]
    load = f"at {wording.surge(rung.saturates_at.share)} ({wording.multiples(rung.saturates_at)})"
    setting = f"Setting: {rung.setting}" if rung.setting else ""
    return Card("What gives way next", f"{wording.short_resource(rung.resource)} {load}", setting)


def stream_cards(result: Result, plan: Plan) -> tuple[StreamCard, ...]:
    """Return one card per stream that was measured, in the plan's order."""
    found: list[StreamCard] = []
    multiples = {stream.name: stream.surge_multiple for stream in plan.streams}
    for name, phases in streams_in_order(result, plan).items():
        phase = plan.surge_phase if plan.surge_phase in phases else _worst(phases)
        before = phases.get(plan.baseline_phase or "")
        multiple = wording.multiple(multiples.get(name, 1.0)) if phase == plan.surge_phase else ""
        found.append(StreamCard(name, phase or "", multiple, phases[phase or ""], before))
    return tuple(found)


def streams_in_order(result: Result, plan: Plan) -> dict[str, dict[str, StreamPhase]]:
    """Return what was measured by stream and phase, both in the plan's order: `result.json` keeps neither."""
    streams = _by_plan(result.streams, [stream.name for stream in plan.streams])
    phases = [phase.name for phase in plan.phases]
    return {stream: _by_plan(measured, phases) for stream, measured in streams.items() if measured}


def feeds_in_order(result: Result, plan: Plan) -> dict[str, dict[str, Messages]]:
    """Return what subscribers got by stream and phase, in the plan's order; streams without any are left out."""
    got = {
        stream: {name: phase.messages for name, phase in phases.items() if phase.messages is not None}
        for stream, phases in streams_in_order(result, plan).items()
    }
    return {stream: phases for stream, phases in got.items() if phases}


def _by_plan(mapping: Mapping[str, Measured], names: Sequence[str]) -> dict[str, Measured]:
    strangers = sorted(set(mapping) - set(names))
    return {name: mapping[name] for name in [*names, *strangers] if name in mapping}


def _worst(phases: Mapping[str, StreamPhase]) -> str:
    return max(phases, key=lambda name: (phases[name].errors_ratio, phases[name].offered_rps))


def stream_that_hurts(result: Result, streams: Sequence[StreamCard]) -> str:
    """Return the stream that the charts show first: the first bottleneck's symptom, else the one that fails most."""
    for bottleneck in result.bottlenecks[:1]:
        for step in bottleneck.cause_chain:
            if step.subject in result.streams:
                return step.subject
    return max(streams, key=lambda card: card.now.errors_ratio).stream if streams else ""
