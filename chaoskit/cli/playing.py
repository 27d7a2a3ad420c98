"""What `chaoskit run` does: play a plan under a live view, write its pages, say the verdict."""

import asyncio
import shlex
from dataclasses import replace
from pathlib import Path

from chaoskit.analysis.result import Verdict
from chaoskit.cli.console import ERR, OUT
from chaoskit.cli.interrupt import on_interrupt
from chaoskit.cli.live import make_view
from chaoskit.cli.pages import REPORT, write_pages
from chaoskit.cli.program import program
from chaoskit.cli.verdict import say_verdict
from chaoskit.errors import Interrupted, SetupFailed
from chaoskit.runner.live import Watcher
from chaoskit.runner.run import Outcome, RunRequest, play
from chaoskit.runner.stop import Stop
from chaoskit.store import find
from chaoskit.store.folder import LATEST


def play_and_report(request: RunRequest) -> Verdict:
    """Play, write every page, print the verdict and return it.

    Raises:
        Interrupted: the end was asked for twice; the sentence says what is kept and how to report it.
        SetupFailed: something did not come up; the run is reported all the same.
        RestoreFailed: a link was not proven clean; the run is reported all the same.
    """
    return conclude(play_and_write(request))


def play_and_write(request: RunRequest) -> Outcome:
    """Play, write every page, and return what came of it.

    Raises:
        Interrupted: the end was asked for twice.
    """
    try:
        with make_view(ERR, request.plan) as view:
            outcome = asyncio.run(_play(request, view))
        write_pages(outcome.folder, outcome.result, request.plan, outcome.history)
    except KeyboardInterrupt:
        raise Interrupted(_kept(request.reports)) from None
    return outcome


def conclude(outcome: Outcome) -> Verdict:
    """Print and return the verdict of a run, or raise the error that stands for it; see `play_and_report`."""
    if outcome.setup_error is not None:
        OUT.print(f"report: {outcome.folder.path / REPORT}", markup=False)
        message = f"set-up failed: {outcome.setup_error}"
        raise SetupFailed(message) from outcome.setup_error
    say_verdict(outcome.result, outcome.folder.path / REPORT)
    if outcome.restore_error is not None:
        raise outcome.restore_error
    return outcome.result.verdict


def _kept(reports: Path) -> str:
    """Return what an interrupted run leaves, and how to read it."""
    command = ["report", LATEST]
    if reports != Path("reports"):
        command += ["--reports", str(reports)]
    return (
        "interrupted: everything that was started has been stopped, and the records so far are kept in "
        f"{find(reports).path}; `{program()} {shlex.join(command)}` makes their report"
    )


async def _play(request: RunRequest, view: Watcher) -> Outcome:
    stop = Stop()
    playing = asyncio.ensure_future(play(request, view, stop))

    asked = False

    def interrupted(sentence: str) -> None:
        nonlocal asked
        asked = True
        if stop.reason is None:
            view.stage("winding down; a second Ctrl-C undoes everything at once")
            stop.ask(sentence)
        elif not playing.cancelling():  # a third Ctrl-C must not cut the undoing short
            playing.cancel()

    with on_interrupt(interrupted):
        try:
            return replace(await playing, interrupted=asked)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
