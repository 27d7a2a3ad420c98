"""Tables of a benchmark: printed, and in a full run kept in README.md beside this file, between markers."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parent / "README.md"
QUICK = os.environ.get("CHAOSKIT_BENCH") == "quick"
"""Short runs that only print: to see that all of it works, not to be quoted."""


def publish(name: str, head: Sequence[str], rows: Sequence[Sequence[str]], *notes: str) -> None:
    """Print a table, and put it in the place of the section `name` of the page."""
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    text = "\n".join([*lines, "", *notes, _machine()])
    print(f"\n{text}")  # noqa: T201 - a benchmark's result
    if QUICK:
        return
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    page = PAGE.read_text()
    assert begin in page, f"{PAGE} has no section {name}"
    PAGE.write_text(
        re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}{text}\n{end}", page, flags=re.DOTALL)
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        processor = found[1] if found else processor
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {processor}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, Locust {version('locust')}, "
        f"gevent {version('gevent')}."
    )
