"""Reads a resource out of somebody else's metrics, as its manifest maps them."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from chaoskit.observe.exposition import Sample
from chaoskit.plan.model import PlannedMapping, PlannedQuantity
from chaoskit.records import ResourceSample
from chaoskit.selector import Selector

Families = Mapping[str, Sequence[Sample]]
"""The samples of one scrape by metric name."""

_NEEDED: Final = ("servers", "busy")
"""Without one of these a scrape says nothing (0 would be a claim); of a queue without servers, without its length."""


class _Figure:
    """One quantity, with its selectors read."""

    def __init__(self, quantity: PlannedQuantity) -> None:
        self._plus = [(text, Selector.parse(text)) for text in quantity.plus]
        self._minus = [(text, Selector.parse(text)) for text in quantity.minus]
        self._quantity = quantity

    def read(self, families: Families, lacking: set[str]) -> float | None:
        """Return its value; None where none of its series is there. Selectors without any go into `lacking`."""
        if not self._plus:
            return self._quantity.constant
        plus, minus = (_sum(selectors, families, lacking) for selectors in (self._plus, self._minus))
        return None if plus is None else (plus - (minus or 0.0)) * self._quantity.scale + self._quantity.constant


def _sum(selectors: Sequence[tuple[str, Selector]], families: Families, lacking: set[str]) -> float | None:
    total: float | None = None
    for text, selector in selectors:
        values = [one.value for one in families.get(selector.name, ()) if selector.matches(one.labels)]
        known = [value for value in values if math.isfinite(value)]
        if known:
            total = (total or 0.0) + sum(known)
        else:
            lacking.add(text)
    return total


class MappedResource:
    """One resource by its mapping. It keeps what must be added up from scrape to scrape: servers in use to busy time.

    `lacking` holds the selectors that no series of the last scrape fulfilled, and whether the scrape is a gap without.
    Servers, busy time and the length of a mere queue are needed; a counter without a series counts as 0, for many
    appear with the first event only.
    """

    def __init__(self, resource: str, mapping: PlannedMapping) -> None:
        self.lacking: dict[str, bool] = {}
        self._resource = resource
        self._figures = {name: _Figure(quantity) for name, quantity in mapping.quantities.items()}
        self._blocked = {on: _Figure(quantity) for on, quantity in mapping.blocked.items()}
        self._needed = _NEEDED if "busy" in mapping.quantities else ("queue_length",)
        self._level = mapping.level
        self._busy_s = 0.0
        self._before: tuple[float, float] | None = None  # time and servers in use at the scrape before

    def read(self, families: Families, t_s: float) -> ResourceSample | None:
        """Return the resource as one scrape at `t_s` shows it; None where that does not say enough."""
        self.lacking = {}
        told = {name: self._told(figure, families, name in self._needed) for name, figure in self._figures.items()}
        blocked_s = {on: self._told(figure, families) or 0.0 for on, figure in self._blocked.items()}
        if any(self.lacking.values()):
            return None
        values = {name: value or 0.0 for name, value in told.items()}
        in_use = values.get("busy", 0.0) if self._level else 0.0
        return ResourceSample(
            t_s=t_s,
            resource=self._resource,
            servers=values.get("servers", 0.0),
            busy_s=self._added_up(t_s, in_use) if self._level else values.get("busy", 0.0),
            blocked_s=blocked_s,
            arrivals=values["arrivals"] if "arrivals" in values else _arrived(values, in_use),
            completions=values.get("completions", 0.0),
            rejections={"": values["rejections"]} if "rejections" in values else {},
            wait_s=values.get("wait", 0.0),
            queue_length=values.get("queue_length", 0.0),
            queue_limit=values.get("queue_limit"),
        )

    def _told(self, figure: _Figure, families: Families, needed: bool = False) -> float | None:
        lacking: set[str] = set()
        value = figure.read(families, lacking)
        self.lacking |= dict.fromkeys(lacking, needed and value is None)
        return value

    def _added_up(self, t_s: float, in_use: float) -> float:
        """Return the server-seconds so far: between two scrapes the servers in use are taken to run in a line."""
        if self._before is not None:
            before_s, were_in_use = self._before
            self._busy_s += (t_s - before_s) * (were_in_use + in_use) / 2
        self._before = t_s, in_use
        return self._busy_s


def _arrived(values: Mapping[str, float], in_use: float) -> float:
    """Return how many came, where that is not counted: those that were served or refused, and those still there."""
    if "completions" not in values:
        return 0.0
    return values["completions"] + values.get("rejections", 0.0) + values.get("queue_length", 0.0) + in_use
