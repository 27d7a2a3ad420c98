"""A stop is asked for once."""

import asyncio

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
