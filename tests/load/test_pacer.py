import time

import gevent
import pytest
from gevent.event import Event

from chaoskit.load.pacer import Pacer


def test_never_early_and_mostly_within_a_millisecond() -> None:
    called = Event()
    pacer = Pacer(called.set)
    late_ns = []
    for _ in range(40):
        called.clear()
        due_ns = time.monotonic_ns() + 1_300_000
        pacer.call_at(due_ns)
        assert called.wait(5)
        late_ns.append(time.monotonic_ns() - due_ns)
    pacer.close()
    assert min(late_ns) >= 0
    assert sorted(late_ns)[5] < 1_000_000  # even on a busy machine some are exact


def test_an_instant_that_is_past_is_called_soon_and_once() -> None:
    calls: list[int] = []
    pacer = Pacer(lambda: calls.append(time.monotonic_ns()))
    pacer.call_at(time.monotonic_ns() - 1)
    assert calls == []  # from the loop, never at once
    gevent.sleep(0.02)
    pacer.close()
    assert len(calls) == 1


def test_a_call_may_set_the_next_instant() -> None:
    done = Event()
    instants = [time.monotonic_ns() + step * 1_000_000 for step in (3, 2, 1)]

    def again() -> None:
        if instants:
            pacer.call_at(instants.pop())
        else:
            done.set()

    pacer = Pacer(again)
    last_ns = instants[0]
    pacer.call_at(instants.pop())
    assert done.wait(5)
    assert time.monotonic_ns() >= last_ns
    pacer.close()
    pacer.close()


def test_two_pacers_wait_at_once_and_a_closed_one_calls_nobody() -> None:
    called = [Event() for _ in range(20)]
    pacers = [Pacer(each.set) for each in called]
    due_ns = time.monotonic_ns() + 50_000_000
    for pacer in pacers:
        pacer.call_at(due_ns)
    pacers[0].close()
    assert all(each.wait(5) for each in called[1:])
    assert not called[0].is_set()
    for pacer in pacers:
        pacer.close()


def test_without_a_timerfd_the_loop_s_timer_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaoskit.load.pacer.ctypes.CDLL", lambda *_, **__: object())
    called = Event()
    pacer = Pacer(called.set)
    pacer.call_at(time.monotonic_ns() + 60_000_000_000)
    due_ns = time.monotonic_ns() + 5_000_000
    pacer.call_at(due_ns)
    assert called.wait(5)
    assert time.monotonic_ns() >= due_ns - 1_000_000
    pacer.close()
