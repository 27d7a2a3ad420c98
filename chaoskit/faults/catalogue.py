"""The fault kinds that links and regions can suffer, by name."""

from typing import Final

from chaoskit.faults.contract import FaultKind
from chaoskit.faults.down import Down
from chaoskit.faults.latency import Latency
from chaoskit.faults.region_down import RegionDown
from chaoskit.faults.reset_peer import ResetPeer
from chaoskit.faults.timeout import Timeout
from chaoskit.registry import Registry

KINDS: Final[Registry[FaultKind]] = Registry("fault")
KINDS.register("latency", Latency())
KINDS.register("timeout", Timeout())
KINDS.register("reset_peer", ResetPeer())
KINDS.register("down", Down())
KINDS.register("region_down", RegionDown())
