from dataclasses import replace

from chaoskit.analysis.result import Result
from chaoskit.report import findings
from chaoskit.report.charts.headroom import LEAST_SHARE, MOST_SHARE


def test_ladder_keeps_order_and_says_what_gave_way(result: Result) -> None:
    columns = findings.ladder(result.ladder)
    assert columns["resource"][:2] == ["gateway.db_pool", "engine.matching"]
    assert columns["state"][:4] == ["gave way", "gives way within the surge", "gave way", "carries the surge"]


def test_what_was_full_with_room_for_the_surge_was_held_up(result: Result) -> None:
    roomy = replace(result.ladder[0], saturates_at=replace(result.ladder[0].saturates_at, share=10.0), saturated=True)
    assert findings.state(roomy) == "full, held up by another"


def test_shares_are_clipped_to_the_axis_and_labels_are_true(result: Result) -> None:
    zero = replace(result.ladder[0], saturates_at=replace(result.ladder[0].saturates_at, share=0.0))
    columns = findings.ladder((zero, result.ladder[-1]))
    low, high = columns["share"]
    assert isinstance(low, float)
    assert LEAST_SHARE < low < 0.02
    assert high == MOST_SHARE
    assert str(columns["label"][1]).startswith("engine.cpu · 240 times · ")


def test_a_long_ladder_is_cut_for_the_chart(result: Result) -> None:
    assert len(findings.ladder(result.ladder * 5)["resource"]) == findings.MAX_RUNGS


def test_failures_are_shares_of_arrivals(result: Result) -> None:
    columns = findings.failures(result.streams)
    assert columns["row"] == ["trading · surge", "trading · surge", "positions · surge", "positions · surge"]
    assert columns["reason"] == ["status 503", "timeout"] * 2
    assert columns["share"][:2] == [0.221, 0.11]
