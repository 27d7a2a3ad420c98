"""A number of replicas that follows an autoscaler: those wanted boot, then serve; those no longer wanted leave."""

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from service.occupancy import Resource

from exchange.autoscaler import Autoscaler, Reading, Rules


class Tier(Protocol):
    """What consists of replicas."""

    resource: Resource
    """Whose servers the replicas bring, and whose use and arrivals the autoscaler watches."""

    def join(self, now_s: float) -> None:
        """One more replica serves from now on."""

    def leave(self, now_s: float) -> None:
        """The replica that came last serves no more."""


class Replicas(Collector):
    """Steers a tier that begins with `serving` replicas; `run` it, or call `advance` with monotonic seconds."""

    def __init__(self, tier: Tier, rules: Rules, serving: int, boot_delay_s: float) -> None:
        self._tier = tier
        self._rules = rules
        self._autoscaler = Autoscaler(rules)
        self._boot_delay_s = boot_delay_s
        self._boots: list[float] = []  # when each replica that boots will serve, ascending
        self._synced_s = self._accrued_s = -1.0
        self._replica_s = 0.0  # replica-seconds that served since the last sync
        self._busy_s = 0.0
        self._arrivals = self._completions = 0
        self.serving = serving

    @property
    def wanted(self) -> int:
        """Replicas that serve or boot."""
        return self.serving + len(self._boots)

    async def run(self) -> None:
        """Advance for ever, whenever something is due."""
        while True:
            now_s = monotonic()
            await asyncio.sleep(max(0.001, self.advance(now_s) - now_s))

    def advance(self, now_s: float) -> float:
        """Do what is due by `now_s`; returns when something is due again."""
        if self._synced_s < 0:
            self._begin(now_s)
        while self._boots and self._boots[0] <= now_s:
            self._boots.pop(0)
            self._accrue(now_s)
            self._tier.join(now_s)
            self.serving += 1
        if now_s >= self._synced_s + self._rules.sync_period_s:
            self._resize(now_s, self._autoscaler.decide(now_s, self._reading(now_s)))
        return min([self._synced_s + self._rules.sync_period_s, *self._boots])

    def lost(self) -> None:
        """A replica that served, or was to, is no more; the next look may order another."""
        self._accrue(monotonic())
        self.serving -= 1

    def _resize(self, now_s: float, wanted: int) -> None:
        while self.wanted < wanted:
            self._boots.append(now_s + self._boot_delay_s)
        while self.wanted > wanted and self._boots:
            self._boots.pop()
        while self.wanted > wanted:
            self._tier.leave(now_s)
            self.serving -= 1

    def _begin(self, now_s: float) -> None:
        """Count from now on."""
        resource = self._tier.resource
        self._synced_s = self._accrued_s = now_s
        self._replica_s = 0.0
        self._busy_s = resource.busy.total_s(now_s)
        self._arrivals, self._completions = resource.arrivals, resource.completions

    def _accrue(self, now_s: float) -> None:
        self._replica_s += self.serving * (now_s - self._accrued_s)
        self._accrued_s = now_s

    def _reading(self, now_s: float) -> Reading:
        """What happened since the last one; from now on the next is counted."""
        resource = self._tier.resource
        resource.settle(now_s)
        self._accrue(now_s)
        slots = resource.servers / max(1, self.serving)
        period_s = now_s - self._synced_s
        busy_s = resource.busy.total_s(now_s) - self._busy_s
        if not self._replica_s:
            self._begin(now_s)
            return Reading(0, len(self._boots), 0.0, 0.0)
        asked = (resource.arrivals - self._arrivals) / max(1, resource.completions - self._completions)
        utilization = min(1.0, busy_s / (slots * self._replica_s))
        reading = Reading(self.serving, len(self._boots), utilization, asked * busy_s / (slots * period_s))
        self._begin(now_s)
        return reading

    def collect(self) -> Iterator[Metric]:
        """Replicas wanted, booting and serving."""
        for name, title, value in (
            ("exchange_replicas_wanted", "Replicas that the autoscaler wants", self.wanted),
            ("exchange_replicas_booting", "Replicas that do not serve yet", len(self._boots)),
            ("exchange_replicas_serving", "Replicas that serve", self.serving),
        ):
            yield GaugeMetricFamily(name, title, value=value)
