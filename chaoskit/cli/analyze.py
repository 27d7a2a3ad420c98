"""`chaoskit analyze`: judge a saved run again."""

from pathlib import Path

from chaoskit.cli.arguments import Reports, Run
from chaoskit.cli.exit_codes import of_verdict


def analyze(run: Run = "latest", reports: Reports = Path("reports")) -> int:
    """Judge a saved run again, also one whose runner was killed, and write its result.json and pages anew."""
    from chaoskit.analysis import analyse
    from chaoskit.analysis import encode as encode_result
    from chaoskit.cli.pages import REPORT, write_pages
    from chaoskit.cli.saved import read_saved
    from chaoskit.cli.verdict import say_verdict

    folder, plan, history = read_saved(reports, run)
    result = analyse(plan, history, folder.provenance())
    folder.save_result(encode_result(result))
    write_pages(folder, result, plan, history)
    say_verdict(result, folder.path / REPORT)
    return of_verdict(result.verdict)
