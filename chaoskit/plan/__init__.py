"""From a scenario and a manifest to a plan: pure and seeded (layer 4)."""

from chaoskit.plan.arrivals import Schedule, schedule, share
from chaoskit.plan.build import build
from chaoskit.plan.codec import decode, encode
from chaoskit.plan.model import Plan

__all__ = ["Plan", "Schedule", "build", "decode", "encode", "schedule", "share"]
