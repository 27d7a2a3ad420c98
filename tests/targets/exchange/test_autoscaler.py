import pytest
from exchange.autoscaler import Autoscaler, Reading, Rules

REACTIVE = Rules("reactive", least=2, most=40)


def serving(count: int, utilization: float, *, booting: int = 0) -> Reading:
    return Reading(count, booting, utilization, load=count * utilization)


@pytest.mark.parametrize(
    ("reading", "wanted"),
    [
        (serving(4, 0.50), 4),
        (serving(4, 0.54), 4),  # within 10 % of the target
        (serving(4, 0.60), 5),
        (serving(10, 1.00), 20),  # full is 100 %, however much waits: twice as many at most
        (serving(2, 1.00), 4),
        (serving(4, 1.00, booting=4), 8),  # those that boot count as idle: 4 of 8 busy is what is aimed at
        (serving(8, 1.00, booting=4), 16),
        (serving(40, 1.00), 40),  # no more than may be
    ],
)
def test_a_sync_wants_what_the_pod_autoscaler_would(reading: Reading, wanted: int) -> None:
    assert Autoscaler(REACTIVE).decide(0.0, reading) == wanted


@pytest.mark.parametrize(("present", "wanted"), [(1, 5), (4, 8), (8, 16)])
def test_a_sync_adds_four_or_as_many_as_there_are(present: int, wanted: int) -> None:
    rules = Rules("reactive", most=100, target=0.05)
    assert Autoscaler(rules).decide(0.0, serving(present, 1.0)) == wanted


def test_a_replica_leaves_when_none_was_needed_for_the_whole_window() -> None:
    autoscaler = Autoscaler(REACTIVE)
    assert autoscaler.decide(0.0, serving(10, 0.5)) == 10
    wanted = [autoscaler.decide(now_s, serving(10, 0.1)) for now_s in range(15, 316, 15)]
    assert wanted == [10] * 20 + [2]


def test_a_new_peak_in_the_window_keeps_what_it_asked_for() -> None:
    autoscaler = Autoscaler(REACTIVE)
    autoscaler.decide(0.0, serving(10, 0.1))
    autoscaler.decide(200.0, serving(10, 0.3))
    assert autoscaler.decide(400.0, serving(10, 0.1)) == 6
    assert autoscaler.decide(501.0, serving(6, 0.1)) == 2


def test_a_forecast_orders_for_what_arrives_and_not_for_what_is_busy() -> None:
    """Two full replicas to which the work of ten comes: reaction doubles them, a forecast knows better."""
    rules = Rules("predictive", most=40, sync_period_s=15.0, ahead_s=0.0)
    by_rate, by_use = Autoscaler(rules), Autoscaler(REACTIVE)
    steps = [Reading(2, 0, 0.5, 1.0), Reading(2, 0, 1.0, 10.0), Reading(2, 4, 1.0, 10.0), Reading(2, 10, 1.0, 10.0)]
    assert [by_rate.decide(15.0 * turn, reading) for turn, reading in enumerate(steps)] == [2, 6, 12, 20]
    assert [by_use.decide(15.0 * turn, reading) for turn, reading in enumerate(steps)] == [2, 4, 6, 12]


def test_a_forecast_follows_a_ramp_to_when_a_replica_would_be_warm() -> None:
    """One replica's work more each period, four periods ahead, damped: 0.8 + 0.64 + 0.512 + 0.4096 periods' worth."""
    rules = Rules("predictive", most=100, target=1.0, sync_period_s=10.0, ahead_s=40.0)
    autoscaler = Autoscaler(rules)
    wanted = [autoscaler.decide(10.0 * turn, Reading(50, 0, 0.5, 20.0 + turn)) for turn in range(5)]
    assert autoscaler._predicted(50.0, 25.0) == 28
    assert wanted == [50] * 5  # nothing leaves before its time


def test_the_beginning_of_load_is_no_trend() -> None:
    autoscaler = Autoscaler(Rules("predictive", sync_period_s=1.0, ahead_s=10.0))
    loads = (0.0, 0.0, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5)
    assert {autoscaler.decide(float(turn), Reading(1, 0, load, load)) for turn, load in enumerate(loads)} == {1}


def test_a_forecast_of_level_load_is_that_load() -> None:
    autoscaler = Autoscaler(Rules("predictive", ahead_s=160.0, shrinks_after_s=0.0))
    for turn in range(6):
        assert autoscaler.decide(15.0 * turn, serving(4, 0.5)) == 4
