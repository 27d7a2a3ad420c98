"""The toxics: one file each. Importing this package registers them all; the contract stands in `stage.py`."""

from chaoskit.proxy.toxics import (
    bandwidth,
    latency,
    limit_data,
    reset_peer,
    slicer,
    slow_close,
    timeout,
)
from chaoskit.proxy.toxics.stage import TOXIC_TYPES, Attributes, Lane, Output, Stage, ToxicType, register

__all__ = [
    "TOXIC_TYPES",
    "Attributes",
    "Lane",
    "Output",
    "Stage",
    "ToxicType",
    "bandwidth",
    "latency",
    "limit_data",
    "register",
    "reset_peer",
    "slicer",
    "slow_close",
    "timeout",
]
