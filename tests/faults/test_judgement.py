import random
from collections.abc import Sequence

import pytest

from chaoskit.faults.contract import Observations, Pair
from chaoskit.faults.judgement import AddedTime, judge_added, judge_share, notch, share_fits
from chaoskit.records import ProbeOutcome, ProbeSample


def answered(first_byte_ms: float) -> ProbeSample:
    return ProbeSample(0.0, "a->b", "ok", 0.1, first_byte_ms, first_byte_ms, answer_bytes=10, reads=1)


def ended(outcome: ProbeOutcome) -> ProbeSample:
    return ProbeSample(0.0, "a->b", outcome, 0.1, total_ms=300.0)


def pairs(through: Sequence[float], direct: Sequence[float]) -> tuple[Pair, ...]:
    return tuple(Pair(answered(t), answered(d)) for t, d in zip(through, direct, strict=True))


def added(requested_ms: float, share_ratio: float = 1.0) -> AddedTime:
    return AddedTime(requested_ms, lambda sample: sample.first_byte_ms, "added delay", "added", share_ratio=share_ratio)


@pytest.mark.parametrize(
    ("delivered_ms", "effective"),
    [(40.0, True), (31.0, True), (75.0, True), (0.0, False), (20.0, False), (200.0, None)],
)
def test_an_added_time_is_effective_within_its_tolerance(delivered_ms: float, effective: bool | None) -> None:
    quiet = pairs([1.5] * 8, [1.0] * 8)
    seen = Observations(quiet, pairs([1.5 + delivered_ms] * 8, [1.0] * 8), quiet)
    judgement = judge_added(added(40.0), seen)
    assert judgement.effective is effective
    assert judgement.during == pytest.approx(delivered_ms + 0.5)
    assert judgement.before == judgement.after == pytest.approx(0.5)


def test_load_on_the_component_does_not_look_like_the_fault() -> None:
    draw = random.Random(3)
    waits = [draw.gauss(900.0, 3.0) for _ in range(40)]
    during = pairs([wait + 40 + draw.gauss(0, 3) for wait in waits], waits)
    judgement = judge_added(added(40.0), Observations(pairs([1.0] * 8, [1.0] * 8), during))
    assert judgement.effective is True
    assert judgement.delivered.startswith(("added 39", "added 40", "added 41"))


def test_noise_above_the_request_is_no_proof_either_way() -> None:
    draw = random.Random(4)
    during = pairs([draw.uniform(0, 2000) for _ in range(12)], [draw.uniform(0, 2000) for _ in range(12)])
    judgement = judge_added(added(40.0), Observations(during=during))
    assert judgement.effective is None
    assert "too noisy" in judgement.delivered


def test_a_time_added_to_a_share_is_measured_on_that_share() -> None:
    during = pairs([201.0] * 10 + [1.0] * 10, [1.0] * 20)
    judgement = judge_added(added(200.0, share_ratio=0.5), Observations(during=during))
    assert judgement.effective is True
    assert judgement.delivered == "added 200ms (median of 10 probes) on 10 of 20 connections"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_probes_prove_nothing(count: int) -> None:
    seen = Observations(before=pairs([1.0] * 8, [1.0] * 8), during=pairs([41.0] * count, [1.0] * count))
    assert judge_added(added(40.0), seen).effective is None
    assert judge_share("reset", lambda sample: True, 1.0, seen).effective is None


def test_a_dead_component_is_no_proof_of_a_fault() -> None:
    during = tuple(Pair(ended("timeout"), ended("timeout")) for _ in range(8))
    judgement = judge_share("unanswered", lambda sample: sample.outcome == "timeout", 1.0, Observations(during=during))
    assert judgement.effective is None
    assert judgement.during == 1.0


def test_a_share_without_a_single_hit_is_not_effective() -> None:
    during = pairs([1.0] * 20, [1.0] * 20)
    judgement = judge_share("reset", lambda sample: sample.outcome == "reset", 0.05, Observations(during=during))
    assert judgement.effective is False
    assert judgement.delivered == "0 of 20 probes reset"


@pytest.mark.parametrize(
    ("hits", "total", "share_ratio", "fits"),
    [(20, 20, 1.0, True), (18, 20, 1.0, True), (17, 20, 1.0, False), (10, 20, 0.5, True), (2, 20, 0.5, False)],
)
def test_a_share_fits_its_draw(hits: int, total: int, share_ratio: float, fits: bool) -> None:
    assert share_fits(hits, total, share_ratio) is fits


def test_the_notch_narrows_with_the_number_of_probes() -> None:
    values = [float(value) for value in range(20)]
    assert notch(values * 4) < notch(values) < notch(values[::4])
    assert notch([1.0]) == float("inf")
