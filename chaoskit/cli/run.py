"""`chaoskit run`: play a scenario, write its report, exit with the verdict."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from chaoskit import plan as planning
from chaoskit.cli.arguments import AllowTargets, Reports, Scenario, Seed, Settings, read_settings
from chaoskit.cli.console import ERR
from chaoskit.cli.exit_codes import ExitCode, of_verdict
from chaoskit.cli.interrupt import on_interrupt
from chaoskit.cli.live import make_view
from chaoskit.cli.pages import REPORT, write_pages
from chaoskit.cli.verdict import say_verdict
from chaoskit.runner.live import Watcher
from chaoskit.runner.run import Outcome, RunRequest, play
from chaoskit.runner.stop import Stop
from chaoskit.scenario import load
from chaoskit.store import collect


def run(
    scenario: Scenario,
    settings: Settings = None,
    seed: Seed = None,
    reports: Reports = Path("reports"),
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Exit with the verdict, or with 0 once the run is reported.")
    ] = True,
    allow_targets: AllowTargets = None,
) -> int:
    """Play a scenario: target up, load, faults, analysis, report.

    Ends with the verdict and the report's path. Ctrl-C winds the run down in order and reports it as aborted; a second
    Ctrl-C undoes everything at once.
    """
    loaded = load(scenario, overrides=read_settings(settings), seed=seed, allow_targets=tuple(allow_targets or ()))
    plan = planning.build(loaded)
    request = RunRequest(plan, loaded.text, reports, collect(plan, ["chaoskit", *sys.argv[1:]], Path.cwd()))
    for file in loaded.runs_code:
        ERR.print(f"this scenario runs code of yours: {file}", style="yellow", markup=False)
    with make_view(ERR, plan) as view:
        outcome = asyncio.run(_play(request, view))
    write_pages(outcome.folder, outcome.result, plan, outcome.history)
    say_verdict(outcome.result, outcome.folder.path / REPORT)
    if outcome.restore_error is not None:
        raise outcome.restore_error
    return of_verdict(outcome.result.verdict) if gate else ExitCode.PASS


async def _play(request: RunRequest, view: Watcher) -> Outcome:
    stop = Stop()
    playing = asyncio.ensure_future(play(request, view, stop))

    def interrupted(sentence: str) -> None:
        if stop.reason is None:
            view.stage("winding down; a second Ctrl-C undoes everything at once")
            stop.ask(sentence)
        else:
            playing.cancel()

    with on_interrupt(interrupted):
        try:
            return await playing
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
