import asyncio
import itertools
import sys
from collections.abc import Iterator

import pytest

from chaoskit.proxy.event_loop import new_event_loop


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        yield runner


async def _fire_times(delays_s: list[float]) -> list[float]:
    """How long after its due time each of several timers went off, in seconds."""
    loop = asyncio.get_running_loop()
    late_s: list[float] = []
    done = loop.create_future()

    def fire(due_s: float) -> None:
        late_s.append(loop.time() - due_s)
        if len(late_s) == len(delays_s):
            done.set_result(None)

    for delay_s in delays_s:
        due_s = loop.time() + delay_s
        loop.call_at(due_s, fire, due_s)
    await done
    return late_s


def test_no_timer_is_early(runner: asyncio.Runner) -> None:
    late_s = runner.run(_fire_times([0.0137, 0.0004, 0.0093, 0.0093, 0.0201]))
    assert min(late_s) > -1e-6


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere asyncio's own loop is used as it is")
def test_fractions_of_a_millisecond_are_kept(runner: asyncio.Runner) -> None:
    # With whole milliseconds the mean would be above 0.4 ms; the median shrugs off a busy machine.
    late_s = [runner.run(_fire_times([delay_s]))[0] for delay_s in itertools.repeat(0.0052, 41)]
    assert sorted(late_s)[20] < 0.0006


def test_an_earlier_timer_set_later_is_on_time(runner: asyncio.Runner) -> None:
    async def late_s() -> float:
        loop = asyncio.get_running_loop()
        far = loop.call_later(60, lambda: None)
        await asyncio.sleep(0.001)
        near = await _fire_times([0.005])
        far.cancel()
        return near[0]

    assert runner.run(late_s()) < 1


def test_sockets_still_wake_the_loop(runner: asyncio.Runner) -> None:
    async def echo() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(4))
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"ping")
            received = await reader.read(-1)
            writer.close()
            await writer.wait_closed()
            return received

    assert runner.run(echo()) == b"ping"
