"""What `chaoskit run` does: play a plan under a live view, write its pages, say the verdict."""

import asyncio

from chaoskit.analysis.result import Verdict
from chaoskit.cli.console import ERR
from chaoskit.cli.interrupt import on_interrupt
from chaoskit.cli.live import make_view
from chaoskit.cli.pages import REPORT, write_pages
from chaoskit.cli.verdict import say_verdict
from chaoskit.runner.live import Watcher
from chaoskit.runner.run import Outcome, RunRequest, play
from chaoskit.runner.stop import Stop


def play_and_report(request: RunRequest) -> Verdict:
    """Play, write every page, print the verdict and return it.

    Raises:
        RestoreFailed: a link was not proven clean; the run is reported all the same.
    """
    with make_view(ERR, request.plan) as view:
        outcome = asyncio.run(_play(request, view))
    write_pages(outcome.folder, outcome.result, request.plan, outcome.history)
    say_verdict(outcome.result, outcome.folder.path / REPORT)
    if outcome.restore_error is not None:
        raise outcome.restore_error
    return outcome.result.verdict


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
