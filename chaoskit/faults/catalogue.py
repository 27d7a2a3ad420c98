"""The fault kinds by name: those that strike links (of regions too), and those that strike components."""

from typing import Final

from chaoskit.faults.bandwidth import Bandwidth
from chaoskit.faults.contract import ComponentFaultKind, FaultKind
from chaoskit.faults.cpu_limit import CpuLimit
from chaoskit.faults.down import Down
from chaoskit.faults.kill import Kill
from chaoskit.faults.latency import Latency
from chaoskit.faults.limit_data import LimitData
from chaoskit.faults.memory_limit import MemoryLimit
from chaoskit.faults.partition import Partition
from chaoskit.faults.pause import Pause
from chaoskit.faults.region_down import RegionDown
from chaoskit.faults.reset_peer import ResetPeer
from chaoskit.faults.restart import Restart
from chaoskit.faults.slicer import Slicer
from chaoskit.faults.slow_close import SlowClose
from chaoskit.faults.stop import Stop
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
KINDS.register("partition", Partition())

COMPONENT_KINDS: Final[Registry[ComponentFaultKind]] = Registry("component fault")
COMPONENT_KINDS.register("kill", Kill())
COMPONENT_KINDS.register("stop", Stop())
COMPONENT_KINDS.register("pause", Pause())
COMPONENT_KINDS.register("restart", Restart())
COMPONENT_KINDS.register("cpu_limit", CpuLimit())
COMPONENT_KINDS.register("memory_limit", MemoryLimit())
