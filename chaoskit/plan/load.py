"""The load of a plan: phases on the run's time axis, and each stream's rate through them."""

import hashlib
from dataclasses import replace
from pathlib import Path

from chaoskit.plan.arrivals import per_second, schedule
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from chaoskit.plan.flow import HttpRequest, MessageAge, PlannedFlow, PlannedSubscription, RpcCall
from chaoskit.plan.model import Excitation, PlannedPhase, PlannedStream, Segment
from chaoskit.scenario import Loaded
from chaoskit.scenario.clients import Hedge, Retries
from chaoskit.scenario.model import Stream
from chaoskit.scenario.subscription import UNITS_S, Subscription
from chaoskit.scenario.tape import Tape
from chaoskit.scenario.tapes import baseline_s, scale


def plan_phases(loaded: Loaded) -> tuple[PlannedPhase, ...]:
    """Return the phases one after the other from 0, each with the multiple of every stream.

    That of a stream with a tape is its mean rate in the phase, over that in the baseline.
    """
    scenario = loaded.scenario
    phases, start_s = [], 0.0
    for phase in scenario.phases:
        end_s = round(start_s + phase.body.length, 6)
        multiply = {name: scenario.multiple(phase, name) for name in scenario.load}
        for name, tape in loaded.tapes.items():
            multiple = tape.mean_rps(start_s, end_s) / tape.mean_rps(*baseline_s(scenario))
            multiply[name] = round(multiple, 9)  # an even tape has no surge by the last digit of a sum
        phases.append(PlannedPhase(phase.name, start_s, end_s, phase.body.ramp, multiply))
        start_s = end_s
    return tuple(phases)


def surge_of(phases: tuple[PlannedPhase, ...]) -> PlannedPhase | None:
    """Return the phase that lifts the load most: the largest sum of multiples, the earliest of several; or None."""
    lifted = [phase for phase in phases if any(multiple > 1 for multiple in phase.multiply.values())]
    return max(lifted, key=lambda phase: sum(phase.multiply.values()), default=None)


def baseline_of(phases: tuple[PlannedPhase, ...]) -> PlannedPhase | None:
    """Return the phase called `baseline`, else the last one at normal load before the surge; or None.

    A phase called `warmup` is never the baseline: what is cold is not normal.
    """
    named = next((phase for phase in phases if phase.name == "baseline"), None)
    surge = surge_of(phases)
    normal = [
        phase
        for phase in phases
        if phase.name != "warmup"
        and all(multiple == 1 for multiple in phase.multiply.values())
        and (surge is None or phase.end_s <= surge.start_s)
    ]
    return named or (normal[-1] if normal else None)


def plan_streams(loaded: Loaded, phases: tuple[PlannedPhase, ...]) -> tuple[PlannedStream, ...]:
    """Return the streams in the order of the file."""
    surge = surge_of(phases)
    return tuple(
        _plan_stream(loaded, name, stream, phases, surge.multiply[name] if surge else 1.0)
        for name, stream in loaded.scenario.load.items()
    )


def stream_seed(seed: int, name: str) -> int:
    """Return the stream's own seed (0 … 2^63 - 1): streams are independent, and adding one changes no other."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _plan_stream(
    loaded: Loaded, name: str, stream: Stream, phases: tuple[PlannedPhase, ...], surge_multiple: float
) -> PlannedStream:
    normal = float(stream.users or 0) if stream.rate is None else stream.rate
    segments = _segments(name, normal, phases)
    if (tape := loaded.tapes.get(name)) is not None:
        factor = scale(loaded.scenario, name, tape)
        normal = factor * tape.mean_rps(*baseline_s(loaded.scenario))
        segments = _recorded(tape, factor, phases[-1].end_s)
    planned = PlannedStream(
        name=name,
        flow=_plan_flow(loaded, stream),
        arrivals=stream.arrivals.kind,
        seed=stream_seed(loaded.seed, name),
        baseline_rps=0.0 if stream.users else normal,
        surge_multiple=surge_multiple,
        segments=segments,
        expected_per_second=(),
        routing=stream.clients.route,
        timeout_s=stream.timeout,
        users=stream.users,
        retries=_plan_retries(stream.clients.retries, stream_seed(loaded.seed, f"{name}/retries")),
        hedge=_plan_hedge(stream.clients.hedge),
        connect_timeout_s=stream.timeouts.connect,
        first_byte_timeout_s=stream.timeouts.first_byte,
        error_code=_error_code(loaded, stream),
    )
    branching_ratio, decay_s = stream.arrivals.branching, stream.arrivals.decay
    if branching_ratio is not None and decay_s is not None:
        planned = replace(planned, excitation=Excitation(branching_ratio, decay_s))
    return replace(planned, expected_per_second=per_second(schedule(planned), phases[-1].end_s))


def _error_code(loaded: Loaded, stream: Stream) -> str | None:
    if stream.error_code is None and stream.flow is not None and loaded.manifest is not None:
        return loaded.manifest.flows[stream.flow].error_code
    return stream.error_code


def _plan_retries(retries: Retries | None, seed: int) -> PlannedRetries | None:
    if retries is None:
        return None
    return PlannedRetries(
        attempts=retries.attempts,
        on=tuple(retries.on),
        methods=tuple(retries.methods),
        budget_ratio=retries.budget,
        reserve=retries.reserve,
        backoff_s=retries.backoff,
        backoff_max_s=retries.backoff_max,
        jitter=retries.jitter,
        retry_after=retries.retry_after,
        per_try_timeout_s=retries.per_try_timeout,
        seed=seed,
    )


def _plan_hedge(hedge: Hedge | None) -> PlannedHedge | None:
    return None if hedge is None else PlannedHedge(hedge.after, tuple(hedge.methods), hedge.budget)


def _segments(name: str, normal: float, phases: tuple[PlannedPhase, ...]) -> tuple[Segment, ...]:
    """Return the straight stretches of the rate; the ramp of the first phase rises from zero."""
    segments, before = [], 0.0
    for phase in phases:
        level = normal * phase.multiply[name]
        ramp_end_s = round(phase.start_s + phase.ramp_s, 6)
        if phase.ramp_s > 0:
            segments.append(Segment(phase.start_s, ramp_end_s, before, level))
        if ramp_end_s < phase.end_s:
            segments.append(Segment(ramp_end_s, phase.end_s, level, level))
        before = level
    return tuple(segments)


def _recorded(tape: Tape, scale: float, end_s: float) -> tuple[Segment, ...]:
    """Return the tape's rates, scaled, until the run's end; an interval without arrivals is a stretch of rate 0."""
    return tuple(
        Segment(from_s, min(until_s, end_s), rate_rps * scale, rate_rps * scale)
        for from_s, until_s, rate_rps in tape.rates()
        if from_s < end_s
    )


def _plan_flow(loaded: Loaded, stream: Stream) -> PlannedFlow:
    if stream.request is not None:
        request = stream.request
        rpc = None if request.jsonrpc is None else RpcCall(request.jsonrpc.method, request.jsonrpc.params)
        method = request.method if rpc is None else "POST"
        return PlannedFlow("request", request=HttpRequest(method, request.path, request.headers, request.body, rpc))
    if stream.subscribe is not None:
        return PlannedFlow("subscription", subscription=_plan_subscription(stream.subscribe))
    if stream.locustfile is not None:
        file = loaded.folder / stream.locustfile
        return PlannedFlow("locustfile", file.name, str(file.parent))
    if stream.python is not None:
        path, _, function = stream.python.rpartition(":")
        file = loaded.folder / Path(path)
        return PlannedFlow("python", f"{file.stem}:{function}", str(file.parent))
    assert loaded.manifest is not None
    assert stream.flow is not None
    return PlannedFlow("python", loaded.manifest.flows[stream.flow].python, str(loaded.manifest_folder))


def _plan_subscription(wanted: Subscription) -> PlannedSubscription:
    return PlannedSubscription(
        path=wanted.path,
        send=tuple(wanted.send),
        expect=wanted.expect,
        hold_s=wanted.hold,
        age=None if wanted.age is None else MessageAge(wanted.age.field, UNITS_S[wanted.age.unit]),
        headers=wanted.headers,
        protocols=tuple(wanted.protocols),
    )
