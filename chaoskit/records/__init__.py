"""The records of a run and how they are written (layer 2)."""

from chaoskit.records.codec import decode, encode
from chaoskit.records.histogram import SAMPLES_BEYOND, Histogram, carried
from chaoskit.records.history import History
from chaoskit.records.model import (
    LOST,
    UNSENT,
    Completions,
    FaultEvent,
    FigureSample,
    GeneratorHealth,
    HostSample,
    InstanceState,
    PhaseEvent,
    ProbeOutcome,
    ProbeSample,
    Receipt,
    Record,
    ResourceSample,
    RunEvent,
    SampleBatch,
    UsageSample,
    Vitals,
    VitalsSample,
)

__all__ = [
    "LOST",
    "SAMPLES_BEYOND",
    "UNSENT",
    "Completions",
    "FaultEvent",
    "FigureSample",
    "GeneratorHealth",
    "Histogram",
    "History",
    "HostSample",
    "InstanceState",
    "PhaseEvent",
    "ProbeOutcome",
    "ProbeSample",
    "Receipt",
    "Record",
    "ResourceSample",
    "RunEvent",
    "SampleBatch",
    "UsageSample",
    "Vitals",
    "VitalsSample",
    "carried",
    "decode",
    "encode",
]
