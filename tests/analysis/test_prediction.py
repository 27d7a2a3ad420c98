"""A prediction is refutable: a second day with what it asks for must turn out as it says."""

import re
from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.ladder import ladder
from chaoskit.analysis.observations import observe
from chaoskit.analysis.prediction import describe_load, describe_share, enlarged, without_fault
from chaoskit.analysis.result import Rung, SaturationPoint
from tests.support.simulation import AMPLE, Day, simulate

SHORT = replace(AMPLE, surge_s=12.0, recovery_s=4.0)


def test_the_pool_enlarged_as_predicted_carries_the_surge() -> None:
    day = replace(SHORT, db_pool=2)
    prediction = analyse(*simulate(day)).bottlenecks[0].prediction
    asked = re.match(r"With gateway\.db_pool 2 → (\d+) the declared surge is carried; (\S+) gives way next", prediction)
    assert asked is not None, prediction
    again = analyse(*simulate(replace(day, db_pool=int(asked[1]))))
    assert again.bottlenecks == ()
    rungs = [rung.resource for rung in again.ladder if rung.resource != "exchange/gateway.db_pool"]
    assert asked[2] == rungs[0]


def test_the_pool_that_is_predicted_to_outlast_the_fault_does() -> None:
    day = replace(SHORT, db_pool=2, latency=(14.0, 18.0, 0.03))
    prediction = analyse(*simulate(day)).bottlenecks[0].prediction
    asked = re.match(
        r"With gateway\.db_pool 2 → (\d+) the declared surge is carried while no fault acts; .* "
        r"While latency-1 acts it would take up to gateway\.db_pool 2 → (\d+)\.",
        prediction,
    )
    assert asked is not None, prediction
    calm, disturbed = (analyse(*simulate(replace(day, db_pool=int(size)))) for size in asked.groups())
    assert [finding.resource for finding in calm.bottlenecks] == ["link:gateway->positions"]
    assert disturbed.bottlenecks == ()
    assert int(asked[2]) < 2 * day.positions_rps * day.positions_multiple * 0.0502


def test_of_several_faults_each_prediction_says_that_it_knows_one() -> None:
    found = {finding.kind: finding.prediction for finding in analyse(*simulate(Day())).bottlenecks}
    assert " while no fault acts" in found["pool"]
    assert "While latency-1 acts it would take up to" in found["pool"]
    assert "While region_down" not in found["pool"]
    assert found["region"].startswith("Without region_down-2 or any other fault ")


def test_what_gives_way_before_the_surge_is_carried_is_named() -> None:
    day = replace(SHORT, db_pool=2, service_time_s=0.007)
    first = next(
        finding for finding in analyse(*simulate(day)).bottlenecks if finding.resource == "exchange/gateway.db_pool"
    )
    assert re.search(r"up to \d\d% of the surge .*, then exchange/engine\.matching gives way", first.prediction)
    again = analyse(*simulate(replace(day, db_pool=8)))
    assert again.bottlenecks[0].resource == "exchange/engine.matching"


def test_a_time_is_made_shorter() -> None:
    prediction = analyse(*simulate(replace(SHORT, service_time_s=0.008))).bottlenecks[0].prediction
    asked = re.search(r"engine\.service_time 8ms → ([\d.]+)ms", prediction)
    assert asked is not None, prediction
    assert float(asked[1]) == pytest.approx(0.8 * 8 * 0.615, rel=0.15)


def test_without_its_fault_a_link_is_no_longer_in_the_way() -> None:
    day = replace(SHORT, latency=(13.0, 18.0, 0.3))
    prediction = analyse(*simulate(day)).bottlenecks[0].prediction
    named = re.match(r"Without latency-1 the declared surge is carried; (\S+) gives way first, at", prediction)
    assert named is not None, prediction
    again = analyse(*simulate(replace(day, latency=None)))
    assert (again.bottlenecks, again.ladder[0].resource) == ((), named[1])


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "the baseline already"),
        (0.034, "3.4% of the surge"),
        (0.437, "44% of the surge"),
        (1.0, "100% of the surge"),
        (2.134, "2.13 times the surge"),
        (1234.5, "1,234 times the surge"),
    ],
)
def test_a_share_is_said_in_words(share: float, said: str) -> None:
    assert describe_share(share) == said


def test_a_load_names_the_multiple_of_each_stream() -> None:
    point = SaturationPoint(0.44, {"trading": 44.9, "positions": 443.6}, {})
    assert describe_load(point) == "44% of the surge (trading ×44.9, positions ×444)"


def rung(resource: str, share: float) -> Rung:
    return Rung(resource, "pool", SaturationPoint(share, {}, {}), None, 0.0, 0.0, 0.001, None, None, saturated=False)


@pytest.mark.parametrize(
    ("rungs", "said"),
    [
        ((), "Without latency-1 nothing that was measured gives way."),
        (
            (rung("a", 0.4), rung("b", 2.0)),
            "Without latency-1 the load is carried up to 40% of the surge, then a gives way.",
        ),
        (
            (rung("a", 1.5), rung("b", 2.0)),
            "Without latency-1 the declared surge is carried; a gives way first, at 1.5 times the surge.",
        ),
    ],
)
def test_without_a_fault_the_nearest_rung_is_named(rungs: tuple[Rung, ...], said: str) -> None:
    assert without_fault("latency-1", rungs) == said


def test_enlarging_what_gives_way_later_does_not_help() -> None:
    seen = observe(*simulate(replace(SHORT, db_pool=2, service_time_s=0.007)))
    engine = seen.series["exchange/engine.matching"]
    rungs = ladder(seen)
    assert rungs[0].resource == "exchange/gateway.db_pool"
    assert enlarged(seen, engine, rungs).startswith(
        "Enlarging engine.service_time alone does not help: exchange/gateway.db_pool gives way earlier, at"
    )


def test_enlarging_what_has_room_for_the_surge_does_not_help() -> None:
    seen = observe(*simulate(SHORT))
    pool = seen.series["exchange/gateway@us-east-1.db_pool"]
    own = [rung for rung in ladder(seen) if rung.resource == pool.kind_id]
    assert enlarged(seen, pool, own).startswith("Enlarging gateway.db_pool does not help: it has room")
