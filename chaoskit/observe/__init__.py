"""Observers beside a run: resource metrics, process and host usage (layer 5)."""

from chaoskit.observe.observer import Observed, Observer

__all__ = ["Observed", "Observer"]
