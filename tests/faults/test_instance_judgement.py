"""What looks at an instance prove, and what they cannot."""

import pytest

from chaoskit.faults.contract import Looks
from chaoskit.faults.instance_judgement import (
    cores_used,
    describe_end,
    judge_cores,
    judge_ended,
    judge_memory,
    judge_states,
)
from chaoskit.records import Vitals, VitalsSample


def looks(*vitals: Vitals, every_s: float = 0.25) -> tuple[VitalsSample, ...]:
    return tuple(VitalsSample(index * every_s, "engine", one) for index, one in enumerate(vitals))


RUNNING, PAUSED, DEAD = Vitals("running", 1), Vitals("paused", 1), Vitals("exited", exit_code=-9)


def test_one_look_that_found_it_running_is_one_too_many() -> None:
    judged = judge_states(frozenset({"paused"}), "standing still", Looks(looks(RUNNING), looks(PAUSED, RUNNING)))
    assert (judged.effective, judged.delivered) == (False, "standing still in 1 of 2 looks")
    assert (judged.before, judged.during, judged.after) == (0.0, 0.5, None)


def test_without_a_look_nothing_is_claimed() -> None:
    for judged in (judge_ended(Looks()), judge_cores(1, Looks()), judge_memory(1, Looks())):
        assert judged.effective is None
        assert judged.delivered.startswith("not measured: ")


def test_an_end_says_how_it_came_and_how_long_the_return_took() -> None:
    judged = judge_ended(Looks(looks(RUNNING), looks(DEAD, DEAD), back_s=0.8))
    assert judged.delivered == "dead in 2 of 2 looks, by SIGKILL; ready again 800ms after the lifting began"


@pytest.mark.parametrize(("code", "said"), [(0, "with exit code 0"), (-15, "by SIGTERM"), (-62, "by signal 62")])
def test_how_a_process_ended(code: int, said: str) -> None:
    assert describe_end(code) == said


@pytest.mark.parametrize(("per_look_s", "effective"), [(0.125, True), (0.1, True), (0.05, None), (0.2, False)])
def test_cores_used_under_a_limit_of_a_half(per_look_s: float, effective: bool | None) -> None:
    seen = Looks(during=looks(*(Vitals("running", 1, cpu_s=index * per_look_s) for index in range(9))))
    judged = judge_cores(0.5, seen)
    assert judged.effective is effective
    assert judged.during == pytest.approx(per_look_s / 0.25)


def test_cpu_seconds_that_fall_were_those_of_another_process() -> None:
    spent = (1.0, 1.25, 0.0, 0.25, 0.5)
    assert cores_used(looks(*(Vitals("running", 1, cpu_s=one) for one in spent))) == pytest.approx(0.75)
    assert cores_used(looks(RUNNING, RUNNING)) is None


@pytest.mark.parametrize(
    ("peak", "kills", "effective", "said"),
    [
        (99, 0, True, "used 99B of 100B at most"),
        (50, 0, None, "not measured: used 50B of 100B at most, so the limit was not reached"),
        (130, 0, False, "used 130B of 100B at most"),
        (100, 2, True, "used 100B of 100B at most; the limit killed 2 of its processes"),
    ],
)
def test_memory_under_a_limit(peak: int, kills: int, effective: bool | None, said: str) -> None:
    judged = judge_memory(
        100, Looks(during=looks(Vitals("running", 1, memory_bytes=40, peak_bytes=peak, oom_kills=kills)))
    )
    assert (judged.effective, judged.delivered) == (effective, said)


def test_a_component_that_the_limit_killed_is_said_to_be() -> None:
    during = looks(Vitals("running", 1, peak_bytes=90), Vitals("oom_killed", peak_bytes=100, exit_code=-9))
    judged = judge_memory(100, Looks(during=during, back_s=1.5))
    assert judged.effective
    assert (
        judged.delivered == "killed by the limit, 250ms after the first look; ready again 1.5s after the lifting began"
    )
