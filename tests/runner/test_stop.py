"""A stop is asked for once."""

import asyncio

import pytest

from chaoskit.runner.stop import Stop


async def test_the_first_reason_stays() -> None:
    stop = Stop()
    waiting = asyncio.create_task(stop.wait())
    stop.ask("first")
    stop.ask("second", gate=True)
    assert await waiting == "first"
    assert stop.event == "abort"


async def test_a_closed_gate_is_no_abort() -> None:
    stop = Stop()
    stop.ask("unsteady", gate=True)
    assert (stop.event, await stop.wait()) == ("gate", "unsteady")


async def test_work_goes_on_unless_the_end_is_asked_for() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await Stop().unless_asked(work()) == 7


async def test_asking_cancels_the_work_and_awaits_its_undoing() -> None:
    stop, undone = Stop(), []

    async def work() -> int:
        stop.ask("enough")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            undone.append(True)
        return 7

    assert await stop.unless_asked(work()) is None
    assert undone == [True]


async def test_work_that_fails_says_so() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Stop().unless_asked(work())
