"""A prediction is refutable: a second day with what it asks for must turn out as it says."""

import re
from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from tests.support.simulation import AMPLE, simulate

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


def test_what_gives_way_before_the_surge_is_carried_is_named() -> None:
    day = replace(SHORT, db_pool=2, service_time_s=0.007)
    first = next(
        finding for finding in analyse(*simulate(day)).bottlenecks if finding.resource == "exchange/gateway.db_pool"
    )
    assert re.search(r"up to share 0\.\d\d .*, then exchange/engine\.matching gives way", first.prediction)
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
    assert prediction.startswith(
        "Without latency-1 the declared surge is carried; exchange/gateway.db_pool lasts up to"
    )
    assert analyse(*simulate(replace(day, latency=None))).bottlenecks == ()
