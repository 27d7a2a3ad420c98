from chaoskit.scenario.document import parse
from chaoskit.scenario.salvage import draft

TEXT = """
version: 1
name: half
target: {use: shop}
load: {good: {flow: buy, rate: 1/s}, bad: {flow: buy, rate: x}}
phases: [{one: {for: 1s}}, {two: {for: x}}, {three: {for: 3s}}]
faults: nothing
objectives: [errors < 1%, nonsense]
"""


def test_what_is_sound_is_kept_and_what_is_not_is_told() -> None:
    document, _ = parse(TEXT, "file")
    sketch, problems = draft(document)
    assert [problem.line for problem in problems] == [5, 6, 7, 8]
    assert list(sketch.scenario.load) == ["good"]
    assert [phase.name for phase in sketch.scenario.phases] == ["one", "three"]
    assert sketch.scenario.faults == []
    assert [statement.text for statement in sketch.scenario.objectives] == ["errors < 1%"]
    assert sketch.broken == {"load", "phases", "faults", "objectives"}


def test_places_of_the_draft_are_places_of_the_file() -> None:
    document, _ = parse(TEXT, "file")
    sketch, _ = draft(document)
    assert sketch.in_file(("phases", 1, "three")) == ("phases", 2, "three")
    assert sketch.in_file(("load", "good")) == ("load", "good")


def test_nothing_sound_at_all_is_a_draft_too() -> None:
    document, _ = parse("[]", "file")
    sketch, problems = draft(document)
    assert sketch.scenario.name == "placeholder"
    assert len(problems) == 1
