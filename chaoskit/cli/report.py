"""`chaoskit report`: write the pages of a saved run again."""

from pathlib import Path

from chaoskit.cli.arguments import Reports, Run
from chaoskit.cli.console import OUT


def report(run: Run = "latest", reports: Reports = Path("reports")) -> None:
    """Write report.html, junit.xml and summary.md of a saved run, also of one that was killed in the middle.

    Of a comparison (`run --variant all`), named by its folder, it writes report.html and summary.md again.
    """
    from chaoskit.analysis import analyse
    from chaoskit.analysis import decode as decode_result
    from chaoskit.analysis import encode as encode_result
    from chaoskit.cli.comparing import compare_again
    from chaoskit.cli.pages import REPORT, write_pages
    from chaoskit.cli.saved import read_saved
    from chaoskit.store.folder import RESULT, find_comparison

    compared = find_comparison(reports, run)
    if compared is not None:
        compare_again(compared)
        return
    folder, plan, history = read_saved(reports, run)
    if (folder.path / RESULT).exists():
        result = decode_result(folder.result())
    else:
        result = analyse(plan, history, folder.provenance())
        folder.save_result(encode_result(result))
    write_pages(folder, result, plan, history)
    OUT.print(f"report: {folder.path / REPORT}", markup=False)
