"""Pure mathematics over the records of a run: what gave way, at which load, and why (layer 5)."""

from chaoskit.analysis.analyse import analyse
from chaoskit.analysis.codec import decode, encode

__all__ = ["analyse", "decode", "encode"]
