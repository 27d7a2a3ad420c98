import re
from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.causes import Harm, Root
from chaoskit.analysis.findings import findings
from chaoskit.analysis.ladder import ladder
from chaoskit.analysis.observations import observe
from chaoskit.analysis.result import Bottleneck
from tests.support.simulation import AMPLE, Day, simulate

SHORT = replace(AMPLE, surge_s=12.0, recovery_s=4.0)


def found(day: Day) -> tuple[Bottleneck, ...]:
    return analyse(*simulate(day)).bottlenecks


def statements(finding: Bottleneck) -> str:
    return "\n".join(evidence.statement for evidence in finding.evidence)


@pytest.fixture(scope="module")
def small_pool() -> Bottleneck:
    return found(replace(SHORT, db_pool=3, latency=(14.0, 17.0, 0.02)))[0]


def test_a_finding_carries_its_numbers(small_pool: Bottleneck) -> None:
    assert small_pool.capacity_per_s == pytest.approx(6 / 0.0202, rel=0.1)
    assert small_pool.utilization == pytest.approx(1.0, abs=0.05)
    assert (small_pool.kind, small_pool.setting, small_pool.fault) == ("pool", "gateway.db_pool", "latency-1")
    assert small_pool.title.startswith("exchange/gateway.db_pool runs out at ")
    assert small_pool.title.endswith("made worse by latency 20ms on gateway->positions")


def test_capacity_that_came_too_late_is_told_and_helps_nobody() -> None:
    """Scaled after eight seconds of a surge that it could then carry: it gave way as small as it was before."""
    finding = found(replace(SHORT, db_pool=3, db_pool_grows=(18.0, 45)))[0]
    assert finding.resource == "exchange/gateway.db_pool"
    assert finding.capacity_per_s == pytest.approx(6 / 0.0202, rel=0.1)
    said = "its servers moved within the run: 3 until t = 17 s, then others (3 at least, 48 at most)"
    assert f"{said}; it is judged by the 3 when it counted" in statements(finding)


def test_evidence_names_both_numbers_where_a_fault_made_it_worse(small_pool: Bottleneck) -> None:
    text = statements(small_pool)
    assert "could not carry the load of that time" in text
    assert "times as long" in text
    assert "requested: 20 ms added; delivered: 20.0 ms added" in text


def test_the_chain_of_what_a_fault_made_worse_fits_its_evidence(small_pool: Bottleneck) -> None:
    times = re.search(r"the fault makes each visit ([\d.]+) times as long", statements(small_pool))
    assert times is not None
    said = f"too small for the load even without latency-1, which makes each visit {times[1]} times as long"
    assert small_pool.cause_chain[-1].statement == said


def test_utilisations_and_spans_say_what_they_are(small_pool: Bottleneck) -> None:
    text = statements(small_pool)
    assert re.search(r"full in \d+ of those \d+ s, mean utilization while full [\d.]+ \(mean of baseline ", text)
    assert re.search(r"in (\d+ of )?the \d+ s from t = \d+ to \d+ s", text)


def test_a_resource_that_was_slow_without_a_fault_is_not_called_as_fast_as_usual() -> None:
    plan, history = simulate(replace(SHORT, db_pool=3, latency=(14.0, 20.0, 0.03)))
    unknown = replace(plan, faults=())
    chain = analyse(unknown, history).bottlenecks[0].cause_chain
    assert "neither full nor slower" not in chain[-1].statement


def test_evidence_says_what_is_idle_behind_it(small_pool: Bottleneck) -> None:
    assert "mean utilization of what it waits for: exchange/positions.connections 0." in statements(small_pool)


def test_a_limiter_is_shown_by_what_it_refused() -> None:
    assert "refused or dropped" in statements(found(replace(SHORT, rate_limit=100))[0])


def test_a_late_generator_comes_first_whatever_else_is_wrong() -> None:
    late = found(replace(SHORT, generator_cost_s=0.003, region_lost=(13.0, 20.0)))
    assert late[0].resource == "generator.cpu"
    assert "nothing is known of the target" in late[0].prediction


def test_a_lost_region_rests_on_its_receipt() -> None:
    finding = found(replace(SHORT, region_lost=(13.0, 18.0)))[0]
    assert finding.saturates_at is None
    assert "probes without an answer" in statements(finding)
    assert finding.cause_chain[-1].statement == "cut off by region_down-1"
    assert finding.confidence > 0.8


def test_a_fault_that_makes_no_visit_longer_made_nothing_worse() -> None:
    finding = found(replace(SHORT, db_pool=3, latency=(14.0, 17.0, 0.0002)))[0]
    assert (finding.resource, finding.fault) == ("exchange/gateway.db_pool", None)
    assert "made worse" not in finding.title
    assert "times as long" not in statements(finding)


def test_each_step_of_the_chain_says_what_it_waits_for() -> None:
    chain = found(replace(SHORT, connections=3))[0].cause_chain
    assert re.fullmatch(r"busy waiting for exchange/positions\.connections \d+% of the time", chain[1].statement)


def seconds_of_harm(subject: str, *seconds: int) -> list[Harm]:
    return [Harm("positions", "client->gateway@us-east-1", second, 50.0, Root(subject, "pool")) for second in seconds]


def test_a_handful_of_late_arrivals_is_no_finding_while_every_objective_holds() -> None:
    seen = observe(*simulate(SHORT))
    link = Root("link:gateway->positions", "link")
    five = [Harm("positions", "client->gateway@us-east-1", 16, 5.0, link)]
    assert findings(seen, five, (), all_held=True) == ()
    many = [replace(five[0], second=second, arrivals=50.0) for second in (15, 16, 17)]
    assert [finding.resource for finding in findings(seen, many, (), all_held=True)] == [link.subject]
    assert findings(seen, five, ())[0].confidence < findings(seen, many, ())[0].confidence - 0.1


def test_a_host_that_explains_little_does_not_come_first() -> None:
    seen = observe(*simulate(SHORT))
    harm = Harm("positions", "client->gateway@us-east-1", 16, 97.0, Root("link:gateway->positions", "link"))
    host = Root("host.cpu", "host", victim="host.cpu")
    found = [
        [finding.resource for finding in findings(seen, [harm, replace(harm, arrivals=few, root=host)], ())]
        for few in (10.0, 90.0)
    ]
    assert [first for first, *_ in found] == ["link:gateway->positions", "host.cpu"]


def test_what_has_room_for_the_surge_is_held_up_from_elsewhere() -> None:
    seen = observe(*simulate(replace(SHORT, db_pool=3)))
    rungs = ladder(seen)
    pool = seconds_of_harm("exchange/gateway.db_pool", *range(14, 20))
    workers = "exchange/gateway.workers"
    assert next(rung for rung in rungs if rung.resource == workers).saturates_at.share > 1
    held_up = findings(seen, [*pool, *seconds_of_harm(workers, 16, 17)], rungs)
    assert [finding.resource for finding in held_up] == ["exchange/gateway.db_pool"]
    alone = findings(seen, [*pool, *seconds_of_harm(workers, 4, 5)], rungs)
    assert [finding.resource for finding in alone] == ["exchange/gateway.db_pool", workers]
    assert re.match(
        r"exchange/gateway\.workers was full, although the load alone fills it only at .* times", alone[1].title
    )
