"""The phases of a run: load, gate, faults, abort rules and observers on one clock, until the last answer."""

import asyncio
import time
from typing import Final

from chaoskit.errors import FaultFailed, RestoreFailed, SetupFailed
from chaoskit.observe.observer import Observer
from chaoskit.plan.model import Plan
from chaoskit.records import PhaseEvent
from chaoskit.runner.abort import AbortWatch
from chaoskit.runner.background import background
from chaoskit.runner.gate import SETTLE_S, unsteady
from chaoskit.runner.live import LiveState, Watcher
from chaoskit.runner.recorder import Recorder
from chaoskit.runner.stage import Stage
from chaoskit.runner.stop import Stop

# The load processes learn their zero this far ahead, so that the first arrival is not late already.
_LEAD_S: Final = 0.5
_UPDATE_S: Final = 0.5


class Performance:
    """Plays the phases on a stage that is up."""

    def __init__(self, plan: Plan, stage: Stage, recorder: Recorder, state: LiveState) -> None:
        self._plan = plan
        self._stage = stage
        self._recorder = recorder
        self._state = state
        self._clock = recorder.clock

    async def play(self, watcher: Watcher, stop: Stop) -> RestoreFailed | None:
        """Play until the last answer, a stop, or a tripped rule; heal; return what could not be restored."""
        plan, stage = self._plan, self._stage
        watcher.stage(f"playing {plan.title} for {plan.duration_s:.0f} s")
        self._clock.restart(time.monotonic() + _LEAD_S)
        stage.load.release(self._clock)
        observer = Observer(
            plan, stage.target.driver.instances, stage.process_ids(), clock=self._clock, emit=self._recorder.emit
        )
        async with background(
            observer.run(),
            self._announce_phases(),
            self._update(watcher),
            self._watch_target(stop),
            self._watch_rules(stop),
        ):
            await self._until_played_or_stopped(stop)
            watcher.stage("lifting every fault and proving each link clean")
            return await self._heal()

    async def _until_played_or_stopped(self, stop: Stop) -> None:
        async with background(self._disturb(stop)):
            loading = asyncio.create_task(self._take_load())
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    self._recorder.note(stop.event, stopping.result())
                    await self._stage.load.stop()
                await loading
            finally:
                for task in (loading, stopping):
                    task.cancel()
                await asyncio.gather(loading, stopping, return_exceptions=True)

    async def _take_load(self) -> None:
        async for record in self._stage.load.records():
            self._recorder.emit(record)

    async def _disturb(self, stop: Stop) -> None:
        """Wait for the gate, then play the faults."""
        if self._plan.baseline_phase is not None:
            baseline = self._plan.phase(self._plan.baseline_phase)
            await self._until(baseline.end_s - SETTLE_S / 2)
            reason = unsteady(self._plan, self._state.seconds)
            if reason is not None:
                stop.ask(reason, gate=True)
                return
            self._recorder.note("gate_open", f"{baseline.name} was steady")
        try:
            await self._stage.target.faults.play()
        except FaultFailed as error:
            self._recorder.note("fault_failed", str(error))

    async def _heal(self) -> RestoreFailed | None:
        try:
            await self._stage.target.faults.heal()
        except RestoreFailed as error:
            self._recorder.note("restore_failed", str(error))
            return error
        return None

    async def _announce_phases(self) -> None:
        for phase in self._plan.phases:
            await self._until(phase.start_s)
            self._recorder.emit(PhaseEvent(self._clock.now_s(), phase.name, "started"))
            await self._until(phase.end_s)
            self._recorder.emit(PhaseEvent(self._clock.now_s(), phase.name, "ended"))

    async def _update(self, watcher: Watcher) -> None:
        while True:
            self._recorder.flush()
            watcher.update(self._state.snapshot(self._clock.now_s()))
            await asyncio.sleep(_UPDATE_S)

    async def _watch_target(self, stop: Stop) -> None:
        while True:
            try:
                death = await self._stage.target.driver.watch()
            except SetupFailed as error:  # nothing can be said of the target any more
                stop.ask(str(error))
                return
            self._recorder.note("component_died", str(death))

    async def _watch_rules(self, stop: Stop) -> None:
        rules = AbortWatch(self._plan)
        while True:
            await asyncio.sleep(_UPDATE_S)
            reason = rules.tripped(self._state.seconds, int(self._clock.now_s()) - SETTLE_S)
            if reason is not None:
                stop.ask(reason)

    async def _until(self, t_s: float) -> None:
        await asyncio.sleep(max(0.0, t_s - self._clock.now_s()))
