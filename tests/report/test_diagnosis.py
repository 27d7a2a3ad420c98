from dataclasses import replace

import pytest

from chaoskit.analysis.result import Check, Result, Verdict
from chaoskit.plan.model import Plan
from chaoskit.report import diagnosis


def test_a_bottleneck_answers_what_why_and_what_to_do(result: Result) -> None:
    broke, why, todo = diagnosis.cards(result)
    assert broke.answer == result.bottlenecks[0].title
    assert why.answer == f"gateway.db_pool: {result.bottlenecks[0].cause_chain[-1].statement}"
    assert (todo.answer, todo.detail) == (result.bottlenecks[0].prediction, "Setting: gateway.db_pool")


@pytest.mark.parametrize(
    ("verdict", "broke"),
    [
        (Verdict.PASS, "Nothing gave way"),
        (Verdict.FAIL, "An objective, and no resource that explains it"),
        (Verdict.INCONCLUSIVE, "Nothing that this run could prove"),
        (Verdict.ABORTED, "Nothing that this run could prove"),
    ],
)
def test_without_a_bottleneck(result: Result, verdict: Verdict, broke: str) -> None:
    assert diagnosis.cards(replace(result, verdict=verdict, bottlenecks=()))[0].answer == broke


def test_a_pass_says_what_gives_way_next(result: Result) -> None:
    card = diagnosis.cards(replace(result, verdict=Verdict.PASS, bottlenecks=()))[2]
    assert card.question == "What gives way next"
    assert card.answer.startswith("gateway.db_pool at 34% of the surge")


def test_a_pass_without_resource_metrics_asks_for_them(result: Result) -> None:
    card = diagnosis.cards(replace(result, verdict=Verdict.PASS, bottlenecks=(), ladder=()))[2]
    assert "resource metrics" in card.answer


def test_an_inconclusive_run_says_which_condition_failed(result: Result) -> None:
    checks = (Check("a", True, "fine"), Check("b", False, "The generator was late."))
    weak = replace(result, verdict=Verdict.INCONCLUSIVE, bottlenecks=(), validity=checks)
    assert diagnosis.cards(weak)[1].answer == "The generator was late."


def test_streams_at_their_surge_beside_their_baseline(result: Result, plan: Plan) -> None:
    trading, positions, _ = diagnosis.stream_cards(result, plan)
    assert (trading.stream, trading.phase, trading.multiple) == ("trading", "surge", "×100")
    assert positions.before == result.streams["positions"]["baseline"]


def test_without_a_surge_the_worst_phase_is_shown(result: Result, plan: Plan) -> None:
    streams = {"trading": {name: result.streams["trading"][name] for name in ("baseline", "recovery")}}
    (card,) = diagnosis.stream_cards(replace(result, streams=streams), replace(plan, surge_phase=None))
    assert (card.phase, card.multiple) == ("baseline", "")


def test_the_charts_show_the_stream_that_hurts(result: Result, plan: Plan) -> None:
    cards = diagnosis.stream_cards(result, plan)
    assert diagnosis.stream_that_hurts(result, cards) == "positions"
    assert diagnosis.stream_that_hurts(replace(result, bottlenecks=()), cards) == "trading"
    assert diagnosis.stream_that_hurts(replace(result, bottlenecks=()), ()) == ""


def test_streams_and_phases_stand_in_the_order_of_the_plan(result: Result, plan: Plan) -> None:
    shuffled = {stream: dict(sorted(phases.items())) for stream, phases in sorted(result.streams.items())}
    ordered = diagnosis.streams_in_order(replace(result, streams=shuffled | {"added": {}}), plan)
    assert list(ordered) == ["trading", "positions", "quotes"]
    assert list(ordered["trading"]) == ["baseline", "surge", "recovery"]
