"""Replicas on a clock of the test's own."""

import pytest
from exchange.autoscaler import Rules
from exchange.replicas import Replicas
from service.exposition import registry_of
from service.occupancy import Resource

SLOTS = 4
RULES = Rules("reactive", least=2, most=16, sync_period_s=15.0, shrinks_after_s=60.0)


class Tier:
    """Slots without requests: `work` says how many of them are busy for how long."""

    def __init__(self, replicas: int) -> None:
        self.resource = Resource("workers", SLOTS * replicas)
        self.changes: list[tuple[str, float]] = []

    def join(self, now_s: float) -> None:
        self.resource.servers += SLOTS
        self.changes.append(("joins", now_s))

    def leave(self, now_s: float) -> None:
        self.resource.servers -= SLOTS
        self.changes.append(("leaves", now_s))

    def work(self, slots: float, for_s: float, *, asked: float | None = None) -> None:
        """Requests of a second's work each: `slots` are done, `asked` come, in every second of `for_s`."""
        self.resource.busy.add(slots * for_s)
        self.resource.completions += int(slots * for_s)
        self.resource.arrivals += int((slots if asked is None else asked) * for_s)


def test_a_step_that_is_over_before_its_replicas_serve() -> None:
    """Two replicas, and the work of ten for two minutes: two more serve after 90 s, which again are full."""
    tier = Tier(2)
    replicas = Replicas(tier, RULES, serving=2, boot_delay_s=75.0)
    assert replicas.advance(0.0) == 15.0
    for turn in range(1, 9):
        tier.work(min(40.0, tier.resource.servers), 15.0, asked=40.0)
        replicas.advance(15.0 * turn)
    assert tier.changes == [("joins", 90.0), ("joins", 90.0)]
    assert replicas.serving == 4
    assert replicas.wanted == 8


def test_the_next_thing_due_is_a_boot_or_a_sync() -> None:
    tier = Tier(2)
    replicas = Replicas(tier, RULES, serving=2, boot_delay_s=10.0)
    replicas.advance(0.0)
    tier.work(8.0, 15.0)
    assert replicas.advance(15.0) == 25.0
    assert replicas.advance(25.0) == 30.0
    assert tier.resource.servers == 4 * SLOTS


def test_those_that_boot_go_first_and_then_the_newest() -> None:
    tier = Tier(4)
    replicas = Replicas(tier, RULES, serving=4, boot_delay_s=100.0)
    replicas.advance(0.0)
    tier.work(4 * SLOTS, 15.0)
    replicas.advance(15.0)
    assert replicas.wanted == 8
    for turn in range(2, 7):
        tier.work(0.0, 15.0)
        replicas.advance(15.0 * turn)
    assert tier.changes == [("leaves", 90.0), ("leaves", 90.0)]
    assert replicas.wanted == replicas.serving == 2


@pytest.mark.parametrize(("serves_s", "utilization"), [(15.0, 1.0), (22.5, 0.75)])
def test_a_replica_counts_from_when_it_serves(serves_s: float, utilization: float) -> None:
    """Full for a period and a half: two more slots' worth of replicas count for as long as they were there."""
    tier = Tier(2)
    replicas = Replicas(tier, Rules("reactive", least=4, most=4, sync_period_s=15.0), 2, boot_delay_s=serves_s - 15.0)
    replicas.advance(0.0)
    replicas.advance(15.0)
    replicas.advance(serves_s)
    tier.resource.busy.add(utilization * SLOTS * (2 * 15.0 + 2 * (30.0 - serves_s)))
    assert replicas._reading(30.0).utilization == pytest.approx(utilization)


def test_what_is_lost_is_replaced() -> None:
    tier = Tier(2)
    replicas = Replicas(tier, RULES, serving=2, boot_delay_s=5.0)
    replicas.advance(0.0)
    for _ in range(2):
        tier.resource.servers -= SLOTS
        replicas.lost()
    replicas._accrued_s = 15.0  # lost in no time
    replicas._replica_s = 0.0
    assert replicas.advance(15.0) == 20.0
    replicas.advance(20.0)
    assert replicas.serving == replicas.wanted == 2


def test_the_figures_are_told() -> None:
    registry = registry_of([Replicas(Tier(3), RULES, serving=3, boot_delay_s=1.0)])
    states = ("wanted", "booting", "serving")
    assert [registry.get_sample_value(f"exchange_replicas_{state}") for state in states] == [3, 0, 3]
