"""The table of deliberate differences in chaoskit/proxy/README.md and the tests that tell the servers apart agree."""

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER.parents[1] / "chaoskit" / "proxy" / "README.md"
TELLS_APART = re.compile(r"\bkind\b|\"started\", \[|\brunning\(\"")


def rows() -> list[str]:
    """Return the table of differences without its heading."""
    section = README.read_text().partition("## What it does differently")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def names_in(row: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", row.rsplit(" | ", 1)[1])


def suite() -> dict[str, str]:
    """Return the source of each test of the suite, decorators included, by name."""
    tests: dict[str, str] = {}
    for file in sorted(set(FOLDER.glob("test_*.py")) - {Path(__file__)}):
        text = file.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                parts = [ast.get_source_segment(text, part) or "" for part in (*node.decorator_list, node)]
                tests[node.name] = "\n".join(parts)
    return tests


def test_every_row_names_a_test() -> None:
    assert len(rows()) >= 20
    assert [row for row in rows() if not names_in(row)] == []


def test_what_the_rows_name_is_what_tells_the_servers_apart() -> None:
    named = {test for row in rows() for test in names_in(row)}
    assert named == {name for name, source in suite().items() if TELLS_APART.search(source)}
