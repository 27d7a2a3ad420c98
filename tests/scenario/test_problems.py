import pytest

from chaoskit.scenario.document import parse
from chaoskit.scenario.model import Scenario
from chaoskit.scenario.problems import did_you_mean, validate


@pytest.mark.parametrize(
    ("name", "known", "words"),
    [
        ("serge", ["surge", "baseline"], "; did you mean `surge`?"),
        ("x", ["surge", "baseline"], "; known here: baseline, surge"),
        ("x", [], "; there is none here"),
        ("x" * 100_000, ["surge"], "; known here: surge"),
    ],
)
def test_did_you_mean(name: str, known: list[str], words: str) -> None:
    assert did_you_mean(name, known) == words


def test_a_long_value_does_not_make_a_long_message() -> None:
    document, _ = parse(f"version: 1\nname: {'x' * 5000}\nseed: {'y' * 5000}\n", "file")
    _, problems, _ = validate(Scenario, document)
    assert max(len(problem.message) for problem in problems) < 450


def test_where_the_problems_lie_is_told() -> None:
    document, _ = parse("version: 1\nphases:\n  - a: {for: 1s, ramp: x}\n", "file")
    _, problems, locations = validate(Scenario, document)
    assert ("phases", 0, "a", "ramp") in locations
    assert (3, 24) in [(problem.line, problem.column) for problem in problems]
