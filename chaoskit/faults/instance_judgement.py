"""How looks at an instance become a judgement: a share of looks, the cores used, the memory's high-water mark."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from signal import Signals
from typing import Final

from chaoskit.faults.contract import Judgement, Looks
from chaoskit.records import InstanceState, VitalsSample
from chaoskit.units import format_duration, format_size

SHORTEST_S: Final = 1.0
"""Over less time than this nothing is said of the CPU that was used: quotas come in periods of 100 ms."""

REACHED: Final = 0.75
"""A limit has shown its effect when this share of it was used; one that nothing came near is not proven."""

CPU_SLACK: Final = 0.1
MEMORY_SLACK: Final = 0.02


def judge_states(states: frozenset[InstanceState], what: str, seen: Looks) -> Judgement:
    """Judge the share of looks that found one of `states`; effective where each look during the fault did."""
    shares = tuple(
        sum(sample.vitals.state in states for sample in samples) / len(samples) if samples else None
        for samples in (seen.before, seen.during, seen.after)
    )
    found, total = sum(sample.vitals.state in states for sample in seen.during), len(seen.during)
    if not total:
        return Judgement("not measured: nobody could look meanwhile", None, f"share {what}", "ratio", *shares)
    words = f"{what} in {found} of {total} looks"
    return Judgement(words, found == total, f"share {what}", "ratio", *shares)


def judge_ended(seen: Looks) -> Judgement:
    """Judge a life that was ended: dead in each look, by what, and after how long it was back."""
    judged = judge_states(frozenset({"exited", "oom_killed"}), "dead", seen)
    codes = [sample.vitals.exit_code for sample in seen.during if sample.vitals.exit_code is not None]
    ended = f", {describe_end(codes[-1])}" if codes else ""
    back = f"; ready again {format_duration(seen.back_s)} after the lifting began" if seen.back_s is not None else ""
    return replace(judged, delivered=f"{judged.delivered}{ended}{back}")


def judge_cores(limit_cores: float, seen: Looks) -> Judgement:
    """Judge a CPU limit: effective where no more was used, give or take a tenth, and it was nearly reached."""
    figures = tuple(cores_used(samples) for samples in (seen.before, seen.during, seen.after))
    used = figures[1]

    def judged(delivered: str, effective: bool | None) -> Judgement:
        return Judgement(delivered, effective, "cores used", "cores", *figures)

    if used is None:
        return judged("not measured: it was not watched for long enough under the limit", None)
    words = f"used {used:.2f} of {limit_cores:g} cores"
    if used > limit_cores * (1 + CPU_SLACK) + 0.02:
        return judged(words, False)
    if used < REACHED * limit_cores:
        return judged(f"not measured: {words}, so the limit was not reached", None)
    return judged(words, True)


def judge_memory(limit_bytes: float, seen: Looks) -> Judgement:
    """Judge a memory limit: effective where it killed, or held what was used below it and nearly reached."""
    before, during, after = (_most_bytes(samples) for samples in (seen.before, seen.during, seen.after))
    marks = [sample.vitals.peak_bytes for sample in seen.during if sample.vitals.peak_bytes is not None]
    most = float(max(marks)) if marks else during

    def judged(delivered: str, effective: bool | None) -> Judgement:
        return Judgement(delivered, effective, "most memory", "B", before, most, after)

    killed = next((sample for sample in seen.during if sample.vitals.state == "oom_killed"), None)
    losses = max((sample.vitals.oom_kills or 0 for sample in seen.during), default=0) - max(
        (sample.vitals.oom_kills or 0 for sample in seen.before), default=0
    )
    if killed is not None:
        after_s = killed.t_s - seen.during[0].t_s
        back = f"; ready again {format_duration(seen.back_s)} after the lifting began" if seen.back_s else ""
        return judged(f"killed by the limit, {format_duration(max(after_s, 0.0))} after the first look{back}", True)
    if most is None:
        return judged("not measured: nobody could look meanwhile", None)
    words = f"used {format_size(most)} of {format_size(limit_bytes)} at most"
    if losses > 0:
        return judged(f"{words}; the limit killed {losses} of its processes", True)
    if most > limit_bytes * (1 + MEMORY_SLACK):
        return judged(words, False)
    if most < REACHED * limit_bytes:
        return judged(f"not measured: {words}, so the limit was not reached", None)
    return judged(words, True)


def cores_used(samples: Sequence[VitalsSample]) -> float | None:
    """Return the mean number of cores in use between the first and the last look; None below `SHORTEST_S`."""
    if not samples or samples[-1].t_s - samples[0].t_s < SHORTEST_S:
        return None
    spent_s = sum(max(0.0, after.vitals.cpu_s - before.vitals.cpu_s) for before, after in pairwise(samples))
    return spent_s / (samples[-1].t_s - samples[0].t_s)


def describe_end(exit_code: int) -> str:
    """Return how a process ended: `by SIGKILL`, `with exit code 0`."""
    if exit_code >= 0:
        return f"with exit code {exit_code}"
    try:
        return f"by {Signals(-exit_code).name}"
    except ValueError:  # a real-time signal
        return f"by signal {-exit_code}"


def _most_bytes(samples: Sequence[VitalsSample]) -> float | None:
    return float(max(sample.vitals.memory_bytes for sample in samples)) if samples else None
