"""Watching one instance for one fault: looks at a low rate, each with the faults that were active meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Final

from chaoskit.clock import Clock
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import Looks
from chaoskit.faults.instance import ControlledInstance
from chaoskit.records import Record, RunEvent, VitalsSample

INTERVAL_S: Final = 0.25


class InstanceWatch:
    """Looks at an instance every `INTERVAL_S` from `start` to `stop`; `emit` gets each look.

    It also notes when a memory limit has killed the instance, which nobody else reports.
    """

    def __init__(self, instance: ControlledInstance, clock: Clock, emit: Callable[[Record], None]) -> None:
        self._instance = instance
        self._clock = clock
        self._emit = emit
        self._seen: list[tuple[VitalsSample, frozenset[str]]] = []
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look; a second call changes nothing."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._look_on(), name=f"watch {self._instance.name}")

    async def look(self) -> None:
        """Look once; what is seen while the faults of the instance change is dropped, and so is a failure to see."""
        before = self._instance.condition()
        try:
            vitals = await self._instance.control.vitals(self._instance.name)
        except FaultFailed:
            return
        sample = VitalsSample(self._clock.now_s(), self._instance.name, vitals)
        self._emit(sample)
        if not before.changing and self._instance.condition() == before:
            if vitals.state == "oom_killed" and not (self._seen and self._seen[-1][0].vitals.state == "oom_killed"):
                detail = f"{self._instance.name} reached its memory limit and was killed by it"
                self._emit(RunEvent(sample.t_s, "killed_by_limit", detail))
            self._seen.append((sample, before.faults))

    async def stop(self) -> None:
        """Stop looking; what was seen is kept."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    def observations(self, fault: str, applied_s: float, back_s: float | None) -> Looks:
        """Return the looks before, during and after `fault` while no other fault was active on the instance."""
        quiet = [sample for sample, faults in self._seen if not faults]
        return Looks(
            before=tuple(sample for sample in quiet if sample.t_s < applied_s),
            during=tuple(sample for sample, faults in self._seen if faults == {fault}),
            after=tuple(sample for sample in quiet if sample.t_s >= applied_s),
            back_s=back_s,
        )

    async def _look_on(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL_S)
