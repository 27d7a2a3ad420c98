from pathlib import Path

import pytest

from chaoskit import plan
from chaoskit.errors import InvalidFile, Problem, UsageError
from chaoskit.scenario import Loaded, load

TARGETS = Path(__file__).parent / "targets"
BASE = """\
version: 1
name: day
title: A day
seed: 7
target: {external: {api: "http://127.0.0.1:8080"}}
load:
  quotes: {request: {path: /}, rate: 1/s, clients: failover}
  orders: {request: {path: /orders}, rate: 2/s}
phases: [{baseline: {for: 10s}}]
objectives: [quotes p50 < 1s]
variants:
"""


def loaded(tmp_path: Path, variants: str, base: str = BASE) -> Loaded:
    path = tmp_path / "day.yaml"
    path.write_text(base + variants)
    return load(path, search=[TARGETS])


def problems(tmp_path: Path, variants: str, base: str = BASE) -> list[Problem]:
    with pytest.raises(InvalidFile) as caught:
        loaded(tmp_path, variants, base)
    return list(caught.value.problems)


def test_mappings_are_merged_lists_and_words_replaced_and_null_removes(tmp_path: Path) -> None:
    changes = """\
  other:
    title: Other clients
    load: {quotes: {rate: 5/s, clients: {route: pinned}}, orders: null}
    objectives: [quotes p95 < 1s, errors < 1%]
"""
    base = loaded(tmp_path, changes)
    found = base.chosen("other").scenario
    assert list(found.load) == ["quotes"]
    assert found.load["quotes"].rate == 5
    assert found.load["quotes"].request == base.scenario.load["quotes"].request
    assert found.load["quotes"].clients.route == "pinned"
    assert [one.text for one in found.objectives] == ["quotes p95 < 1s", "errors < 1%"]
    assert found.target == base.scenario.target
    assert list(base.scenario.load) == ["quotes", "orders"], "the scenario itself stays as it was"


def test_a_plan_names_its_variant_and_keeps_name_and_seed(tmp_path: Path) -> None:
    base = loaded(tmp_path, "  slow: {title: Slowly, load: {orders: {rate: 1/s}}}\n")
    whole, slow = plan.build(base), plan.build(base.chosen("slow"))
    assert (whole.variant, slow.variant) == (None, "slow")
    assert (slow.scenario, slow.seed, slow.title) == ("day", 7, "A day · Slowly")
    assert base.chosen(None) is base


def test_a_variant_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no variant 'slwo'; did you mean `slow`"):
        loaded(tmp_path, "  slow: {title: Slowly}\n").chosen("slwo")


@pytest.mark.parametrize(
    ("variants", "line", "column", "words"),
    [
        ("  a: {seed: 3}", 12, 7, "`seed` is not known"),
        ("  a: {load: {quotes: {rate: fast}}}", 12, 29, "fast"),
        ("  a:\n    objectives: [nonsense]", 13, 18, "nonsense"),
        ("  a: {load: {quotes: {request: null}}}", 12, 14, "has none (line 7, in the variant a)"),
        ("  a: {load: {quotes: null}}", 12, 3, "(line 10, in the variant a)"),
        ("  a: {load: {quote: null}}", 12, 14, "no `quote` that `null` could remove"),
        ("  all: {title: x}", 12, 3, "`all` is no name for a variant"),
        ("  a: 3", 12, 6, "must be a mapping"),
    ],
)
def test_problems_stand_at_the_variants_own_line(
    tmp_path: Path, variants: str, line: int, column: int, words: str
) -> None:
    (problem,) = problems(tmp_path, variants + "\n")
    assert words in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_all_problems_of_all_variants_are_told_and_those_of_the_scenario_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "  a: {phases: []}\n  b: {faults: [{nothing: {}}]}\n  c: {title: fine}\n",
        BASE.replace("quotes p50 < 1s", "sellers p50 < 1s"),
    )
    assert {problem.line for problem in found} == {10, 12, 13}
    assert sum(problem.line == 10 for problem in found) == 1
