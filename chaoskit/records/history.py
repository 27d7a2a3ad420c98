"""All records of one run, sorted by type: what the analysis and the report read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chaoskit.records.model import (
    Completions,
    FaultEvent,
    FigureSample,
    GeneratorHealth,
    HostSample,
    MessageBatch,
    MetricSample,
    PhaseEvent,
    ProbeSample,
    Receipt,
    Record,
    ResourceSample,
    RunEvent,
    SampleBatch,
    UsageSample,
    VitalsSample,
)


@dataclass(slots=True)
class History:
    """One list per type of record, each in the order in which the records came."""

    samples: list[SampleBatch] = field(default_factory=list)
    completions: list[Completions] = field(default_factory=list)
    messages: list[MessageBatch] = field(default_factory=list)
    generator: list[GeneratorHealth] = field(default_factory=list)
    resources: list[ResourceSample] = field(default_factory=list)
    usage: list[UsageSample] = field(default_factory=list)
    host: list[HostSample] = field(default_factory=list)
    figures: list[FigureSample] = field(default_factory=list)
    metrics: list[MetricSample] = field(default_factory=list)
    probes: list[ProbeSample] = field(default_factory=list)
    vitals: list[VitalsSample] = field(default_factory=list)
    faults: list[FaultEvent] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    phases: list[PhaseEvent] = field(default_factory=list)
    events: list[RunEvent] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record]) -> "History":
        """Sort `records` into a history."""
        history = cls()
        for record in records:
            history.add(record)
        return history

    def add(self, record: Record) -> None:
        """Append one record to its list."""
        lists: dict[str, list[Any]] = {
            "sample": self.samples,
            "completions": self.completions,
            "messages": self.messages,
            "generator": self.generator,
            "resource": self.resources,
            "usage": self.usage,
            "host": self.host,
            "figure": self.figures,
            "metric": self.metrics,
            "probe": self.probes,
            "vitals": self.vitals,
            "fault": self.faults,
            "receipt": self.receipts,
            "phase": self.phases,
            "run": self.events,
        }
        lists[record.type].append(record)
