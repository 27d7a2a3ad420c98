"""What `chaoskit run --variant all` does: play one run after another, then write the page that compares them."""

from collections.abc import Sequence
from pathlib import Path

from chaoskit.analysis import decode
from chaoskit.analysis.comparison import (
    Comparison,
    Played,
    compare,
    compared_again,
    decode_comparison,
    encode_comparison,
)
from chaoskit.cli.console import ERR, OUT
from chaoskit.cli.exit_codes import ExitCode, of_error, of_verdict, worst
from chaoskit.cli.pages import REPORT
from chaoskit.cli.playing import conclude, play_and_write
from chaoskit.errors import RestoreFailed, SetupFailed
from chaoskit.runner.run import Outcome, RunRequest
from chaoskit.scenario.variants import BASE
from chaoskit.store import RunFolder
from chaoskit.store.folder import PLAN, RESULT, create_comparison, write_whole


def play_and_compare(requests: Sequence[RunRequest], *, gate: bool) -> ExitCode:
    """Play every request, compare what was played, and return the gravest exit code.

    A Ctrl-C and a run that could not be restored end the sequence; what was played until then is compared.

    Raises:
        Interrupted: the end was asked for twice.
    """
    played: list[Played] = []
    codes: list[ExitCode] = []
    try:
        for index, request in enumerate(requests):
            name = request.plan.variant or BASE
            ERR.print(f"{name} ({index + 1} of {len(requests)}): {request.plan.title}", markup=False)
            outcome = play_and_write(request)
            title = request.plan.title.removeprefix(f"{requests[0].plan.title} · ")
            played.append(Played(name, title, outcome.folder.name, request.plan, outcome.result))
            codes.append(_concluded(outcome, gate=gate))
            if outcome.interrupted and gate and request is not requests[-1]:
                codes.append(ExitCode.ABORTED)  # the run may have been whole by then, but the comparison is not
            if outcome.interrupted or codes[-1] is ExitCode.NOT_RESTORED:
                break
    finally:  # a second Ctrl-C, or a restore that failed, loses no run that was whole before it
        if played:
            _write(requests, played)
    return worst(codes)


def _concluded(outcome: Outcome, *, gate: bool) -> ExitCode:
    try:
        code = of_verdict(conclude(outcome))
    except (SetupFailed, RestoreFailed) as error:
        ERR.print(str(error), style="red", markup=False)
        return of_error(error)
    return code if gate else ExitCode.PASS


def compare_again(folder: Path) -> None:
    """Write the pages of a comparison again, from its own result.json and from those of its runs that are still there.

    Raises:
        StoreError: its result.json, or that of one of its runs, is damaged.
    """
    before = decode_comparison((folder / RESULT).read_bytes())
    played = []
    for run in before.runs:
        saved = folder.parent / run.run
        if (saved / PLAN).is_file() and (saved / RESULT).is_file():
            kept = RunFolder.open(saved)
            played.append(Played(run.name, run.title, run.run, kept.plan(), decode(kept.result())))
    _write_pages(folder, compared_again(before, played))


def _write(requests: Sequence[RunRequest], played: Sequence[Played]) -> None:
    left_out = [request.plan.variant or BASE for request in requests[len(played) :]]
    comparison = compare(played, left_out)
    _write_pages(create_comparison(requests[0].reports, comparison.scenario), comparison)


def _write_pages(folder: Path, comparison: Comparison) -> None:
    from chaoskit.report import render_comparison, render_comparison_summary

    write_whole(folder / RESULT, encode_comparison(comparison))
    write_whole(folder / "summary.md", render_comparison_summary(comparison).encode())
    write_whole(folder / REPORT, render_comparison(comparison).encode())
    OUT.print(f"comparison: {folder / REPORT}", markup=False)
