"""`chaoskit analyze`: judge a saved run again."""

from pathlib import Path

from chaoskit import plan as planning
from chaoskit.analysis import analyse
from chaoskit.analysis import encode as encode_result
from chaoskit.cli.arguments import Reports, Run
from chaoskit.cli.console import ERR
from chaoskit.cli.exit_codes import of_verdict
from chaoskit.cli.verdict import say_verdict
from chaoskit.store import find


def analyze(run: Run = "latest", reports: Reports = Path("reports")) -> int:
    """Analyse a saved run again, also one whose runner was killed, and write its result.json."""
    folder = find(reports, run)
    history, dropped_lines = folder.history()
    if dropped_lines:
        ERR.print(f"{dropped_lines} torn lines of the records were left out", style="yellow")
    result = analyse(planning.decode(folder.plan_bytes()), history, folder.provenance())
    folder.save_result(encode_result(result))
    say_verdict(result, folder.path / "result.json")
    return of_verdict(result.verdict)
