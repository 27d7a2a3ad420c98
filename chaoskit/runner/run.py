"""The life of one run: every step undone in reverse, on every way out."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaoskit.analysis import analyse
from chaoskit.analysis import encode as encode_result
from chaoskit.analysis.result import Result
from chaoskit.clock import Clock
from chaoskit.errors import RestoreFailed, SetupFailed
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.runner.live import LiveState, Watcher
from chaoskit.runner.performance import Performance
from chaoskit.runner.recorder import Recorder
from chaoskit.runner.stage import bring_up
from chaoskit.runner.stop import Stop
from chaoskit.store import RunFolder


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to play and where to write it. `provenance` is what is known before anything starts."""

    plan: Plan
    scenario_text: str
    reports: Path
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that was saved and analysed: to its end, or as far as it came.

    `setup_error` is set where something did not come up; `restore_error` where a link was not proven clean, or
    something that the run made could not be removed. `interrupted`: somebody asked for the
    end, and no rule of the plan.
    """

    folder: RunFolder
    history: History
    result: Result
    restore_error: RestoreFailed | None
    setup_error: SetupFailed | None = None
    interrupted: bool = False


async def play(request: RunRequest, watcher: Watcher, stop: Stop) -> Outcome:
    """Play the plan from bring-up to tear-down, save it, analyse it, and return what came of it.

    `stop` ends the run early: it is healed, saved and analysed as aborted. Cancelling the task undoes everything at
    once instead.

    What does not come up is in the outcome and in the records, and everything that had started is stopped again.

    Raises:
        StoreError: the run folder cannot be written.
    """
    folder = RunFolder.create(
        request.reports, request.plan, scenario_text=request.scenario_text, provenance=request.provenance
    )
    state = LiveState(request.plan)
    recorder = Recorder(folder, state, Clock.starting_now())
    restore_error: RestoreFailed | None = None
    setup_error: SetupFailed | None = None
    reached_end = False
    try:
        async with AsyncExitStack() as undo:
            undo.callback(folder.close)
            stage = None
            try:
                stage = await stop.unless_asked(
                    bring_up(request.plan, folder.run_id, folder.path, recorder, watcher, undo),
                )
            except SetupFailed as error:
                setup_error = error
            if setup_error is not None:
                recorder.note("setup_failed", str(setup_error))
            elif stage is None:
                recorder.note(stop.event, f"{stop.reason}, before the target was up")
            else:
                server = stage.target.server
                folder.amend_provenance({"toxiproxy": server.described(), **stage.target.driver.provenance})
                restore_error = await Performance(request.plan, stage, recorder, state).play(watcher, stop)
            reached_end = True
            watcher.stage(
                "stopping the target" if request.plan.instances else "taking the proxies away; the target goes on"
            )
    except RestoreFailed as error:
        if not reached_end:
            raise
        restore_error = restore_error or error  # the records are whole: they are reported all the same
    watcher.stage("analysing")
    history = folder.history().history
    result = await asyncio.to_thread(analyse, request.plan, history, folder.provenance())
    folder.save_result(encode_result(result))
    return Outcome(folder, history, result, restore_error, setup_error)
