import time
from collections.abc import Callable, Iterator

import gevent
import numpy as np
import pytest

from chaoskit.load.arrival import Arrival, Stream
from chaoskit.load.departures import Departures
from chaoskit.load.routing import router_for
from chaoskit.load.run_time import RunTime
from chaoskit.plan.arrivals import Schedule

Start = Callable[[Callable[[Arrival, int], None]], Departures]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Departures] = []

    def build(depart: Callable[[Arrival, int], None]) -> Departures:
        run_time = RunTime()
        run_time.release(time.monotonic())
        started.append(Departures(run_time, depart))
        return started[-1]

    yield build
    for each in started:
        each.close()


def stream(name: str) -> Stream:
    return Stream(name, lambda client, arrival: None, router_for("pinned", 1), 1_000_000, [], {}, {})


def at_us(*times_us: int) -> Schedule:
    return Schedule(np.array(times_us, dtype=np.int64), np.arange(len(times_us), dtype=np.uint32))


def test_streams_leave_in_one_order_and_never_early(start: Start) -> None:
    gone: list[tuple[str, int, int]] = []
    late_us: list[int] = []

    def depart(arrival: Arrival, now_us: int) -> None:
        gone.append((arrival.stream.name, arrival.index, arrival.intended_us))
        late_us.append(now_us - arrival.intended_us)

    departures = start(depart)
    playing = [
        gevent.spawn(departures.play, stream("a"), at_us(0, 4_000, 8_000), 0, 1),
        gevent.spawn(departures.play, stream("b"), at_us(2_000, 4_000, 6_000), 0, 1),
    ]
    gevent.joinall(playing, raise_error=True)
    assert gone == [
        ("a", 0, 0), ("b", 0, 2_000), ("a", 1, 4_000), ("b", 1, 4_000), ("b", 2, 6_000), ("a", 2, 8_000),
    ]  # fmt: skip
    assert min(late_us) >= 0


def test_a_worker_s_indexes_are_its_own_over_many_chunks(start: Start) -> None:
    indexes: list[int] = []
    keys: list[int] = []

    def depart(arrival: Arrival, now_us: int) -> None:
        indexes.append(arrival.index)
        keys.append(arrival.key)

    start(depart).play(stream("a"), at_us(*[0] * 40_000), 1, 2)
    assert indexes == list(range(1, 40_000, 2))
    assert sorted(keys) == keys


def test_an_empty_share_is_over_at_once(start: Start) -> None:
    start(lambda arrival, now_us: pytest.fail("nobody to let go")).play(stream("a"), at_us(), 0, 1)


def test_what_goes_wrong_ends_that_stream_and_no_other(start: Start) -> None:
    gone: list[int] = []

    def depart(arrival: Arrival, now_us: int) -> None:
        if arrival.stream.name == "bad":
            raise RuntimeError("no such entry")
        gone.append(arrival.index)

    departures = start(depart)
    good = gevent.spawn(departures.play, stream("good"), at_us(0, 5_000, 10_000), 0, 1)
    with pytest.raises(RuntimeError, match="no such entry"):
        departures.play(stream("bad"), at_us(1_000, 2_000, 60_000_000), 0, 1)
    good.get(timeout=5)
    assert gone == [0, 1, 2]


def test_a_stream_whose_player_is_killed_lets_nobody_go_any_more(start: Start) -> None:
    gone: list[int] = []
    departures = start(lambda arrival, now_us: gone.append(arrival.index))
    player = gevent.spawn(departures.play, stream("a"), at_us(0, 30_000), 0, 1)
    gevent.sleep(0.005)
    player.kill()
    gevent.sleep(0.05)
    assert gone == [0]
