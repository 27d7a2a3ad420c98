import time

import gevent
import pytest

from chaoskit.load.pacer import Pacer


def test_never_early_and_mostly_within_a_millisecond() -> None:
    pacer = Pacer()
    late_ns = []
    for _ in range(40):
        due_ns = time.monotonic_ns() + 1_300_000
        pacer.sleep_until(due_ns)
        late_ns.append(time.monotonic_ns() - due_ns)
    pacer.close()
    assert min(late_ns) >= 0
    assert sorted(late_ns)[5] < 1_000_000  # even on a busy machine some are exact


def test_an_instant_that_is_past_lets_others_run() -> None:
    pacer = Pacer()
    ran: list[int] = []
    gevent.spawn(ran.append, 1)
    pacer.sleep_until(time.monotonic_ns() - 1)
    pacer.close()
    assert ran == [1]


def test_two_pacers_sleep_at_once() -> None:
    def sleep() -> None:
        pacer = Pacer()
        pacer.sleep_until(due_ns)
        pacer.close()
        pacer.close()

    due_ns = time.monotonic_ns() + 200_000_000
    sleepers = [gevent.spawn(sleep) for _ in range(20)]
    gevent.joinall(sleepers, raise_error=True)
    assert 0 <= time.monotonic_ns() - due_ns < 2_000_000_000


def test_a_sleeper_can_be_killed() -> None:
    pacer = Pacer()
    sleeper = gevent.spawn(pacer.sleep_until, time.monotonic_ns() + 60_000_000_000)
    gevent.sleep(0.01)
    sleeper.kill()
    pacer.close()
    assert sleeper.dead


@pytest.mark.parametrize("missing", [True, False])
def test_without_a_timerfd_the_loop_s_timer_does(missing: bool) -> None:
    pacer = Pacer()
    if missing:
        pacer.close()
    due_ns = time.monotonic_ns() + 5_000_000
    pacer.sleep_until(due_ns)
    assert time.monotonic_ns() >= due_ns - 1_000_000
    pacer.close()
