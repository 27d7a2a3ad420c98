"""How a verdict is said on the command line."""

from pathlib import Path
from typing import Final

from chaoskit.analysis.result import Result, Verdict
from chaoskit.cli.console import OUT

_STYLES: Final = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.ABORTED: "bold magenta",
}


def say_verdict(result: Result, written: Path) -> None:
    """Print the verdict, its reasons, the bottleneck and where the rest is written."""
    OUT.print(result.verdict.upper(), style=_STYLES[result.verdict], end="  ")
    OUT.print(result.headline.removeprefix(f"{result.verdict.capitalize()}: "), markup=False)
    for reason in result.reasons:
        if reason in result.headline:
            continue
        OUT.print(f"  · {reason}", markup=False)
    for bottleneck in result.bottlenecks[:1]:
        OUT.print(f"bottleneck: {bottleneck.resource} — {bottleneck.prediction}", markup=False)
    OUT.print(f"report: {written}", markup=False)
