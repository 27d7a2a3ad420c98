"""The fault kinds that links and regions can suffer, by name."""

from typing import Final

from chaoskit.faults.bandwidth import Bandwidth
from chaoskit.faults.contract import FaultKind
from chaoskit.faults.down import Down
from chaoskit.faults.latency import Latency
from chaoskit.faults.limit_data import LimitData
from chaoskit.faults.region_down import RegionDown
from chaoskit.faults.reset_peer import ResetPeer
from chaoskit.faults.slicer import Slicer
from chaoskit.faults.slow_close import SlowClose
from chaoskit.faults.timeout import Timeout
from chaoskit.registry import Registry

KINDS: Final[Registry[FaultKind]] = Registry("fault")
KINDS.register("latency", Latency())
KINDS.register("bandwidth", Bandwidth())
KINDS.register("slow_close", SlowClose())
KINDS.register("timeout", Timeout())
KINDS.register("reset_peer", ResetPeer())
KINDS.register("slicer", Slicer())
KINDS.register("limit_data", LimitData())
KINDS.register("down", Down())
KINDS.register("region_down", RegionDown())
